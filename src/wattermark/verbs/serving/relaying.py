"""Relay: stand between clients and an engine, note every request, and measure what the machine takes."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from wattermark.errors import MissingExtra, UsageError
from wattermark.serving.relay_address import Listen, Upstream
from wattermark.serving.relay_pages import Page, Pages
from wattermark.values.served import Quote, Served
from wattermark.verbs.measure import Run
from wattermark.verbs.serving.desk import Desk, measured_desk, unmetered_desk
from wattermark.wiring.config import Config

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from wattermark.serving.relay_server import Handle

GRACE_S = 5.0
"""So long requests may go on once it is told to end. [s]"""
METERS = ("auto", "yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaying:
    """How a relay is to run.

    ``upstream_name`` is what the ledger calls the engine; ``token`` has to be shown by clients, and there
    has to be one where others than this machine's programs get in; ``ca`` is a file of authorities;
    ``metrics`` is where pages are shown, if anywhere. ``timeout_s`` is the longest silence of the engine.
    """

    upstream: Upstream
    listen: Listen
    metrics: Listen | None = None
    name: str = "proxy"
    upstream_name: str = ""
    meters: str = "auto"
    token: str = field(default="", repr=False)
    ca: str | None = None
    most_body_b: int = 64_000_000
    timeout_s: float = 600.0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def metered(self) -> bool:
        """Whether the energy of this machine is that of the engine."""
        return self.meters == "yes" or (self.meters == "auto" and self.upstream.local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What there is to tell once it listens."""

    listen: Listen
    metrics: Listen | None
    upstream: str
    run: str
    ledger: str
    metered: bool


class Live(Protocol):
    """Who sees each request at once, while the relay runs."""

    @property
    def pages(self) -> Mapping[str, Page]:
        """What is shown, by path."""
        ...

    def saw(self, served: Served) -> None:
        """A request is over; takes microseconds."""
        ...

    def quote(self, served: Served) -> Quote | None:
        """What it took, as a ``Quoter``."""
        ...


def relay(
    config: Config,
    how: Relaying,
    told: Callable[[Begun], None],
    live_of: Callable[[Desk], Live] | None = None,
) -> None:
    """Relay until somebody ends it (Ctrl-C, SIGTERM).

    Parameters
    ----------
    config : Config
        Of the run that is opened.
    how : Relaying
        Where from, where to, and what may pass.
    told : callable
        Called once it listens.
    live_of : callable, optional
        Makes, for the desk where requests are noted, whoever sees them at once.

    Raises
    ------
    UsageError
        If it cannot listen there, or must not without a token; or nothing can be written.
    MissingExtra
        If aiohttp is not installed.
    """
    _check(how)
    try:
        import aiohttp  # noqa: F401  here, so that who lacks it hears of it before a run begins
    except ImportError as error:
        raise MissingExtra.of("The proxy", error.name or "aiohttp", "serving") from error
    desk = _desk(config, how)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(how, desk, told, live_of(desk) if live_of else None))
    finally:
        desk.close()


def _check(how: Relaying) -> None:
    for option, listen in (("--listen", how.listen), ("--metrics-listen", how.metrics)):
        if listen is not None and not listen.local and not how.token:
            raise UsageError(
                f"{option} {listen} can be reached by others, and there is no token",
                fix="Give --token-file or set WATTERMARK_PROXY_TOKEN; or listen on 127.0.0.1",
            )


def _desk(config: Config, how: Relaying) -> Desk:
    if how.metered:
        desk = measured_desk(Run(config, name=how.name, tags=how.tags, charge_self=False).start())
    else:
        desk = unmetered_desk(config, how.name, how.tags)
    if desk is None:
        raise UsageError("requests cannot be noted anywhere", fix="Name a folder with --ledger")
    return desk


async def _serve(how: Relaying, desk: Desk, told: Callable[[Begun], None], live: Live | None) -> None:
    from wattermark.serving.relay_server import Door, upstream_session

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(upstream_session(how.timeout_s, how.ca))
        door = Door(_handle(how, desk, session, live))
        stack.push_async_callback(door.close)
        at = await door.open(how.listen, GRACE_S)
        metrics = await _pages(how, live, stack)
        told(_begun(how, desk, at, metrics))
        gc.freeze()  # what is here stays: the collector need not look at it while requests wait
        await _told_to_end()


def _handle(how: Relaying, desk: Desk, session: ClientSession, live: Live | None) -> Handle:
    from wattermark.serving.relay import Relay, Way

    def note(served: Served) -> None:
        desk.note(served)
        if live is not None:
            live.saw(served)

    name = how.upstream_name or how.upstream.address
    way = Way(upstream=how.upstream, name=name, token=how.token, most_body_b=how.most_body_b)
    return Relay(way, session, note, desk.warn, live).handle


async def _pages(how: Relaying, live: Live | None, stack: AsyncExitStack) -> Listen | None:
    from wattermark.serving.relay_server import Door

    if how.metrics is None:
        return None
    door = Door(Pages(live.pages if live else {}, how.token).handle)
    stack.push_async_callback(door.close)
    return await door.open(how.metrics, 0.0)


def _begun(how: Relaying, desk: Desk, at: Listen, metrics: Listen | None) -> Begun:
    return Begun(
        listen=at,
        metrics=metrics,
        upstream=how.upstream.address,
        run=desk.run,
        ledger=str(desk.folder.parent),
        metered=how.metered,
    )


async def _told_to_end() -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError):  # Windows; or not the main thread
            loop.add_signal_handler(number, over.set)
    await over.wait()
