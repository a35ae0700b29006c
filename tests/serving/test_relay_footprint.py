"""What a request took, told with its answer: in its head, or at the end of a stream."""

import asyncio
import json

import pytest

from fakes.engine import answering, chunk, chunks, head, relayed, request
from wattermark.serving.footprints import footprint_comment
from wattermark.values.served import Outcome, Quote

QUOTE = Quote(energy_j=12.345678, carbon_g=1.5e-7, water_l=0.0, quality="measured-provisional")
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
ANSWER = json.dumps(
    {
        "id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    }
).encode()  # fmt: skip
JSON = b"Content-Type: application/json"
SSE = b"Content-Type: text/event-stream"
ASKED = b"X-Footprint: stream"


class Quotes:
    """Quotes everything the same, and remembers what it was shown."""

    def __init__(self, quote=QUOTE):
        self.quoted, self._quote = [], quote

    def quote(self, served):
        self.quoted.append(served)
        return self._quote


def piece_of(text, **more):
    delta = {"index": 0, "delta": {"content": text}}
    told = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [delta]}
    return f"data: {json.dumps({**told, **more})}\n\n".encode()


EVENTS = (piece_of("a"), piece_of("b"), piece_of("", choices=[], usage=USAGE), b"data: [DONE]\n\n")


def streaming(*events, fields=(SSE,)):
    sent = [chunk(event) for event in events]
    return answering(head(b"200 OK", *fields, b"Transfer-Encoding: chunked"), *sent, chunk(b""))


class Faulty:
    """Has a fault of its own."""

    def quote(self, served):
        raise LookupError


@pytest.mark.parametrize("field", [ASKED, b"X: y"], ids=["in a stream", "none yet"])
def test_a_fault_of_ours_in_a_stream_is_never_a_second_answer_in_the_first(field):
    async def story():
        async with relayed(streaming(*EVENTS), quoter=Faulty()) as relay:
            back = await relay.ask(request(b"/v1/chat/completions", b'{"stream":true}', field))
            assert back.count(b"HTTP/1.1") == 1 and EVENTS[0] in back
            assert back.endswith(b"0\r\n\r\n") is (field != ASKED)
            assert (await relay.until_noted()).outcome is (Outcome.FAILED if field == ASKED else Outcome.OK)

    asyncio.run(story())


def test_the_head_tells_it_once_the_answer_is_whole_and_the_body_is_as_it_was():
    async def story():
        quotes = Quotes()
        answer = head(b"200 OK", JSON, b"Content-Length: %d" % len(ANSWER), b"X-Footprint-Energy-J: 9")
        async with relayed(answering(answer, ANSWER[:9], ANSWER[9:], every_s=0.05), quoter=quotes) as relay:
            back = await relay.ask(request())
            fields = dict(line.split(b": ") for line in back.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
            told = {
                name.lower(): value for name, value in fields.items() if name.lower().startswith(b"x-foot")
            }
            assert told == {
                b"x-footprint-energy-j": b"12.3457",
                b"x-footprint-carbon-g": b"1.5e-07",
                b"x-footprint-water-l": b"0",
                b"x-footprint-quality": b"measured-provisional",
            }
            assert back.endswith(b"\r\n\r\n" + ANSWER)
            served = await relay.until_noted()
            assert quotes.quoted == [served] and served.usage.output_tokens == 5

    asyncio.run(story())


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        pytest.param(request(b"/v1/models", b"", method=b"GET"), (JSON, b"{}"), id="no model worked"),
        pytest.param(request(), (SSE, b"data: x\n\n"), id="a stream"),
        pytest.param(request(b"/v1/chat/completions", b"", method=b"HEAD"), (JSON, b""), id="a head alone"),
    ],
)
def test_what_no_model_did_or_what_is_streamed_has_no_such_fields(sent, answer):
    async def story():
        kind, body = answer
        there = head(b"200 OK", kind, b"Content-Length: %d" % len(body)) + body
        async with relayed(answering(there), quoter=Quotes()) as relay:
            back = await relay.ask(sent)
            assert b"x-footprint" not in back.lower() and back.endswith(b"\r\n\r\n" + body)

    asyncio.run(story())


def test_an_answer_too_long_to_hold_goes_on_without():
    body = b"[" + b"1" * 17_000_000

    async def story():
        there = head(b"200 OK", JSON, b"Content-Length: %d" % len(body))
        async with relayed(answering(there + body), quoter=Quotes()) as relay:
            back = await relay.ask(request())
            assert b"x-footprint" not in back.lower() and back.endswith(body)
            assert (await relay.until_noted()).outcome is Outcome.OK

    asyncio.run(story())


def test_where_nothing_can_be_said_nothing_is():
    async def story():
        there = head(b"200 OK", JSON, b"Content-Length: %d" % len(ANSWER)) + ANSWER
        async with relayed(answering(there), quoter=Quotes(None)) as relay:
            back = await relay.ask(request())
            assert b"x-footprint" not in back.lower() and back.endswith(ANSWER)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("asked", "fields", "told"),
    [
        pytest.param((ASKED,), (SSE,), True, id="asked for"),
        pytest.param((), (SSE,), False, id="not asked for"),
        pytest.param((b"X-Footprint: yes",), (SSE,), False, id="asked for in other words"),
        pytest.param((ASKED,), (SSE, b"Content-Encoding: gzip"), False, id="packed"),
        pytest.param((ASKED,), (b"Content-Type: application/x-ndjson",), False, id="lines have no comments"),
    ],
)
def test_a_stream_ends_with_it_only_where_that_was_asked_for(asked, fields, told):
    async def story():
        async with relayed(streaming(*EVENTS, fields=fields), quoter=Quotes()) as relay:
            back = await relay.ask(request(b"/v1/chat/completions", b'{"stream":true}', *asked))
            pieces = tuple(chunks(back.partition(b"\r\n\r\n")[2]))
            assert pieces[:4] == EVENTS
            if told:
                (comment,) = pieces[4:]
                assert comment.startswith(b": footprint {") and comment.endswith(b"}\n\n")
                assert json.loads(comment[12:])["energy_j"] == QUOTE.energy_j
            else:
                assert pieces[4:] == ()

    asyncio.run(story())


def test_a_stream_of_a_told_length_may_become_longer():
    async def story():
        body = b"".join(EVENTS)
        there = head(b"200 OK", SSE, b"Content-Length: %d" % len(body)) + body
        async with relayed(answering(there), quoter=Quotes()) as relay:
            back = await relay.ask(request(b"/v1/chat/completions", b"{}", ASKED))
            assert b"content-length" not in back.lower()
            assert b"".join(chunks(back.partition(b"\r\n\r\n")[2])).startswith(body + b": footprint {")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("before", "begins", "ends"),
    [
        (b"x\n\n", b": footprint {", b"}\n\n"),
        (b"x\r\n\r\n", b": footprint {", b"}\n\n"),
        (b"x\n", b": footprint {", b"}\n"),
        (b"x", b"\n: footprint {", b"}\n"),
    ],
)
def test_an_event_that_was_left_open_stays_open(before, begins, ends):
    """Or half an event would be read as a whole one."""
    comment = footprint_comment(QUOTE, before)
    assert comment.startswith(begins) and comment.endswith(ends)
    assert comment.endswith(b"\n\n") == ends.endswith(b"\n\n")


@pytest.mark.parametrize("fields", [{}, {"x-footprint": "stream"}], ids=["as it is", "with the footprint"])
def test_the_official_client_reads_both(fields):
    """OpenAI's, streamed and not."""
    openai = pytest.importorskip("openai")

    async def answer(talk):
        if json.loads(talk.body).get("stream"):
            await streaming(*EVENTS)(talk)
        else:
            await talk.say(head(b"200 OK", JSON, b"Content-Length: %d" % len(ANSWER)) + ANSWER)

    async def story():
        async with relayed(answer, quoter=Quotes()) as relay:
            async with openai.AsyncOpenAI(
                base_url=f"{relay.address}/v1", api_key="k", max_retries=0, default_headers=fields
            ) as client:
                asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
                raw = await client.chat.completions.with_raw_response.create(**asked)
                assert raw.headers["x-footprint-quality"] == QUOTE.quality
                assert raw.parse().choices[0].message.content == "hi"
                stream = await client.chat.completions.create(**asked, stream=True)
                heard = [piece async for piece in stream]
                assert "".join(piece.choices[0].delta.content for piece in heard[:2]) == "ab"
                assert heard[-1].usage.completion_tokens == 5 and len(heard) == 3
            assert [served.usage.output_tokens for served in relay.noted] == [5, 5]

    asyncio.run(story())
