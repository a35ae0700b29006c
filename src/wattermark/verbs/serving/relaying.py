"""Relay: stand between clients and an engine, note every request, and measure what the machine takes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wattermark.errors import MissingExtra, UsageError
from wattermark.serving.relay_address import Listen, Upstream
from wattermark.verbs.measure import Run
from wattermark.verbs.serving.desk import Desk, measured_desk, unmetered_desk
from wattermark.wiring.config import Config

if TYPE_CHECKING:
    from wattermark.values.ports import Quoter

GRACE_S = 5.0
"""So long requests may go on once it is told to end. [s]"""
METERS = ("auto", "yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaying:
    """How a relay is to run."""

    upstream: Upstream
    listen: Listen
    name: str = ""
    upstream_name: str = ""
    meters: str = "auto"
    most_body_b: int = 64_000_000
    timeout_s: float = 600.0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """What there is to tell once it listens."""

    listen: Listen
    upstream: str
    run: str
    folder: str
    metered: bool


def relay(config: Config, how: Relaying, told: Callable[[Begun], None]) -> None:
    """Relay until somebody ends it (Ctrl-C, SIGTERM).

    Raises
    ------
    UsageError
        If it cannot listen there.
    MissingExtra
        If aiohttp is not installed.
    """
    try:
        import aiohttp  # noqa: F401  here, so that who lacks it hears of it before a run begins
    except ImportError as error:
        raise MissingExtra.of("The proxy", error.name or "aiohttp", "serving") from error
    metered = how.meters == "yes" or (how.meters == "auto" and how.upstream.local)
    desk = _desk(config, how, metered=metered)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(how, desk, lambda at: told(_begun(how, desk, at, metered=metered))))
    finally:
        desk.close()


def _desk(config: Config, how: Relaying, *, metered: bool) -> Desk:
    name = how.name or "proxy"
    if metered:
        desk = measured_desk(Run(config, name=name, tags=how.tags).start())
    else:
        desk = unmetered_desk(config, name, how.tags)
    if desk is None:
        raise UsageError("requests cannot be noted anywhere", fix="Name a folder with --ledger")
    return desk


def _begun(how: Relaying, desk: Desk, at: Listen, *, metered: bool) -> Begun:
    return Begun(at, how.upstream.address, desk.run, str(desk.folder), metered)


async def _serve(how: Relaying, desk: Desk, listens: Callable[[Listen], None]) -> None:
    from wattermark.serving.relay import Relay, Way
    from wattermark.serving.relay_server import Door, upstream_session

    way = Way(
        upstream=how.upstream, name=how.upstream_name or how.upstream.address, most_body_b=how.most_body_b
    )
    async with upstream_session(how.timeout_s) as session:
        door = Door(Relay(way, session, desk.note, desk.warn).handle)
        at = await door.open(how.listen, GRACE_S)
        try:
            listens(at)
            await _told_to_end()
        finally:
            await door.close()


async def _told_to_end() -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError):  # Windows; or not the main thread
            loop.add_signal_handler(number, over.set)
    await over.wait()
