"""The relay: a request goes on to one engine, its answer comes back, bytes unchanged, and is noted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wattermark.errors import FOREIGN
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
from wattermark.serving.relay_back import Passage
from wattermark.serving.relay_body import BadBody, Body
from wattermark.serving.relay_token import shows
from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome, Route, Served

if TYPE_CHECKING:
    from aiohttp import ClientSession, web

    from wattermark.values.ports import Quoter

TROUBLE = {
    Outcome.UNREACHED: "cannot be reached; clients get status 502",
    Outcome.TIMEOUT: "says nothing for longer than --timeout; clients get status 504",
    Outcome.FAILED: "fails, or breaks off its answers; clients get what it says",
}


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
    note : callable
        Told of every request that was to go on, once it is over.
    warn : callable
        Told a cause and a sentence when something is wrong; says each cause once.
    quoter : Quoter, optional
        Tells at once what a request took, for the heads of answers.
    """

    def __init__(
        self,
        way: Way,
        session: ClientSession,
        note: Callable[[Served], None],
        warn: Callable[[str, str], None],
        quoter: Quoter | None = None,
    ) -> None:
        self._way, self._session, self._note, self._warn, self._quoter = way, session, note, warn, quoter

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
        path = request.raw_path.partition("?")[0]
        tap = Tap(path, body.held, begin_ns, upstream=self._way.name)
        passage = Passage(request, body, tap, self._quoter)
        try:
            return await self._pass(passage)
        except FOREIGN as error:
            self._warn("fault", f"a request went wrong in the proxy itself ({type(error).__name__})")
            return passage.ends(Outcome.FAILED, FAULT)
        finally:
            served = passage.served()
            self._note(served)
            self._doubt(served)

    def _refusal(self, request: web.BaseRequest) -> Refusal | None:
        if self._way.token and not shows(request, self._way.token):
            return NO_TOKEN
        target = request.raw_path
        if not target.startswith("/") or not target.isascii() or "#" in target:
            return MALFORMED
        return None

    def _doubt(self, served: Served) -> None:
        """Say what is wrong or not known, once for each cause."""
        if served.outcome in TROUBLE:
            self._warn(served.outcome, f"{self._way.upstream.address} {TROUBLE[served.outcome]}")
        elif served.outcome is Outcome.OK and served.route is not Route.OTHER:
            for why in served.unknown:
                cause = f"{served.route} {why.partition(':')[0]}"
                self._warn(cause, f"requests are noted with something unknown ({served.route}): {why}")

    async def _pass(self, passage: Passage) -> web.StreamResponse:
        from aiohttp import ClientConnectorError, ClientError
        from yarl import URL

        try:
            reply = await self._session.request(
                passage.request.method,
                URL(self._way.upstream.address + passage.request.raw_path, encoded=True),
                headers=passage.onward(),
                data=passage.body.data,
                allow_redirects=False,
            )
        except TimeoutError:
            return passage.ends(Outcome.TIMEOUT, SILENT)
        except ClientConnectorError:
            return passage.ends(Outcome.UNREACHED, UNREACHED)
        except (ClientError, OSError, ValueError):
            if passage.body.fault is not None:  # the client's, found out while the engine had a part of it
                return passage.ends(Outcome.REFUSED, passage.body.fault)
            return passage.ends(Outcome.FAILED, FAILED)
        async with reply:
            return await passage.back(reply)
