"""What the relay refuses, and what it keeps to itself. SECURITY.md promises each of these."""

import asyncio
import json
import logging

import pytest

from fakes.engine import answering, chunk, head, relay_to, relayed, request
from wattermark.errors import UsageError
from wattermark.serving.relay_address import Upstream, listen_of, upstream_of
from wattermark.serving.relay_pages import Pages
from wattermark.serving.relay_server import Door, upstream_session
from wattermark.serving.relay_token import HEADER
from wattermark.values.hosts import is_local
from wattermark.values.served import Outcome

OK = head(b"200 OK", b"Content-Length: 2") + b"{}"
TOKEN = "a-token-of-the-proxy"
SECRET = "sk-a-secret-that-nobody-tells"


def status_of(answer):
    return int(answer.split(b" ")[1]) if answer else None


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        pytest.param([], 401, id="none"),
        pytest.param([b"another-token-of-ours"], 401, id="another"),
        pytest.param([TOKEN.encode()[:-1]], 401, id="a part"),
        pytest.param([TOKEN.encode() + b"\xff"], 401, id="letters that no key has"),
        pytest.param([TOKEN.encode(), TOKEN.encode()], 401, id="twice"),
        pytest.param([b""], 401, id="empty"),
        pytest.param([TOKEN.encode()], 200, id="the one"),
    ],
)
def test_where_there_is_a_token_nobody_gets_through_without_it(shown, status):
    async def story():
        async with relayed(answering(OK), token=TOKEN) as relay:
            fields = [b"X-Wattermark-Token: " + one for one in shown]
            back = await relay.ask(request(b"/v1/models", b"{}", *fields))
            assert status_of(back) == status
            assert len(relay.engine.asked) == len(relay.noted) == (status == 200)
            assert all(HEADER.encode() not in talk.headers for talk in relay.engine.asked)

    asyncio.run(story())


FIRST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            FIRST
            + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
            id="two lengths of two kinds",
        ),
        pytest.param(FIRST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", id="two lengths"),
        pytest.param(FIRST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", id="one length twice"),
        pytest.param(FIRST + b"Content-Length: +2\r\n\r\n{}", id="a length with a sign"),
        pytest.param(FIRST + b"Content-Length: 2, 2\r\n\r\n{}", id="a list of lengths"),
        pytest.param(FIRST + b"Transfer-Encoding: xchunked\r\n\r\n{}", id="a coding that is none"),
        pytest.param(FIRST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="not chunked last"),
        pytest.param(FIRST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", id="a blank before the colon"),
        pytest.param(FIRST + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", id="a folded line"),
        pytest.param(FIRST + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n", id="a zero byte"),
        pytest.param(FIRST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n", id="a lone return"),
        pytest.param(FIRST + b"Host: other\r\nContent-Length: 0\r\n\r\n", id="two hosts"),
        pytest.param(
            FIRST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 0\r\n\r\n",
            id="two keys: one that is charged, one that is let in",
        ),
        pytest.param(
            FIRST + b"Connection: content-length\r\nContent-Length: 2\r\n\r\n{}", id="its length for one hop"
        ),
        pytest.param(FIRST + b"Transfer-Encoding: chunked\r\n\r\n1;\nx\r\nzz\r\n0\r\n\r\n", id="a bad chunk"),
        pytest.param(FIRST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", id="another protocol"),
        pytest.param(b"CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: h\r\n\r\n", id="a tunnel"),
        pytest.param(b"GET http://elsewhere.test/ HTTP/1.1\r\nHost: h\r\n\r\n", id="another server"),
        pytest.param(b"GET //elsewhere.test/ HTTP/1.1\r\nHost: h\r\n\r\n", id="another server, shorter"),
        pytest.param(b"GET /v1/../admin HTTP/1.1\r\nHost: h\r\n\r\n", id="out of the base"),
        pytest.param(b"GET /v1/%2e%2e/admin HTTP/1.1\r\nHost: h\r\n\r\n", id="out of the base, hidden"),
        pytest.param(b"GET /v1/..%2Fadmin HTTP/1.1\r\nHost: h\r\n\r\n", id="out of the base, slash hidden"),
        pytest.param(
            b"GET /v1/..;x/admin HTTP/1.1\r\nHost: h\r\n\r\n", id="out of the base, with a parameter"
        ),
        pytest.param(b"GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", id="a backslash"),
        pytest.param(b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", id="letters that are no address"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(FIRST + b"X: y\r\n" * 200 + b"\r\n", id="too many fields"),
        pytest.param(FIRST + b"X: " + b"y" * 20_000 + b"\r\n\r\n", id="too long a field"),
        pytest.param(b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", id="too long a path"),
    ],
)
def test_what_could_be_read_in_two_ways_never_reaches_the_engine(sent):
    async def story():
        async with relayed(answering(OK)) as relay:
            back = await relay.ask(sent)
            assert status_of(back) in {400, 405, 414, 501}
            assert relay.engine.asked == [] == relay.noted
            assert back.count(b"HTTP/1.") == 1, "what followed was read as a request"

    asyncio.run(story())


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(request(b"/x", b"x" * 2001), id="of a told length"),
        pytest.param(
            request(b"/x", b"", b"Content-Length: 2001", b"Expect: 100-continue"), id="one that waits"
        ),
        pytest.param(
            request(b"/x", b"", b"Transfer-Encoding: chunked") + chunk(b"x" * 1500) * 2 + chunk(b""),
            id="in chunks",
        ),
    ],
)
def test_a_body_that_is_too_long_is_refused_before_the_engine_hears_of_it(sent):
    async def story():
        async with relayed(answering(OK), most_body_b=2000) as relay:
            back = await relay.ask(sent)
            assert status_of(back) == 413 and b"100 Continue" not in back
            assert json.loads(back.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"
            assert relay.engine.asked == []
            assert status_of(await relay.ask(request(b"/x", b"x" * 2000))) == 200

    asyncio.run(story())


def test_who_comes_and_says_nothing_keeps_no_place(monkeypatch):
    """Neither before a head, nor in one, nor in a body; an engine may take its time all the same."""
    monkeypatch.setattr("wattermark.serving.relay_server.HEAD_S", 0.3)
    monkeypatch.setattr("wattermark.serving.relay_body.SILENT_S", 0.3)
    slow = answering(OK[:9], OK[9:], every_s=0.6)

    async def story():
        async with relayed(slow) as relay:
            begun = [b"", FIRST, FIRST + b"Content-Length: 9\r\n\r\n{", request()]
            nothing, head_only, body, whole = await asyncio.gather(*map(relay.ask, begun))
            assert nothing == head_only == b""
            assert (status_of(body), status_of(whole)) == (408, 200)
            assert len(relay.engine.asked) == len(relay.noted) == 1

    asyncio.run(story())


def test_an_engine_that_answers_before_it_has_all_of_a_long_body_is_heard(monkeypatch):
    monkeypatch.setattr("wattermark.serving.relay_body.HELD_B", 10)
    begun = head(b"200 OK", b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")

    class Early(asyncio.Protocol):
        """Answers as soon as anything came; ends its answer once all of it has."""

        def connection_made(self, line):
            self.line, self.got = line, b""

        def data_received(self, data):
            if not self.got:
                self.line.write(begun + chunk(b"data: a\n\n"))
            self.got += data
            if self.got.count(b"x") == 60:
                self.line.write(chunk(b"data: b\n\n") + chunk(b""))

    async def story():
        server = await asyncio.get_running_loop().create_server(Early, "127.0.0.1", 0)
        upstream = Upstream("http", "127.0.0.1", server.sockets[0].getsockname()[1])
        async with server, relay_to(upstream, None) as relay:
            reader, writer = await relay.line()
            writer.write(request(b"/v1", b"", b"Content-Length: 60"))
            for _ in range(3):
                writer.write(b"x" * 20)
                await asyncio.sleep(0.1)
            back = await reader.read()
            writer.close()
        assert back.endswith(chunk(b"data: b\n\n") + chunk(b"")), back

    asyncio.run(story())


def test_a_long_body_that_stops_to_come_ends_and_one_that_is_slow_does_not(monkeypatch):
    monkeypatch.setattr("wattermark.serving.relay_body.SILENT_S", 0.5)
    monkeypatch.setattr("wattermark.serving.relay_body.HELD_B", 10)

    async def sends(relay, *pieces):
        reader, writer = await relay.line()
        writer.write(request(b"/x", b"", b"Content-Length: 60"))
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.3)
        back = await reader.read()
        writer.close()
        return back

    async def story():
        async with relayed(answering(OK), timeout_s=0.1) as relay:
            assert status_of(await sends(relay, *[b"x" * 20] * 3)) == 200
            assert status_of(await sends(relay, b"x" * 20)) == 408
            assert [one.outcome for one in relay.noted] == [Outcome.OK, Outcome.REFUSED]

    asyncio.run(story())


def test_one_that_turns_out_too_long_on_its_way_never_ends_at_the_engine():
    async def story():
        async with relayed(answering(OK), most_body_b=17_000_000) as relay:
            sent = request(b"/x", b"", b"Transfer-Encoding: chunked") + chunk(b"x" * 9_000_000) * 2
            back = await relay.ask(sent + chunk(b""))
            assert status_of(back) == 413
            assert (await relay.until_noted()).outcome is Outcome.REFUSED
            assert all(talk.body == b"" for talk in relay.engine.asked)

    asyncio.run(story())


def test_no_secret_is_in_what_is_noted_logged_or_answered(caplog):
    """Also where requests are malformed, which servers like to repeat in their logs."""
    caplog.set_level(logging.DEBUG)
    key = b"Authorization: Bearer " + SECRET.encode()
    prompt = json.dumps({"model": "m", "messages": [{"content": SECRET}]}).encode()
    asked = [
        request(b"/v1/chat/completions?key=" + SECRET.encode(), prompt, key),
        request(b"/v1/chat/completions", prompt, key, b"Transfer-Encoding: chunked"),
        request(b"/v1/chat/completions", b"", key + b"\x00"),
        request(b"/v1/chat/completions", b"", key, b"X: " + SECRET.encode() * 2000),
        b"SEC " + SECRET.encode() + b" HTTP/9\r\n\r\n",
    ]

    async def breaks(talk):
        talk.reset()

    async def story():
        told = b""
        for answer in (answering(OK), breaks):
            async with relayed(answer, token="") as relay:
                for sent in asked:
                    told += await relay.ask(sent)
                assert relay.noted[0].tenant.startswith("t-")
                told += repr((relay.noted, relay.warned)).encode()
        assert SECRET.encode() not in told

    asyncio.run(story())
    assert SECRET not in caplog.text


def test_no_proxy_of_the_environment_is_used_and_no_cookie_is_kept(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def story():
        cookie = head(b"200 OK", b"Set-Cookie: a=b; Path=/", b"Content-Length: 0")
        async with relayed(answering(cookie)) as relay:
            for _ in range(2):
                assert b"Set-Cookie: a=b; Path=/" in await relay.ask(request())
            assert all(b"cookie" not in talk.headers for talk in relay.engine.asked)

    asyncio.run(story())


@pytest.mark.parametrize("known", [False, True], ids=["nobody vouches for it", "of a file of authorities"])
def test_the_certificate_of_an_engine_is_verified(certificate, known):
    async def story():
        ca = f"{certificate}.crt" if known else None
        async with relayed(answering(OK), certificate=certificate, ca=ca) as relay:
            back = await relay.ask(request())
            assert status_of(back) == (200 if known else 502)
            assert bool(relay.engine.asked) is known

    asyncio.run(story())


def test_a_file_of_authorities_that_is_none_is_said(tmp_path):
    async def story(path):
        with pytest.raises(UsageError, match="certificates"):
            upstream_session(1.0, str(path))

    asyncio.run(story(tmp_path / "absent"))
    (tmp_path / "none").write_text("nonsense")
    asyncio.run(story(tmp_path / "none"))


def test_pages_are_shown_to_who_has_the_token_and_to_nobody_else():
    async def story():
        door = Door(Pages({"/metrics": lambda: ("text/plain", b"up 1\n")}, TOKEN).handle)
        port = (await door.listen_on(listen_of("x", "127.0.0.1:0"), 0.1)).port

        async def ask(*fields, target=b"/metrics", method=b"GET"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(target, b"", *fields, method=method))
            found = await reader.read()
            writer.close()
            return found

        bearer = b"Authorization: Bearer " + TOKEN.encode()
        assert (await ask(bearer)).endswith(b"up 1\n")
        assert (await ask(b"X-Wattermark-Token: " + TOKEN.encode())).endswith(b"up 1\n")
        assert status_of(await ask()) == status_of(await ask(bearer + b"x")) == 401
        assert status_of(await ask(bearer, target=b"/other")) == 404
        assert status_of(await ask(bearer, method=b"POST")) == 405
        await door.close()

    asyncio.run(story())


# -- addresses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address", "local"),
    [
        ("http://localhost:8000", "http://localhost:8000", True),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1", True),
        ("https://api.example.com", "https://api.example.com:443", False),
        ("http://[::1]:80", "http://[::1]:80", True),
        ("http://10.0.0.2", "http://10.0.0.2:80", False),
    ],
)
def test_where_requests_go_is_read(text, address, local):
    found = upstream_of(text)
    assert (found.address, found.local) == (address, local)


@pytest.mark.parametrize(
    "text",
    [
        "localhost:8000", "ftp://h", "http://", "http://h:x", "http://h:99999", "http://h:0", "http://h/?x=1",
        "http://h/#x", "http://h/a b", "http://h\\x", f"http://user:{SECRET}@h/", f"http://{SECRET}@h/",
        "http://h/a/../b", "http://[::1", "",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_a_password_in_it_is_not_repeated(text):
    with pytest.raises(UsageError) as error:
        upstream_of(text)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", ":8100", "127.0.0.1:x", "a@b:1", "h:1/x", "", "127.0.0.1:70000"]
)
def test_what_cannot_be_listened_on_is_refused(text):
    with pytest.raises(UsageError):
        listen_of("--listen", text)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("LOCALHOST.", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost.evil.test", False),
        ("::ffff:127.0.0.1", False), ("127.0.0.1.evil.test", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_local(host, local):
    assert is_local(host) is local
