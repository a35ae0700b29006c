"""From what is known of some places to a plan for one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wattermark.errors import NoPlan
from wattermark.science.schedule.one import stretches_of
from wattermark.science.schedule.rates import Rates, option_of
from wattermark.science.schedule.weights import Weights, score_of, scored
from wattermark.values.plan import Option, PlannedJob, Stretch

EQUAL = 1e-9
"""Scores that differ by less are equal: then it is the place that came first, and the earlier start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Starting now, here; the best way; the best at each place; and what is to be known."""

    now: Option
    best: Option
    each: tuple[Option, ...]
    otherwise: tuple[tuple[str, Option], ...] = ()
    flags: tuple[str, ...] = ()


COUNTED_OTHERWISE: Final[Mapping[str, str]] = {
    "carbon": "carbon-marginal",
    "carbon-marginal": "carbon",
    "water": "water-thermal",
    "water-thermal": "water",
}
"""Two ways to count one thing, of which neither is wrong: a plan tells where they choose differently."""


def start_now(home: Rates, job: PlannedJob) -> Option:
    """The job in one piece, from its earliest moment on.

    Parameters
    ----------
    home : Rates
        Where it would run.
    job : PlannedJob
        What would run.

    Raises
    ------
    NoPlan
        If the carbon intensity of that time is not known.
    """
    stretch = Stretch(begin_s=job.earliest_s, end_s=job.earliest_s + job.duration_s)
    try:
        return option_of(home, job, [stretch])
    except ValueError as error:
        raise NoPlan(
            f"the carbon intensity at {home.place} is not known for all of a start now: nothing can be "
            "compared with it",
            fix="Name another source of signals, or see: wattermark signals",
        ) from error


def choose(places: Sequence[Rates], job: PlannedJob, weights: Weights) -> Choice:
    """The way to run that costs least, among all places and times.

    Parameters
    ----------
    places : sequence of Rates
        Home first.
    job : PlannedJob
        What is to run.
    weights : mapping
        As of ``check_weights``.

    Raises
    ------
    NoPlan
        If start-now cannot be told, or what is weighed is not known at home.
    """
    now = start_now(places[0], job)
    if np.isnan(score_of(now, now, weights)):
        raise NoPlan(
            f"not all of {', '.join(weights)} is known at {places[0].place}, or it is zero there",
            fix="Weigh only what is known; see: wattermark signals",
        )
    found: list[Option] = []
    flags: list[str] = []
    for rates in places:
        option, flag = _at(rates, job, now, weights)
        found += [option] if option else []
        flags += [flag] if flag else []
    candidates = [now, *found]
    scores = np.array([score_of(option, now, weights) for option in candidates])
    best = candidates[int(np.argmax(scores <= np.nanmin(scores) + EQUAL))]
    return Choice(now=now, best=best, each=tuple(found), flags=tuple(flags))


def choose_and_doubt(places: Sequence[Rates], job: PlannedJob, weights: Weights) -> Choice:
    """The same, with the ways that would be chosen if carbon or water were counted otherwise.

    Parameters
    ----------
    places, job, weights
        As of ``choose``.

    Raises
    ------
    NoPlan
        As of ``choose``.
    """
    chosen = choose(places, job, weights)
    return replace(chosen, otherwise=tuple(_otherwise(places, job, weights, chosen.best)))


def _otherwise(
    places: Sequence[Rates], job: PlannedJob, weights: Weights, best: Option
) -> Iterator[tuple[str, Option]]:
    for what, other in COUNTED_OTHERWISE.items():
        if what in weights and other not in weights:
            swapped = {other if name == what else name: weight for name, weight in weights.items()}
            with suppress(NoPlan):
                found = choose(places, job, swapped).best
                if (found.place, found.stretches) != (best.place, best.stretches):
                    yield other, found


def strong_enough(
    places: Sequence[Rates], job: PlannedJob, capacity_w: Mapping[str, float]
) -> tuple[list[Rates], list[str]]:
    """The places that can feed the job, and a flag for each that cannot; home stays, as it is compared with.

    Parameters
    ----------
    places : sequence of Rates
        Home first.
    job : PlannedJob
        Whose power it is.
    capacity_w : mapping
        IT power that is free, of the places that have a limit. [W]
    """
    weak = {rates.place for rates in places[1:] if capacity_w.get(rates.place, np.inf) < job.power_w}
    flags = [f"left-out: {name}: it has no room for {job.power_w / 1e3:.3g} kW" for name in sorted(weak)]
    return [rates for rates in places if rates.place not in weak], flags


def _at(rates: Rates, job: PlannedJob, now: Option, weights: Weights) -> tuple[Option | None, str]:
    """The best at one place, with what hinders it."""
    rate = scored(rates, now, weights)
    if rate is None:
        return None, f"left-out: {rates.place}: not all of {', '.join(weights)} is known there"
    horizon_s = float(rates.edges_s[-1])
    flag = ""
    if horizon_s < job.deadline_s:
        flag = f"horizon: at {rates.place} nothing is known of the last {_hours(job.deadline_s - horizon_s)}"
        job = replace(job, deadline_s=horizon_s)
    stretches = stretches_of(rate, rate, job)
    if not stretches:
        return None, f"left-out: {rates.place}: no time there holds the job, where its signals are known"
    return option_of(rates, job, stretches), flag


def _hours(span_s: float) -> str:
    return f"{span_s / 3600:.3g} h before the deadline"
