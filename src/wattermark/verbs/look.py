"""Look at what was recorded: one run, or all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wattermark.errors import WattermarkError
from wattermark.factors.places import When
from wattermark.ledger.read import read_header, read_spool
from wattermark.ledger.runs import RunPlace, default_ledger, find_run, runs
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
    return Path(named).expanduser() if named else default_ledger()


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
    found = (place for place in runs(ledger) if not wanted or wanted <= _tags(place))
    for place in islice(found, most):
        try:
            yield seen(place.spool)
        except WattermarkError as error:
            yield Unreadable(place.run, error.problem)


def _tags(place: RunPlace) -> set[str]:
    try:
        return {f"{key}={value}" for key, value in read_header(place.spool).tags.items()}
    except WattermarkError:
        return set()


def _beside(recorded: Recorded, ledger: Path) -> Iterator[str]:
    """Runs that lie inside this one, or around it: their energy is in both, so they must not be added."""
    mine = recorded.header
    for place in runs(ledger):
        if place.run == mine.run:
            continue
        try:
            other = read_header(place.spool)
        except WattermarkError:
            continue
        if _inside(mine, other):
            yield f"inside: this run lies inside {other.run}; do not add the two"
        elif _inside(other, mine) and _began_within(other, recorded):
            yield f"holds: {other.run} lies inside this run; do not add the two"


def _inside(inner: RunHeader, outer: RunHeader) -> bool:
    if inner.host != outer.host or inner.mono_ns < outer.mono_ns:
        return False
    if outer.run in inner.inside:
        return True
    return inner.pid != outer.pid and f"{outer.pid}@{outer.pid_started}" in inner.ancestors


def _began_within(inner: RunHeader, outer: Recorded) -> bool:
    return outer.begin_mono_ns <= inner.mono_ns <= outer.end_mono_ns
