"""Runs beside a run: what lies inside another, or ran at the same time, must not be added in silence."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from wattermark.errors import WattermarkError
from wattermark.ledger.read import last_moment_ns, names_any, read_header
from wattermark.ledger.runs import RunPlace, header_of_run, runs
from wattermark.science.timeline import ended_s
from wattermark.values.kinds import Part, Scope
from wattermark.values.records import Recorded, RunHeader
from wattermark.values.units import NS_PER_DAY

MOST_READ = 1000  # a look must not take longer with each year of runs


def newest(ledger: Path, until: str = "~") -> list[RunPlace]:
    """The newest runs; not those that began after ``until``, nor very many."""
    return list(islice((place for place in runs(ledger) if place.run <= until), MOST_READ))


def headers(places: Iterable[RunPlace]) -> dict[str, RunHeader]:
    """What every readable run said when it began."""
    return {place.run: header for place, header in _readable(places)}


def above(inner: RunHeader, places: Iterable[RunPlace]) -> Iterator[str]:
    """Runs of which a process above this one recorded a rank, or a later part.

    The names of their files tell who wrote them, so that few have to be read.
    """
    names = tuple(f"{inner.host}-{process.partition('@')[0]}" for process in inner.ancestors)
    for place in places:
        several = place.spools if len(place.spools) > 1 else ()
        wrote = [spool for spool in several if spool.stem.startswith(names)]
        if any(lies_inside(inner, header) for header in _heads(wrote)):
            yield place.run


def beside(recorded: Recorded, ledger: Path) -> Iterator[str]:
    """What is to be said about other runs of a ledger whose energy is, in part, this run's as well."""
    mine = recorded.header
    gpus = _gpus(recorded)
    places = newest(ledger, until=_stamp(recorded))
    further = set(above(mine, places))
    for place, other in _readable(places):
        if lies_inside(mine, other) or other.run in further:
            yield f"inside: this run lies inside {other.run}; do not add the two"
        elif lies_inside(other, mine) and recorded.begin_mono_ns <= other.mono_ns <= recorded.end_mono_ns:
            yield f"holds: {other.run} lies inside this run; do not add the two"
        elif _at_the_same_time(recorded, place, other):
            if Scope.MACHINE in (mine.scope, other.scope):
                yield f"overlaps: {other.run} ran here meanwhile; what both were charged with is one"
            elif gpus and names_any(place.spool, gpus):
                yield f"overlaps: {other.run} held a GPU of this run meanwhile; each was charged all of it"


def lies_inside(inner: RunHeader, outer: RunHeader) -> bool:
    """Whether the energy of one run is in the other's: it was open then, or its process is above."""
    if inner.run == outer.run or inner.host != outer.host or inner.mono_ns < outer.mono_ns:
        return False
    if outer.run in inner.inside or _is_step_of(inner.job, outer.job):
        return True
    return inner.pid != outer.pid and f"{outer.pid}@{outer.pid_started}" in inner.ancestors


def _is_step_of(inner: str, outer: str) -> bool:
    """Whether a job is a step (``slurm:77.0``) of one whose steps are counted in its own run."""
    whole = outer.removeprefix("job:slurm:")
    return whole != outer and inner.startswith(f"slurm:{whole}.")


def _stamp(recorded: Recorded) -> str:
    """How the id of a run begins that was begun when this one ended."""
    return time.strftime("%Y%m%d-%H%M%S~", time.gmtime(ended_s(recorded)))


def _readable(places: Iterable[RunPlace]) -> Iterator[tuple[RunPlace, RunHeader]]:
    """What each of them said first."""
    for place in places:
        try:
            yield place, header_of_run(place)
        except WattermarkError:
            continue  # it is told where it is listed


def _heads(spools: Iterable[Path]) -> Iterator[RunHeader]:
    for spool in spools:
        with suppress(WattermarkError):
            yield read_header(spool)


def _gpus(recorded: Recorded) -> frozenset[str]:
    channels = (channel for log in recorded.logs.values() for channel in log.channels)
    return frozenset(channel.uuid for channel in channels if channel.part is Part.GPU and channel.uuid)


def _at_the_same_time(recorded: Recorded, place: RunPlace, other: RunHeader) -> bool:
    """By the steady clock, which is one for all processes of a machine until it is started again."""
    mine = recorded.header
    if other.run == mine.run or other.host != mine.host or other.mono_ns >= recorded.end_mono_ns:
        return False
    if abs(other.booted_ns - mine.booted_ns) > NS_PER_DAY:  # a wall clock may be set by hours meanwhile
        return False
    return last_moment_ns(place.spool) > recorded.begin_mono_ns
