"""The relay, byte by byte: what goes on, what comes back, and how requests end."""

import asyncio
import gzip
import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.engine import answering, chunk, chunks, head, relay_to, relayed, request
from wattermark.serving.relay_address import Upstream
from wattermark.values.served import Outcome, Route

OK = head(b"200 OK", b"Content-Type: application/json", b"Content-Length: 2") + b"{}"
EVENTS = (b'data: {"a":1}\n\n', b'data: {"b":2}\n\n', b"data: [DONE]\n\n")
STREAM = head(b"200 OK", b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")


def body_of(answer):
    return answer.partition(b"\r\n\r\n")[2]


def status_of(answer):
    return int(answer.split(b" ")[1]) if answer else None


# -- what goes on ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/chat/completions",
        b"/v1/a%2Fb/%7e/c?x=%20+&y=%C3%A9&empty=",
        b"/http:/elsewhere.test/",
        b"/@elsewhere.test:1/",
        b"/x?to=http://elsewhere.test:1/../%23@%0d%0a",
        b"/a;p=1?q=%E2%82%AC|^`",
    ],
)
def test_path_and_query_go_on_byte_for_byte_and_to_nobody_else(target):
    async def story():
        async with relayed(answering(OK)) as relay:
            assert status_of(await relay.ask(request(target))) == 200
            assert relay.engine.asked[0].target == target

    asyncio.run(story())


def test_a_base_path_stands_before_every_other():
    async def story():
        async with relayed(answering(OK), base="/openai") as relay:
            await relay.ask(request(b"/v1/models?x=1"))
            assert relay.engine.asked[0].target == b"/openai/v1/models?x=1"

    asyncio.run(story())


def test_the_head_goes_on_but_for_what_is_meant_for_us_or_for_one_hop():
    async def story():
        async with relayed(answering(OK), token="a-token-of-the-proxy") as relay:
            await relay.ask(
                request(
                    b"/v1/models",
                    b"{}",
                    b"Authorization: Bearer sk-1",
                    b"Cookie: a=b",
                    b"X-Tenant: t",
                    b"X-Tenant: u",
                    b"X-Wattermark-Token: a-token-of-the-proxy",
                    b"X-Footprint: stream",
                    b"Keep-Alive: timeout=5",
                    b"TE: trailers",
                    b"Proxy-Authorization: Basic eA==",
                    b"X-Hop: 1",
                    b"Connection: X-Hop",
                    closes=False,
                ),
                until=b"{}",
            )
            got = relay.engine.asked[0]
            assert set(got.headers) == {
                b"host", b"authorization", b"cookie", b"x-tenant", b"content-length",
            }  # fmt: skip
            assert got.headers[b"host"].startswith(b"127.0.0.1:")
            assert b"X-Tenant: t\r\nX-Tenant: u" in got.head

    asyncio.run(story())


@settings(max_examples=25)
@given(st.binary(max_size=4000), st.lists(st.integers(1, 999), max_size=5))
def test_any_body_passes_both_ways_byte_for_byte(body, cuts):
    ends = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    pieces = [body[a:b] for a, b in itertools.pairwise(ends)]

    async def story():
        async def echo(talk):
            await talk.say(head(b"200 OK", b"Transfer-Encoding: chunked"), *map(chunk, pieces), chunk(b""))

        async with relayed(echo) as relay:
            plain = await relay.ask(request(b"/x", body))
            sent = b"".join(map(chunk, pieces)) + chunk(b"")
            await relay.ask(request(b"/x", b"", b"Transfer-Encoding: chunked", method=b"PUT") + sent)
            assert [talk.body for talk in relay.engine.asked] == [body, body]
            assert b"".join(chunks(body_of(plain))) == body

    asyncio.run(story())


@pytest.mark.parametrize("chunked", [False, True], ids=["of a told length", "in chunks"])
def test_a_body_too_long_to_hold_streams_through(chunked):
    body = bytes(range(256)) * 80_000  # 20 MB

    async def story():
        async with relayed(answering(OK)) as relay:
            if chunked:
                sent = request(b"/x", b"", b"Transfer-Encoding: chunked") + chunk(body) + chunk(b"")
            else:
                sent = request(b"/x", body)
            assert status_of(await relay.ask(sent)) == 200
            assert relay.engine.asked[0].body == body
            told = relay.engine.asked[0].headers
            assert (b"content-length" in told, b"transfer-encoding" in told) == (not chunked, chunked)

    asyncio.run(story())


@pytest.mark.parametrize("coding", [b"gzip", b"identity", b"br"])
def test_what_is_packed_stays_packed(coding):
    packed = gzip.compress(b'{"model":"m"}' * 50)

    async def story():
        there = head(b"200 OK", b"Content-Encoding: " + coding, b"Content-Length: %d" % len(packed))
        async with relayed(answering(there + packed)) as relay:
            back = await relay.ask(request(b"/x", packed, b"Content-Encoding: " + coding))
            assert relay.engine.asked[0].body == packed == body_of(back)

    asyncio.run(story())


# -- what comes back -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        pytest.param(head(b"201 Made", b"Content-Length: 1") + b"x", 201, b"x", id="made"),
        pytest.param(head(b"204 No Content"), 204, b"", id="nothing"),
        pytest.param(head(b"304 Not Modified", b"ETag: x"), 304, b"", id="not modified"),
        pytest.param(
            head(b"302 Found", b"Location: http://127.0.0.1:9/x", b"Content-Length: 0"), 302, b"",
            id="a redirect is the client's",
        ),
        pytest.param(head(b"404 Not Found", b"Content-Length: 2") + b"no", 404, b"no", id="not here"),
        pytest.param(head(b"429 Busy", b"Retry-After: 7", b"Content-Length: 0"), 429, b"", id="too many"),
        pytest.param(head(b"500 Oh", b"Content-Length: 3") + b"\xff\x00!", 500, b"\xff\x00!", id="a fault"),
        pytest.param(head(b"200 OK", b"Content-Length: 5") + b'{"us:', 200, b'{"us:', id="no JSON"),
        pytest.param(
            head(b"200 OK", b"Content-Length: 5") + b" {}\r\n", 200, b" {}\r\n", id="with blanks around"
        ),
    ],
)  # fmt: skip
def test_every_answer_passes_unchanged(answer, status, body):
    async def story():
        async with relayed(answering(answer)) as relay:
            back = await relay.ask(request())
            assert (status_of(back), body_of(back)) == (status, body)
            for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
                assert line.lower() in back.lower()  # a name is no more than its letters
            served = await relay.until_noted()
            assert served.status == status and served.route is Route.CHAT and served.model == "m"

    asyncio.run(story())


def test_head_is_asked_and_answered_without_a_body():
    async def story():
        async with relayed(answering(head(b"200 OK", b"Content-Length: 999"))) as relay:
            back = await relay.ask(request(b"/v1/models", b"", method=b"HEAD"))
            assert b"Content-Length: 999" in back and body_of(back) == b""
            assert relay.engine.asked[0].head.startswith(b"HEAD ")

    asyncio.run(story())


def test_pieces_of_a_stream_come_as_they_are_sent_neither_merged_nor_late():
    """Each as an HTTP chunk of its own, before the next one is sent."""
    said, heard = [], []

    async def stream(talk):
        await talk.say(STREAM)
        for event in (*EVENTS, b"x" * 3000):
            await asyncio.sleep(0.15)
            said.append((time.monotonic(), chunk(event)))
            await talk.say(chunk(event))
        await asyncio.sleep(0.15)
        await talk.say(chunk(b""))

    async def story():
        async with relayed(stream) as relay:
            reader, writer = await relay.line()
            writer.write(request())
            await reader.readuntil(b"\r\n\r\n")
            while piece := await reader.read(65536):
                heard.append((time.monotonic(), piece))
            writer.close()
            served = await relay.until_noted()
            assert served.streamed and served.outcome is Outcome.OK

    asyncio.run(story())
    assert b"".join(piece for _, piece in heard) == b"".join(piece for _, piece in said) + b"0\r\n\r\n"
    assert [piece for _, piece in heard[:4]] == [piece for _, piece in said]
    assert all(there < following for (there, _), (following, _) in zip(heard, said[1:], strict=False))


def test_two_events_in_one_write_keep_their_borders():
    async def story():
        async with relayed(answering(STREAM + b"".join(map(chunk, EVENTS)) + chunk(b""))) as relay:
            assert tuple(chunks(body_of(await relay.ask(request())))) == EVENTS

    asyncio.run(story())


def test_a_stream_goes_to_an_old_client_until_the_line_ends():
    async def story():
        async with relayed(answering(STREAM, *map(chunk, EVENTS), chunk(b""))) as relay:
            back = await relay.ask(request(version=b"1.0", closes=False))
            assert body_of(back) == b"".join(EVENTS)
            assert b"chunked" not in back

    asyncio.run(story())


def test_many_requests_on_one_line_each_get_their_own_answer():
    async def echo(talk):
        await talk.say(head(b"200 OK", b"Content-Length: %d" % len(talk.body)) + talk.body)

    async def story():
        async with relayed(echo) as relay:
            asked = [request(body=b"number %d." % n, closes=n == 9) for n in range(10)]
            back = await relay.ask(b"".join(asked))
            assert [back.count(b"number %d." % n) for n in range(10)] == [1] * 10
            assert back.index(b"number 3.") < back.index(b"number 4.")
            assert relay.engine.connections == 1
            await relay.until_noted(10)

    asyncio.run(story())


def test_a_body_that_waits_to_be_asked_for_is_asked_for():
    async def story():
        async with relayed(answering(OK)) as relay:
            reader, writer = await relay.line()
            whole = request(b"/x", b"later", b"Expect: 100-continue")
            writer.write(whole.removesuffix(b"later"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"later")
            assert status_of(await reader.read()) == 200
            writer.close()
            assert relay.engine.asked[0].body == b"later"
            assert b"expect" not in relay.engine.asked[0].headers

    asyncio.run(story())


# -- how requests end ------------------------------------------------------------------


async def silent(talk):
    await asyncio.sleep(60)


async def silent_midway(talk):
    await talk.say(STREAM, chunk(EVENTS[0]))
    await asyncio.sleep(60)


PART = head(b"200 OK", b"Content-Type: application/json", b"Content-Length: 99") + b'{"part":'


async def interim_only(talk):
    await talk.say(head(b"100 Continue"))
    await asyncio.sleep(60)


async def part_of_one(talk):
    await talk.say(PART)
    await asyncio.sleep(60)


async def hangs_up(talk):
    talk.reset()


async def closes(talk):
    talk.writer.close()


async def nonsense(talk):
    await talk.say(b"SSH-2.0-OpenSSH_9\r\n\r\n")


def breaking(*pieces):
    async def answer(talk):
        await talk.say(*pieces)
        await asyncio.sleep(0.05)
        talk.reset()

    return answer


@pytest.mark.parametrize(
    ("answer", "outcome", "status"),
    [
        pytest.param(silent, Outcome.TIMEOUT, 504, id="silent"),
        pytest.param(hangs_up, Outcome.FAILED, 502, id="a reset before its head"),
        pytest.param(closes, Outcome.FAILED, 502, id="an end before its head"),
        pytest.param(nonsense, Outcome.FAILED, 502, id="no HTTP"),
        pytest.param(breaking(PART), Outcome.FAILED, 502, id="a part of one that was held"),
        pytest.param(part_of_one, Outcome.TIMEOUT, 504, id="silent while it was held"),
        pytest.param(interim_only, Outcome.TIMEOUT, 504, id="silent after an interim answer"),
        pytest.param(
            answering(head(b"101 Other", b"Upgrade: x")),
            Outcome.FAILED,
            502,
            id="a protocol nobody asked for",
        ),
        pytest.param(answering(head(b"099 Odd", b"Content-Length: 0")), Outcome.FAILED, 502, id="no status"),
        pytest.param(
            answering(head(b"200 OK", b"X: \x1b[31m", b"Content-Length: 0")),
            Outcome.FAILED,
            502,
            id="no letters",
        ),
        pytest.param(
            answering(head(b"200 O\x00K", b"Content-Type: text/event-stream", b"Content-Length: 0")),
            Outcome.FAILED,
            502,
            id="no reason",
        ),
    ],
)
def test_an_engine_without_a_whole_answer_is_told_as_openai_tells_errors(answer, outcome, status):
    async def story():
        async with relayed(answer, timeout_s=0.2) as relay:
            back = await relay.ask(request())
            error = json.loads(body_of(back))["error"]
            assert status_of(back) == status and set(error) == {"message", "type", "param", "code"}
            served = await relay.until_noted()
            assert served.outcome is outcome and served.status in (None, 200)
            assert [cause for cause, _ in relay.warned] == [outcome]

    asyncio.run(story())


def test_an_engine_that_is_down_is_unreached():
    async def story():
        async with relay_to(Upstream("http", "127.0.0.1", 1), None) as relay:
            back = await relay.ask(request())
            assert status_of(back) == 502 and b"upstream_unreachable" in back
            assert (await relay.until_noted()).outcome is Outcome.UNREACHED

    asyncio.run(story())


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(breaking(STREAM, chunk(EVENTS[0])), Outcome.FAILED, id="a reset midway"),
        pytest.param(
            breaking(head(b"200 OK", b"Content-Type: text/event-stream", b"Content-Length: 99") + b"part"),
            Outcome.FAILED,
            id="too short",
        ),
        pytest.param(breaking(STREAM + b"6\r\ndat"), Outcome.FAILED, id="a chunk that breaks off"),
        pytest.param(answering(STREAM, b"zz\r\nnot a size", every_s=0.05), Outcome.FAILED, id="no chunk"),
        pytest.param(silent_midway, Outcome.TIMEOUT, id="silent midway"),
    ],
)
def test_an_answer_that_breaks_off_breaks_off_for_the_client_too(answer, outcome, version):
    """What came is handed on, and no end that looks like one."""

    async def story():
        async with relayed(answer, timeout_s=0.3) as relay:
            reader, writer = await relay.line()
            writer.write(request(version=version))
            found, broke = b"", False
            try:
                while piece := await reader.read(65536):
                    found += piece
            except ConnectionError:
                broke = True
            writer.close()
            clean_end = found.endswith(b"0\r\n\r\n")
            chunked = b"chunked" in found
            told = b"Content-Length: 99" in found
            assert not clean_end and (chunked or told or broke)
            served = await relay.until_noted()
            assert (served.outcome, served.status) == (outcome, 200)

    asyncio.run(story())


@pytest.mark.parametrize(
    "answer", [pytest.param(silent, id="before the head"), pytest.param(silent_midway, id="midway")]
)
def test_a_client_that_leaves_ends_the_request_at_the_engine_at_once(answer):
    async def story():
        async with relayed(answer) as relay:
            reader, writer = await relay.line()
            writer.write(request())
            if answer is silent_midway:
                await reader.readuntil(b"\r\n\r\n")
            while not relay.engine.asked:
                await asyncio.sleep(0.005)
            began_s = time.monotonic()
            writer.transport.abort()
            await asyncio.wait_for(relay.engine.left.wait(), 5)
            assert time.monotonic() - began_s < 1.0
            assert (await relay.until_noted()).outcome is Outcome.LEFT
            assert relay.warned == []

    asyncio.run(story())


def test_a_client_that_leaves_while_it_sends_is_no_request():
    async def story():
        async with relayed(answering(OK)) as relay:
            _, writer = await relay.line()
            writer.write(request(b"/x", b"body of ten" * 1000)[:-500])
            await asyncio.sleep(0.05)
            writer.transport.abort()
            assert status_of(await relay.ask(request())) == 200
            assert len(relay.engine.asked) == 1 == len(relay.noted)

    asyncio.run(story())


def test_the_way_to_the_engine_is_kept_open_and_found_anew_when_it_closed():
    async def story():
        async with relayed(answering(OK, closes=True)) as relay:
            for _ in range(5):
                assert status_of(await relay.ask(request())) == 200
                await asyncio.sleep(0.02)
            assert relay.engine.connections == 5

    asyncio.run(story())


def test_what_is_not_known_has_one_cause_whoever_asks():
    """Whoever warns says each cause once."""

    async def story():
        async with relayed(answering(OK)) as relay:
            for _ in range(3):
                await relay.ask(request())
            await relay.until_noted(3)
            assert [cause for cause, _ in relay.warned] == ["chat usage"] * 3

    asyncio.run(story())
