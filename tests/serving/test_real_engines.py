"""Real engines, the official SDK, and the proxy between them: what is noted is what the engine says.

Two engines with tiny models: ``transformers serve`` with continuous batching, and the server of
llama-cpp-python. The proxy is the program that users start.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes import engines
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.served import Outcome, Route
from wattermark.verbs.serving.asked import serving_report

pytestmark = pytest.mark.slow
openai = pytest.importorskip("openai", reason="the SDK of OpenAI is not installed; run: make clients")
httpx = pytest.importorskip("httpx")

ROOT = Path(__file__).parents[2]
CLIENTS = 32
PATIENCE_S = 20.0
ENGINES = ("transformers", "llama.cpp")
BATCHING = (
    "--continuous-batching",
    "--cb-block-size",
    "32",
    "--cb-num-blocks",
    "512",
    "--cb-max-batch-tokens",
    "256",
)
"""Of ``transformers serve``; by default it would take all memory for its cache."""


# -- engines and proxies -----------------------------------------------------------------


@contextmanager
def served(name, folder, *options):
    """An engine, or a skip that says what is missing."""
    try:
        if name == "transformers":
            opened = engines.transformers_serve(engines.save_for_transformers(folder / "hf"), *options)
        else:
            opened = engines.llama_server(engines.save_gguf(folder / "tiny.gguf"), "--embedding", "true")
        engine = opened.__enter__()
    except engines.NoEngine as missing:
        pytest.skip(str(missing))
    try:
        yield engine
    finally:
        opened.__exit__(None, None, None)


@dataclass
class Proxy:
    """A proxy that runs, and what it has noted so far."""

    url: str
    folder: Path
    process: subprocess.Popen

    def noted(self):
        """All requests in the ledger, in the order in which they ended."""
        return [one for path in request_files(self.folder) for one in read_requests(path).served]

    def next(self, count, before):
        """So many requests that were noted after the first ``before``."""
        until_s = time.monotonic() + PATIENCE_S
        while len(found := self.noted()) < before + count and time.monotonic() < until_s:
            time.sleep(0.02)
        assert len(found) == before + count
        return found[before:]


@contextmanager
def proxied(engine, folder):
    """``wattermark proxy`` before an engine."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "WATTERMARK_LEDGER": str(folder / "runs"),
        "PYTHONPATH": str(ROOT / "src"),
    }  # fmt: skip
    command = [sys.executable, "-m", "wattermark.cli.main", "proxy", "--upstream", engine.url]
    process = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0", "--upstream-name", engine.name, "--json"],
        env=environment, cwd=folder, stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    try:
        begun = json.loads(_document(process.stdout))
        yield Proxy(begun["listen"], Path(begun["ledger"]) / begun["run"], process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def _document(lines):
    told = ""
    for line in lines:
        told += line
        with suppress(ValueError):
            json.loads(told)
            return told
    raise AssertionError(f"the proxy said {told!r}")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, tmp_path_factory):
    with served(request.param, tmp_path_factory.mktemp("engine"), *BATCHING) as one:
        yield one


@pytest.fixture(scope="module")
def proxy(engine, tmp_path_factory):
    with proxied(engine, tmp_path_factory.mktemp("proxy")) as one:
        yield one


@pytest.fixture
def own(request, tmp_path):
    """An engine of this test alone, which may kill it, and a proxy."""
    with served(request.param, tmp_path) as one, proxied(one, tmp_path) as two:
        yield one, two


@pytest.fixture
def client_of():
    """The official client of an engine or a proxy."""
    made = {}

    def client(place):
        options = {"api_key": "sk-test", "max_retries": 0, "timeout": 60}
        if place.url not in made:
            made[place.url] = openai.OpenAI(base_url=f"{place.url}/v1", **options)
        return made[place.url]

    yield client
    for one in made.values():
        one.close()


def unending(engine):
    """Nothing makes an answer end before its most tokens."""
    return {"logit_bias": {"1" if engine.name == "transformers" else "2": -100}}


# -- one request at a time ---------------------------------------------------------------


def chat(client, engine, text="what is it?", **options):
    return client.chat.completions.create(
        model=engine.model,
        messages=[{"role": "user", "content": text}],
        **{"max_tokens": 40, "temperature": 0, **options},
    )


def whole(stream):
    """Text and usage of a stream."""
    text, usage = "", None
    for piece in stream:
        usage = piece.usage or usage
        for choice in piece.choices:
            text += (choice.delta.content or "") if hasattr(choice, "delta") else choice.text
    return text, usage


def matches(one, usage):
    return (one.usage.input_tokens, one.usage.output_tokens) == (usage.prompt_tokens, usage.completion_tokens)


@pytest.mark.parametrize("text", ["a", "what is it?", "n" * 200, "ä → 𝄞"])
def test_an_answer_and_its_tokens_are_the_engines(engine, proxy, text, client_of):
    plain = chat(client_of(engine), engine, text)
    before = len(proxy.noted())
    through = chat(client_of(proxy), engine, text)
    assert through.choices == plain.choices and through.usage == plain.usage
    (one,) = proxy.next(1, before)
    assert matches(one, through.usage)
    assert (one.route, one.outcome, one.status, one.streamed) == (Route.CHAT, Outcome.OK, 200, False)
    assert (one.model, one.upstream) == (engine.model, engine.name)
    assert one.begin_ns < one.first_ns <= one.end_ns and one.tenant and "sk-test" not in one.tenant


@pytest.mark.parametrize(
    "asked", [{}, {"stream_options": {"include_usage": True}}], ids=["plain", "with usage asked for"]
)
def test_a_streamed_answer_and_its_tokens_are_the_engines(engine, proxy, asked, client_of):
    text, usage = whole(chat(client_of(engine), engine, stream=True, **asked))
    before = len(proxy.noted())
    assert whole(chat(client_of(proxy), engine, stream=True, **asked)) == (text, usage)
    (one,) = proxy.next(1, before)
    assert (one.route, one.outcome, one.streamed) == (Route.CHAT, Outcome.OK, True)
    if usage is None:  # llama-cpp-python tells none of a stream
        assert one.usage.output_tokens is None and any("usage" in word for word in one.unknown)
    else:
        assert matches(one, usage) and one.unknown == ()
    assert one.chunks >= len(text) > 0


@pytest.mark.parametrize("streamed", [False, True])
def test_a_completion_and_its_tokens_are_the_engines(engine, proxy, streamed, client_of):
    def ask(place):
        asked = {"max_tokens": 30, "temperature": 0, "stream": streamed}
        answer = client_of(place).completions.create(model=engine.model, prompt="Once", **asked)
        return whole(answer) if streamed else (answer.choices[0].text, answer.usage)

    text, usage = ask(engine)
    before = len(proxy.noted())
    assert ask(proxy) == (text, usage)
    (one,) = proxy.next(1, before)
    assert one.route is Route.COMPLETIONS and one.streamed is streamed
    assert usage is None or matches(one, usage)


def test_a_response_and_its_tokens_are_the_engines(engine, proxy, client_of):
    """Responses are streamed by ``transformers serve``; the server of llama-cpp-python has none."""
    before = len(proxy.noted())
    asked = {"model": engine.model, "input": "hello", "max_output_tokens": 20, "stream": True}
    if engine.name != "transformers":
        with pytest.raises(openai.NotFoundError):
            client_of(proxy).responses.create(**asked)
        assert proxy.next(1, before)[0].outcome is Outcome.REFUSED
        return
    last = list(client_of(proxy).responses.create(**asked))[-1]
    (one,) = proxy.next(1, before)
    usage = last.response.usage
    assert (one.usage.input_tokens, one.usage.output_tokens) == (usage.input_tokens, usage.output_tokens)
    assert (one.usage.cached_tokens, one.usage.reasoning_tokens) == (0, 0)
    assert (one.route, one.outcome) == (Route.RESPONSES, Outcome.OK)


def test_embeddings_and_their_tokens_are_the_engines(engine, proxy, client_of):
    before = len(proxy.noted())
    asked = {"model": engine.model, "input": ["three words here", "x"]}
    if engine.name != "llama.cpp":
        with pytest.raises(openai.NotFoundError):
            client_of(proxy).embeddings.create(**asked)
        assert proxy.next(1, before)[0].outcome is Outcome.REFUSED
        return
    plain = client_of(engine).embeddings.create(**asked)
    through = client_of(proxy).embeddings.create(**asked)
    assert through.data == plain.data and through.usage == plain.usage
    (one,) = proxy.next(1, before)
    assert (one.route, one.usage.input_tokens) == (Route.EMBEDDINGS, through.usage.prompt_tokens)


OF_THE_MOMENT = re.compile(rb'"(?:id|created|created_at)": ?(?:"[^"]*"|\d+)')


@pytest.mark.parametrize("streamed", [False, True])
def test_answers_are_the_engines_byte_for_byte(engine, proxy, streamed):
    """But for what differs from one request to the next without us: its name and its moment."""
    asked = {
        "model": engine.model, "messages": [{"role": "user", "content": "bytes?"}], "stream": streamed,
        "max_tokens": 25, "temperature": 0,
    }  # fmt: skip
    bodies = []
    for place in (engine, proxy):
        answer = httpx.post(f"{place.url}/v1/chat/completions", json=asked, timeout=60, trust_env=False)
        bodies.append(OF_THE_MOMENT.sub(b"", answer.content))
    assert bodies[0] == bodies[1] and len(bodies[0]) > 100


def test_what_is_not_for_a_model_passes(engine, proxy):
    told = [httpx.get(f"{place.url}/v1/models", trust_env=False) for place in (engine, proxy)]
    assert told[0].content == told[1].content and told[0].status_code == told[1].status_code == 200


# -- many at once ------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
def test_many_clients_at_once_get_what_one_gets(engine, proxy, streamed, client_of):
    texts = [f"client {number}" for number in range(CLIENTS)]
    alone = [chat(client_of(engine), engine, text) for text in texts]
    before = len(proxy.noted())

    async def one(client, text):
        asked = {"max_tokens": 40, "temperature": 0, "stream": streamed}
        answer = await client.chat.completions.create(
            model=engine.model, messages=[{"role": "user", "content": text}], **asked
        )
        if not streamed:
            return answer.choices[0].message.content, answer.usage
        pieces = [piece async for piece in answer]
        said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
        return said, next((piece.usage for piece in pieces if piece.usage), None)

    async def all_at_once():
        options = {"base_url": f"{proxy.url}/v1", "api_key": "sk-test", "max_retries": 0, "timeout": 60}
        async with openai.AsyncOpenAI(**options) as client:
            return await asyncio.gather(*(one(client, text) for text in texts))

    answers = asyncio.run(all_at_once())
    assert [said for said, _ in answers] == [answer.choices[0].message.content for answer in alone]
    noted = proxy.next(CLIENTS, before)
    assert all(event.outcome is Outcome.OK for event in noted)
    assert most_at_once(noted) >= CLIENTS / 4
    if streamed and engine.name == "llama.cpp":
        assert {event.usage.output_tokens for event in noted} == {None}
        return
    assert Counter((event.usage.input_tokens, event.usage.output_tokens) for event in noted) == Counter(
        (usage.prompt_tokens, usage.completion_tokens) for _, usage in answers
    )


def most_at_once(noted):
    edges = sorted([(one.begin_ns, 1) for one in noted] + [(one.end_ns, -1) for one in noted])
    running, most = 0, 0
    for _, edge in edges:
        running += edge
        most = max(most, running)
    return most


def test_what_the_report_shares_out_is_what_the_meters_saw(engine, client_of, tmp_path):
    """Many at once, through a proxy of their own, which then ends: no joule and no token is lost."""
    texts = [f"one of {number}" for number in range(CLIENTS)]
    with proxied(engine, tmp_path) as proxy:
        client = client_of(proxy)
        with ThreadPoolExecutor(CLIENTS) as clients:
            answers = list(clients.map(lambda text: chat(client, engine, text), texts))
    (side,) = serving_report(proxy.folder.name, ledger=str(proxy.folder.parent)).sides
    tally = side.total.tally
    assert tally.requests == CLIENTS
    assert tally.input_tokens == sum(answer.usage.prompt_tokens for answer in answers)
    assert tally.output_tokens == sum(answer.usage.completion_tokens for answer in answers)
    energy_j = sum(row.quantities["it_energy_j"].best for row in side.every_row)
    assert energy_j == pytest.approx(side.meter_j, rel=1e-9) and side.meter_j > 0


# -- endings -----------------------------------------------------------------------------


def test_a_client_that_leaves_is_noted_as_one_that_left(engine, proxy, client_of):
    before = len(proxy.noted())
    stream = chat(client_of(proxy), engine, stream=True, max_tokens=8000, **unending(engine))
    for _, _piece in zip(range(3), stream, strict=False):
        pass
    stream.close()
    (one,) = proxy.next(1, before)
    assert (one.outcome, one.streamed, one.status) == (Outcome.LEFT, True, 200)
    assert 0 < one.chunks < 8000
    assert chat(client_of(proxy), engine).choices[0].message.content  # the engine goes on, and so do we


@pytest.mark.parametrize("own", ENGINES, indirect=True)
def test_an_engine_that_is_killed_in_an_answer_breaks_it_off(own, client_of):
    engine, proxy = own
    stream = chat(client_of(proxy), engine, stream=True, max_tokens=8000, **unending(engine))
    next(iter(stream))
    engine.process.send_signal(signal.SIGSTOP)
    engine.process.kill()
    engine.process.wait()
    with pytest.raises((openai.APIError, httpx.HTTPError, *transport_errors())):
        list(stream)
    (one,) = proxy.next(1, 0)
    assert (one.outcome, one.status) == (Outcome.FAILED, 200)
    with pytest.raises(openai.APIStatusError) as unreached:
        chat(client_of(proxy), engine)
    assert unreached.value.status_code == 502
    assert proxy.next(1, 1)[0].outcome is Outcome.UNREACHED


def transport_errors():
    """The SDK may talk by a library of its own, and let its errors through in the middle of a stream."""
    with suppress(ImportError):
        import httpx2

        return (httpx2.HTTPError,)
    return ()


def test_nothing_that_was_said_is_in_the_ledger(engine, proxy, client_of):
    chat(client_of(proxy), engine, "a secret of mine")
    proxy.next(1, len(proxy.noted()) - 1)
    kept = b"".join(path.read_bytes() for path in proxy.folder.rglob("*") if path.is_file())
    assert b"a secret of mine" not in kept and b"sk-test" not in kept
