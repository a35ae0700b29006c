"""A run as a whole: all its processes, on all its machines, and all its parts where it was taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from wattermark.science.ranks import (
    by_machine,
    by_part,
    marks_on,
    missing_ranks,
    paused_s,
    united,
    worst_status,
)
from wattermark.science.timeline import began_s
from wattermark.science.together import at_once, in_turn
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Status
from wattermark.values.records import Recorded

MOST_NAMED = 8
"""Ranks that are told by their numbers where they are missing."""
Account = Callable[[Recorded], Footprint]


def account_whole(records: Sequence[Recorded], account: Account) -> Footprint:
    """The footprint of a run of any number of processes, machines and parts.

    Parameters
    ----------
    records : sequence of Recorded
        One at least, of one run.
    account : callable
        From what one machine saw to its footprint.

    Raises
    ------
    IncompatibleFootprints
        If the parts are not on the same basis.
    """
    parts = by_part(records)
    found = [(min(map(began_s, part)), _part(part, account)) for part in _closed(parts)]
    seen = [one for one in found if one[1].duration_s > 0]  # one that was lost at once tells nothing
    whole = in_turn(seen or found[:1])
    return replace(whole, flags=(*whole.flags, *_about(parts)))


def as_one(records: Sequence[Recorded]) -> Recorded:
    """What stands over a run: the first record's name, and how the last part ended."""
    parts = by_part(records)
    last = parts[-1]
    status = worst_status(last)
    detail = next((record.detail for record in last if record.status is status), "")
    return replace(parts[0][0], status=status, detail=detail)


def machines_of(records: Sequence[Recorded]) -> list[tuple[Recorded, tuple[Recorded, ...]]]:
    """What each machine saw in each part of a run, and the records of its processes."""
    return [(united(ranks), tuple(ranks)) for part in _closed(by_part(records)) for ranks in by_machine(part)]


def _closed(parts: Iterable[Sequence[Recorded]]) -> Iterator[list[Recorded]]:
    """Parts, of which only the last may be unfinished: the others were taken up again."""
    *earlier, last = parts
    for part in earlier:
        yield [replace(record, status=Status.OK) for record in part]
    yield list(last)


def _part(part: Sequence[Recorded], account: Account) -> Footprint:
    """All machines at the same time, with the spans of the lowest rank."""
    machines = [united(ranks) for ranks in by_machine(part)]
    marked = [replace(machine, spans=marks_on(part[0], machine)) for machine in machines]
    names = _told_apart([machine.header.host for machine in machines])
    return at_once([(name, account(machine)) for name, machine in zip(names, marked, strict=True)])


def _told_apart(hosts: Sequence[str]) -> list[str]:
    """Names of machines; two of one name are numbered."""
    return [
        host if hosts.count(host) == 1 else f"{host}#{hosts[: i + 1].count(host)}"
        for i, host in enumerate(hosts)
    ]


def _about(parts: Sequence[Sequence[Recorded]]) -> Iterator[str]:
    """What is to be said of a run of several processes or parts."""
    if missing := missing_ranks(parts[-1]):
        told = ", ".join(map(str, missing[:MOST_NAMED])) + (", ..." if len(missing) > MOST_NAMED else "")
        yield (
            f"ranks-missing: {len(missing)} of {parts[-1][0].header.world_size} left no record here "
            f"({told}); what their machines took may be missing"
        )
    if len(parts) > 1:
        yield (
            f"resumed: the run has {len(parts)} parts; "
            f"{paused_s(parts):.0f} s lie between them, of which nothing is known"
        )
