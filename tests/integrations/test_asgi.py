"""Apps under uvicorn, with the middleware around them, asked over a socket by httpx and OpenAI's client."""

import asyncio
import json
import socket
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest

from fakes import models as stand
from fakes.models import PIECES, TEXT
from wattermark.integrations.asgi import FootprintMiddleware
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.served import Outcome, Quote, Route
from wattermark.verbs.serving.ambient_desk import close_ambient_desk

httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("starlette")
from starlette.applications import Starlette  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.middleware.gzip import GZipMiddleware  # noqa: E402
from starlette.responses import JSONResponse, StreamingResponse  # noqa: E402
from starlette.routing import Route as Way  # noqa: E402
from starlette.routing import WebSocketRoute  # noqa: E402

CHAT = "/v1/chat/completions"
QUOTED = {
    "x-footprint-energy-j": "12.5",
    "x-footprint-carbon-g": "0.001",
    "x-footprint-water-l": "2e-05",
    "x-footprint-quality": "measured-provisional",
}


class Quoter:
    """Says the same of every answer whose tokens it was told."""

    def quote(self, served):
        if served.usage.output_tokens is None:
            return None
        return Quote(energy_j=12.5, carbon_g=0.001, water_l=2e-5, quality="measured-provisional")


async def chat(request):
    """A model in its server's own process."""
    asked = await request.json()
    if asked.get("fails"):
        raise ZeroDivisionError("a fault of the app")
    if asked.get("refused"):
        return JSONResponse({"error": {"message": "no"}}, 400)
    await asyncio.sleep(asked.get("pause_s", 0.0))
    if not asked.get("stream"):
        return JSONResponse(stand.answer(request.url.path, asked), headers={"x-own": "1"})

    async def pieces():
        for _, told in stand.events(request.url.path, asked):
            yield f"data: {told if isinstance(told, str) else json.dumps(told)}\n\n"
            await asyncio.sleep(asked.get("between_s", 0.0))

    return StreamingResponse(pieces(), media_type="text/event-stream")


async def health(request):
    return JSONResponse({"ok": True})


async def echo(socket):
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


def app(*around, started=None):
    @asynccontextmanager
    async def life(_):
        if started is not None:
            started.append("up")
        yield
        if started is not None:
            started.append("down")

    ways = [
        Way(CHAT, chat, methods=["POST"]),
        Way("/v1/completions", chat, methods=["POST"]),
        Way("/health", health),
        WebSocketRoute("/echo", echo),
    ]
    return Starlette(routes=ways, middleware=list(around), lifespan=life)


@contextmanager
def under_uvicorn(served, **options):
    """The address of a server in a thread of this process."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(served, log_level="critical", timeout_graceful_shutdown=5, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture
def noted(ledger):
    """What stands in the ledger once the server has ended, which closes its desk."""

    def read():
        files = [file for run in sorted(ledger.iterdir()) if run.is_dir() for file in request_files(run)]
        return [one for file in files for one in read_requests(file).served]

    yield read
    close_ambient_desk(metered=True)
    close_ambient_desk(metered=False)


@pytest.fixture
def around():
    return Middleware(FootprintMiddleware)


def test_a_request_is_noted_in_a_metered_run(around, noted, kept):
    began = []
    with under_uvicorn(app(around, started=began)) as address:
        answer = httpx.post(address + CHAT, json={"model": "m"}, headers={"Authorization": "Bearer sk-1"})
    assert answer.json()["choices"][0]["message"]["content"] == TEXT
    (one,) = noted()
    assert (one.model, one.route, one.status, one.outcome) == ("m", Route.CHAT, 200, Outcome.OK)
    assert (one.usage.input_tokens, one.usage.output_tokens) == (stand.INPUT, stand.OUTPUT)
    assert one.tenant.startswith("t-")
    (run,) = kept()
    assert run.logs
    assert run.begin_mono_ns < one.begin_ns < one.end_ns <= run.end_mono_ns
    assert began == ["up", "down"]


def test_openais_client_streams_through_it(around, noted):
    sdk = pytest.importorskip("openai")
    with under_uvicorn(app(around)) as address, sdk.OpenAI(base_url=f"{address}/v1", api_key="k") as client:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = list(client.chat.completions.create(model="m", messages=[], **options))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks if chunk.choices) == TEXT
    (one,) = noted()
    assert (one.streamed, one.chunks, one.usage.output_tokens) == (True, len(PIECES), stand.OUTPUT)
    assert one.begin_ns < one.first_ns < one.end_ns


@pytest.mark.parametrize("streams", [False, True])
def test_thirty_two_at_once_lose_nothing(around, noted, streams):
    async def ask(address):
        async with httpx.AsyncClient() as client:
            asked = [
                client.post(address + CHAT, json={"model": f"m{n}", "stream": streams, "pause_s": 0.05})
                for n in range(32)
            ]
            return await asyncio.gather(*asked)

    with under_uvicorn(app(around)) as address:
        answers = asyncio.run(ask(address))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(one.model for one in noted()) == sorted(f"m{n}" for n in range(32))


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"model": "m"}, id="whole"),
        pytest.param({"model": "m", "stream": True}, id="streamed"),
        pytest.param({"model": "m", "refused": True}, id="refused"),
        pytest.param({"model": "m", "fails": True}, id="failed"),
    ],
)
@pytest.mark.parametrize("packs", [False, True])
def test_what_passes_is_what_the_app_said(ledger, asked, packs):
    inside = [Middleware(GZipMiddleware, minimum_size=1)] if packs else []
    told = []
    for watches in (
        [],
        [Middleware(FootprintMiddleware)],
        [Middleware(FootprintMiddleware, quoter=Quoter())],
    ):
        with (
            under_uvicorn(app(*watches, *inside), date_header=False) as address,
            httpx.stream("POST", address + CHAT, json=asked) as answer,
        ):
            heads = [(n, v) for n, v in answer.headers.raw if not n.startswith(b"x-footprint")]
            told.append((answer.status_code, heads, b"".join(answer.iter_raw())))
    bare, watched, quoted = told
    assert bare == watched == quoted


@pytest.mark.parametrize("packs", [False, True])
def test_the_head_of_a_whole_answer_tells_its_footprint(noted, packs):
    inside = [Middleware(GZipMiddleware, minimum_size=1)] if packs else []
    with under_uvicorn(app(Middleware(FootprintMiddleware, quoter=Quoter()), *inside)) as address:
        whole = httpx.post(address + CHAT, json={"model": "m"})
        streamed = httpx.post(address + CHAT, json={"model": "m", "stream": True})
        refused = httpx.post(address + CHAT, json={"model": "m", "refused": True})
    assert {name: whole.headers[name] for name in QUOTED} == QUOTED
    assert whole.headers["x-own"] == "1"
    assert whole.json()["usage"]["prompt_tokens"] == stand.INPUT
    for other in (streamed, refused):
        assert not QUOTED.keys() & other.headers.keys()
    assert [one.outcome for one in noted()] == [Outcome.OK, Outcome.OK, Outcome.REFUSED]


def test_a_stream_is_not_held_back(noted):
    """Its first piece is there while the app still waits to say the second."""
    with under_uvicorn(app(Middleware(FootprintMiddleware, quoter=Quoter()))) as address:
        document = {"model": "m", "stream": True, "between_s": 0.2}
        with httpx.stream("POST", address + CHAT, json=document) as answer:
            first = next(answer.iter_raw())
    assert first.count(b"data:") == 1
    (one,) = noted()
    assert one.outcome is Outcome.LEFT  # the client went after that piece
    assert one.chunks < len(PIECES)


def test_an_app_that_fails_fails_as_before(around, noted):
    """Starlette's own guard stands outside, and sees the same exception."""
    with under_uvicorn(app(around)) as address:
        answer = httpx.post(address + CHAT, json={"model": "m", "fails": True})
    assert answer.status_code == 500
    (one,) = noted()
    assert (one.outcome, one.model) == (Outcome.FAILED, "m")


def test_other_ways_are_untouched(around, noted):
    """A page, a missing page, and a websocket that says what it is told."""
    connect = pytest.importorskip("websockets.sync.client").connect
    with under_uvicorn(app(around)) as address:
        assert httpx.get(f"{address}/health").json() == {"ok": True}
        assert httpx.get(f"{address}/nowhere").status_code == 404
        with connect(address.replace("http", "ws") + "/echo") as line:
            line.send("hello")
            assert line.recv() == "hello"
    assert noted() == []


def test_without_a_lifespan_the_first_request_opens_the_desk(noted, kept):
    with under_uvicorn(FootprintMiddleware(app()), lifespan="off") as address:
        httpx.post(address + CHAT, json={"model": "m"})
    close_ambient_desk(metered=True)
    (one,) = noted()
    (run,) = kept()
    assert run.begin_mono_ns < one.end_ns


def test_models_elsewhere_are_not_metered(noted, kept):
    with under_uvicorn(app(Middleware(FootprintMiddleware, metered=False))) as address:
        httpx.post(address + CHAT, json={"model": "m"})
    assert len(noted()) == 1
    (run,) = kept()
    assert not run.logs


def test_tenants_are_told_apart_and_keys_are_not_kept(around, noted, ledger):
    with under_uvicorn(app(around)) as address:
        for key in ("sk-alpha", "sk-beta", "sk-alpha"):
            httpx.post(address + CHAT, json={"model": "m"}, headers={"Authorization": f"Bearer {key}"})
        httpx.post(address + CHAT, json={"model": "m"})
    first, second, third, nobody = (one.tenant for one in noted())
    assert first == third != second
    assert nobody == ""
    assert "sk-" not in "".join(path.read_text() for path in ledger.rglob("*.jsonl"))


def spoken(*messages, fails=None):
    """An app that says just this, whatever it is asked."""

    async def says(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        for message in messages:
            await send(message)
        if fails is not None:
            raise fails

    return says


async def walk(around, asked=(b'{"model": "m"}',), gone_after=None):
    """A server that speaks ASGI by hand; after so many messages ``send`` says that the client has gone."""
    sent = []
    heard = [
        {"type": "http.request", "body": part, "more_body": number < len(asked) - 1}
        for number, part in enumerate(asked)
    ]

    async def receive():
        return heard.pop(0) if heard else {"type": "http.disconnect"}

    async def send(message):
        if gone_after is not None and len(sent) >= gone_after:
            raise OSError("the client has gone")
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": [], "query_string": b""}
    await around(scope, receive, send)
    return sent


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
LONG = {**START, "headers": [*START["headers"], (b"content-length", b"2")]}


def body(text, more=False):
    return {"type": "http.response.body", "body": text, "more_body": more}


@pytest.mark.parametrize("quoter", [None, Quoter()])
@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([START, body(b"{", True), body(b"}")], id="in pieces"),
        pytest.param([LONG, body(b"{", True), body(b"}", True), body(b"")], id="in pieces of a known length"),
        pytest.param([START, {"type": "http.response.pathsend", "path": "/tmp/x"}], id="a file"),
        pytest.param(
            [LONG, {"type": "http.response.debug", "info": {}}, body(b"{}")], id="a word of another"
        ),
    ],
)
def test_messages_arrive_as_they_were_said(noted, messages, quoter):
    assert asyncio.run(walk(FootprintMiddleware(spoken(*messages), quoter=quoter))) == messages


def test_a_request_in_pieces_tells_its_model(noted):
    asyncio.run(walk(FootprintMiddleware(spoken(START, body(b"{}"))), asked=(b'{"mod', b'el": "parts"}')))
    close_ambient_desk(metered=True)
    assert [one.model for one in noted()] == ["parts"]


def test_a_server_that_says_that_the_client_has_gone_is_heard(noted):
    messages = [START, body(b"{", True), body(b"}")]
    with pytest.raises(OSError, match="gone"):
        asyncio.run(walk(FootprintMiddleware(spoken(*messages)), gone_after=2))
    close_ambient_desk(metered=True)
    assert [one.outcome for one in noted()] == [Outcome.LEFT]


def test_an_app_that_hears_of_it_and_still_answers_answers_nobody(noted):
    async def listens(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        await send(START)
        await send(body(b"{}"))

    assert asyncio.run(walk(FootprintMiddleware(listens))) == [START, body(b"{}")]
    close_ambient_desk(metered=True)
    assert [(one.outcome, one.model) for one in noted()] == [(Outcome.LEFT, "m")]


def test_a_fault_of_ours_is_told_and_the_answer_goes_on(ledger):
    """A desk and a quoter that cannot be used."""
    around = FootprintMiddleware(spoken(LONG, body(b"{}")), desk=object(), quoter=object())
    for _ in range(2):
        assert asyncio.run(walk(around)) == [LONG, body(b"{}")]
