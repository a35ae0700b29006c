"""From what is known of some places to a plan for one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wattermark.errors import NoPlan
from wattermark.science.schedule.pareto import front, knee, levelled
from wattermark.science.schedule.rates import Rates, option_of
from wattermark.science.schedule.ways import Site, at_once, site, way, ways
from wattermark.science.schedule.weights import PARTS, Weights, amount, score_of, scored
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, PlannedJob, Stretch
from wattermark.values.series import Signal
from wattermark.values.units import S_PER_HOUR

MOST_SHOWN: Final = 12
EQUAL: Final = 1e-9
"""Scores that differ by less are equal: then it is the place that came first, and the earlier start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Starting now, here; the best way; the best at each place; each other place as soon as it can start; and
    what is to be known."""

    now: Option
    best: Option
    each: tuple[Option, ...]
    at_once: tuple[Option, ...] = ()
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
        raise _unweighed(now, weights)
    found: list[Option] = []
    flags: list[str] = []
    sites = [site(rates, places[0], job) for rates in places]
    for one in sites:
        option, flag = _at(one, now, weights)
        found += [option] if option else []
        flags += [flag] if flag else []
    candidates = [now, *found]
    scores = np.array([score_of(option, now, weights) for option in candidates])
    best = candidates[int(np.argmax(scores <= np.nanmin(scores) + EQUAL))]
    soon = tuple(option for one in sites[1:] if (option := at_once(one)) is not None)
    return Choice(now=now, best=best, each=tuple(found), at_once=soon, flags=tuple(flags))


def _unweighed(now: Option, weights: Weights) -> NoPlan:
    """What of that which is weighed cannot be, and why."""
    amounts = {what: amount(now, what) for what in weights}
    unknown = [what for what, one in amounts.items() if one is None]
    if "cost" in unknown:
        fix = f"Tell it, as --prices {now.place}=0.25, or weigh only what is known"
    else:
        fix = "Weigh only what is known; see: wattermark signals"
    if unknown:
        return NoPlan(f"{' and '.join(unknown)} of starting now at {now.place} is not known", fix=fix)
    zero = " and ".join(what for what, one in amounts.items() if one == 0)
    return NoPlan(f"{zero} of starting now at {now.place} is zero: nothing to save", fix="Start it now")


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


def of_one_basis(outlooks: Sequence[Outlook]) -> tuple[list[bool], list[str]]:
    """Which places tell carbon on the basis that home does, and a flag for each that does not.

    Lifecycle and direct intensities are two quantities; one whose basis nobody told is taken as home's, and
    that is flagged.

    Parameters
    ----------
    outlooks : sequence of Outlook
        Home first.
    """
    bases = [_basis(one.series[Signal.CARBON].basis) for one in outlooks]
    home = bases[0]
    flags = []
    for one, basis in zip(outlooks, bases, strict=True):
        if basis and home and basis != home:
            flags.append(f"left-out: {one.asked}: its carbon is {basis}, home's is {home}: no comparing")
        elif basis != home:
            flags.append(f"basis-unknown: nobody says whether carbon is {basis or home} at all places")
    return [basis == home or not basis or not home for basis in bases], list(dict.fromkeys(flags))


def _basis(told: str) -> str:
    """``lifecycle_estimated`` is lifecycle; what is none of both is not known."""
    return next((basis for basis in ("lifecycle", "direct") if told.startswith(basis)), "")


def strong_enough(
    places: Sequence[Rates], job: PlannedJob, capacity_w: Mapping[str, float]
) -> tuple[list[Rates], list[str]]:
    """The places that can feed the job, and a flag for each that cannot; home stays: all is compared with it.

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
    home = places[0].place
    if capacity_w.get(home, np.inf) < job.power_w:
        flags.append(f"no-room: {home} has no room for {job.power_w / 1e3:.3g} kW; all is compared with it")
    return [rates for rates in places if rates.place not in weak], flags


def _at(site: Site, now: Option, weights: Weights) -> tuple[Option | None, str]:
    """The best at one place, with what hinders it."""
    rates = site.rates
    score = scored(rates, now, weights)
    if score is None:
        return None, f"left-out: {rates.place}: not all of {', '.join(weights)} is known there"
    option = way(site, score)
    if option is None:
        return None, f"left-out: {rates.place}: no time there holds the job, where its signals are known"
    return option, _horizon(site)


def _horizon(site: Site) -> str:
    if not site.beyond_s:
        return ""
    unknown = f"{site.beyond_s / S_PER_HOUR:.3g} h before the deadline"
    return f"horizon: at {site.rates.place} nothing is known of the last {unknown}"


def front_of(places: Sequence[Rates], job: PlannedJob, chosen: Choice) -> tuple[tuple[Option, ...], int]:
    """The ways that no other beats in carbon, water, cost and finish, by rising carbon; and their knee.

    Water and cost count where they are known at home; places where they are not known are left out of it.

    Parameters
    ----------
    places, job
        As of ``choose``.
    chosen : Choice
        Of ``choose``; what it holds is tried as well.

    Returns
    -------
    front : tuple of Option
        No more than ``MOST_SHOWN``, the knee and the ends among them.
    knee : int
        Its place in the front: from there on, less of one thing takes most of another.
    """
    counted = [what for what in ("carbon", "water", "cost") if amount(chosen.now, what) is not None]
    quantities = [name for what in counted for name in PARTS[what]]
    tried = [chosen.now, *chosen.each]
    for rates in places:
        if all(name in rates.per_j for name in quantities):
            tried += ways(site(rates, places[0], job), quantities)
    options = list(dict.fromkeys(tried))
    begin_s = chosen.now.begin_s
    points = levelled(
        [[*(_number(amount(o, what)) for what in counted), o.finish_s - begin_s] for o in options]
    )
    best = front(points)
    at = knee(points[best])
    kept = _thinned(len(best), at)
    return tuple(options[best[i]] for i in kept), kept.index(at)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _thinned(many: int, knee_at: int) -> list[int]:
    """Evenly spread places in a front, the ends and the knee among them."""
    spread = np.linspace(0, many - 1, min(many, MOST_SHOWN)).round().astype(int).tolist()
    return sorted({*spread, knee_at})
