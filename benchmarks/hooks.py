"""What hooks in a program take from each request to a model: transport, middleware, LiteLLM's logger.

python benchmarks/hooks.py [--quick]

Each way is walked with the hook and without it, in turn, with an answer that is made in the program: no
network, no model. *caller*: processor time of the thread that asks; *all*: with the thread that writes the
notes. The difference of the medians is what the hook takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telling import Row, Target, machine, show, show_targets

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parent / "tests")]
from fakes import models  # noqa: E402

CHAT = "/v1/chat/completions"
SAID = {"model": "m", "messages": [{"role": "user", "content": "word " * 200}]}
PIECES = 64
Walk = Callable[[], None]


def main() -> None:
    """All figures, a table of them, and a file under results/."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds, calls = (7, 100) if parser.parse_args().quick else (31, 300)
    os.environ["WATTERMARK_LEDGER"] = tempfile.mkdtemp(prefix="wattermark-hooks-")
    first = opening()
    found = [taken(name, *ways, rounds, calls) for name, ways in walks().items()]
    show("Microseconds of processor time a request", found)
    show("The first request of a program opens the desk: milliseconds", [first])
    targets = [Target(f"{row['way']}, caller", row["hook, caller"], _most(row["way"]), "us") for row in found]
    show_targets(targets)
    path = HERE / "results" / "hooks.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps({"benchmark": "hooks", "machine": machine(), "ways": found, **first}, indent=1)
    )


def _most(way: str) -> float:
    """200 us a request, and 5 for each further piece."""
    return 200 + 5 * PIECES if "pieces" in way else 200


def opening() -> Row:
    """How long the first note waits for the desk, without meters and with them."""
    from wattermark.verbs.serving.ambient_desk import ambient_desk

    times = {}
    for metered in (False, True):
        began = time.perf_counter()
        ambient_desk(metered=metered)
        times["metered" if metered else "unmetered"] = (time.perf_counter() - began) * 1e3
    return times


def taken(name: str, bare: Walk, hooked: Walk, rounds: int, calls: int) -> Row:
    """Both ways in turn, so that what else the machine does is theirs alike."""
    bare(), hooked()
    times: dict[Walk, list[tuple[float, float]]] = {bare: [], hooked: []}
    for number in range(rounds):
        for walk in (bare, hooked) if number % 2 else (hooked, bare):
            times[walk].append(_timed(walk, calls))
    caller, both = ([statistics.median(one[i] for one in times[w]) for w in (bare, hooked)] for i in (0, 1))
    return {
        "way": name,
        "bare": caller[0],
        "hook, caller": caller[1] - caller[0],
        "hook, all": both[1] - both[0],
    }


def _timed(walk: Walk, calls: int) -> tuple[float, float]:
    own_s, all_s = time.thread_time(), time.process_time()
    for _ in range(calls):
        walk()
    own_s = time.thread_time() - own_s
    time.sleep(0.1)  # until all of it is written
    return own_s / calls * 1e6, (time.process_time() - all_s) / calls * 1e6


def walks() -> dict[str, tuple[Walk, Walk]]:
    """Each way, bare and with its hook."""
    return {
        "transport, whole answer": _transport(_whole()),
        f"transport, {PIECES} pieces": _transport(_streamed()),
        "middleware, whole answer": _middleware(_whole(), quoter=None),
        "middleware, whole answer and its head": _middleware(_whole(), quoter=_Quoter()),
        f"middleware, {PIECES} pieces": _middleware(_streamed(), quoter=None),
        "LiteLLM's logger": _logger(),
    }


def _whole() -> list[bytes]:
    return [json.dumps(models.answer(CHAT, {"model": "m"})).encode()]


def _streamed() -> list[bytes]:
    chunk = {"id": "c", "object": "chat.completion.chunk", "model": "m", "created": 1}
    said = [{**chunk, "choices": [{"index": 0, "delta": {"content": "word "}}]}] * (PIECES - 2)
    told = {**chunk, "choices": [], "usage": models._openai_usage()}
    return [f"data: {json.dumps(one)}\n\n".encode() for one in (*said, told)] + [b"data: [DONE]\n\n"]


def _kind(pieces: list[bytes]) -> str:
    return "application/json" if len(pieces) == 1 else "text/event-stream"


def _transport(pieces: list[bytes]) -> tuple[Walk, Walk]:
    import httpx

    import wattermark as wm

    class Says(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers={"content-type": _kind(pieces)}, stream=Pieces())

    class Pieces(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield from pieces

    def walk(client: httpx.Client) -> Walk:
        return lambda: client.post(f"http://models.test{CHAT}", json=SAID) and None

    return walk(httpx.Client(transport=Says())), walk(wm.http_client(library="httpx", transport=Says()))


class _Quoter:
    def quote(self, served: Any) -> Any:
        from wattermark.values.served import Quote

        return Quote(energy_j=1.0, carbon_g=1.0, water_l=1.0, quality="estimated")


def _middleware(pieces: list[bytes], quoter: Any) -> tuple[Walk, Walk]:
    from wattermark.integrations.asgi import FootprintMiddleware

    body = json.dumps(SAID).encode()
    length = [(b"content-length", str(len(pieces[0])).encode())] if len(pieces) == 1 else []
    start = {
        "type": "http.response.start", "status": 200,
        "headers": [(b"content-type", _kind(pieces).encode()), *length],
    }  # fmt: skip
    heads = [
        (b"authorization", b"Bearer sk-1"),
        (b"user-agent", b"x"),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": heads, "query_string": b""}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(start)
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        """Gone."""

    loop = asyncio.new_event_loop()
    around = FootprintMiddleware(app, quoter=quoter)
    return (
        lambda: loop.run_until_complete(app(scope, receive, send)),
        lambda: loop.run_until_complete(around(scope, receive, send)),
    )


def _logger() -> tuple[Walk, Walk]:
    from wattermark.integrations.litellm import Hooks

    now_s = time.time()
    told = {
        "id": "c", "call_type": "completion", "model": "m", "custom_llm_provider": "openai", "stream": False,
        "api_base": "https://api.openai.com/v1", "startTime": now_s - 1.0, "completionStartTime": now_s,
        "endTime": now_s, "metadata": {"user_api_key_hash": "ab", "usage_object": models._openai_usage()},
    }  # fmt: skip
    hooks = Hooks()
    return lambda: None, lambda: hooks.log_success_event({"standard_logging_object": told}, None, None, None)


if __name__ == "__main__":
    main()
