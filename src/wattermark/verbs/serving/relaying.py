"""Relay: stand between clients and an engine, note every request, and measure what the machine takes."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wattermark.errors import MissingExtra, UsageError
from wattermark.serving.relay import Relay, Watcher, Way
from wattermark.serving.relay_address import Listen, Upstream
from wattermark.serving.relay_pages import Page, Pages
from wattermark.values.served import Route, Served
from wattermark.verbs.measure import Run
from wattermark.verbs.serving.desk import Desk, measured_desk, unmetered_desk
from wattermark.verbs.serving.tenants import tenants_of
from wattermark.wiring.config import Config

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import ClientSession, web

    from wattermark.serving.relay_back import Seat
    from wattermark.serving.relay_server import Handle
    from wattermark.values.ports import Quoter

GRACE_S = 5.0
"""So long requests may go on once it is told to end. [s]"""
SWITCH_S = 0.0005
"""So long another thread of ours may keep requests waiting while it works; Python's own is 5 ms. [s]"""
METERS = ("auto", "yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaying:
    """How a relay is to run.

    ``upstream_name`` is what the ledger calls the engine; ``token`` has to be shown by clients, and there
    has to be one where others than this machine's programs get in; ``ca`` is a file of authorities;
    ``metrics`` is where pages are shown, if anywhere. ``timeout_s`` is the longest silence of the engine;
    ``tenant_header`` a field that names the tenant, where the key that is shown is not to.
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
    tenant_header: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of requests at once: who watches them, who quotes them, and what pages show, by path.

    ``close`` is called when no request will come any more.
    """

    watcher: Watcher
    quoter: Quoter
    pages: Mapping[str, Page]
    close: Callable[[], None]


def relay(
    config: Config,
    how: Relaying,
    told: Callable[[Begun], None],
    sight_of: Callable[[Config, Path | None], Sight],
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
    sight_of : callable
        Makes, for the settings and the spool of the run's meters if it has any, what is known at once.

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
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        asyncio.run(_serve(config, how, told, sight_of, stack))


def _check(how: Relaying) -> None:
    for option, listen in (("--listen", how.listen), ("--metrics-listen", how.metrics)):
        if listen is not None and not listen.local and not how.token:
            raise UsageError(
                f"{option} {listen} can be reached by others, and there is no token",
                fix="Give --token-file or set WATTERMARK_PROXY_TOKEN; or listen on 127.0.0.1",
            )
    if how.upstream.local and how.upstream.port == how.listen.port:
        raise UsageError(
            f"--upstream {how.upstream.address} is where the proxy itself would listen",
            fix="Give the engine's own address, or another --listen",
        )


def _desk(config: Config, how: Relaying) -> tuple[Desk, Path | None]:
    spool = None
    if how.metered:
        run = Run(config, name=how.name, tags=how.tags, charge_self=False).start()
        desk, spool = measured_desk(run), run.spool
    else:
        desk = unmetered_desk(config, how.name, how.tags)
    if desk is None:
        raise UsageError("requests cannot be noted anywhere", fix="Name a folder with --ledger")
    return desk, spool


async def _serve(
    config: Config,
    how: Relaying,
    told: Callable[[Begun], None],
    sight_of: Callable[[Config, Path | None], Sight],
    after: ExitStack,
) -> None:
    """Listens before a run is opened, so that none is where nobody can listen; ``after`` closes the run."""
    from wattermark.serving.relay_server import Door, upstream_session

    clients, readers = Late(), Late()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(upstream_session(how.timeout_s, how.ca))
        at, metrics = how.listen, how.metrics
        for late, listen in ((readers, metrics), (clients, at)):
            if listen is not None:
                door = Door(late.handle)
                stack.push_async_callback(door.close)
                late.at = await door.listen_on(listen, GRACE_S)
        desk, spool = _desk(config, how)
        after.callback(desk.close)
        sight = sight_of(config, spool)
        after.callback(sight.close)
        clients.is_there(_handle(how, desk, session, sight))
        readers.is_there(Pages(sight.pages, how.token).handle)
        told(_begun(how, desk, clients.at or at, readers.at))
        _take_more_files()
        sys.setswitchinterval(SWITCH_S)
        gc.freeze()  # what is here stays: the collector need not look at it while requests wait
        await _told_to_end()


class Late:
    """Who handles what comes to a door, once there is somebody."""

    def __init__(self) -> None:
        self.at: Listen | None = None
        self._there = asyncio.Event()

    def is_there(self, handle: Handle) -> None:
        """From now on."""
        self._handle = handle
        self._there.set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request; the first ones may wait."""
        await self._there.wait()
        return await self._handle(request)


def _handle(how: Relaying, desk: Desk, session: ClientSession, sight: Sight) -> Handle:
    name = how.upstream_name or how.upstream.address
    way = Way(upstream=how.upstream, name=name, token=how.token, most_body_b=how.most_body_b)
    tenants = tenants_of(desk.folder.parent, how.tenant_header)
    watcher = Noting(desk, sight.watcher)
    return Relay(way, session, watcher, warn=desk.warn, tenant_of=tenants.of, quoter=sight.quoter).handle


class Noting:
    """Notes what ends at a desk, and tells whoever watches."""

    def __init__(self, desk: Desk, watcher: Watcher) -> None:
        self._desk, self._watcher = desk, watcher

    def begins(self, begin_ns: int, *, model: str = "", tenant: str = "", route: Route = Route.OTHER) -> Seat:
        """A request came."""
        return self._watcher.begins(begin_ns, model=model, tenant=tenant, route=route)

    def note(self, served: Served, seat: Seat) -> None:
        """It is over."""
        self._desk.note(served)
        self._watcher.note(served, seat)


def _begun(how: Relaying, desk: Desk, at: Listen, metrics: Listen | None) -> Begun:
    return Begun(
        listen=at,
        metrics=metrics,
        upstream=how.upstream.address,
        run=desk.run,
        ledger=str(desk.folder.parent),
        metered=how.metered,
    )


def _take_more_files() -> None:
    """A request takes two; the usual limit of a shell is 1,024, and the system allows more."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # POSIX only

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _told_to_end() -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        with suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt, which ends it as well
            loop.add_signal_handler(number, over.set)
    await over.wait()
