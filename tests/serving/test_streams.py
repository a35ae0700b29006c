"""Server-sent events and lines of JSON: the same events, whatever the pieces, and a bound on each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.serving.streams import Events, JsonLines, Lines, dialect, is_fault


def events(data, *, most_b=1000, of=Events):
    stream = of(most_b)
    return [*stream.feed(data), *stream.end()]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [b"a", b"b"], id="LF"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], id="CRLF"),
        pytest.param(b"data: a\r\rdata: b\r\r", [b"a", b"b"], id="CR"),
        pytest.param(b"data: a\ndata: b\n\n", [b"a\nb"], id="data of two lines"),
        pytest.param(b"data: a\r\ndata: b\r\n\r\n", [b"a\nb"], id="data of two lines, CRLF"),
        pytest.param(b": ping\n\ndata: a\n\n", [b"a"], id="a comment"),
        pytest.param(b"event: x\nid: 7\nretry: 9\ndata: a\n\n", [b"a"], id="other fields"),
        pytest.param(b"data:a\n\ndata:  a\n\n", [b"a", b" a"], id="one blank belongs to the field"),
        pytest.param(b"data: a", [b"a"], id="an end that never came"),
        pytest.param(b"data: a\n", [b"a"], id="an empty line that never came"),
        pytest.param(b"\n\n\n", [], id="nothing"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [b"a"], id="a byte order mark"),
        pytest.param(b"datum: a\n\n", [], id="another field"),
        pytest.param(b"data: " + b"x" * 1001 + b"\n\ndata: a\n\n", [b"a"], id="too long a line"),
        pytest.param(b"data: xxxx\n" * 15 + b"\ndata: a\n\n", [b"a"], id="too long an event"),
    ],
)  # fmt: skip
def test_events_are_read_as_the_standard_reads_them(data, found):
    assert events(data) == found


@pytest.mark.parametrize("of", [Events, JsonLines])
@given(
    st.lists(
        st.sampled_from(
            [
                b"data: a",
                b"data: b\xc3\xa9",
                b"\n",
                b"\r\n",
                b"\r",
                b"\n\n",
                b"{}",
                b": c",
                b"data: " + b"x" * 60,
            ]
        ),
        max_size=20,
    ).map(b"".join),
    st.lists(st.integers(1, 9), max_size=60),
)
def test_any_split_gives_the_same_events(of, data, sizes):
    whole, stream, found, at = of(150), of(150), [], 0
    expected = [*whole.feed(data), *whole.end()]
    for size in sizes:
        found += stream.feed(data[at : at + size])
        at += size
    found += [*stream.feed(data[at:]), *stream.end()]
    assert (found, stream.too_long) == (expected, whole.too_long)


def test_a_line_without_end_takes_no_more_than_its_bound():
    lines = Lines(1000)
    for _ in range(10_000):
        lines.feed(b"x" * 100)
    assert len(lines._rest) <= 1000
    assert lines.feed(b"\nnext\n") == [b"next"]
    assert lines.too_long == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"error": {"message": "no"}}', True),
        (b'{"error":"model not found"}', True),
        (b' {"type": "error", "error": {}}', True),
        (b'{"type":"response.failed","response":{}}', True),
        (b'{"object":"error","message":"out of memory"}', True),
        (b'{"object":"chat.completion.chunk"}', False),
        (b'{"error": null, "choices": []}', False),
        (b'{"choices": [{"delta": {"content": "{\\"error\\": {}}"}}]}', False),
        (b"[DONE]", False),
    ],
)
def test_a_failure_in_a_stream_is_seen(text, fault):
    assert is_fault(text) is fault


def test_a_text_that_looks_like_usage_is_only_a_text():
    """What a model writes has its quotes escaped, so it never looks like a key."""
    piece = b'{"choices":[{"delta":{"content":"{\\"usage\\": {\\"prompt_tokens\\": 1}}"}}],"usage":null}'
    assert not dialect("openai").told.search(piece)
    assert dialect("openai").carries.search(piece)
