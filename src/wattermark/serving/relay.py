"""The relay: a request goes on to one engine, its answer comes back, bytes unchanged, and is noted."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wattermark.serving.relay_address import Upstream
from wattermark.serving.relay_answers import (
    FAILED,
    MALFORMED,
    NO_TOKEN,
    SERVER,
    SILENT,
    TOO_LONG,
    UNREACHED,
    Refusal,
    refused,
)
from wattermark.serving.relay_body import Body, TooLong
from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome, Served

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, web
    from multidict import CIMultiDict

HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
OURS = frozenset(("host", "content-length", "expect", "x-wattermark-token", "x-footprint"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where requests go, and what may pass. ``name`` is what the ledger calls the engine."""

    upstream: Upstream
    name: str = ""
    most_body_b: int = 64_000_000


class Relay:
    """Passes requests on, one call each; ``note`` is told of every one that got as far as the engine."""

    def __init__(
        self,
        way: Way,
        session: ClientSession,
        note: Callable[[Served], None],
        warn: Callable[[str, str], None],
    ) -> None:
        self._way, self._session, self._note, self._warn = way, session, note, warn

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, from its head to the last byte of its answer."""
        begin_ns = time.monotonic_ns()
        target = request.raw_path
        if not target.startswith("/") or not target.isascii() or "#" in target:
            return refused(MALFORMED, closes=True)
        body = Body(request, self._way.most_body_b)
        try:
            await body.begin()
        except TooLong:
            return refused(TOO_LONG, closes=True)
        tap = Tap(target.partition("?")[0], body.held, begin_ns, upstream=self._way.name)
        passage = Passage(request, body, tap)
        try:
            return await self._pass(passage, target)
        finally:
            self._note(tap.served(time.monotonic_ns(), passage.outcome))

    async def _pass(self, passage: Passage, target: str) -> web.StreamResponse:
        from aiohttp import ClientConnectorError, ClientError
        from yarl import URL

        try:
            reply = await self._session.request(
                passage.request.method,
                URL(self._way.upstream.address + target, encoded=True),
                headers=onward(passage.request, passage.body),
                data=passage.body.data,
                allow_redirects=False,
            )
        except TimeoutError:
            return passage.ends(Outcome.TIMEOUT, SILENT)
        except ClientConnectorError:
            return passage.ends(Outcome.UNREACHED, UNREACHED)
        except (ClientError, OSError, ValueError):
            return passage.ends(Outcome.FAILED, TOO_LONG if passage.body.too_long else FAILED)
        async with reply:
            return await passage.back(reply)


class Passage:
    """One request that is under way; ``outcome`` is how it ended, and LEFT until it has."""

    def __init__(self, request: web.BaseRequest, body: Body, tap: Tap) -> None:
        self.request, self.body, self.tap = request, body, tap
        self.outcome = Outcome.LEFT

    def ends(self, outcome: Outcome, refusal: Refusal) -> web.StreamResponse:
        """Nothing came back that the client could be given."""
        self.outcome = outcome
        return refused(refusal)

    async def back(self, reply: ClientResponse) -> web.StreamResponse:
        """Give the client what the engine says, piece by piece as it comes."""
        from aiohttp import web

        self.tap.answered(reply.status, reply.headers)
        answer = web.StreamResponse(status=reply.status, reason=reply.reason, headers=homeward(reply))
        with suppress(ConnectionError):  # of the client: it left
            await answer.prepare(self.request)
            async for piece in self._pieces(reply):
                await answer.write(piece)
            if self.outcome in (Outcome.TIMEOUT, Outcome.FAILED):
                self._break(answer)
                return answer
            await answer.write_eof()
            self.outcome = _ended(reply.status)
        return answer

    async def _pieces(self, reply: ClientResponse) -> AsyncIterator[bytes]:
        from aiohttp import ClientError

        try:
            async for piece, _ in reply.content.iter_chunks():
                if piece:
                    self.tap.piece(piece, time.monotonic_ns())
                    yield piece
        except TimeoutError:
            self.outcome = Outcome.TIMEOUT
        except (ClientError, OSError):
            self.outcome = Outcome.FAILED

    def _break(self, answer: web.StreamResponse) -> None:
        """Let the client see that the answer is not whole: what was sent arrives, an end does not."""
        transport = self.request.transport
        if transport is None:
            return
        if answer.content_length is None and self.request.version < (1, 1):
            transport.abort()  # its end is the end of the answer, so only a reset tells
        else:
            transport.close()


def onward(request: web.BaseRequest, body: Body) -> CIMultiDict[str]:
    """The head as the engine gets it: all that is meant for it, and nothing that is meant for us."""
    headers = request.headers.copy()
    named = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    for name in (HOP | OURS | named) & {name.lower() for name in headers}:
        headers.popall(name)
    if body.length is not None:
        headers["Content-Length"] = str(body.length)
    return headers


def homeward(reply: ClientResponse) -> CIMultiDict[str]:
    """The head as the client gets it."""
    headers = reply.headers.copy()
    named = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    for name in (HOP | named) & {name.lower() for name in headers}:
        headers.popall(name)
    headers.setdefault("Server", SERVER)
    return headers


def _ended(status: int) -> Outcome:
    return Outcome.OK if status < 400 else Outcome.REFUSED if status < 500 else Outcome.FAILED
