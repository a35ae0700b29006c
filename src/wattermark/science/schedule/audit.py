"""What was saved: a run as it was against the same run started at once, by signals as they became final."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from wattermark.science.schedule.one import stretches_of
from wattermark.science.schedule.rates import Rates, option_of, powered
from wattermark.science.schedule.steps import Steps, integrals
from wattermark.science.schedule.weights import PARTS, amount
from wattermark.values.audit import Claim, Spent
from wattermark.values.plan import Heard, PlannedJob

NOTHING: Final = 1e-4
"""A share that is neither saved nor lost."""


def claims_on(
    spent: Sequence[Spent],
    job: PlannedJob,
    *,
    ran: Rates,
    home: Rates,
    places: Sequence[Rates],
    planned: Mapping[str, float],
) -> tuple[Claim, ...]:
    """Each quantity as it was, as it would have been at once, and at best.

    Started at once, the run takes the same energy in the same order without its pauses.

    Parameters
    ----------
    spent : sequence of Spent
        What the run took, in the order of time. [J]
    job : PlannedJob
        What was planned: from when, until when, and whether it could pause.
    ran, home : Rates
        Where it ran, and where it would have been started at once.
    places : sequence of Rates
        Where it might have run.
    planned : mapping
        What the plan said that it would save, by quantity. [1]
    """
    at_once = list(without_pauses(spent, job.earliest_s))
    return tuple(
        Claim(
            quantity=what,
            realised=cost_of(ran, spent, what),
            start_now=cost_of(home, at_once, what),
            oracle=_oracle(spent, job, places, what),
            planned_saving=planned.get(what),
        )
        for what, parts in PARTS.items()
        if all(name in home.per_j and name in ran.per_j for name in parts)
    )


def cost_of(rates: Rates, spent: Iterable[Spent], what: str) -> float | None:
    """The carbon, water or cost of energy that was taken at known times. [g], [L] or [USD]

    Parameters
    ----------
    rates : Rates
        Of the place.
    spent : iterable of Spent
        [J]
    what : str
        A name of ``PARTS``.

    Returns
    -------
    cost : float or None
        None where a rate is not known at a time when energy was taken.
    """
    begin, end, energy = np.array([(one.begin_s, one.end_s, one.it_energy_j) for one in spent]).T
    means = sum(integrals(rates.per_j[name], begin, end) for name in PARTS[what]) / (end - begin)
    total = float((means * energy).sum())
    return total if np.isfinite(total) else None


def without_pauses(spent: Iterable[Spent], begin_s: float) -> Iterator[Spent]:
    """The same energy in one go; what it drew while it paused would not have been.

    Parameters
    ----------
    spent : iterable of Spent
        In the order of time.
    begin_s : float
        When it would have begun. [s since 1970]
    """
    for one in spent:
        if not one.paused:
            end_s = begin_s + one.end_s - one.begin_s
            yield Spent(begin_s=begin_s, end_s=end_s, it_energy_j=one.it_energy_j)
            begin_s = end_s


def scaled(parts: Mapping[int, float], whole: float) -> dict[int, float]:
    """Parts that add up to a whole, in the proportion that they have; as they are where all are nothing.

    A run's gaps are in its whole and in none of its spans.

    Parameters
    ----------
    parts : mapping
        [J]
    whole : float
        [J]
    """
    total = sum(parts.values())
    return {at: part * whole / total for at, part in parts.items()} if total else dict(parts)


def _oracle(spent: Sequence[Spent], job: PlannedJob, places: Sequence[Rates], what: str) -> float | None:
    """The least that it could have taken, had everything been known."""
    took = [one for one in spent if not one.paused]
    real = PlannedJob(
        it_energy_j=sum(one.it_energy_j for one in took),
        duration_s=sum(one.end_s - one.begin_s for one in took),
        earliest_s=job.earliest_s,
        deadline_s=max(job.deadline_s, took[-1].end_s),
        interruptible=job.interruptible,
        held_power_w=job.held_power_w,
        restart_s=job.restart_s,
        least_run_s=job.least_run_s,
        most_pauses=job.most_pauses,
    )
    found: list[float] = []
    for rates in places:
        if not all(name in rates.per_j for name in PARTS[what]):
            continue
        rate = Steps(rates.edges_s, np.sum([rates.per_j[name].values for name in PARTS[what]], axis=0))
        if stretches := stretches_of(*powered(rate, real), real):
            best = amount(option_of(rates, real, stretches), what)
            found += [] if best is None else [best]
    return min(found, default=None)


def why_no_claim(claims: Iterable[Claim], heard: Iterable[Heard], now_s: float) -> str:
    """Why nothing may be claimed, empty where something may.

    By hours of a usual year nothing is proved; what is still a forecast is not final; and where the average
    and the marginal intensity disagree whether anything was saved, both answers are somebody's.

    Parameters
    ----------
    claims : iterable of Claim
        Of ``claims_on``.
    heard : iterable of Heard
        The signals that they rest on.
    now_s : float
        [s since 1970]
    """
    saving = {claim.quantity: claim.saving for claim in claims}
    average, marginal = saving.get("carbon"), saving.get("carbon-marginal")
    if average is None:
        return "the carbon intensity of some of its hours is not known"
    carbon = [one for one in heard if one.signal.value == "carbon"]
    for one in carbon:
        if not one.told:
            return f"at {one.place} nobody told the hours as they were, there is only the {one.source}"
    if any(one.end_s > now_s for one in carbon):
        return "some of its hours are not over: their signals are forecasts"
    if marginal is not None and average * marginal < 0 and min(abs(average), abs(marginal)) > NOTHING:
        return (
            f"the average intensity says {average:+.1%} saved and the marginal one {marginal:+.1%}: "
            "they disagree whether anything was"
        )
    return ""
