"""An engine of which every byte is ours, a relay before it, and a client that sees every byte.

async with relayed(answering(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")) as relay:
    reply = await relay.ask(b"GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from wattermark.serving.relay import Relay, Way
from wattermark.serving.relay_address import Listen, Upstream
from wattermark.serving.relay_server import Door, upstream_session
from wattermark.serving.tenants import shown_key, tenant_of
from wattermark.values.served import Served

PATIENCE_S = 10.0


@dataclass
class Talk:
    """One request as the engine sees it, and the line to answer on."""

    head: bytes
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def target(self) -> bytes:
        return self.head.split(b" ")[1]

    @property
    def headers(self) -> dict[bytes, bytes]:
        lines = self.head.split(b"\r\n")[1:]
        return {n.lower(): v.strip() for n, _, v in (line.partition(b":") for line in lines) if n}

    async def say(self, *pieces: bytes, every_s: float = 0.0) -> None:
        for number, piece in enumerate(pieces):
            if number and every_s:
                await asyncio.sleep(every_s)
            self.writer.write(piece)
            await self.writer.drain()

    def reset(self) -> None:
        line = self.writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Answerer = Callable[[Talk], Awaitable[None]]


def answering(*pieces: bytes, every_s: float = 0.0, closes: bool = False) -> Answerer:
    """Says the same to everybody."""

    async def answer(talk: Talk) -> None:
        await talk.say(*pieces, every_s=every_s)
        if closes:
            talk.writer.close()

    return answer


class Engine:
    """Takes HTTP apart by hand; ``asked`` is what came, ``left`` that somebody hung up early."""

    def __init__(self, answer: Answerer) -> None:
        self._answer = answer
        self.asked: list[Talk] = []
        self.connections = 0
        self.left = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lines: list[asyncio.StreamWriter] = []

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for line in self._lines:
            line.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._lines.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                talk = Talk(head, b"", reader, writer)
                self.asked.append(talk)
                talk.body = await self._body(talk.headers, reader)
                await self._watched(talk)
        writer.close()

    async def _watched(self, talk: Talk) -> None:
        """Answers, and sees whether the other side hangs up meanwhile."""
        answering = asyncio.ensure_future(self._answer(talk))
        gone = asyncio.ensure_future(self._gone(talk))
        self._tasks |= {answering, gone}
        done, _ = await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if gone in done and not answering.done():
            self.left.set()
            answering.cancel()
            raise ConnectionResetError
        gone.cancel()
        answering.result()

    async def _gone(self, talk: Talk) -> None:
        while not talk.reader.at_eof() and not talk.writer.transport.is_closing():
            await asyncio.sleep(0.005)

    async def _body(self, headers: dict[bytes, bytes], reader: asyncio.StreamReader) -> bytes:
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            found = b""
            while size := int(await reader.readline(), 16):
                found += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
            return found
        return await reader.readexactly(int(headers.get(b"content-length", b"0")))


@dataclass
class Relayed:
    """A relay that runs, what it noted, and whom it told what."""

    port: int
    engine: Engine
    noted: list[Served] = field(default_factory=list)
    warned: list[tuple[str, str]] = field(default_factory=list)

    def begins(self, begin_ns: int, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(first_ns=None, chunks=0)

    def note(self, served: Served, seat: SimpleNamespace) -> None:
        assert seat.first_ns == served.first_ns
        self.noted.append(served)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, *pieces: bytes, until: bytes | None = None) -> bytes:
        """What comes back until the line ends, or holds ``until``."""
        reader, writer = await self.line()
        for piece in pieces:
            writer.write(piece)
        found = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while until is None or until not in found:
                    piece = await reader.read(65536)
                    if not piece:
                        break
                    found += piece
        writer.close()
        return found

    async def until_noted(self, number: int = 1) -> Served:
        """The last of so many that were noted."""
        end_s = time.monotonic() + PATIENCE_S
        while len(self.noted) < number:
            assert time.monotonic() < end_s, self.noted
            await asyncio.sleep(0.005)
        return self.noted[number - 1]


@asynccontextmanager
async def relayed(
    answer: Answerer, *, base: str = "", certificate: Path | None = None, **options: Any
) -> AsyncIterator[Relayed]:
    """An engine that answers so, with a certificate over TLS, and a relay before it."""
    engine, tls = Engine(answer), None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    async with await asyncio.start_server(engine.serve, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        upstream = Upstream("https" if tls else "http", "127.0.0.1", port, base)
        try:
            async with relay_to(upstream, engine, **options) as relay:
                yield relay
        finally:
            await engine.close()


@asynccontextmanager
async def relay_to(
    upstream: Upstream,
    engine: Engine,
    *,
    timeout_s: float = 5.0,
    quoter: Any = None,
    ca: str | None = None,
    **way: Any,
) -> AsyncIterator[Relayed]:
    """A relay to any address."""
    made = Relayed(0, engine)
    async with upstream_session(timeout_s, ca) as session:
        passing = Relay(
            Way(upstream=upstream, name="engine", **way),
            session,
            made,
            warn=lambda cause, text: made.warned.append((cause, text)),
            tenant_of=lambda fields, query: tenant_of(shown_key(fields, query), b"salt"),
            quoter=quoter,
        )
        door = Door(passing.handle)
        made.port = (await door.open(Listen("127.0.0.1", 0), 0.2)).port
        try:
            yield made
        finally:
            await door.close()


def request(
    target: bytes = b"/v1/chat/completions",
    body: bytes = b'{"model":"m"}',
    *headers: bytes,
    method: bytes = b"POST",
    version: bytes = b"1.1",
    closes: bool = True,
) -> bytes:
    """The bytes of a request."""
    lines = [b"%s %s HTTP/%s" % (method, target, version), b"Host: proxy.test", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    if closes:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def head(status: bytes = b"200 OK", *headers: bytes) -> bytes:
    """The head of an answer."""
    return b"\r\n".join((b"HTTP/1.1 " + status, *headers)) + b"\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A piece of a body that is sent in chunks; the empty one ends it."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunks(body: bytes) -> Iterable[bytes]:
    """The pieces of such a body that came whole."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        piece, body = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        if piece:
            yield piece
