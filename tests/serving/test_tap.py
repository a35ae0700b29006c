"""The tap: one request as it passes, whatever passes."""

import gzip
import json
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.ledger.requests import request_line
from wattermark.serving.kept import MOST_ANSWER_B
from wattermark.serving.tap import MOST_UNPACKED_B, Tap
from wattermark.values.served import Outcome, Route, Usage

from .recorded import ANSWERS, JSON, NDJSON, OPENAI, OPENAI_USAGE, SSE, STREAMS, chat_chunk, sse
from .test_encodings import cut

ASKED = json.dumps({"model": "asked", "messages": []}).encode()
ALL = {**STREAMS, **{f"{name}, whole": one for name, one in ANSWERS.items()}}
CHAT = "/v1/chat/completions"


def tapped(recorded, pieces, *, body=b"{}", status=200, outcome=Outcome.OK, **headers):
    tap = Tap(recorded.path, body, 10)
    tap.answered(status, {"Content-Type": recorded.kind, **headers})
    for number, piece in enumerate(pieces):
        tap.piece(piece, 20 + number)
    return tap.served(10**6, outcome)


def chat(*pieces, kind=SSE, path=CHAT, body=ASKED, status=200, outcome=Outcome.OK, **headers):
    tap = Tap(path, body, 10)
    tap.answered(status, {"Content-Type": kind, **headers})
    for piece in pieces:
        tap.piece(piece, 20)
    return tap.served(30, outcome)


# -- what is told ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_recorded_answer_tells_tokens_pieces_and_model(name):
    recorded = ALL[name]
    served = tapped(recorded, [recorded.body], body=b"{}" if recorded.model == "m-1" else ASKED)
    assert served.usage == recorded.usage
    assert (served.model, served.chunks) == (recorded.model, recorded.chunks)
    assert served.streamed is (name in STREAMS or "stream" in recorded.path)
    assert bool(served.unknown) is (not recorded.usage.is_known)


@pytest.mark.parametrize("name", ALL)
@given(places=st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_of_an_answer_tells_the_same(name, places):
    recorded = ALL[name]
    assert _timeless(tapped(recorded, cut(recorded.body, places))) == _timeless(
        tapped(recorded, [recorded.body])
    )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_byte_by_byte_and_packed_it_tells_the_same(name, encoding):
    recorded = ALL[name]
    packed = gzip.compress(recorded.body) if encoding == "gzip" else zlib.compress(recorded.body)
    pieces = [packed[i : i + 1] for i in range(len(packed))]
    told = tapped(recorded, pieces, **{"Content-Encoding": encoding})
    assert _timeless(told) == _timeless(tapped(recorded, [recorded.body]))


def _timeless(served):
    return (served.usage, served.model, served.chunks, served.streamed, served.unknown, served.outcome)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_line_will_do(end):
    stream = sse(chat_chunk({"content": "a"}), {"choices": [], "usage": OPENAI_USAGE}, "[DONE]", end=end)
    served = chat(b": a comment" + end.encode() * 2 + stream)
    assert (served.usage, served.chunks) == (OPENAI, 1)


def test_the_times_are_those_of_the_first_and_the_last_byte():
    tap = Tap(CHAT, ASKED, 10, tenant="t-1", upstream="u", provider="p", request="r")
    tap.answered(200, {"content-type": JSON})
    tap.piece(b"", 15)
    tap.piece(b"{", 20)
    tap.piece(b"}", 30)
    served = tap.served(40)
    assert (served.begin_ns, served.first_ns, served.end_ns) == (10, 20, 40)
    assert (served.tenant, served.upstream, served.provider, served.request) == ("t-1", "u", "p", "r")


@pytest.mark.parametrize(
    ("path", "body", "stream", "usage", "model"),
    [
        (CHAT, {"model": "m", "stream": True, "stream_options": {"include_usage": True}}, True, True, "m"),
        (CHAT, {"model": "m", "stream": True, "stream_options": {"include_usage": "yes"}}, True, False, "m"),
        (CHAT, {"model": "m", "stream": True}, True, False, "m"),
        (CHAT, {"model": "m", "stream": False}, False, False, "m"),
        (CHAT, {"model": 7, "stream_options": None}, False, False, ""),
        (CHAT, [], False, False, ""),
        ("/api/chat", {"model": "m"}, True, False, "m"),
        ("/api/chat", {"model": "m", "stream": False}, False, False, "m"),
        ("/v1beta/models/g:streamGenerateContent", {}, True, False, "g"),
        ("/v1beta/models/g:generateContent", {}, False, False, "g"),
        ("/v1/models", {"model": "m", "stream": True}, False, False, ""),
    ],
)  # fmt: skip
def test_what_a_request_asks_for(path, body, stream, usage, model):
    tap = Tap(path, json.dumps(body).encode(), 0)
    assert (tap.asks_stream, tap.asks_usage, tap.model) == (stream, usage, model)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"null", b"[" * 100_000, b"--x\r\nform-data", b"\0"]
)
def test_a_request_that_is_no_json_passes(body):
    assert (
        chat(json.dumps({"model": "m-1", "usage": OPENAI_USAGE}).encode(), kind=JSON, body=body).model
        == "m-1"
    )


def test_a_long_name_is_cut_before_it_is_kept():
    body = json.dumps({"model": "m" * 100_000}).encode()
    assert len(request_line(chat(b"", body=body))) < 2000


@pytest.mark.parametrize("size", [1000, 40_000, 10**6])
def test_of_a_long_list_both_ends_are_looked_at_whatever_the_split(size):
    """The model stands where one split would still have it and another would not."""
    numbers = b"0.25," * 20_000
    body = (
        b'{"data":['
        + numbers
        + b'0],"model":"far","more":['
        + numbers[:60_000]
        + b'0],"usage":{"prompt_tokens":8}}'
    )
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    served = chat(*pieces, kind=JSON, path="/v1/embeddings", body=b"{}")
    assert (served.usage, served.model) == (Usage(input_tokens=8, output_tokens=0), "")


def test_a_name_that_would_paint_a_terminal_is_cleaned():
    body = json.dumps({"model": "m\x1b[31m\n\r\u202e水"}).encode()
    assert chat(b"", body=body).model == "m[31m水"


# -- what is not told --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("served", "why"),
    [
        pytest.param(
            lambda: chat(sse(chat_chunk({"content": "a"}), "[DONE]")),
            "include_usage",
            id="nobody asked for it",
        ),
        pytest.param(
            lambda: chat(
                sse(chat_chunk({"content": "a"}), "[DONE]"),
                body=b'{"model":"m","stream_options":{"include_usage":true}}',
            ),
            "answer told none",
            id="asked for, and not told",
        ),
        pytest.param(lambda: chat(b"{}", kind=JSON), "told none", id="an answer"),
        pytest.param(lambda: chat(kind=JSON), "told none", id="no body"),
        pytest.param(lambda: chat(b'{"usage": {', kind=JSON), "told none", id="half an answer"),
        pytest.param(lambda: chat(b"\xff\xff", kind=JSON), "told none", id="no UTF-8"),
        pytest.param(lambda: chat(b'data: {"usage": {"a\n\n'), "told none", id="a malformed piece"),
        pytest.param(lambda: chat(b'data: {"usage": {}}\n\n'), "told none", id="an empty usage"),
        pytest.param(
            lambda: chat(b'{"usage": {"prompt_tokens": true}}', kind=JSON), "told none", id="no number"
        ),
        pytest.param(lambda: chat(b"<html>", kind="text/html"), "told none", id="a page"),
        pytest.param(
            lambda: chat(b"x" * (MOST_ANSWER_B + 1), kind=JSON),
            "longer than",
            id="an answer that is too long",
        ),
        pytest.param(
            lambda: chat(b'data: {"usage": ' + b" " * 5_000_000 + b"{}}\n\n"),
            "too long",
            id="too long a piece",
        ),
        pytest.param(
            lambda: chat(b"{}", kind=JSON, **{"Content-Encoding": "rot13"}),
            "unpacks rot13",
            id="strange packing",
        ),
        pytest.param(
            lambda: chat(b"{}", kind=JSON, **{"Content-Encoding": "gzip"}),
            "not packed",
            id="not packed at all",
        ),
        pytest.param(
            lambda: chat(gzip.compress(b": x\n" * 5_000_000), **{"Content-Encoding": "gzip"}),
            f"more than {MOST_UNPACKED_B}",
            id="a bomb in a stream",
        ),
        pytest.param(
            lambda: chat(gzip.compress(bytes(20_000_000)), kind=JSON, **{"Content-Encoding": "gzip"}),
            "longer than",
            id="a bomb in an answer",
        ),
        pytest.param(lambda: chat(outcome=Outcome.LEFT), "client left", id="the client left"),
        pytest.param(lambda: chat(outcome=Outcome.UNREACHED), "nobody answered", id="no engine"),
        pytest.param(lambda: chat(outcome=Outcome.TIMEOUT), "in time", id="a slow engine"),
        pytest.param(lambda: chat(b"{}", kind=JSON, status=429), "refused", id="refused"),
        pytest.param(lambda: chat(b"{}", kind=JSON, status=503), "failed", id="failed"),
    ],
)
def test_what_is_not_known_says_why(served, why):
    told = served()
    assert told.usage == Usage()
    assert [one.partition(":")[0] for one in told.unknown] == ["usage"]
    assert why in told.unknown[0]


def test_a_half_that_is_not_told_is_said():
    assert chat(b'{"usage": {"completion_tokens": 3}}', kind=JSON).unknown == (
        "input tokens: the answer told none",
    )


def test_nobody_named_the_model():
    assert chat(json.dumps({"usage": OPENAI_USAGE}).encode(), kind=JSON, body=b"{}").unknown == (
        "model: nobody named it",
    )


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/v1/messages/count_tokens"])
def test_a_path_that_asks_no_model_is_not_looked_at(path):
    served = chat(json.dumps({"model": "m", "usage": OPENAI_USAGE}).encode(), kind=JSON, path=path)
    assert (served.route, served.usage, served.model, served.unknown) == (Route.OTHER, Usage(), "", ())


@pytest.mark.parametrize(
    ("served", "outcome"),
    [
        (lambda: chat(b"{}", kind=JSON), Outcome.OK),
        (lambda: chat(b"{}", kind=JSON, status=404), Outcome.REFUSED),
        (lambda: chat(b"{}", kind=JSON, status=500), Outcome.FAILED),
        (lambda: chat(b"{}", kind=JSON, status=500, outcome=Outcome.LEFT), Outcome.LEFT),
        (lambda: chat(sse(chat_chunk({"content": "a"}), {"error": {"code": 500}})), Outcome.FAILED),
        (lambda: chat(sse({"type": "error", "error": {}}, names=True), path="/v1/messages"), Outcome.FAILED),
        (lambda: chat(b'{"error":"no such model"}\n', kind=NDJSON, path="/api/chat"), Outcome.FAILED),
    ],
)
def test_how_it_ended(served, outcome):
    assert served().outcome is outcome


def test_a_stream_that_broke_off_keeps_what_was_told():
    recorded = STREAMS["anthropic"]
    half = recorded.body[: recorded.body.index(b"event: message_delta")]
    served = tapped(recorded, [half], outcome=Outcome.LEFT)
    assert (served.usage.input_tokens, served.outcome) == (130, Outcome.LEFT)


def test_tgi_tells_tokens_in_the_head():
    served = chat(
        b'{"generated_text": "Water"}', kind=JSON, path="/generate",
        **{"x-prompt-tokens": "4", "x-generated-tokens": "2"},
    )  # fmt: skip
    assert served.usage == Usage(input_tokens=4, output_tokens=2)


# -- nothing breaks it, nothing fills it, nothing stays ------------------------------------


@pytest.mark.parametrize("kind", [SSE, NDJSON, JSON, "", "text/event-stream;;"])
@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b'data: {"usage":', b"{}", b'{"a":[', b"\n\n"]), max_size=9
    ),
    st.sampled_from([CHAT, "/v1/messages", "/api/chat", "/v1/embeddings", "/generate", "/x"]),
    st.sampled_from(["", "gzip", "deflate"]),
)
def test_no_bytes_are_a_crash(kind, pieces, path, encoding):
    served = chat(*pieces, kind=kind, path=path, **({"content-encoding": encoding} if encoding else {}))
    assert json.loads(request_line(served))["kind"] == "request"


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        pytest.param(SSE, sse(chat_chunk({"content": "x" * 900})), id="events"),
        pytest.param(SSE, b"x" * 1000, id="a line without end"),
        pytest.param(SSE, b"data: %b\n" % (b"xy" * 50) * 9, id="an event without end"),
        pytest.param(NDJSON, b"{" * 1000, id="JSON without end"),
        pytest.param(JSON, b"x" * 1000, id="an answer without end"),
    ],
)
def test_24_mb_take_no_more_than_one_bound(kind, piece):
    tap = Tap(CHAT, ASKED, 0)
    tap.answered(200, {"content-type": kind})
    tracemalloc.start()
    for _ in range(8000):
        tap.piece(piece, 1)
    for _ in range(40):
        tap.piece(piece * 400, 1)
    held_b = tracemalloc.get_traced_memory()[0]
    tap.served(2)
    tracemalloc.stop()
    assert held_b < (17_000_000 if kind == JSON else 5_000_000)


SECRETS = ("prompt-secret", "answer-secret", "sk-key-secret", "user-secret", "tool-secret", "usage-secret")


@pytest.mark.parametrize("name", ALL)
def test_nothing_that_anybody_wrote_is_kept(name):
    recorded = ALL[name]
    prompt, answer, key, user, tool, odd = SECRETS
    body = json.dumps(
        {
            "model": "asked",
            "messages": [{"role": "user", "content": prompt}],
            "user": user,
            "metadata": {"who": user},
            "tools": [{"name": tool}],
            "api_key": key,
        }
    ).encode()
    spoken = recorded.body.replace(b"Water", answer.encode()).replace(
        b'"usage": {', b'"usage": {"x": "%b", ' % odd.encode()
    )
    tap = Tap(recorded.path, body, 0)
    tap.answered(200, {"Content-Type": recorded.kind, "Set-Cookie": key, "x-request-id": user})
    for i in range(0, len(spoken), 7):
        tap.piece(spoken[i : i + 7], i)
    served = tap.served(10**6)
    assert served.usage == recorded.usage
    told = request_line(served)
    assert not [secret for secret in SECRETS if secret in told]


def test_a_piece_of_a_stream_costs_microseconds():
    """The proxy may add a millisecond in all; 1,000 pieces of an answer cost less than 20."""
    piece = sse(chat_chunk({"content": "Water"}, usage=None, system_fingerprint="fp_0123456789"))
    tap = Tap(CHAT, ASKED, 0)
    tap.answered(200, {"content-type": SSE})
    best_s = 1.0
    for _ in range(20):
        begin_s = time.process_time()
        for _ in range(1000):
            tap.piece(piece, 1)
        best_s = min(best_s, time.process_time() - begin_s)
    assert best_s < 0.020
