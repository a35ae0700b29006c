"""The body of a request on its way through: held while it is small, streamed when it is large, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from wattermark.serving.relay_answers import MALFORMED, TOO_LONG, TOO_SLOW, Refusal

if TYPE_CHECKING:
    from aiohttp import web

HELD_B = 16_000_000
"""So much of a body is read before it goes on, so that the model's name can be looked for in it."""
SILENT_S = 60.0
"""So long a client may say nothing in the middle of its body; nobody keeps a place here for nothing. [s]"""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadBody(Exception):
    """A body that does not go on; ``Body.fault`` says why."""


def nobodys_turn(engines: bool) -> None:
    """Who waits for nobody is told in vain."""


class Body:
    """What a client sends: ``held`` is its beginning, or all of it."""

    def __init__(self, request: web.BaseRequest, most_b: int) -> None:
        self._request, self._most_b = request, most_b
        self._seen_b = 0
        self._whole = False
        self.held = b""
        self.fault: Refusal | None = None
        self.engines_turn: Callable[[bool], None] = nobodys_turn
        """Told whether it is the engine that is waited for, while a body streams."""

    async def begin(self) -> None:
        """Ask for it where the client waits to be asked, and read as much as is held.

        Raises
        ------
        BadBody
            If it says that it is longer than it may be, or is; stops to come; or is no body of HTTP.
        """
        request = self._request
        if (request.content_length or 0) > self._most_b:
            raise self._faulty(TOO_LONG)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1):
            await request.writer.write(CONTINUE)
            request.writer.output_size = 0  # the answer is still to come
        pieces: list[bytes] = []
        while self._seen_b <= HELD_B and not self._whole:
            piece = await self._next()
            self._whole = not piece
            pieces.append(piece)
        self.held = pieces[0] if len(pieces) == 2 else b"".join(pieces)

    @property
    def data(self) -> bytes | AsyncIterator[bytes] | None:
        """As an HTTP client sends it on."""
        if self._whole:
            return self.held or None
        return self._streamed()

    @property
    def length(self) -> int | None:
        """Bytes of one that is streamed, where the client told; one that is held has its own."""
        return None if self._whole else self._request.content_length

    async def _streamed(self) -> AsyncIterator[bytes]:
        yield self.held
        while True:
            self.engines_turn(False)
            piece = await self._next()
            self.engines_turn(True)
            if not piece:
                return
            yield piece

    async def _next(self) -> bytes:
        from aiohttp.web import RequestPayloadError

        try:
            async with asyncio.timeout(SILENT_S):
                piece = await self._request.content.readany()
        except TimeoutError as error:
            raise self._faulty(TOO_SLOW) from error
        except RequestPayloadError as error:
            raise self._faulty(MALFORMED) from error
        self._seen_b += len(piece)
        if self._seen_b > self._most_b:
            raise self._faulty(TOO_LONG)
        return piece

    def _faulty(self, why: Refusal) -> BadBody:
        self.fault = why
        return BadBody(why.code)
