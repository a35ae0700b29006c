"""The relay's sockets: one that listens for clients, and those that go to the engine."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from wattermark.errors import UsageError
from wattermark.serving.relay_address import Listen
from wattermark.serving.relay_answers import FAULT, MALFORMED, refused

if TYPE_CHECKING:
    import logging

    from aiohttp import ClientSession, web

    Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

IDLE_CLIENT_S = 75.0
IDLE_UPSTREAM_S = 3.0
"""Shorter than engines wait (uvicorn and llama.cpp: 5 s), so that none closes a line as we use it."""
LINGER_S = 2.0
"""So long a client that was refused may go on sending, so that it reads why."""
HEAD_S = 60.0
"""So long a client has for its first head; whoever comes and asks nothing keeps no place. [s]"""
CONNECT_S = 10.0
MOST_LINE_B = 16_000
MOST_HEADERS = 128
BACKLOG = 1024
CROWDED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
TOO_MANY = "wattermark: no more clients get in until others leave (%s); raise the limit by ulimit -n"


def upstream_session(timeout_s: float, ca: str | None = None) -> ClientSession:
    """A client that changes nothing: no cookies, no redirects, no proxies, no decoding.

    Parameters
    ----------
    timeout_s : float
        How long it waits for a connection (at most ``CONNECT_S``), and for each further byte. [s]
    ca : str, optional
        A file with the authorities that an engine's certificate is checked by.

    Raises
    ------
    UsageError
        If that file cannot be read.
    """
    from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=IDLE_UPSTREAM_S, ssl=_trusting(ca)),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=ClientTimeout(total=None, sock_connect=min(timeout_s, CONNECT_S), sock_read=timeout_s),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=MOST_LINE_B,
        max_field_size=MOST_LINE_B,
    )


def _trusting(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the certificates in {ca} cannot be read", fix="Give a file with PEM certificates"
        ) from error


class Door:
    """A socket that listens, and whoever came through it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._runner: web.ServerRunner | None = None
        self._crowded = False

    async def listen_on(self, listen: Listen, grace_s: float) -> Listen:
        """Listen; answers where, as port 0 is any.

        Raises
        ------
        UsageError
            If that address cannot be had.
        """
        from aiohttp import web

        server = _server_kind()(self._came, handler_cancellation=True)
        self._runner = web.ServerRunner(server, shutdown_timeout=grace_s)
        await self._runner.setup()
        asyncio.get_running_loop().set_exception_handler(self._troubled)
        try:
            await web.TCPSite(self._runner, listen.host, listen.port, backlog=BACKLOG).start()
        except (OSError, OverflowError) as error:
            await self.close()
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot listen on {listen}: {why}", fix="Name another address") from error
        return Listen(listen.host, self._runner.addresses[0][1])

    def _troubled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio says a thousand times a second that no more clients can be let in; once is enough."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in CROWDED:
            loop.default_exception_handler(context)
        elif not self._crowded:
            import logging

            self._crowded = True
            logging.getLogger("wattermark").warning(TOO_MANY, error.strerror)

    def _came(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        request.protocol.came()  # type: ignore[attr-defined]
        return self._handle(request)

    async def close(self) -> None:
        """Nobody comes in; who is in gets some seconds."""
        if self._runner is not None:
            await self._runner.cleanup()


@cache
def _line_kind() -> type[web.RequestHandler]:
    """aiohttp's, but that it repeats nothing of a malformed request, and waits for its head not for ever."""
    from aiohttp import web

    class Line(web.RequestHandler):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._deadline = asyncio.get_running_loop().call_later(HEAD_S, self.force_close)

        def connection_lost(self, exc: BaseException | None) -> None:
            self._deadline.cancel()
            super().connection_lost(exc)

        def came(self) -> None:
            """A whole head is there; a later one is waited for as long as ``IDLE_CLIENT_S``."""
            self._deadline.cancel()

        def handle_error(
            self,
            request: web.BaseRequest,
            status: int = 500,
            exc: BaseException | None = None,
            message: str | None = None,
        ) -> web.StreamResponse:
            if request.writer.output_size > 0:
                raise ConnectionError("an answer was begun")
            return refused(replace(MALFORMED if status < 500 else FAULT, status=status), closes=True)

    return Line


@cache
def _server_kind() -> type[web.Server]:
    """aiohttp's with bounds, which logs nothing of requests."""
    from aiohttp import web

    class Server(web.Server):
        def __call__(self) -> web.RequestHandler:
            return _line_kind()(
                self,
                loop=asyncio.get_running_loop(),
                auto_decompress=False,
                keepalive_timeout=IDLE_CLIENT_S,
                access_log=_silent(),
                logger=_silent(),
                lingering_time=LINGER_S,
                max_line_size=MOST_LINE_B,
                max_field_size=MOST_LINE_B,
                max_headers=MOST_HEADERS,
            )

    return Server


def _silent() -> logging.Logger:
    import logging

    logger = logging.getLogger("wattermark.relay")
    logger.disabled = True
    return logger
