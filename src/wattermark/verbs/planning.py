"""Plan: when and where to run a job, against starting it now, here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wattermark.errors import UsageError
from wattermark.factors.table import named
from wattermark.ledger.plans import new_plan_id, note
from wattermark.ledger.runs import ledger_folder
from wattermark.report.planned import plan_document
from wattermark.science.schedule.choice import choose_and_doubt, of_one_basis, strong_enough
from wattermark.science.schedule.rates import rates_of
from wattermark.science.schedule.verdict import Known, judged
from wattermark.science.schedule.weights import CARBON_ONLY, check_weights
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Plan, PlannedJob
from wattermark.verbs.look import show
from wattermark.verbs.moments import iso
from wattermark.verbs.outlook import expected, home_of
from wattermark.verbs.pausing import worked_s
from wattermark.wiring.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a user knows of places: a price of electricity, and the IT power that is free. [USD/kWh], [W]"""

    price_usd_per_kwh: Mapping[str, float] = field(default_factory=dict)
    capacity_w: Mapping[str, float] = field(default_factory=dict)


NO_LIMITS = Limits()


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
    found = [
        expected(
            one,
            job.earliest_s,
            job.deadline_s,
            config=config,
            now_s=now_s,
            price=limits.price_usd_per_kwh.get(one),
        )
        for one in asked
    ]
    fits, mixed = of_one_basis([one.outlook for one in found])
    found = [one for one, fit in zip(found, fits, strict=True) if fit]
    outlooks = [one.outlook for one in found]
    rates = [rates_of(one) for one in outlooks]
    known = [Known(rate, one.doubts) for rate, one in zip(rates, found, strict=True)]
    rates, weak = strong_enough(rates, job, limits.capacity_w)
    choice = choose_and_doubt(rates, job, weighed)
    choice = replace(choice, flags=(*mixed, *weak, *choice.flags))
    return judged(job, choice, known, outlooks, weights=weighed, made_s=now_s), outlooks


def job_like(
    run: str | None, *, config: Config, it_energy_j: float | None, duration_s: float | None, **told: Any
) -> PlannedJob:
    """A job with the energy and length of a run, where these are not given.

    Raises
    ------
    UsageError
        If there is no such run, or one of both is known from nowhere.
    """
    name = ""
    if run is not None:
        ledger = ledger_folder(config.ledger)
        seen = show(ledger, run)
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
        If a length or an energy is not above zero, or the deadline comes too early.
    """
    if not job.duration_s > 0:
        raise UsageError("the job takes no time", fix="Give its length, as --hours 8")
    if not job.it_energy_j > 0:
        raise UsageError("the job takes no energy", fix="Give it, as --energy 12kWh")
    if job.earliest_s + job.duration_s > job.deadline_s:
        raise UsageError("the deadline comes before the job could end", fix="Give --within more than --hours")


def keep_plan(ledger: Path, plan: Plan) -> str:
    """Write a plan into the ledger; answers its id."""
    plan_id = new_plan_id(plan.job.name)
    note(ledger, plan_id, "plan", **plan_document(plan, iso))
    return plan_id
