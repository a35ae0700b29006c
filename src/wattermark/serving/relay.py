"""The relay: a request goes on to one engine, its answer comes back, bytes unchanged, and is noted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from wattermark.errors import FOREIGN
from wattermark.serving.heads import BadHead, check_request, upstream_url
from wattermark.serving.relay_address import Upstream
from wattermark.serving.relay_answers import (
    FAILED,
    FAULT,
    MALFORMED,
    NO_TOKEN,
    SILENT,
    UNREACHED,
    Refusal,
    refused,
)
from wattermark.serving.relay_back import Passage, Seat
from wattermark.serving.relay_body import BadBody, Body, nobodys_turn
from wattermark.serving.relay_token import shows
from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome, Route, Served

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, web

    from wattermark.values.ports import Quoter

REQUEST_ID = "x-request-id"
TROUBLE = {
    Outcome.UNREACHED: "cannot be reached; clients get status 502",
    Outcome.TIMEOUT: "says nothing for longer than --timeout; clients get status 504, or a broken answer",
    Outcome.FAILED: "fails, or breaks off its answers; clients get what it says",
}


class Watcher(Protocol):
    """Who is told what begins and what ends; takes microseconds, and never raises."""

    def begins(self, begin_ns: int, *, model: str = "", tenant: str = "", route: Route = Route.OTHER) -> Seat:
        """A request came whole."""
        ...

    def note(self, served: Served, seat: Any) -> None:
        """It is over, however it ended; ``seat`` is what ``begins`` gave."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where requests go, and what may pass.

    ``name`` is what the ledger calls the engine; ``token``, where there is one, has to be shown.
    """

    upstream: Upstream
    name: str = ""
    token: str = field(default="", repr=False)
    most_body_b: int = 64_000_000


class Relay:
    """Passes requests on, one call each.

    Parameters
    ----------
    way : Way
        Where to, and what may pass.
    session : ClientSession
        Of ``upstream_session``.
    watcher : Watcher
        Told of every request that was to go on.
    warn : callable
        Told a cause and a sentence when something is wrong; says each cause once.
    tenant_of : callable
        From the fields of a request's head, and its query, to the name of whose it is.
    quoter : Quoter, optional
        Tells at once what a request took.
    """

    def __init__(
        self,
        way: Way,
        session: ClientSession,
        watcher: Watcher,
        *,
        warn: Callable[[str, str], None],
        tenant_of: Callable[[Mapping[str, str], str], str],
        quoter: Quoter | None = None,
    ) -> None:
        self._way, self._session, self._watcher, self._warn = way, session, watcher, warn
        self._tenant_of, self._quoter = tenant_of, quoter

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, from its head to the last byte of its answer."""
        begin_ns = time.monotonic_ns()
        if refusal := self._refusal(request):
            return refused(refusal, closes=True)
        body = Body(request, self._way.most_body_b)
        try:
            await body.begin()
        except BadBody:
            return refused(body.fault or MALFORMED, closes=True)
        path, _, query = request.raw_path.partition("?")
        tenant = self._tenant_of(request.headers, query)
        tap = Tap(
            path,
            body.held,
            begin_ns,
            tenant=tenant,
            upstream=self._way.name,
            request=request.headers.get(REQUEST_ID, ""),
            method=request.method,
        )
        seat = self._watcher.begins(begin_ns, model=tap.model, tenant=tenant, route=tap.asked.route)
        passage = Passage(request, body, tap, seat, self._quoter)
        try:
            return await self._pass(passage)
        except FOREIGN as error:
            self._warn("fault", f"a request went wrong in the proxy itself ({type(error).__name__})")
            return passage.ends(Outcome.FAILED, FAULT)
        finally:
            served = passage.served()
            self._watcher.note(served, seat)
            self._doubt(served)

    def _refusal(self, request: web.BaseRequest) -> Refusal | None:
        if self._way.token and not shows(request, self._way.token):
            return NO_TOKEN
        try:
            check_request(request.method, request.raw_path, request.headers.items())
        except BadHead as error:
            return Refusal(error.status, MALFORMED.code, f"The proxy does not pass this request on: {error}.")
        return None

    def _doubt(self, served: Served) -> None:
        """Say what is wrong or not known, once for each cause."""
        if served.outcome in TROUBLE:
            self._warn(served.outcome, f"{self._way.upstream.address} {TROUBLE[served.outcome]}")
        elif served.outcome is Outcome.OK:
            for why in served.unknown:
                cause = f"{served.route} {why.partition(':')[0]}"
                self._warn(cause, f"requests are noted with something unknown ({served.route}): {why}")

    async def _pass(self, passage: Passage) -> web.StreamResponse:
        from aiohttp import ClientConnectorError, ClientError

        try:
            reply = await self._reply(passage)
        except TimeoutError:
            return passage.ends(Outcome.TIMEOUT, SILENT)
        except ClientConnectorError:
            return passage.ends(Outcome.UNREACHED, UNREACHED)
        except (ClientError, OSError, ValueError):
            if passage.body.fault is not None:  # the client's, found out while the engine had a part of it
                return passage.ends(Outcome.REFUSED, passage.body.fault, closes=True)
            return passage.ends(Outcome.FAILED, FAILED)
        async with reply:
            return await passage.back(reply)

    async def _reply(self, passage: Passage) -> ClientResponse:
        """The head of the answer. aiohttp waits for it without an end once an interim one (1xx) came."""
        from yarl import URL

        upstream, limit = self._way.upstream, self._session.timeout
        patience_s = (limit.sock_connect or 0.0) + (limit.sock_read or 0.0)
        now_s = asyncio.get_running_loop().time
        async with asyncio.timeout(patience_s) as patience:
            passage.body.engines_turn = lambda turn: patience.reschedule(
                now_s() + patience_s if turn else None
            )
            try:
                return await self._session.request(
                    passage.request.method,
                    URL(upstream_url(upstream.address, passage.request.raw_path), encoded=True),
                    headers=passage.onward(upstream.host_field),
                    data=passage.body.data,
                    allow_redirects=False,
                )
            finally:  # the rest of a body may still be on its way
                passage.body.engines_turn = nobodys_turn
