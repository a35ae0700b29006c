"""A fast engine that thinks of nothing: its answers cost it some microseconds. Run by ``serving.py``.

Streamed, it sends ``PIECES`` events ``EVERY_S`` apart, each with the moment at which it was sent.
"""

from __future__ import annotations

import asyncio
import json
import time

PIECES, EVERY_S = 50, 0.02
USAGE = {"prompt_tokens": 12, "completion_tokens": PIECES, "total_tokens": 12 + PIECES}
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "water " * 40}}
        ],
        "usage": USAGE,
    }
).encode()
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)
BEGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Engine(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._got = b""
        self._streams: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            size = _length(self._got[:end])
            body, rest = self._got[end + 4 : end + 4 + size], self._got[end + 4 + size :]
            if len(body) < size:
                return
            self._got = rest
            if b'"stream":true' in body.replace(b" ", b""):
                task = asyncio.ensure_future(self._stream())
                self._streams.add(task)
                task.add_done_callback(self._streams.discard)
            else:
                self._transport.write(WHOLE)

    async def _stream(self) -> None:
        self._transport.write(BEGIN)
        for number in range(PIECES):
            await asyncio.sleep(EVERY_S)
            self._send(_piece(f"{time.monotonic_ns()} ", number == PIECES - 1))
        self._send(b"data: [DONE]\n\n")
        self._transport.write(b"0\r\n\r\n")

    def _send(self, event: bytes) -> None:
        self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))


def _piece(text: str, last: bool) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop" if last else None}
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "stub", "choices": [choice]}
    return b"data: %s\n\n" % json.dumps(event | ({"usage": USAGE} if last else {})).encode()


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Engine, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
