"""From a choice to a plan: what it saves, with which chance, and whether that is worth it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import numpy as np

from wattermark.science.foresight.chances import NO_LEVEL, Part, Record, energy_of, saving_of
from wattermark.science.foresight.expected import AS_DRAWN, Doubt
from wattermark.science.foresight.verdict import Verdict, verdict
from wattermark.science.schedule.choice import Choice, front_of
from wattermark.science.schedule.rates import SIGNALS, Rates
from wattermark.science.schedule.steps import Array, Steps
from wattermark.science.schedule.weights import PARTS, Weights, amount, score_of
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, Plan, PlannedJob, Saving
from wattermark.values.series import Signal

WEIGHED: Final = "weighed sum"
"""What a plan saves of several quantities at once, each over start-now and by its weight."""
MOST_TRIED: Final = 6
"""So many ways are looked at before it is said that none is worth it."""
Doubts = Mapping[Signal, Doubt]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """All that is known of a place: what its hours cost, and how that may err.

    Places of one ``grid`` err together in what the grid tells; where it is not told, by themselves.
    ``pue_level`` is what the PUE may be off by, shape (k,). [1]
    """

    rates: Rates
    doubts: Doubts
    grid: str = ""
    pue_level: Array = field(default_factory=lambda: NO_LEVEL)


def judged(
    job: PlannedJob,
    choice: Choice,
    places: Sequence[Known],
    outlooks: Sequence[Outlook],
    *,
    weights: Weights,
    made_s: float,
    least_saving: float | None = None,
) -> Plan:
    """A choice with its savings and a verdict.

    Parameters
    ----------
    job : PlannedJob
        What is to run.
    choice : Choice
        Of ``choose``.
    places : sequence of Known
        Home first.
    outlooks : sequence of Outlook
        What the choice was made with.
    weights : mapping
        As of ``check_weights``.
    made_s : float
        When. [s since 1970]
    least_saving : float, optional
        What nine of ten such plans must save. [1]
    """
    tried = [(choice, *_said_of(choice, job, places, weights, least_saving))]
    for option in () if tried[0][2].worth_it else _surer(choice, weights):
        other = replace(choice, best=option)
        tried.append((other, *_said_of(other, job, places, weights, least_saving)))
    choice, savings, said = next((one for one in tried if one[2].worth_it), tried[0])
    front, knee = front_of([one.rates for one in places], job, choice)
    return Plan(
        job=job,
        now=choice.now,
        best=choice.best if said.worth_it else choice.now,
        considered=choice.best,
        savings=savings,
        front=front,
        knee=knee,
        otherwise=choice.otherwise,
        worth_it=said.worth_it,
        verdict=said.sentence,
        heard=tuple(heard for one in outlooks for heard in one.heard),
        made_s=made_s,
        weights=tuple(weights.items()),
        flags=tuple(dict.fromkeys((*choice.flags, *(flag for one in outlooks for flag in one.flags)))),
    )


def _said_of(
    choice: Choice, job: PlannedJob, places: Sequence[Known], weights: Weights, least_saving: float | None
) -> tuple[tuple[Saving, ...], Verdict]:
    savings = tuple(savings_of(choice, job, places, weights))
    waits_s = choice.best.finish_s - choice.now.finish_s
    return savings, verdict(savings, waits_s=waits_s, least_saving=least_saving)


def _surer(choice: Choice, weights: Weights) -> list[Option]:
    """Ways that cost more than the best and may be surer, such as another place at once; by score."""
    scores = {one: score_of(one, choice.now, weights) for one in (*choice.each, *choice.at_once)}
    now = score_of(choice.now, choice.now, weights)
    better = [one for one, score in scores.items() if score < now and one != choice.best]
    return sorted(better, key=lambda one: scores[one])[:MOST_TRIED]


def savings_of(
    choice: Choice, job: PlannedJob, places: Sequence[Known], weights: Weights
) -> Iterator[Saving]:
    """What the best way saves of each quantity against starting now; first of that which is weighed.

    Parameters
    ----------
    choice, job, places, weights
        As of ``judged``.
    """
    grids = [one.grid or one.rates.place for one in places]
    by_name = {
        one.rates.place: _Site(one, i, grids.index(grid))
        for i, (one, grid) in enumerate(zip(places, grids, strict=True))
    }
    fared = cache(lambda doubt: doubt.record_for(job))  # of some weeks of plans: once for each doubt
    if len(weights) > 1:
        yield _saving(WEIGHED, choice, job, by_name, weights, fared=fared)
    for what in sorted(PARTS, key=lambda name: -weights.get(name, 0.0)):
        if amount(choice.now, what) is not None and amount(choice.best, what) is not None:
            yield _saving(what, choice, job, by_name, {what: 1.0}, fared=fared)


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """A place, its number, and the number of the first place on its grid: its cooling errs by itself."""

    known: Known
    number: int
    grid: int


def _saving(
    name: str,
    choice: Choice,
    job: PlannedJob,
    places: Mapping[str, _Site],
    weights: Weights,
    *,
    fared: Callable[[Doubt], Record],
) -> Saving:
    """Of a weighed sum: each quantity over what start-now takes of it."""
    scales = {what: _over(weight, amount(choice.now, what)) for what, weight in weights.items()}
    (plan, plan_fixed), (now, now_fixed) = (
        _side(option, job, places, scales) for option in (choice.best, choice.now)
    )
    if not plan and not now:
        return Saving(quantity=name, planned=_share(plan_fixed, now_fixed))
    record = min(map(fared, _doubts(choice, places, weights)), key=lambda one: one.low)
    if _of_the_same_hours(choice, places):
        record = AS_DRAWN  # what such hours came to says nothing: only sites differ
    return saving_of(name, plan, now, plan_fixed=plan_fixed, now_fixed=now_fixed, record=record)


def _side(
    option: Option,
    job: PlannedJob,
    places: Mapping[str, _Site],
    scales: Mapping[str, float],
) -> tuple[list[Part], float]:
    """What of an option hangs on hours that may err, and the rest, which does not."""
    site = places[option.place]
    parts: list[Part] = []
    whole = 0.0
    for what, scale in scales.items():
        whole += scale * (amount(option, what) or 0.0)
        doubted = (name for name in PARTS[what] if SIGNALS[name] in site.known.doubts)
        parts += [_part(site, name, scale, option=option, job=job) for name in doubted]
    return parts, whole - sum(map(_said, parts))


def _part(site: _Site, name: str, scale: float, *, option: Option, job: PlannedJob) -> Part:
    doubt, steps = site.known.doubts[SIGNALS[name]], site.known.rates.per_j[name]
    of_site = SIGNALS[name] is Signal.WUE  # per IT energy: no PUE in it
    return Part(
        rate=Steps(steps.edges_s, steps.values * scale),
        energy_j=energy_of(job, option.stretches, steps),
        errors=doubt.errors,
        issued_s=doubt.issued_s,
        apart=site.number if of_site else site.grid,
        level=NO_LEVEL if of_site else site.known.pue_level,
        site=site.number,
    )


def _said(part: Part) -> float:
    used = part.energy_j > 0
    return float(np.dot(part.rate.values[used], part.energy_j[used]))


def _of_the_same_hours(choice: Choice, places: Mapping[str, _Site]) -> bool:
    """Whether hours cannot err for one without the other."""
    best, now = choice.best, choice.now
    return best.stretches == now.stretches and places[best.place].grid == places[now.place].grid


def _doubts(choice: Choice, places: Mapping[str, _Site], weights: Weights) -> Iterator[Doubt]:
    """All that some quantities hang on; the one by which plans fared worst is told."""
    signals = [SIGNALS[name] for what in weights for name in PARTS[what]]
    for place in dict.fromkeys((choice.best.place, choice.now.place)):
        known = places[place].known.doubts
        yield from (known[signal] for signal in signals if signal in known)


def _over(weight: float, amount_now: float | None) -> float:
    return weight / abs(amount_now) if amount_now else 0.0


def _share(plan: float, now: float) -> float:
    return (now - plan) / abs(now) if now else 0.0
