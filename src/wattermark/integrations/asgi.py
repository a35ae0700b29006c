"""Middleware for ASGI servers that serve models themselves: FastAPI, Starlette, vLLM's own app.

    app.add_middleware(FootprintMiddleware)                             # FastAPI, Starlette
    vllm serve MODEL --middleware wattermark.integrations.asgi.FootprintMiddleware

Each request to a model is noted in a run with this machine's meters. What passes is not changed or held up,
but for the head of an answer that is told its footprint, which waits until the answer is whole.

References
----------
.. [1] ASGI 3.0, "HTTP & WebSocket" 2.5 (``http.disconnect``; ``send`` raises ``OSError`` once the client has
   gone) and "Lifespan" 2.0.
.. [2] vLLM 0.11, ``entrypoints/openai/api_server.py``: ``--middleware`` takes a class by its path.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from wattermark.integrations.passing import Passing
from wattermark.serving.footprints import footprint_headers
from wattermark.serving.routes import asked_by
from wattermark.values.served import Route
from wattermark.verbs.serving.ambient_desk import ambient_desk, close_ambient_desk, notes
from wattermark.verbs.tell import harmless

if TYPE_CHECKING:
    from wattermark.values.ports import Quoter
    from wattermark.verbs.serving.desk import Desk
    from wattermark.verbs.serving.tenants import Tenants

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MOST_BODY_B = 16_000_000
"""Of a longer request the model is not looked for."""
PATH_SENT = "http.response.pathsend"
MOST_HELD_B = 16_000_000
"""An answer that is longer goes on as it comes, and its head says nothing of its footprint."""


class FootprintMiddleware:
    """Notes requests to models that an ASGI app serves, and tells their footprint in the head of answers.

    Parameters
    ----------
    app : callable
        The app inside.
    quoter : Quoter, optional
        Tells at once what a request took; then answers that are not streamed have ``x-footprint`` headers.
    desk : Desk, optional
        Where requests are noted; by default that of this process, opened as the server starts.
    metered : bool
        Whether the models run on this machine, so that its meters are theirs.
    tenant_header : str
        A header that tells who asks; by default the key that is shown, hashed.
    """

    def __init__(
        self,
        app: App,
        *,
        quoter: Quoter | None = None,
        desk: Desk | None = None,
        metered: bool = True,
        tenant_header: str = "",
    ) -> None:
        self._app, self._quoter, self._desk, self._metered = app, quoter, desk, metered
        self._tenant_header = tenant_header
        self._tenants: tuple[Desk, Tenants] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, self._opening(receive), self._closing(send))
        request = self._begun(scope) if scope["type"] == "http" else None
        if request is None:
            return await self._app(scope, receive, send)
        with request:
            await self._app(scope, request.hears(receive), request.says(send))

    def _begun(self, scope: Mapping[str, Any]) -> _Request | None:
        """A request to a model; None where no model is asked."""
        found: list[_Request] = []
        self._begin(scope, found)
        return found[0] if found else None

    @harmless
    def _begin(self, scope: Mapping[str, Any], found: list[_Request]) -> None:
        if asked_by(scope["path"], scope["method"]).route is Route.OTHER:
            return
        begin_ns = time.monotonic_ns()
        desk = self._desk or ambient_desk(metered=self._metered)
        request = _Request(Passing(notes(desk)), self._quoter, scope["path"], begin_ns)
        found.append(request)
        if desk is not None:
            request.tenant = self._tenants_at(desk).of(_text(scope["headers"]), _query(scope))

    def _tenants_at(self, desk: Desk) -> Tenants:
        """Those of the ledger where it is noted; a forked child and a new run have a desk of their own."""
        from wattermark.verbs.serving.tenants import tenants_of

        if self._tenants is None or self._tenants[0] is not desk:
            self._tenants = (desk, tenants_of(desk.folder.parent, self._tenant_header))
        return self._tenants[1]

    def _opening(self, receive: Receive) -> Receive:
        async def receive_and_open() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._open()
            return message

        return receive_and_open

    def _closing(self, send: Send) -> Send:
        async def close_and_send(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                self._close()
            await send(message)

        return close_and_send

    @harmless
    def _open(self) -> None:
        """Before the first request, so that the meters have looked when it comes."""
        if self._desk is None:
            ambient_desk(metered=self._metered)

    @harmless
    def _close(self) -> None:
        if self._desk is None:
            close_ambient_desk(metered=self._metered)


class _Request:
    """One request as it passes, from its first message to its last."""

    def __init__(self, passing: Passing, quoter: Quoter | None, path: str, begin_ns: int) -> None:
        self._passing, self._quoter, self._path, self._begin_ns = passing, quoter, path, begin_ns
        self.tenant = ""
        self._body: bytearray | None = bytearray()
        self._gone = False
        self._held: list[Message] = []

    def __enter__(self) -> None:
        """It has begun already."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._ask()
        self._passing.leave(None if self._gone else error)

    def hears(self, receive: Receive) -> Receive:
        """What the app is told, looked at."""

        async def receive_and_look() -> Message:
            message = await receive()
            self._heard(message)
            return message

        return receive_and_look

    def says(self, send: Send) -> Send:
        """What the app answers, looked at; held back only where its head is to tell its footprint."""

        async def look_and_send(message: Message) -> None:
            self._said(message)
            for one in self._to_send(message):
                await self._sent(send, one)

        return look_and_send

    async def _sent(self, send: Send, message: Message) -> None:
        try:
            await send(message)
        except OSError:
            self._gone = True
            raise
        if _is_last(message) and not self._gone:
            self._passing.ended()

    @harmless
    def _heard(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self._gone = True
        elif self._body is not None and len(self._body) <= MOST_BODY_B:
            self._body += message.get("body", b"")

    @harmless
    def _said(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._ask()
            self._passing.answered(message["status"], _text(message.get("headers", ())))
        elif message["type"] == "http.response.body" and not self._gone:
            self._passing.piece(message.get("body", b""))

    def _ask(self) -> None:
        """The body of the request is there once the app begins to answer."""
        if self._body is not None:
            body, self._body = bytes(self._body), None
            whole = body if len(body) <= MOST_BODY_B else b""
            self._passing.asked(self._path, whole, self._begin_ns, tenant=self.tenant)

    def _to_send(self, message: Message) -> list[Message]:
        held = self._held
        if not self._holds(message):
            self._held = []
            return [*held, message]
        held.append(message)
        if not _is_last(message):
            return []
        self._held = []
        return [self._with_footprint(held[0]), *held[1:]]

    def _holds(self, message: Message) -> bool:
        """Whether its head waits until all of it is there: not one of a stream, which tells no length."""
        if message["type"] != "http.response.start":
            return bool(self._held) and message["type"] == "http.response.body"
        length = _text(message.get("headers", ())).get("content-length", "")
        return self._quoter is not None and length.isdigit() and int(length) <= MOST_HELD_B

    def _with_footprint(self, start: Message) -> Message:
        """The head with what it took, where that can be said."""
        found: list[tuple[bytes, bytes]] = []
        self._quote(found)
        return {**start, "headers": [*start.get("headers", ()), *found]} if found else start

    @harmless
    def _quote(self, found: list[tuple[bytes, bytes]]) -> None:
        served = self._passing.so_far()
        quote = self._quoter.quote(served) if served is not None and self._quoter is not None else None
        if quote is not None:
            found.extend((name.encode(), text.encode()) for name, text in footprint_headers(quote).items())


def _is_last(message: Message) -> bool:
    kind = message["type"]
    return (kind == "http.response.body" and not message.get("more_body", False)) or kind == PATH_SENT


def _text(fields: Any) -> dict[str, str]:
    return {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in fields}


def _query(scope: Mapping[str, Any]) -> str:
    return bytes(scope.get("query_string", b"")).decode("latin-1")
