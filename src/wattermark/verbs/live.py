"""A run while it lasts: the same accounting, on the tail of its spool, and where it will end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wattermark.errors import UsageError, WattermarkError
from wattermark.ledger.read import SpoolReader, follow, read_header, read_run
from wattermark.ledger.runs import RunPlace, find_run, header_of_run, runs, spools_in
from wattermark.science.node import may_speak_later
from wattermark.science.running import Running, is_settled, so_far
from wattermark.science.utilised import tells_only_how_busy
from wattermark.values.footprint import Footprint
from wattermark.values.forecast import Forecast
from wattermark.values.kinds import Part, Status
from wattermark.values.records import Channel, ReaderLog, RunHeader
from wattermark.verbs.account import account_alone, account_briefly
from wattermark.verbs.ahead import forecast
from wattermark.verbs.beside import lies_inside
from wattermark.verbs.whole import as_one

STAMP = len("20261125-130000")  # the moment in the id of a run
NOTHING = Running()
AGAIN_S = 5.0
"""A forecast takes tens of milliseconds, and says the same again for a while."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a run has cost from its first look at the meters to its last; nothing before there are two. [ns]

    ``measured`` says whether any meter tells energy; else all of it is modelled.
    """

    begin_ns: int = 0
    end_ns: int = 0
    so_far: Running = NOTHING
    measured: bool = False


def watch(spool: Path) -> Iterator[Running]:
    """What the run has cost so far, each time it is asked; only new lines are read."""
    return (look.so_far for look in looks(spool))


def looks(spool: Path) -> Iterator[Look]:
    """The same, and of which time.

    A stretch is kept, and accounted anew, until the slowest meter has spoken often enough in it.
    """
    total, shown = Running(), Look()
    begin_ns = None
    for reader in follow(spool):
        if reader.header is not None and reader.has_beats:
            recorded = reader.recorded()
            stretch = account_briefly(recorded)
            channels = [channel for log in reader.logs.values() for channel in log.channels]
            begin_ns = recorded.begin_mono_ns if begin_ns is None else begin_ns
            shown = Look(
                begin_ns, recorded.end_mono_ns, total.plus(stretch), any(map(_tells_energy, channels))
            )
            if is_settled(stretch, channels, waits=may_speak_later(recorded)):
                total = shown.so_far
                _forget(reader)
        yield shown


def _tells_energy(channel: Channel) -> bool:
    return channel.part is not Part.LOAD and not tells_only_how_busy(channel)


def forecasts(spool: Path) -> Iterator[Forecast | None]:
    """What the program under us will have cost in all, where it says how many steps it will take."""
    told, due_s = None, 0.0
    mine = read_header(spool)
    while True:
        if told is None or time.monotonic() >= due_s:
            told, due_s = _inside(mine, spool.parent.parent), time.monotonic() + AGAIN_S
        yield told


@dataclass(frozen=True, slots=True)
class Moment:
    """A run as it stands: what it has cost, where it will end if it says so, and whether it is over."""

    header: RunHeader
    so_far: Running
    ahead: Forecast | None
    over: bool

    @property
    def document(self) -> dict[str, Any]:
        """In the words of the outside."""
        return {"so_far": self.so_far.known(), "forecast": asdict(self.ahead) if self.ahead else None}


def moments(ledger: Path, wanted: str) -> Iterator[Moment]:
    """A run with all its processes and parts, each time it is asked, as long as it lasts and once more.

    Raises
    ------
    UsageError
        If there is no such run.
    BadSpool
        If none of its files can be read.
    """
    folder = find_run(ledger, wanted).spool.parent
    before = Running()
    while True:
        records = read_run(spools_in(folder))
        footprint, run = account_alone(records), as_one(records)
        before = so_far(footprint, before).no_less_than(before)
        over = run.status is not Status.RUNNING
        yield Moment(run.header, before, None if over else _ahead(footprint), over)
        if over:
            return


def _ahead(footprint: Footprint) -> Forecast | None:
    with suppress(UsageError):  # nobody told how many steps there are, or none is done
        return forecast(footprint)
    return None


def _inside(mine: RunHeader, ledger: Path) -> Forecast | None:
    """By the newest run that began under us."""
    for place in runs(ledger):
        if place.run[:STAMP] < mine.run[:STAMP]:
            return None
        with suppress(WattermarkError):
            if lies_inside(header_of_run(place), mine):
                return _of(place)
    return None


def _of(place: RunPlace) -> Forecast:
    return forecast(account_alone(read_run(place.spools)))


def _forget(reader: SpoolReader) -> None:
    """Keep the last look of each meter only: the next stretch begins there."""
    for name, log in reader.logs.items():
        reader.logs[name] = ReaderLog(channels=log.channels, mono_ns=log.mono_ns[-1:], values=log.values[-1:])
    reader.begin_again()
