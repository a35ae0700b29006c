"""Plan: when and where to run a job, against starting it now, here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

from wattermark.errors import NoPlan, UsageError
from wattermark.factors.table import named
from wattermark.ledger.plans import new_plan_id, note
from wattermark.ledger.runs import ledger_folder
from wattermark.report.planned import plan_document
from wattermark.science.foresight.expected import level_of
from wattermark.science.schedule.choice import Choice, choose_and_doubt, of_one_basis, strong_enough
from wattermark.science.schedule.rates import Rates, rates_of
from wattermark.science.schedule.verdict import Known, judged
from wattermark.science.schedule.weights import CARBON_ONLY, Weights, check_weights
from wattermark.values.kinds import Status
from wattermark.values.outlook import Outlook
from wattermark.values.plan import LONGEST_AHEAD_S, Plan, PlannedJob
from wattermark.verbs.look import show
from wattermark.verbs.moments import iso
from wattermark.verbs.outlook import Expected, expected, home_of
from wattermark.verbs.pausing import worked_s
from wattermark.wiring.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a user knows of places: a price of electricity, and the IT power that is free. [USD/kWh], [W]"""

    price_usd_per_kwh: Mapping[str, float] = field(default_factory=dict)
    capacity_w: Mapping[str, float] = field(default_factory=dict)


NO_LIMITS = Limits()
NOT_BELOW_ZERO = {
    "restart_s": "time of a restart",
    "held_power_w": "power that is held",
    "least_run_s": "least time of a piece",
    "move_gb": "amount of data to move",
    "move_kwh_per_gb": "energy to move a GB",
    "move_usd_per_gb": "price to move a GB",
}


def plan_job(
    job: PlannedJob,
    places: Sequence[str] = (),
    *,
    config: Config,
    now_s: float,
    weights: Mapping[str, float] = CARBON_ONLY,
    limits: Limits = NO_LIMITS,
) -> Plan:
    """As of ``plan_and_outlooks``, the plan alone."""
    return plan_and_outlooks(job, places, config=config, now_s=now_s, weights=weights, limits=limits)[0]


def plan_and_outlooks(
    job: PlannedJob,
    places: Sequence[str] = (),
    *,
    config: Config,
    now_s: float,
    weights: Mapping[str, float] = CARBON_ONLY,
    limits: Limits = NO_LIMITS,
) -> tuple[Plan, list[Outlook]]:
    """The best time and place for a job, and what it rests on. The first is where it would run now.

    Raises
    ------
    UsageError
        If the job does not fit before its deadline, or a place or weight is not known.
    NoPlan
        If too little is known to compare anything.
    """
    check_job(job)
    weighed = check_weights(weights)
    asked = tuple(dict.fromkeys(places or (home_of(config),)))
    check_limits(limits, asked)
    found, mixed = _comparable(_seen(job, asked, limits, config, now_s))
    outlooks = [one.outlook for one in found]
    rates, weak = strong_enough([rates_of(one) for one in outlooks], job, limits.capacity_w)
    kept = {rate.place: rate for rate in rates}
    known = [
        Known(kept[one.outlook.asked], one.doubts, one.outlook.place.grid, level_of(one.outlook.pue))
        for one in found
        if one.outlook.asked in kept
    ]
    choice = _chosen(rates, job, weighed, (*mixed, *outlooks[0].flags))
    choice = replace(choice, flags=(*mixed, *weak, *choice.flags))
    return judged(job, choice, known, outlooks, weights=weighed, made_s=now_s), outlooks


def _seen(
    job: PlannedJob, asked: Sequence[str], limits: Limits, config: Config, now_s: float
) -> list[Expected]:
    """What is known of each place; two names of one place are one."""
    prices = limits.price_usd_per_kwh
    found = [
        expected(one, job.earliest_s, job.deadline_s, config=config, now_s=now_s, price=prices.get(one))
        for one in asked
    ]
    return list({one.outlook.place.resolved: one for one in reversed(found)}.values())[::-1]


def _comparable(found: Sequence[Expected]) -> tuple[list[Expected], list[str]]:
    """Those whose carbon is on the basis of home's, and what is to be said of the others."""
    fits, mixed = of_one_basis([one.outlook for one in found])
    return [one for one, fit in zip(found, fits, strict=True) if fit], mixed


def _chosen(rates: Sequence[Rates], job: PlannedJob, weights: Weights, flags: Sequence[str]) -> Choice:
    """The best way; where there is none, what is known of the places says why."""
    try:
        return choose_and_doubt(rates, job, weights)
    except NoPlan as error:
        why = f" ({'; '.join(dict.fromkeys(flags))})" if flags else ""
        raise NoPlan(f"{error.problem}{why}", fix=error.fix) from error


def job_like(
    run: str | None, *, config: Config, it_energy_j: float | None, duration_s: float | None, **told: Any
) -> PlannedJob:
    """A job with the energy and length of a run, where these are not given.

    Raises
    ------
    UsageError
        If there is no such run, it has not ended, or one of both is known from nowhere.
    """
    name = ""
    if run is not None:
        ledger = ledger_folder(config.ledger)
        seen = show(ledger, run)
        if seen.recorded.status is Status.RUNNING and (it_energy_j is None or duration_s is None):
            raise UsageError(
                f"the run {seen.run} has not ended: what it takes is not known yet",
                fix="Name one that has, or give --energy 12kWh --hours 8",
            )
        energy = seen.footprint.it_energy_j
        it_energy_j = it_energy_j or (energy.best if energy else None)
        duration_s = duration_s or worked_s(ledger, seen)
        name = seen.recorded.header.name
    if it_energy_j is None or duration_s is None:
        missing = "energy" if it_energy_j is None else "length"
        raise UsageError(
            f"the {missing} of the job is not known", fix="Give --energy 12kWh --hours 8, or --run last"
        )
    network = named("defaults", "network_kwh_per_gb").value.best
    return PlannedJob(
        **{"move_kwh_per_gb": network, **told}, it_energy_j=it_energy_j, duration_s=duration_s, name=name
    )


def check_job(job: PlannedJob) -> None:
    """Refuse what cannot be planned.

    Raises
    ------
    UsageError
        If a length or an energy is not above zero, another number below it, or the deadline comes too early
        or is too far away.
    """
    if not 0 < job.duration_s < inf:
        raise UsageError("the job takes no time", fix="Give its length, as --hours 8")
    if not 0 < job.it_energy_j < inf:
        raise UsageError("the job takes no energy", fix="Give it, as --energy 12kWh")
    for name, what in NOT_BELOW_ZERO.items():
        if not 0 <= getattr(job, name) < inf:
            raise UsageError(f"the {what} is {getattr(job, name):g}", fix="Give a number of 0 and above")
    if not 0 < job.move_gbit_per_s < inf:
        raise UsageError(f"the bandwidth is {job.move_gbit_per_s:g}", fix="Give a number above 0, in Gbit/s")
    if job.most_pauses is not None and job.most_pauses < 0:
        raise UsageError(f"it may pause {job.most_pauses} times", fix="Give a number of 0 and above")
    if job.earliest_s + job.duration_s > job.deadline_s:
        raise UsageError("the deadline comes before the job could end", fix="Give --within more than --hours")
    if job.deadline_s - job.earliest_s > LONGEST_AHEAD_S:
        raise UsageError("the deadline is more than a year away", fix="Plan a part of that time: --within 7d")


def check_limits(limits: Limits, places: Sequence[str]) -> None:
    """Refuse limits that cannot be, or that are of none of the places.

    Raises
    ------
    UsageError
        With the one that is wrong.
    """
    told = {"price": limits.price_usd_per_kwh, "capacity": limits.capacity_w}
    for what, by_place in told.items():
        for name, number in by_place.items():
            if name not in places:
                raise UsageError(
                    f"a {what} of {name} is told, and it is none of the places",
                    fix=f"Name it as one of them: {', '.join(places)}",
                )
            if not 0 <= number < inf:
                raise UsageError(f"the {what} of {name} is {number:g}", fix="Give a number of 0 and above")


def kept_or_told(ledger: Path, plan: Plan, tell: Callable[[str], None]) -> str | None:
    """The id of a plan that is kept; where the disk refuses, that is told, and the plan is not lost."""
    try:
        return keep_plan(ledger, plan)
    except OSError as error:
        tell(f"the plan is not kept: {ledger} cannot be written ({error.strerror})")
        return None


def keep_plan(ledger: Path, plan: Plan) -> str:
    """Write a plan into the ledger; answers its id."""
    plan_id = new_plan_id(plan.job.name)
    note(ledger, plan_id, "plan", **plan_document(plan, iso))
    return plan_id
