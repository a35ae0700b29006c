"""The way back: what an engine answers goes to the client, as it comes or, with a footprint, in one piece."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from wattermark.serving.footprints import footprint_comment, footprint_headers
from wattermark.serving.heads import forwarded
from wattermark.serving.relay_answers import (
    FAILED,
    SERVER,
    SILENT,
    Refusal,
    refused,
)
from wattermark.serving.relay_body import Body
from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome, Quote, Route, Served

if TYPE_CHECKING:
    from aiohttp import ClientResponse, web
    from multidict import CIMultiDict

    from wattermark.values.ports import Quoter

MOST_HELD_B = 16_000_000
"""An answer that is longer goes on as it comes, and its head says nothing of its footprint."""
TAIL_B = 4
GLANCE_S = 1.0
"""So often it is looked whether the line to the engine is still there."""
RESET = struct.pack("ii", 1, 0)
"""A line that ends so is reset, which no client takes for the end of an answer."""
FOOTPRINT = "x-footprint"
NO_BODY = frozenset((204, 304))
BEHIND = frozenset(("content-length", "x-wattermark-token", FOOTPRINT))
"""Fields of a request that are meant for us; how long the body is goes on with the body."""


class Seat(Protocol):
    """A request that is under way, as whoever watches sees it."""

    first_ns: int | None
    chunks: int


class Passage:
    """One request that is under way; ``outcome`` is how it ended, and LEFT until it has."""

    def __init__(
        self, request: web.BaseRequest, body: Body, tap: Tap, seat: Seat, quoter: Quoter | None
    ) -> None:
        self.request, self.body = request, body
        self.outcome = Outcome.LEFT
        self._tap, self._seat, self._quoter = tap, seat, quoter
        self._served: Served | None = None
        self._tail = b""
        self._begun: web.StreamResponse | None = None

    def served(self) -> Served:
        """What there is to note of it."""
        if self._served is None:
            return self._tap.served(time.monotonic_ns(), self.outcome)
        if self.outcome is Outcome.OK:
            return self._served
        return replace(self._served, outcome=self.outcome, end_ns=time.monotonic_ns())

    def onward(self, host: str) -> CIMultiDict[str]:
        """The head as the engine gets it: all that is meant for it, and nothing that is meant for us."""
        from multidict import CIMultiDict

        headers = CIMultiDict(forwarded(self.request.headers.items(), host, BEHIND))
        if self.body.length is not None:
            headers["Content-Length"] = str(self.body.length)
        return headers

    def ends(self, outcome: Outcome, refusal: Refusal, *, closes: bool = False) -> web.StreamResponse:
        """Nothing came back that the client could be given; or not all, where an answer was begun."""
        self.outcome = outcome
        if self._begun is not None:
            self._break(self._begun)
            return self._begun
        return refused(refusal, closes=closes)

    async def back(self, reply: ClientResponse) -> web.StreamResponse:
        """Give the client what the engine says."""
        if reply.status < 200:  # nobody asked for another protocol, and less than 100 is none
            return self.ends(Outcome.FAILED, FAILED)
        self._tap.answered(reply.status, reply.headers)
        if not self._holds(reply):
            return await self._as_it_comes(reply)
        held = bytearray()
        while piece := await self._piece(reply):
            held += piece
            if len(held) > MOST_HELD_B:
                return await self._as_it_comes(reply, bytes(held))
        if self.outcome is not Outcome.LEFT:
            return refused(SILENT if self.outcome is Outcome.TIMEOUT else FAILED)
        return await self._whole(reply, bytes(held))

    def _holds(self, reply: ClientResponse) -> bool:
        """Whether its head waits until all of it is there, as it tells what all of it took."""
        return (
            self._tap.asked.route is not Route.OTHER
            and not self._tap.streamed
            and self._has_body(reply)
            and (reply.content_length is not None or "json" in reply.content_type)
        )

    def _has_body(self, reply: ClientResponse) -> bool:
        return self.request.method != "HEAD" and reply.status not in NO_BODY

    async def _piece(self, reply: ClientResponse) -> bytes:
        """The next, as it came; none is the end, and that it is no good one shows in ``outcome``."""
        from aiohttp import ClientError

        piece = b""
        try:
            while not piece and not reply.content.at_eof():
                piece = await _waited(reply)
        except TimeoutError:
            self.outcome = Outcome.TIMEOUT
        except (ClientError, OSError):
            self.outcome = Outcome.FAILED
        if piece:
            now_ns = time.monotonic_ns()
            self._tap.piece(piece, now_ns)
            self._seat.first_ns = self._seat.first_ns or now_ns
            self._seat.chunks += self._tap.streamed
        return piece

    async def _whole(self, reply: ClientResponse, body: bytes) -> web.StreamResponse:
        from aiohttp import web

        headers = _homeward(reply)
        if quote := self._quote():
            headers.update(footprint_headers(quote))
        headers.popall("Content-Length", None)
        answer = web.Response(status=reply.status, reason=reply.reason, headers=headers, body=body)
        try:
            if not await self._begin(answer):
                return self.ends(Outcome.FAILED, FAILED)
            await answer.write_eof()
        except ConnectionError:  # the client's
            return answer
        self.outcome = Outcome.OK
        return answer

    async def _as_it_comes(self, reply: ClientResponse, held: bytes = b"") -> web.StreamResponse:
        from aiohttp import web

        headers = _homeward(reply)
        tells = self._tells(reply)
        if tells:
            headers.popall("Content-Length", None)
        answer = web.StreamResponse(status=reply.status, reason=reply.reason, headers=headers)
        try:
            if not await self._begin(answer):
                return self.ends(Outcome.FAILED, FAILED)
            if held:
                await answer.write(held)
            while piece := await self._piece(reply):
                await answer.write(piece)
                if tells:
                    self._tail = (self._tail + piece)[-TAIL_B:]
            if self.outcome is not Outcome.LEFT:
                self._break(answer)
                return answer
            if tells and (quote := self._quote()):
                await answer.write(footprint_comment(quote, self._tail))
            await answer.write_eof()
        except ConnectionError:  # the client's: the engine's are caught in ``_piece``
            self.outcome = Outcome.LEFT
            return answer
        self.outcome = Outcome.OK
        return answer

    async def _begin(self, answer: web.StreamResponse) -> bool:
        """Send the head; not one with letters that no head may have, though the engine's has."""
        try:
            await answer.prepare(self.request)
        except ValueError:
            return False
        self._begun = answer
        return True

    def _tells(self, reply: ClientResponse) -> bool:
        """Whether a comment at its end tells the footprint: only where the client asked for it."""
        return (
            self._quoter is not None
            and self.request.headers.get(FOOTPRINT, "").strip().lower() == "stream"
            and reply.content_type == "text/event-stream"
            and "Content-Encoding" not in reply.headers
            and self._has_body(reply)
        )

    def _quote(self) -> Quote | None:
        self._served = self._tap.served(time.monotonic_ns())
        return self._quoter.quote(self._served) if self._quoter is not None else None

    def _break(self, answer: web.StreamResponse) -> None:
        """Let the client see that the answer is not whole: what was sent arrives, an end does not."""
        transport = self.request.transport
        if transport is None:
            return
        line = transport.get_extra_info("socket")
        if answer.content_length is None and self.request.version < (1, 1) and line is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)  # an end would be a good one
        transport.close()


async def _waited(reply: ClientResponse) -> bytes:
    """What comes within a while, if anything; aiohttp is silent when a line ends over a bad chunk."""
    from aiohttp import ClientPayloadError

    try:
        async with asyncio.timeout(GLANCE_S) as glance:
            return (await reply.content.readchunk())[0]
    except TimeoutError:
        if not glance.expired():  # the engine's silence
            raise
    line = reply.connection.transport if reply.connection is not None else None
    if (line is None or line.is_closing()) and not reply.content.at_eof():
        raise ClientPayloadError
    return b""


def _homeward(reply: ClientResponse) -> CIMultiDict[str]:
    """The head as the client gets it."""
    from multidict import CIMultiDict

    headers = CIMultiDict(forwarded(reply.headers.items()))
    headers.setdefault("Server", SERVER)
    return headers
