"""Plan once more, for what is left of a job that waits, runs or stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from wattermark.errors import NoPlan, SignalUnavailable, UsageError, WattermarkError
from wattermark.ledger.runs import ledger_folder, named
from wattermark.science.schedule.acting import at_once, holds, is_better, ran_s
from wattermark.science.schedule.rates import option_of, rates_of
from wattermark.values.kinds import Status
from wattermark.values.plan import Option, Plan, PlannedJob, Stretch
from wattermark.verbs.look import show
from wattermark.verbs.outlook import outlook
from wattermark.verbs.planning import plan_job
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
        plan = plan_job(job, (place,), config=config, now_s=now_s, weights=dict(before.weights))
    except UsageError:  # there is no time left to choose from
        return Anew() if fits else Anew(at_once(job, now_s))
    except (NoPlan, SignalUnavailable):
        return Anew() if fits else Anew(at_once(job, now_s))
    priced = _priced(job, kept, place, config) if fits else None
    if priced is not None and not is_better(plan.best, priced, plan.now, dict(plan.weights)):
        return Anew()
    return Anew(plan.best.stretches, plan)


def _priced(job: PlannedJob, kept: Sequence[Stretch], place: str, config: Config) -> Option | None:
    """What the kept plan costs by the newest forecast; None where that does not reach."""
    rates = rates_of(outlook(place, job.earliest_s, job.deadline_s, config=config))
    try:
        return option_of(rates, job, kept)
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
    if it_energy_j is None or duration_s is None:
        energy_j, lasted_s = _last_of(name, ledger_folder(config.ledger))
        it_energy_j, duration_s = it_energy_j or energy_j, duration_s or lasted_s
    if it_energy_j is None or duration_s is None:
        missing = "energy" if duration_s is not None else "length"
        raise NoPlan(
            f"the {missing} of {name!r} is not known, as no run of that name ended well",
            fix="Give --hours 3 and --energy 2kWh, or measure it once: wattermark run --name ...",
        )
    deadline_s = earliest_s + (duration_s if within_s is None else within_s)
    return PlannedJob(
        it_energy_j=it_energy_j, duration_s=duration_s, earliest_s=earliest_s, deadline_s=deadline_s,
        name=name, **told,
    )  # fmt: skip


def _last_of(name: str, ledger: Path) -> tuple[float | None, float | None]:
    """Energy [J] and time [s] of the last run of that name that ended well."""
    for run in islice(named(ledger, name), MOST_RUNS):
        with suppress(WattermarkError):
            found = show(ledger, run)
            if found.recorded.status is Status.OK and found.footprint.it_energy_j is not None:
                return found.footprint.it_energy_j.best, ran_s(found.footprint)
    return None, None
