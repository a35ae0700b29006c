"""Look at what was recorded: one run, or all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from wattermark.errors import FOREIGN, WattermarkError
from wattermark.ledger.read import read_run
from wattermark.ledger.runs import find_run, named, runs, spools_in
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Status
from wattermark.values.records import Recorded, RunHeader
from wattermark.verbs.account import account_alone
from wattermark.verbs.beside import above, headers, lies_inside, newest
from wattermark.verbs.elsewhere import account_elsewhere, check_options
from wattermark.verbs.serving.requests_of import with_word_of_requests
from wattermark.verbs.whole import as_one

MOST_LOOKED = 10
"""So many runs of a name are tried for one that ended well."""


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
    """The run that a spool is of, accounted where it ran."""
    records = read_run(spools_in(spool.parent))
    return Seen(spool.parent.name, as_one(records), account_elsewhere(records, spool.parent.parent))


def show(ledger: Path, wanted: str, *, at: str | None = None, **options: Any) -> Seen:
    """One run, accounted where it ran or elsewhere; ``options`` as of ``account_elsewhere``.

    Raises
    ------
    UsageError
        If there is no such run or place, or an option cannot be meant.
    BadSpool
        If its file is not one of ours.
    """
    given = check_options(options)
    found = find_run(ledger, wanted)
    records = read_run(found.spools)
    footprint = account_elsewhere(records, ledger, at=at, **given)
    return Seen(found.run, as_one(records), with_word_of_requests(footprint, found.spool.parent))


def last_of(ledger: Path, name: str) -> Seen | None:
    """The newest run of that name that ended well and whose energy is known, of the last ``MOST_LOOKED``."""
    for run in islice(named(ledger, name), MOST_LOOKED):
        with suppress(WattermarkError):
            found = show(ledger, run)
            if found.recorded.status is Status.OK and found.footprint.it_energy_j is not None:
                return found
    return None


def list_runs(ledger: Path, *, most: int, tags: Iterable[str] = ()) -> Iterator[Seen | Unreadable]:
    """The newest runs first; a file that cannot be read is told, and the others follow."""
    wanted = set(tags)
    newest_ones = newest(ledger)
    known = headers(newest_ones)
    found = (place for place in runs(ledger) if not wanted or wanted <= _tags(known.get(place.run)))
    for place in islice(found, most):
        try:
            records = read_run(place.spools)
            one = Seen(place.run, as_one(records), account_alone(records))
        except WattermarkError as error:
            yield Unreadable(place.run, error.problem)
            continue
        except FOREIGN as error:  # one damaged run hides no other
            yield Unreadable(place.run, f"{type(error).__name__}: {error}")
            continue
        header = one.recorded.header
        around = [other.run for other in known.values() if lies_inside(header, other)]
        around += above(header, newest_ones)
        yield replace(one, inside=around[0] if around else "")


def _tags(header: RunHeader | None) -> set[str]:
    return {f"{key}={value}" for key, value in header.tags.items()} if header else set()
