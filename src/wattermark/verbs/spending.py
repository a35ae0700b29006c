"""When a run took its energy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from wattermark.ledger.read import read_run
from wattermark.ledger.runs import find_run
from wattermark.science.clocks import mono_ns_at, window_s
from wattermark.science.schedule.audit import scaled
from wattermark.science.schedule.hours import pieces
from wattermark.values.audit import Spent
from wattermark.values.records import Recorded, SpanMark
from wattermark.verbs.account import account_run
from wattermark.verbs.pausing import Pause

MARK = "piece of the run"


def spent_by(ledger: Path, wanted: str, paused: Sequence[Pause] = ()) -> list[Spent]:
    """The IT energy of a run, by hours, parts and pauses; what no meter saw is shared out among them.

    Raises
    ------
    UsageError
        If there is no such run.
    """
    records = read_run(find_run(ledger, wanted).spools)
    windows = [window_s(record) for record in records]
    begin_s, end_s = min(begin for begin, _ in windows), max(end for _, end in windows)
    cuts = pieces(begin_s, end_s, [moment for one in (*windows, *paused) for moment in one])
    marked = [replace(record, spans=tuple(_marks(record, cuts))) for record in records]
    energies = dict.fromkeys(range(len(cuts)), 0.0)
    footprint = account_run(marked, ledger=ledger)
    for span in footprint.spans:
        if span.name == MARK and span.it_energy_j is not None:
            energies[int(span.label)] += span.it_energy_j
    whole = footprint.it_energy_j
    energies = scaled(energies, whole.best) if whole else energies
    return [
        Spent(begin_s=begin, end_s=end, it_energy_j=energies[i], paused=_lies_in(begin, end, paused))
        for i, (begin, end) in enumerate(cuts)
        if energies[i] > 0
    ]


def _marks(record: Recorded, cuts: Sequence[tuple[float, float]]) -> Iterator[SpanMark]:
    """The cuts that the record has a part in, as spans of it."""
    first_s, last_s = window_s(record)
    for i, (begin_s, end_s) in enumerate(cuts):
        if begin_s < last_s and end_s > first_s:
            begin_ns, end_ns = mono_ns_at(record.header, begin_s), mono_ns_at(record.header, end_s)
            yield SpanMark(number=i, name=MARK, label=str(i), begin_ns=begin_ns, end_ns=end_ns)


def _lies_in(begin_s: float, end_s: float, paused: Sequence[Pause]) -> bool:
    return any(first <= begin_s and end_s <= last for first, last in paused)
