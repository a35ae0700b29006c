"""Forecast: what a run will have cost when it is done, by the steps that it has done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from wattermark.errors import UsageError
from wattermark.science.forecast import (
    as_wide_as_both,
    later,
    remaining,
    warm_up_steps,
    what_is_left,
    whole_over_done,
)
from wattermark.values.footprint import Footprint, SpanEnergy
from wattermark.values.forecast import Forecast
from wattermark.values.jobs import check_count
from wattermark.values.range import Range

QUANTITIES = ("it_energy_j", "facility_energy_j", "carbon_g", "water_l")
OPEN = "still open"


def forecast(footprint: Footprint, total_steps: int | None = None, step: str | None = None) -> Forecast:
    """All of a run, by the spans of one name that are closed.

    Parameters
    ----------
    footprint : Footprint
        Of the run as it stands now.
    total_steps : int, optional
        How many such spans there will be in all; by default as the last of them told. [1]
    step : str, optional
        The name of the spans; by default that of the outermost ones that repeat.

    Raises
    ------
    UsageError
        If no such span is closed yet, or more are than there should be.
    """
    name = step or _repeated(footprint.spans)
    if total_steps is None:
        total_steps = _told(footprint, name)
    check_count("total_steps", total_steps)
    done = [span for span in closed(footprint) if span.name == name and span.duration_s > 0]
    if not done:
        raise UsageError(
            f"no span {name!r} is closed yet" if name else "no span is closed yet",
            fix="Mark the steps: with run.span('epoch', 1)",
        )
    if len(done) > total_steps:
        raise UsageError(
            f"{len(done)} spans {name!r} are done already, of {total_steps}",
            fix="Give how many there are in all",
        )
    return _of_steps(footprint, name, done, total_steps)


def _told(footprint: Footprint, name: str) -> int:
    """How many steps the program said that there will be."""
    told = [span.of for span in footprint.spans if span.name == name and span.of]
    if not told:
        raise UsageError(
            "nobody told how many steps there will be",
            fix="Give total_steps=10, or mark the steps with run.span('epoch', 1, of=10)",
        )
    return told[-1]


def closed(footprint: Footprint) -> list[SpanEnergy]:
    """The spans that have ended, in their order."""
    return [span for span in footprint.spans if not span.note.startswith(OPEN)]


def _of_steps(footprint: Footprint, name: str, done: Sequence[SpanEnergy], total_steps: int) -> Forecast:
    times_s = [span.duration_s for span in done]
    energies_j = [span.it_energy_j for span in done if span.it_energy_j]
    left = total_steps - len(done)
    since_s = footprint.duration_s - (done[-1].begin_s + done[-1].duration_s)
    to_come_s = what_is_left(times_s, left)
    told = footprint.it_energy_j.best if footprint.it_energy_j else 0.0
    # without energy of its own, a step is taken to cost as its time does
    whole = (
        whole_over_done(told, what_is_left(energies_j, left))
        if told > 0 and len(energies_j) == len(done)
        else whole_over_done(footprint.duration_s, to_come_s)
    )
    remaining_s = remaining(to_come_s, since_s)
    found = footprint.quantities()
    return Forecast(
        step=name,
        done_steps=len(done),
        total_steps=total_steps,
        warm_up_steps=warm_up_steps(times_s),
        duration_s=later(remaining_s, footprint.duration_s),
        remaining_s=remaining_s,
        ends_at_s=later(remaining_s, time.time()),
        **{quantity: _all_of(found[quantity], whole) for quantity in QUANTITIES},
    )


def _all_of(so_far: Range | None, whole: Range) -> Range | None:
    return None if so_far is None else as_wide_as_both(so_far, whole)


def _repeated(spans: Sequence[SpanEnergy]) -> str:
    """The name of the outermost spans that there are several of, or else that there are."""
    outer = Counter(span.name for span in spans if span.parent is None)
    return outer.most_common(1)[0][0] if outer else ""
