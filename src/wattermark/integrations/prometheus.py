"""``/metrics`` for programs that have a web server of their own: an ASGI application.

>>> app.mount("/metrics", metrics_app(live))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from wattermark.verbs.serving.exposing import CONTENT_TYPE, exposition, registry
from wattermark.verbs.serving.live import Live

__all__ = ["exposition", "metrics_app", "registry"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def metrics_app(live: Live) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An application that answers GET with what ``live`` knows, made in a thread beside the event loop.

    Raises
    ------
    MissingExtra
        If prometheus-client is not installed.
    """
    registry(live)  # says now what is missing, and not at the first scrape

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        import asyncio

        if scope["type"] == "lifespan":
            await _live_on(receive, send)
        elif scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            body = await asyncio.to_thread(exposition, live)
            await _answer(send, 200, CONTENT_TYPE, body if scope["method"] == "GET" else b"")
        elif scope["type"] == "http":
            await _answer(send, 405, "text/plain; charset=utf-8", b"GET only\n")

    return app


async def _answer(send: Send, status: int, kind: str, body: bytes) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live_on(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
