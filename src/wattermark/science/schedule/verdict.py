"""From a choice to a plan: what it saves, with which chance, and whether that is worth it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from wattermark.science.foresight.chances import USUAL_RECORD, Part, Record, energy_of, saving_of
from wattermark.science.foresight.expected import Doubt
from wattermark.science.foresight.verdict import verdict
from wattermark.science.schedule.choice import Choice, front_of
from wattermark.science.schedule.rates import SIGNALS, Rates
from wattermark.science.schedule.steps import Steps
from wattermark.science.schedule.weights import PARTS, Weights, amount
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, Plan, PlannedJob, Saving
from wattermark.values.series import Signal

WEIGHED: Final = "weighed sum"
"""What a plan saves of several quantities at once, each over start-now and by its weight."""
Doubts = Mapping[Signal, Doubt]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """All that is known of a place: what its hours cost, and how that may err."""

    rates: Rates
    doubts: Doubts


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
    savings = tuple(savings_of(choice, job, places, weights))
    said = verdict(savings, waits_s=choice.best.finish_s - choice.now.finish_s, least_saving=least_saving)
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


def savings_of(
    choice: Choice, job: PlannedJob, places: Sequence[Known], weights: Weights
) -> Iterator[Saving]:
    """What the best way saves of each quantity against starting now; first of that which is weighed.

    Parameters
    ----------
    choice, job, places, weights
        As of ``judged``.
    """
    by_name = {one.rates.place: (i, one) for i, one in enumerate(places)}
    if len(weights) > 1:
        yield _saving(WEIGHED, choice, job, by_name, weights)
    for what in sorted(PARTS, key=lambda name: -weights.get(name, 0.0)):
        if amount(choice.now, what) is not None and amount(choice.best, what) is not None:
            yield _saving(what, choice, job, by_name, {what: 1.0})


def _saving(
    name: str,
    choice: Choice,
    job: PlannedJob,
    places: Mapping[str, tuple[int, Known]],
    weights: Weights,
) -> Saving:
    """Of a weighed sum: each quantity over what start-now takes of it."""
    scales = {what: _over(weight, amount(choice.now, what)) for what, weight in weights.items()}
    (plan, plan_fixed), (now, now_fixed) = (
        _side(option, job, places, scales) for option in (choice.best, choice.now)
    )
    if not plan and not now:
        return Saving(quantity=name, planned=_share(plan_fixed, now_fixed))
    record = _record(choice, job, places)
    return saving_of(name, plan, now, plan_fixed=plan_fixed, now_fixed=now_fixed, record=record)


def _side(
    option: Option,
    job: PlannedJob,
    places: Mapping[str, tuple[int, Known]],
    scales: Mapping[str, float],
) -> tuple[list[Part], float]:
    """What of an option hangs on hours that may err, and the rest, which does not."""
    at, known = places[option.place]
    parts: list[Part] = []
    whole = 0.0
    for what, scale in scales.items():
        whole += scale * (amount(option, what) or 0.0)
        doubted = (name for name in PARTS[what] if SIGNALS[name] in known.doubts)
        parts += [_part(known, name, scale, option=option, job=job, at=at) for name in doubted]
    return parts, whole - sum(map(_said, parts))


def _part(known: Known, name: str, scale: float, *, option: Option, job: PlannedJob, at: int) -> Part:
    doubt, steps = known.doubts[SIGNALS[name]], known.rates.per_j[name]
    return Part(
        rate=Steps(steps.edges_s, steps.values * scale),
        energy_j=energy_of(job, option.stretches, steps),
        errors=doubt.errors,
        issued_s=doubt.issued_s,
        apart=at,
    )


def _said(part: Part) -> float:
    used = part.energy_j > 0
    return float(np.dot(part.rate.values[used], part.energy_j[used]))


def _record(choice: Choice, job: PlannedJob, places: Mapping[str, tuple[int, Known]]) -> Record:
    """How such plans fared: of the places that it hangs on, the one where they fared worst."""
    names = dict.fromkeys((choice.best.place, choice.now.place))
    known = (places[name][1].doubts.get(Signal.CARBON) for name in names)
    records = [doubt.record_for(job) for doubt in known if doubt is not None]
    return min(records, key=lambda record: record.low, default=USUAL_RECORD)


def _over(weight: float, amount_now: float | None) -> float:
    return weight / abs(amount_now) if amount_now else 0.0


def _share(plan: float, now: float) -> float:
    return (now - plan) / abs(now) if now else 0.0
