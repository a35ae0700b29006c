"""Look at what was recorded: one run, or all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from wattermark.errors import WattermarkError
from wattermark.factors.places import When
from wattermark.ledger.read import read_header, read_spool
from wattermark.ledger.runs import default_ledger, find_run, runs
from wattermark.values.footprint import Footprint
from wattermark.values.records import Recorded, RunHeader, Scope
from wattermark.verbs.account import account
from wattermark.verbs.place import parse_when


@dataclass(frozen=True, slots=True)
class Seen:
    """A run and its footprint."""

    run: str
    recorded: Recorded
    footprint: Footprint
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A run that cannot be shown, and why."""

    run: str
    fault: str


def seen(spool: Path) -> Seen:
    """A spool, accounted where it ran."""
    recorded = read_spool(spool)
    return Seen(recorded.header.run, recorded, account(recorded))


def ledger_folder(named: str | None) -> Path:
    """The ledger that was asked for, else the user's own."""
    return Path(os.path.expanduser(named)) if named else default_ledger()


def show(
    ledger: Path,
    wanted: str,
    *,
    place: str | None = None,
    at: str | None = None,
    pue: float | None = None,
    wue: float | None = None,
    market_intensity: float | None = None,
    scope: str | None = None,
) -> Seen:
    """One run, accounted where it ran or elsewhere.

    Raises
    ------
    UsageError
        If there is no such run or place, or ``at`` is no moment.
    BadSpool
        If its file is not one of ours.
    """
    found = find_run(ledger, wanted)
    recorded = read_spool(found.spool)
    when: When | None = parse_when(at) if at else None
    footprint = account(
        recorded,
        place=place,
        when=when,
        pue=pue,
        wue=wue,
        market_intensity=market_intensity,
        scope=Scope(scope) if scope else None,
        others=tuple(_beside(recorded, ledger)),
    )
    return Seen(found.run, recorded, footprint)


def list_runs(ledger: Path, *, most: int, tags: Iterable[str] = ()) -> Iterator[Seen | Unreadable]:
    """The newest runs first; a file that cannot be read is told, and the others follow."""
    wanted = set(tags)
    headers = _headers(ledger)
    found = (place for place in runs(ledger) if not wanted or wanted <= _tags(headers.get(place.run)))
    for place in islice(found, most):
        try:
            one = seen(place.spool)
        except WattermarkError as error:
            yield Unreadable(place.run, error.problem)
            continue
        around = [other.run for other in headers.values() if _inside(one.recorded.header, other)]
        yield replace(one, inside=around[0] if around else "")


def _headers(ledger: Path) -> dict[str, RunHeader]:
    """What every readable run said when it began."""
    headers = {}
    for place in runs(ledger):
        try:
            headers[place.run] = read_header(place.spool)
        except WattermarkError:
            continue  # it is told where it is listed
    return headers


def _tags(header: RunHeader | None) -> set[str]:
    return {f"{key}={value}" for key, value in header.tags.items()} if header else set()


def _beside(recorded: Recorded, ledger: Path) -> Iterator[str]:
    """Runs that lie inside this one, or around it: their energy is in both, so they must not be added."""
    mine = recorded.header
    for other in _headers(ledger).values():
        if _inside(mine, other):
            yield f"inside: this run lies inside {other.run}; do not add the two"
        elif _inside(other, mine) and _began_within(other, recorded):
            yield f"holds: {other.run} lies inside this run; do not add the two"


def _inside(inner: RunHeader, outer: RunHeader) -> bool:
    if inner.run == outer.run or inner.host != outer.host or inner.mono_ns < outer.mono_ns:
        return False
    if outer.run in inner.inside:
        return True
    return inner.pid != outer.pid and f"{outer.pid}@{outer.pid_started}" in inner.ancestors


def _began_within(inner: RunHeader, outer: Recorded) -> bool:
    return outer.begin_mono_ns <= inner.mono_ns <= outer.end_mono_ns
