"""Plan once more, for what is left of a job that waits, runs or stands still."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from wattermark.errors import NoPlan, SignalUnavailable, UsageError
from wattermark.ledger.runs import ledger_folder
from wattermark.science.schedule.acting import at_once, holds, is_better
from wattermark.science.schedule.rates import option_of, rates_of
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, Plan, PlannedJob, Stretch
from wattermark.verbs.look import last_of
from wattermark.verbs.planning import job_like, plan_and_outlooks
from wattermark.wiring.config import Config


@dataclass(frozen=True, slots=True)
class Anew:
    """Stretches to change to, None to leave all as it is; the plan that they are of; why nobody was asked."""

    stretches: tuple[Stretch, ...] | None = None
    plan: Plan | None = None
    why: str = ""


Again = Callable[[PlannedJob, tuple[Stretch, ...], Plan, Config, float], Anew]


def plan_again(
    job: PlannedJob, kept: tuple[Stretch, ...], before: Plan, config: Config, now_s: float
) -> Anew:
    """Whether another plan is now better than the one that is kept.

    Parameters
    ----------
    job : PlannedJob
        What is left.
    kept : tuple of Stretch
        What is still to come of the plan that is followed.
    before : Plan
        The first plan: its place and its weights hold.
    config : Config
        The settings.
    now_s : float
        [s since 1970]
    """
    found = better_times(job, kept, before.best.place, dict(before.weights), config=config, now_s=now_s)
    if found.stretches is None and not holds(kept, job):
        return Anew(at_once(job, now_s))
    return found


def better_times(
    job: PlannedJob,
    kept: tuple[Stretch, ...],
    place: str,
    weights: Mapping[str, float],
    *,
    config: Config,
    now_s: float,
) -> Anew:
    """Whether the newest forecast knows better times than those that are kept.

    What was planned stands until then: nothing is changed for a forecast that does not reach it, or for none.
    """
    try:
        plan, (seen, *_) = plan_and_outlooks(job, (place,), config=config, now_s=now_s, weights=weights)
    except (UsageError, NoPlan, SignalUnavailable) as error:
        return Anew(why=f"not asked again: {error.problem}")
    if not holds(kept, job):
        return Anew(plan.best.stretches, plan)
    priced = _priced(job, kept, seen)
    if priced is None:
        return Anew(why="the newest forecast does not reach it")
    if plan.best.stretches == kept or not is_better(plan.best, priced, plan.now, weights):
        return Anew()
    return Anew(plan.best.stretches, plan)


def _priced(job: PlannedJob, kept: Sequence[Stretch], seen: Outlook) -> Option | None:
    """What the kept plan costs by the newest forecast; None where that does not reach."""
    try:
        return option_of(rates_of(seen), job, kept)
    except ValueError:
        return None


def job_named(
    name: str,
    *,
    config: Config,
    it_energy_j: float | None,
    duration_s: float | None,
    earliest_s: float,
    within_s: float | None,
    **told: Any,
) -> PlannedJob:
    """A job, as its last run that ended well took, where energy or length is not given.

    Without ``within_s`` it has no time to choose from.

    Raises
    ------
    NoPlan
        If one of both is known from nowhere.
    """
    unknown = it_energy_j is None or duration_s is None
    last = last_of(ledger_folder(config.ledger), name) if unknown else None
    try:
        job = job_like(
            last.run if last else None, config=config, it_energy_j=it_energy_j, duration_s=duration_s,
            earliest_s=earliest_s, deadline_s=inf, **told,
        )  # fmt: skip
    except UsageError as error:
        raise NoPlan(
            f"{error.problem}, and no run {name!r} that ended well tells it",
            fix="Give --hours 3 and --energy 2kWh, or measure it once: wattermark run --name ...",
        ) from error
    within_s = job.duration_s if within_s is None else within_s
    return replace(job, deadline_s=earliest_s + within_s, name=name)
