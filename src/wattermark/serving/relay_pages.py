"""Pages of the proxy's own, as ``/metrics`` for Prometheus, on a socket of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wattermark.serving.relay_answers import NO_TOKEN, SERVER, Refusal, refused
from wattermark.serving.relay_token import bears

if TYPE_CHECKING:
    from aiohttp import web

Page = Callable[[], tuple[str, bytes]]
"""Gives a content type and a body; is called in a thread, so that no request waits for it."""

NO_PAGE = Refusal(404, "no_page", "There is no such page here.")
ONLY_READ = Refusal(405, "only_read", "Pages here can only be read.")


class Pages:
    """Shows pages, each made when it is asked for."""

    def __init__(self, pages: Mapping[str, Page], token: str = "") -> None:
        self._pages, self._token = pages, token

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One page."""
        from aiohttp import web

        if self._token and not bears(request, self._token):
            return refused(NO_TOKEN, closes=True)
        if request.method not in ("GET", "HEAD"):
            return refused(ONLY_READ, closes=True)
        page = self._pages.get(request.raw_path.partition("?")[0])
        if page is None:
            return refused(NO_PAGE)
        kind, body = await asyncio.to_thread(page)
        return web.Response(body=body, headers={"Content-Type": kind, "Server": SERVER})
