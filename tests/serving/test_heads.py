"""Heads: what two servers could read in two ways is refused; the rest stays, but for the connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.serving.heads import BadHead, check_request, check_target, forwarded, upstream_url

HOST = ("Host", "localhost:8100")


def refused(method="POST", target="/v1/chat/completions", fields=()):
    with pytest.raises(BadHead) as caught:
        check_request(method, target, [HOST, *fields])
    return caught.value


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param([("Content-Length", "5"), ("Transfer-Encoding", "chunked")], "not both", id="CL.TE"),
        pytest.param([("content-length", "5"), ("CONTENT-LENGTH", "5")], "one number", id="two lengths"),
        pytest.param([("Content-Length", "5, 6")], "one number", id="a list of lengths"),
        pytest.param([("Content-Length", "+5")], "one number", id="a signed length"),
        pytest.param([("Content-Length", "0x5")], "one number", id="a length in hexadecimal"),
        pytest.param([("Content-Length", "\u0665")], "one number", id="a length in Arabic digits"),
        pytest.param([("Content-Length", "")], "one number", id="no length"),
        pytest.param([("Transfer-Encoding", "gzip, chunked")], "chunked", id="two codings"),
        pytest.param([("Transfer-Encoding", "xchunked")], "chunked", id="nearly chunked"),
        pytest.param(
            [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")], "chunked", id="TE.TE"
        ),
        pytest.param([("Transfer-Encoding", "\x0bchunked")], "control", id="a hidden vertical tab"),
        pytest.param([("X", "a\r\nY: b")], "another line", id="CR LF in a value"),
        pytest.param([("X", "a\n b")], "another line", id="a value folded over two lines"),
        pytest.param([("X", "a\0b")], "control", id="NUL in a value"),
        pytest.param([("Content-Length ", "5")], "name", id="a blank behind a name"),
        pytest.param([("", "5")], "name", id="no name"),
        pytest.param([("X\u00e9", "5")], "name", id="letters that are no ASCII in a name"),
        pytest.param([("a:b", "5")], "name", id="a colon in a name"),
        pytest.param([("Host", "other")], "one Host", id="Host twice"),
        pytest.param([("Upgrade", "websocket")], "upgraded", id="an upgrade"),
        pytest.param([("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")], "upgraded", id="to HTTP/2"),
        pytest.param([("Connection", "close, Content-Length")], "frames", id="Connection names the length"),
        pytest.param([("Connection", "Host")], "frames", id="Connection names Host"),
    ],
)
def test_a_head_that_reads_in_two_ways_is_refused(fields, problem):
    assert problem in str(refused(fields=fields))


@pytest.mark.parametrize("host", ["a b", "a/b", "user@host", "a\\b", "a,b", "a?b"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(BadHead, match="Host"):
        check_request("POST", "/v1/models", [("Host", host)])


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "connect", "GE T", "", "GET\r\n", "G\u00c9T"])
def test_a_method_that_is_not_passed_on(method):
    assert refused(method=method).status == 405


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("http://elsewhere/v1/models", id="absolute form"),
        pytest.param("elsewhere:443", id="authority form"),
        pytest.param("*", id="asterisk form"),
        pytest.param("", id="nothing"),
        pytest.param("@elsewhere/", id="what would follow the upstream's host"),
        pytest.param(":80/v1/models", id="what would follow the upstream's host, a port"),
        pytest.param("//elsewhere/v1/models", id="another host by two slashes"),
        pytest.param("/v1//models", id="an empty part"),
        pytest.param("/v1/../admin", id="dots"),
        pytest.param("/v1/%2e%2E/admin", id="hidden dots"),
        pytest.param("/v1/.%2e/admin", id="half hidden dots"),
        pytest.param("/./v1", id="a dot"),
        pytest.param("/v1\\models", id="a backslash"),
        pytest.param("/v1/%5c..%5cadmin", id="a hidden backslash"),
        pytest.param("/v1/mod els", id="a blank"),
        pytest.param("/v1/models\r\nX: y", id="another line"),
        pytest.param("/v1/%0d%0aX", id="a hidden line"),
        pytest.param("/v1/%00", id="a hidden NUL"),
        pytest.param("/v1/\x7f", id="a control character"),
        pytest.param("/v1/\u00e9", id="no ASCII"),
        pytest.param("/v1/models#part", id="a fragment"),
        pytest.param("/v1/%zz", id="half an escape"),
        pytest.param("/" + "a" * 8192, id="too long"),
    ],
)
def test_a_path_that_reads_in_two_ways_is_refused(target):
    with pytest.raises(BadHead):
        check_target(target)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/chat/completions",
        "/v1/chat/completions?a=1&b=http://x//y/../z",
        "/v1/models/meta-llama%2FLlama-3.1-8B",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=a%2Bb%00",
        "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        "/a...b/..c/d..",
        "/",
    ],
)
def test_a_good_request_passes_byte_for_byte(target):
    check_request("POST", target, [HOST, ("Content-Length", "5"), ("Accept", "*/*; q=\u00e9\t")])
    check_request("POST", target, [HOST, ("Transfer-Encoding", "Chunked"), ("Connection", "keep-alive")])
    assert upstream_url("http://localhost:8000/", target) == "http://localhost:8000" + target


def test_nothing_that_a_head_holds_is_said():
    """The message goes to logs: no key may stand in it."""
    assert "sk-1" not in str(refused(fields=[("Authorization", "Bearer sk-1\0")]))
    assert "sk-1" not in str(refused(target="/v1?key=sk-1 "))


def test_what_belongs_to_the_connection_stays_behind():
    given = [
        ("Host", "localhost:8100"),
        ("Connection", "close, X-Mine"),
        ("x-mine", "1"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Trailer", "x"),
        ("Transfer-Encoding", "chunked"),
        ("Proxy-Authorization", "Basic x"),
        ("Expect", "100-continue"),
        ("X-Token", "mine"),
        ("Authorization", "Bearer sk-1"),
        ("X-Two", "b"),
        ("x-two", "a"),
        ("Content-Length", "5"),
    ]
    kept = [("Authorization", "Bearer sk-1"), ("X-Two", "b"), ("x-two", "a"), ("Content-Length", "5")]
    assert forwarded(given, "engine:8000", drop={"x-token"}) == [("Host", "engine:8000"), *kept]
    assert forwarded([*given[1:9], *kept]) == kept


def test_an_answer_cannot_take_its_own_length_away():
    assert forwarded([("Connection", "content-length"), ("Content-Length", "5")]) == [("Content-Length", "5")]


@given(
    st.lists(st.tuples(st.sampled_from(["Host", "Connection", "X-A", "te", "Upgrade"]), st.text(max_size=9))),
    st.text(max_size=30).map("/".__add__),
)
def test_what_passes_can_stand_in_a_head(fields, target):
    """Whatever was let through has no line ends, no second host and no second path."""
    try:
        check_request("POST", target, fields)
    except BadHead:
        return
    assert not any(set(value) & set("\r\n\0") for _, value in fields)
    assert upstream_url("http://u", target).isascii() and " " not in target and "\\" not in target
    assert [name for name, _ in forwarded(fields, "u") if name.lower() == "host"] == ["Host"]
