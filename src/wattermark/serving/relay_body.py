"""The body of a request on its way through: held while it is small, streamed when it is large, bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

HELD_B = 16_000_000
"""So much of a body is read before it goes on, that the model's name may be looked for in it."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class TooLong(Exception):
    """A body that is longer than anybody may send."""


class Body:
    """What a client sends: ``held`` is its beginning, or all of it."""

    def __init__(self, request: web.BaseRequest, most_b: int) -> None:
        self._request, self._most_b = request, most_b
        self._seen_b = 0
        self._whole = False
        self.held = b""
        self.too_long = False

    async def begin(self) -> None:
        """Ask for it where the client waits to be asked, and read as much as is held.

        Raises
        ------
        TooLong
            If it says that it is longer than it may be, or is.
        """
        request = self._request
        if (request.content_length or 0) > self._most_b:
            raise TooLong
        if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1):
            await request.writer.write(CONTINUE)
            request.writer.output_size = 0  # the answer is still to come
        pieces: list[bytes] = []
        while self._seen_b < HELD_B:
            piece = await self._next()
            if not piece:
                self._whole = True
                break
            pieces.append(piece)
        self.held = pieces[0] if len(pieces) == 1 else b"".join(pieces)

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
        while piece := await self._next():
            yield piece

    async def _next(self) -> bytes:
        piece = await self._request.content.readany()
        self._seen_b += len(piece)
        if self._seen_b > self._most_b:
            self.too_long = True
            raise TooLong
        return piece
