"""Load for one server, from a process of its own: JSON on stdin says which, JSON on stdout what it took.

``open``: requests at fixed moments, whatever the answers do; each is timed from the moment at which it was
due. ``closed``: so many connections, each asking again at once. ``stream``: delays of pieces that say when
they were sent.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from collections import deque
from typing import Any

SENT = re.compile(rb'"content": ?"(\d{10,}) "')


class Line(asyncio.Protocol):
    """One connection; ``done`` is told each answer that came whole."""

    def __init__(self, done: Any) -> None:
        self._done, self._got = done, b""
        self.due_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._got[:end].lower()
        at = head.find(b"content-length:")
        if at >= 0:
            whole = len(self._got) >= end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        else:
            whole = self._got.endswith(b"0\r\n\r\n")
        if whole:
            good, self._got = head.startswith(b"http/1.1 200"), b""
            self._done(self, good)

    def connection_lost(self, exc: Exception | None) -> None:
        self._done(self, False)


async def opened(port: int, request: bytes, rate: float, seconds: float) -> dict[str, Any]:
    """Requests at fixed moments."""
    loop = asyncio.get_running_loop()
    times_ms: list[float] = []
    bad = 0
    free: deque[Line] = deque()

    def done(line: Line, good: bool) -> None:
        nonlocal bad
        if not good:
            bad += 1
            return
        times_ms.append((time.perf_counter() - line.due_s) * 1e3)
        free.append(line)

    async def send(due_s: float) -> None:
        if free:
            line = free.pop()
        else:
            _, line = await loop.create_connection(lambda: Line(done), "127.0.0.1", port)
        line.due_s = due_s
        line.transport.write(request)

    begin_s, tasks = time.perf_counter(), set()
    for number in range(int(rate * seconds)):
        due_s = begin_s + number / rate
        if (wait_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        if free:
            line = free.pop()
            line.due_s = due_s
            line.transport.write(request)
        else:
            task = asyncio.ensure_future(send(due_s))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    until_s = time.perf_counter() + 10
    while len(times_ms) + bad < int(rate * seconds) and time.perf_counter() < until_s:
        await asyncio.sleep(0.01)
    times_ms.sort()
    return {"p50_ms": _at(times_ms, 0.5), "p99_ms": _at(times_ms, 0.99), "n": len(times_ms), "bad": bad}


async def closed(port: int, request: bytes, connections: int, count: int) -> dict[str, Any]:
    """Each connection asks again once it is answered."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    left = answered = bad = 0
    left = count

    def done(line: Line, good: bool) -> None:
        nonlocal left, answered, bad
        answered += good
        bad += not good
        if left > 0 and good:
            left -= 1
            line.transport.write(request)
        elif answered + bad >= count and not over.done():
            over.set_result(None)

    begin_s = time.perf_counter()
    for _ in range(connections):
        _, line = await loop.create_connection(lambda: Line(done), "127.0.0.1", port)
        left -= 1
        line.transport.write(request)
    await asyncio.wait_for(over, 500)
    return {"per_s": answered / (time.perf_counter() - begin_s), "n": answered, "bad": bad}


async def streamed(port: int, request: bytes, connections: int) -> dict[str, Any]:
    """How late each piece comes, and how many came with another one in one HTTP chunk."""

    async def one() -> tuple[list[float], int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        late_ms, merged = [], 0
        while size := int(await reader.readline(), 16):
            data = await reader.readexactly(size + 2)
            now_ns = time.monotonic_ns()
            sent = SENT.findall(data)
            late_ms += [(now_ns - int(ns)) / 1e6 for ns in sent]
            merged += max(len(sent) - 1, 0)
        writer.close()
        return late_ms, merged

    found = await asyncio.gather(*(one() for _ in range(connections)))
    late_ms = sorted(ms for one_s, _ in found for ms in one_s)
    merged = sum(number for _, number in found)
    return {"p50_ms": _at(late_ms, 0.5), "p99_ms": _at(late_ms, 0.99), "n": len(late_ms), "merged": merged}


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def request(port: int, stream: bool) -> bytes:
    asked: dict[str, Any] = {"model": "stub", "messages": [{"role": "user", "content": "water? " * 20}]}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    body = json.dumps(asked).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer sk-a-key-of-a-tenant\r\nContent-Length: %d\r\n\r\n%s"
    ) % (port, len(body), body)


def main() -> None:
    asked = json.loads(sys.stdin.read())
    kinds = {"open": opened, "closed": closed, "stream": streamed}
    kind, port = kinds[asked.pop("kind")], asked.pop("port")
    gc.collect()
    gc.freeze()
    print(json.dumps(asyncio.run(kind(port, request(port, kind is streamed), **asked))))


if __name__ == "__main__":
    main()
