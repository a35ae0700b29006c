"""Look at what was recorded: one run, or all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from wattermark.errors import WattermarkError
from wattermark.factors.places import When
from wattermark.ledger.read import read_spool
from wattermark.ledger.runs import default_ledger, find_run, runs
from wattermark.values.footprint import Footprint
from wattermark.values.records import Recorded, RunHeader, Scope
from wattermark.verbs.account import account, account_spool
from wattermark.verbs.beside import beside, headers, lies_inside
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
    return Seen(recorded.header.run, recorded, account_spool(spool))


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
        others=tuple(beside(recorded, ledger)),
    )
    return Seen(found.run, recorded, footprint)


def list_runs(ledger: Path, *, most: int, tags: Iterable[str] = ()) -> Iterator[Seen | Unreadable]:
    """The newest runs first; a file that cannot be read is told, and the others follow."""
    wanted = set(tags)
    known = headers(ledger)
    found = (place for place in runs(ledger) if not wanted or wanted <= _tags(known.get(place.run)))
    for place in islice(found, most):
        try:
            one = seen(place.spool)
        except WattermarkError as error:
            yield Unreadable(place.run, error.problem)
            continue
        around = [other.run for other in known.values() if lies_inside(one.recorded.header, other)]
        yield replace(one, inside=around[0] if around else "")


def _tags(header: RunHeader | None) -> set[str]:
    return {f"{key}={value}" for key, value in header.tags.items()} if header else set()
