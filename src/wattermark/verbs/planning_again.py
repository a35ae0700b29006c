"""Plan once more, for what is left of a job that waits, runs or stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

from wattermark.errors import NoPlan, SignalUnavailable, UsageError, WattermarkError
from wattermark.ledger.read import read_run
from wattermark.ledger.runs import find_run, ledger_folder, named
from wattermark.science.schedule.acting import at_once, holds, is_better
from wattermark.science.schedule.rates import option_of, rates_of
from wattermark.values.kinds import Status
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, Plan, PlannedJob, Stretch
from wattermark.verbs.planning import job_like, plan_and_outlooks
from wattermark.verbs.whole import as_one
from wattermark.wiring.config import Config

MOST_RUNS = 10
"""Of one name that are looked at, for one that ended well."""


@dataclass(frozen=True, slots=True)
class Anew:
    """Stretches to change to, None to leave all as it is; and the plan that they are of, if there is one."""

    stretches: tuple[Stretch, ...] | None = None
    plan: Plan | None = None


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
    fits, place = holds(kept, job), before.best.place
    try:
        plan, (seen,) = plan_and_outlooks(
            job, (place,), config=config, now_s=now_s, weights=dict(before.weights)
        )
    except (UsageError, NoPlan, SignalUnavailable):  # no time is left to choose from, or nothing is known
        return Anew() if fits else Anew(at_once(job, now_s))
    priced = _priced(job, kept, seen) if fits else None
    if priced is not None and not is_better(plan.best, priced, plan.now, dict(plan.weights)):
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
    run = _last_of(name, ledger_folder(config.ledger)) if unknown else None
    try:
        job = job_like(
            run, config=config, it_energy_j=it_energy_j, duration_s=duration_s,
            earliest_s=earliest_s, deadline_s=inf, **told,
        )  # fmt: skip
    except UsageError as error:
        raise NoPlan(
            f"{error.problem}, and no run {name!r} that ended well tells it",
            fix="Give --hours 3 and --energy 2kWh, or measure it once: wattermark run --name ...",
        ) from error
    within_s = job.duration_s if within_s is None else within_s
    return replace(job, deadline_s=earliest_s + within_s, name=name)


def _last_of(name: str, ledger: Path) -> str | None:
    """The last run of that name that ended well."""
    for run in islice(named(ledger, name), MOST_RUNS):
        with suppress(WattermarkError):
            if as_one(read_run(find_run(ledger, run).spools)).status is Status.OK:
                return run
    return None
