"""SDKs of providers, as they are installed, against servers of this machine that answer as theirs do."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import wattermark as wm
from fakes import models as stand
from fakes.models import PIECES, TEXT, Models
from fakes.web import Page
from wattermark.integrations.passing import Passing
from wattermark.integrations.transport import AsyncMeteredTransport, MeteredTransport
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.served import Outcome, Route, Usage
from wattermark.verbs.serving.ambient_desk import ambient_desk, close_ambient_desk

httpx = pytest.importorskip("httpx")

SAID = [{"role": "user", "content": "a secret question"}]
ALL = Usage(
    input_tokens=stand.INPUT,
    output_tokens=stand.OUTPUT,
    cached_tokens=stand.CACHED,
    reasoning_tokens=stand.REASONING,
)
NO_REASONING = Usage(input_tokens=stand.INPUT, output_tokens=stand.OUTPUT, cached_tokens=stand.CACHED)
TOLD_TWO = Usage(input_tokens=stand.INPUT, output_tokens=stand.OUTPUT)


@pytest.fixture
def models():
    """A server, and the clients that SDKs were given for it: most SDKs leave theirs open."""
    with Models() as server:
        server.clients = []
        yield server
        for client in server.clients:
            client.close()


@pytest.fixture
def seen(ledger):
    with wm.served() as found:
        yield found
    close_ambient_desk(metered=False)
    close_ambient_desk(metered=True)


@pytest.fixture
def noted(ledger):
    """What stands in the ledger once the desks are closed."""

    def read():
        close_ambient_desk(metered=False)
        close_ambient_desk(metered=True)
        files = [file for run in sorted(ledger.iterdir()) for file in request_files(run)]
        return [one for file in files for one in read_requests(file).served]

    return read


def chat(client, server, **more):
    """One request to a chat by hand."""
    document = {"model": "m", "messages": SAID, **more}
    return client.post(f"{server.address}/v1/chat/completions", json=document)


# -- the SDKs --------------------------------------------------------------------------


def client_for(server, **more):
    server.clients.append(wm.http_client(**more))
    return server.clients[-1]


def openai(server, **more):
    sdk = pytest.importorskip("openai")
    return sdk.OpenAI(
        base_url=f"{server.address}/v1", api_key="k", max_retries=0, http_client=client_for(server, **more)
    )


def openai_chat(server):
    return openai(server).chat.completions.create(model="gpt-9", messages=SAID).choices[0].message.content


def openai_chat_on_httpx(server):
    client = openai(server, library="httpx")
    return client.chat.completions.create(model="gpt-9", messages=SAID).choices[0].message.content


def openai_chat_streamed(server):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(openai(server).chat.completions.create(model="gpt-9", messages=SAID, **options))
    return "".join(chunk.choices[0].delta.content for chunk in chunks if chunk.choices)


def openai_chat_raw(server):
    raw = openai(server).chat.completions.with_raw_response.create(model="gpt-9", messages=SAID)
    return raw.parse().choices[0].message.content


def openai_completion(server):
    return openai(server).completions.create(model="gpt-9", prompt="a").choices[0].text


def openai_response(server):
    return openai(server).responses.create(model="gpt-9", input="a").output_text


def openai_response_streamed(server):
    events = openai(server).responses.create(model="gpt-9", input="a", stream=True)
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def anthropic(server):
    sdk = pytest.importorskip("anthropic")
    return sdk.Anthropic(base_url=server.address, api_key="k", max_retries=0, http_client=client_for(server))


def anthropic_message(server):
    return anthropic(server).messages.create(model="claude-9", max_tokens=9, messages=SAID).content[0].text


def anthropic_streamed(server):
    with anthropic(server).messages.stream(model="claude-9", max_tokens=9, messages=SAID) as stream:
        return stream.get_final_text()


def mistral(server):
    sdk = pytest.importorskip("mistralai.client")
    return sdk.Mistral(api_key="k", server_url=server.address, client=client_for(server))


def mistral_chat(server):
    return mistral(server).chat.complete(model="mistral-9", messages=SAID).choices[0].message.content


def mistral_chat_streamed(server):
    events = mistral(server).chat.stream(model="mistral-9", messages=SAID)
    return "".join(event.data.choices[0].delta.content for event in events)


def cohere(server):
    sdk = pytest.importorskip("cohere")
    return sdk.ClientV2(
        api_key="k", base_url=server.address, httpx_client=client_for(server, library="httpx")
    )


def cohere_chat(server):
    return cohere(server).chat(model="command-9", messages=SAID).message.content[0].text


def cohere_chat_streamed(server):
    events = cohere(server).chat_stream(model="command-9", messages=SAID)
    return "".join(one.delta.message.content.text for one in events if one.type == "content-delta")


def gemini(server, **clients):
    genai = pytest.importorskip("google.genai")
    options = genai.types.HttpOptions(base_url=server.address, **clients)
    return genai.Client(api_key="k", http_options=options)


def gemini_content(server):
    client = gemini(server, httpx_client=client_for(server))
    return client.models.generate_content(model="gemini-9-flash", contents="a").text


def gemini_streamed(server):
    client = gemini(server, httpx_client=client_for(server))
    chunks = client.models.generate_content_stream(model="gemini-9-flash", contents="a")
    return "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize(
    ("ask", "noted_as"),
    [
        pytest.param(openai_chat, ("gpt-9", Route.CHAT, ALL, False), id="openai"),
        pytest.param(openai_chat_on_httpx, ("gpt-9", Route.CHAT, ALL, False), id="openai on httpx"),
        pytest.param(openai_chat_streamed, ("gpt-9", Route.CHAT, ALL, True), id="openai streamed"),
        pytest.param(openai_chat_raw, ("gpt-9", Route.CHAT, ALL, False), id="openai raw"),
        pytest.param(openai_completion, ("gpt-9", Route.COMPLETIONS, ALL, False), id="openai completion"),
        pytest.param(openai_response, ("gpt-9", Route.RESPONSES, ALL, False), id="openai response"),
        pytest.param(openai_response_streamed, ("gpt-9", Route.RESPONSES, ALL, True), id="response streamed"),
        pytest.param(anthropic_message, ("claude-9", Route.CHAT, NO_REASONING, False), id="anthropic"),
        pytest.param(anthropic_streamed, ("claude-9", Route.CHAT, NO_REASONING, True), id="claude streamed"),
        pytest.param(mistral_chat, ("mistral-9", Route.CHAT, ALL, False), id="mistral"),
        pytest.param(mistral_chat_streamed, ("mistral-9", Route.CHAT, ALL, True), id="mistral streamed"),
        pytest.param(cohere_chat, ("command-9", Route.CHAT, TOLD_TWO, False), id="cohere"),
        pytest.param(cohere_chat_streamed, ("command-9", Route.CHAT, TOLD_TWO, True), id="cohere streamed"),
        pytest.param(gemini_content, ("gemini-9-flash", Route.CHAT, ALL, False), id="gemini"),
        pytest.param(gemini_streamed, ("gemini-9-flash", Route.CHAT, ALL, True), id="gemini streamed"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_sdk_gets_its_answer_and_its_tokens_are_noted(models, seen, noted, ask, noted_as):
    assert ask(models) == TEXT
    (one,) = noted()
    assert (one.model, one.route, one.usage, one.streamed) == noted_as
    assert (one.outcome, one.status, one.upstream) == (Outcome.OK, 200, "127.0.0.1")
    assert one.chunks == (len(PIECES) if one.streamed else 0)
    assert one.begin_ns < one.first_ns <= one.end_ns
    assert seen.served == [one]


async def openai_waits(server):
    sdk = pytest.importorskip("openai")
    client = sdk.AsyncOpenAI(
        base_url=f"{server.address}/v1", api_key="k", max_retries=0, http_client=wm.async_http_client()
    )
    async with client:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        stream = await client.chat.completions.create(model="gpt-9", messages=SAID, **options)
        return "".join([chunk.choices[0].delta.content async for chunk in stream if chunk.choices])


async def anthropic_waits(server):
    sdk = pytest.importorskip("anthropic")
    client = sdk.AsyncAnthropic(
        base_url=server.address, api_key="k", max_retries=0, http_client=wm.async_http_client()
    )
    async with client, client.messages.stream(model="c", max_tokens=9, messages=SAID) as stream:
        return await stream.get_final_text()


async def mistral_waits(server):
    sdk = pytest.importorskip("mistralai.client")
    async with wm.async_http_client() as client:
        asks = sdk.Mistral(api_key="k", server_url=server.address, async_client=client).chat
        events = await asks.stream_async(model="mistral-9", messages=SAID)
        return "".join([event.data.choices[0].delta.content async for event in events])


async def cohere_waits(server):
    sdk = pytest.importorskip("cohere")
    async with wm.async_http_client(library="httpx") as client:
        asks = sdk.AsyncClientV2(api_key="k", base_url=server.address, httpx_client=client)
        events = asks.chat_stream(model="command-9", messages=SAID)
        return "".join(
            [one.delta.message.content.text async for one in events if one.type == "content-delta"]
        )


async def gemini_waits(server):
    async with wm.async_http_client() as client:
        asks = gemini(server, httpx_async_client=client).aio.models
        chunks = await asks.generate_content_stream(model="gemini-9-flash", contents="a")
        return "".join([chunk.text async for chunk in chunks])


@pytest.mark.parametrize(
    ("ask", "usage"),
    [
        pytest.param(openai_waits, ALL, id="openai"),
        pytest.param(anthropic_waits, NO_REASONING, id="anthropic"),
        pytest.param(mistral_waits, ALL, id="mistral"),
        pytest.param(cohere_waits, TOLD_TWO, id="cohere"),
        pytest.param(gemini_waits, ALL, id="gemini"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_sdk_that_waits_does_too(models, seen, ask, usage):
    assert asyncio.run(ask(models)) == TEXT
    (one,) = seen.served
    assert (one.usage, one.outcome, one.streamed, one.chunks) == (usage, Outcome.OK, True, len(PIECES))


# -- how a request ends ----------------------------------------------------------------


def left_early(client, server):
    with client.stream(
        "POST", f"{server.address}/v1/chat/completions", json={"model": "m", "stream": True}
    ) as answer:
        next(answer.iter_raw())


def refused(client, server):
    server.faults = [Page('{"error": {"message": "no"}}', 429, {"Retry-After": "0"})]
    assert chat(client, server).status_code == 429


def failed(client, server):
    server.faults = [Page("oops", 500)]
    assert chat(client, server).status_code == 500


def silent(client, server):
    server.faults = [Page(hangs=True)]
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"{server.address}/v1/chat/completions", json={"model": "m"}, timeout=0.1)


def broken_off(client, server):
    server.breaks_after = 2
    with pytest.raises(httpx.RemoteProtocolError):
        chat(client, server, stream=True)


def nobody_there(client, server):
    with pytest.raises(httpx.ConnectError):
        client.post("http://127.0.0.1:9/v1/chat/completions", json={"model": "m"})


@pytest.mark.parametrize(
    ("ends", "outcome", "status"),
    [
        pytest.param(left_early, Outcome.LEFT, 200, id="the caller closes a stream early"),
        pytest.param(refused, Outcome.REFUSED, 429, id="the provider refuses"),
        pytest.param(failed, Outcome.FAILED, 500, id="the provider fails"),
        pytest.param(silent, Outcome.TIMEOUT, None, id="the provider says nothing"),
        pytest.param(broken_off, Outcome.FAILED, 200, id="an answer breaks off"),
        pytest.param(nobody_there, Outcome.UNREACHED, None, id="nobody is there"),
    ],
)
def test_each_end_has_its_name(models, seen, ends, outcome, status):
    with wm.http_client(library="httpx") as client:
        ends(client, models)
    (one,) = seen.served
    assert (one.outcome, one.status, one.model) == (outcome, status, "m")


def test_a_task_that_is_cancelled_has_left(models, seen):
    models.pause_s = 0.5

    async def ask():
        async with wm.async_http_client(library="httpx") as client:
            await chat(client, models, stream=True)

    async def cancel():
        task = asyncio.create_task(ask())
        while not models.asked:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    (one,) = seen.served
    assert one.outcome is Outcome.LEFT


@pytest.mark.parametrize(
    ("pieces", "outcome"),
    [
        pytest.param([b'data: {"a": 1}\n\n', b"data: [DONE]\n\n"], Outcome.OK, id="the last line"),
        pytest.param([b"data: [DO", b"NE]\r\n\r\n"], Outcome.OK, id="the last line, cut"),
        pytest.param([b"data:[DONE]"], Outcome.OK, id="the last line, without blanks"),
        pytest.param([b'data: {"text": "data: [DONE]"}\n\n'], Outcome.LEFT, id="a model that says so"),
        pytest.param([b'data: {"text": "[DONE]'], Outcome.LEFT, id="a line that is not whole"),
        pytest.param([b"data: [DONE]\n\n", b'data: {"a": 1}\n\n'], Outcome.LEFT, id="not the last line"),
        pytest.param([], Outcome.LEFT, id="nothing"),
    ],
)
def test_a_caller_that_stops_at_the_last_line_has_not_left(pieces, outcome):
    """OpenAI's clients close there, without waiting for the end."""
    noted = []
    passing = Passing(noted.append)
    passing.asked("/v1/chat/completions", b'{"model": "m"}', 1)
    passing.answered(200, {"content-type": "text/event-stream"})
    for piece in pieces:
        passing.piece(piece)
    passing.leave()
    passing.leave()
    assert [one.outcome for one in noted] == [outcome]


# -- nothing is changed ----------------------------------------------------------------


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("how", [{}, {"stream": True, "stream_options": {"include_usage": True}}])
def test_bytes_and_heads_are_those_of_a_bare_client(models, seen, library, how):
    bare = pytest.importorskip(library)
    models.packs = True
    answers = []
    for client in (bare.Client(), wm.http_client(library=library)):
        with (
            client,
            client.stream("POST", f"{models.address}/v1/chat/completions", json={"model": "m", **how}) as got,
        ):
            answers.append((b"".join(got.iter_raw()), got.status_code, got.headers.raw[3:], got.http_version))
    assert answers[0] == answers[1]
    (_, heads, asked), (_, same_heads, same) = models.asked
    assert (heads, asked) == (same_heads, same)
    assert seen.served[0].usage == ALL


def test_a_client_is_that_of_its_library_and_keeps_its_options(seen):
    with wm.http_client(
        library="httpx", timeout=7.0, headers={"x-a": "b"}, proxy="http://127.0.0.1:9"
    ) as client:
        assert isinstance(client, httpx.Client)
        assert (client.timeout, client.headers["x-a"]) == (httpx.Timeout(7.0), "b")
        with pytest.raises(httpx.ConnectError):
            client.post("http://models.invalid/v1/chat/completions", json={"model": "m"})
    assert [one.outcome for one in seen.served] == [Outcome.UNREACHED]  # a proxy's way is watched, too


def test_a_transport_of_ones_own_is_used(models, seen):
    inner = httpx.MockTransport(lambda request: httpx.Response(200, json=stand.answer(request.url.path, {})))
    with wm.http_client(library="httpx", transport=inner) as client:
        assert chat(client, models).json()["usage"]["prompt_tokens"] == stand.INPUT
    with httpx.Client(transport=MeteredTransport(httpx.HTTPTransport(retries=1))) as client:
        assert chat(client, models).status_code == 200
    with wm.http_client(library="httpx", transport=MeteredTransport(inner)) as client:
        chat(client, models)
    assert [one.usage for one in seen.served] == [ALL] * 3


def test_a_transport_that_waits_is_used(models, seen):
    async def ask():
        async with httpx.AsyncClient(transport=AsyncMeteredTransport(httpx.AsyncHTTPTransport())) as client:
            return await chat(client, models)

    assert asyncio.run(ask()).status_code == 200
    assert [one.usage for one in seen.served] == [ALL]


def test_what_asks_no_model_is_not_noted(models, seen):
    with wm.http_client(library="httpx") as client:
        assert client.get(f"{models.address}/v1/chat/completions").status_code == 501
    assert seen.served == []


def test_a_body_that_is_sent_in_pieces_arrives_in_pieces(models, seen):
    """It is not read beforehand, so the model's name is the answer's."""
    parts = iter([b'{"model": ', b'"pieces"}'])
    with wm.http_client(library="httpx") as client:
        client.post(f"{models.address}/v1/chat/completions", content=parts)
    assert [asked for _, _, asked in models.asked] == [{"model": "pieces"}]
    assert [one.model for one in seen.served] == ["pieces"]


def test_a_server_that_sends_elsewhere_is_no_model(models, seen):
    models.faults = [Page("", 307, {"Location": f"{models.address}/v2/chat/completions"})]
    with wm.http_client(library="httpx", follow_redirects=True) as client:
        assert chat(client, models).status_code == 200
    assert [one.usage for one in seen.served] == [ALL]


def test_a_fault_of_ours_is_told_once_and_reaches_nobody(program, models):
    """A desk that cannot be used: the answers come all the same."""
    code = """
import sys
import wattermark as wm
with wm.http_client(library="httpx", desk=object()) as client:
    for _ in range(3):
        answer = client.post(sys.argv[1] + "/v1/chat/completions", json={"model": "m"})
        print(answer.json()["usage"]["prompt_tokens"])
"""
    done = program(code, models.address)
    assert done.stdout.split() == [str(stand.INPUT)] * 3
    assert done.stderr.count("your program goes on") == 1


def test_a_library_that_is_none_is_named():
    with pytest.raises(wm.UsageError, match="'httpx' or 'httpx2'"):
        wm.http_client(library="requests")


def test_a_missing_library_is_named(program):
    absent = "import sys\nsys.modules['httpx'] = sys.modules['httpx2'] = None"
    done = program(f"{absent}\nimport wattermark as wm\nwm.http_client()")
    assert "Install it: pip install 'wattermark[clients]'" in done.stderr.splitlines()[-1]


# -- where it is noted -----------------------------------------------------------------


def test_nothing_that_was_said_is_kept(models, seen, noted, ledger):
    with wm.http_client(library="httpx", headers={"Authorization": "Bearer sk-secret"}) as client:
        chat(client, models)
    noted()
    text = "".join(path.read_text() for path in ledger.rglob("*.jsonl"))
    assert "secret" not in text
    assert TEXT not in text
    assert '"kind":"request"' in text


def test_requests_to_others_are_not_put_into_a_run_of_this_machine(models, seen, ledger, kept):
    with wm.track(name="mine") as run, wm.http_client(library="httpx") as client:
        chat(client, models)
    close_ambient_desk(metered=False)
    assert not request_files(ledger / run.id)
    assert seen.runs == {one.header.run for one in kept() if one.header.run != run.id}


def test_a_model_of_this_machine_is_put_into_the_run_that_is_open(models, seen, ledger):
    with wm.track(name="mine") as run, wm.http_client(library="httpx", metered=True) as client:
        chat(client, models)
    with wm.track(name="next") as other, wm.http_client(library="httpx", metered=True) as client:
        chat(client, models)
    close_ambient_desk(metered=True)
    for one in (run, other):
        (file,) = request_files(ledger / one.id)
        assert len(read_requests(file).served) == 1
    assert seen.runs == {run.id, other.id}


def test_a_model_of_this_machine_is_metered_where_no_run_is_open(models, seen, kept):
    with wm.http_client(library="httpx", metered=True) as client:
        chat(client, models)
    close_ambient_desk(metered=True)
    (run,) = kept()
    assert seen.runs == {run.header.run}
    assert run.logs


def test_blocks_see_their_own_requests(models, seen):
    with wm.http_client(library="httpx") as client:
        with wm.served() as inner:
            chat(client, models, model="inner")
        chat(client, models, model="outer")
    assert [one.model for one in inner.served] == ["inner"]
    assert [one.model for one in seen.served] == ["inner", "outer"]


def test_many_threads_share_a_client_and_lose_nothing(models, seen, noted):
    with wm.http_client(library="httpx") as client, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: chat(client, models, model=f"m{number}"), range(64)))
    assert sorted(one.model for one in noted()) == sorted(f"m{number}" for number in range(64))


def test_a_program_that_ends_loses_nothing_and_a_child_has_a_desk_of_its_own(program, home, models, spools):
    code = """
import os, sys, time
import wattermark as wm
def ask(name):
    with wm.http_client(library="httpx") as client:
        client.post(sys.argv[1] + "/v1/chat/completions", json={"model": name})
ask("parent")
child = os.fork()
if not child:
    ask("child")
    time.sleep(0.3)
    os._exit(0)
os.waitpid(child, 0)
for _ in range(8):
    ask("parent again")
"""
    done = program(code, models.address)
    assert (done.returncode, done.stderr) == (0, "")
    files = [path for path in spools() if path.parent.name == "requests"]
    told = [[json.loads(line).get("model") for line in path.read_text().splitlines()][1:] for path in files]
    assert sorted(told) == [["child"], ["parent", *["parent again"] * 8]]
    ends = [path for path in spools() if '"kind":"stop"' in path.read_text()]
    assert len(ends) == 1  # the parent's run has ended; the child left by os._exit


def test_the_desk_is_one(ledger):
    try:
        assert ambient_desk() is ambient_desk()
        assert ambient_desk() is not ambient_desk(metered=True)
    finally:
        close_ambient_desk(metered=False)
        close_ambient_desk(metered=True)
    assert ambient_desk(metered=True) is not None
    close_ambient_desk(metered=True)
