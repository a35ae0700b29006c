"""From jobs, capacities and what is known of places to a plan for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wattermark.errors import NoPlan
from wattermark.science.fleet.fleet import Plan as SlotPlan
from wattermark.science.fleet.fleet import Task, fleet_of
from wattermark.science.fleet.slots import Grid, capacity_on, in_one_piece, task_of, times_of
from wattermark.science.fleet.solve import Solved, solve, start_now, why_not
from wattermark.science.foresight.verdict import LEAST_SAVING
from wattermark.science.schedule.rates import QUANTITIES, Rates, option_of
from wattermark.science.schedule.steps import Array, onto
from wattermark.science.schedule.weights import PARTS, Weights, amount, scored
from wattermark.values.fleet import Capacity, FleetJob, Placed, Sums, Unplaced
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, Plan, Saving

VERDICT = "placed among the jobs of a fleet"
NO_ROOM = "no-room-now: it is compared with itself"
UNITS = {"carbon": "g", "carbon-marginal": "g", "water": "L", "water-thermal": "L", "cost": "USD"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FleetChoice:
    """Where each job runs and when, what is left over, and how good that is."""

    placed: tuple[Placed, ...]
    unplaced: tuple[Unplaced, ...]
    sums: tuple[Sums, ...]
    solved: Solved
    flags: tuple[str, ...]


def choose_for_all(
    jobs: Sequence[FleetJob],
    places: Sequence[Rates],
    capacity: Mapping[str, Capacity],
    *,
    weights: Weights,
    grid: Grid,
    time_limit_s: float | None = None,
) -> FleetChoice:
    """Place many jobs at the least weighed cost.

    Parameters
    ----------
    jobs : sequence of FleetJob
        What is to run.
    places : sequence of Rates
        Home first, of jobs that name no places.
    capacity : mapping
        Of places; one that is not in it has no limit.
    weights : mapping
        As of ``check_weights``.
    grid : Grid
        The slots.
    time_limit_s : float, optional
        To be exact, for so long at most. [s]

    Raises
    ------
    NoPlan
        If no job can start at home, or what is weighed is not known there.
    MissingExtra
        If it is to be exact and HiGHS is not installed.
    """
    names = [rates.place for rates in places]
    room = capacity_on(grid, names, capacity)
    in_watts = any(one.in_watts for one in capacity.values())
    homes = [names.index((one.places or (names[0],))[0]) for one in jobs]
    now = _now_options(jobs, places, homes, room, grid, in_watts=in_watts)
    reference = _sum_of(filter(None, now), weights)
    rates, flags = _score_rates(places, reference, weights, grid)
    tasks = [
        task_of(one, [names.index(name) for name in one.places or names], grid, in_watts=in_watts)
        for one in jobs
    ]
    solved = solve(fleet_of(tasks, rates, room), time_limit_s)
    best = _best_options(jobs, tasks, solved.plan, places, rates=rates, grid=grid)
    placed = [
        Placed(job=one, best=option, now=before)
        for one, option, before in zip(jobs, best, now, strict=True)
        if option is not None
    ]
    left = [
        Unplaced(job=one, reason=_reason(one, task, why_not(task, rates, room), solved))
        for one, task, option in zip(jobs, tasks, best, strict=True)
        if option is None
    ]
    flags += [f"no-room-now: {one.job.name}" for one in placed if one.now is None]
    return FleetChoice(
        placed=tuple(placed), unplaced=tuple(left), sums=_sums(placed), solved=solved, flags=tuple(flags)
    )


def _now_options(
    jobs: Sequence[FleetJob],
    places: Sequence[Rates],
    homes: Sequence[int],
    room: Array,
    grid: Grid,
    *,
    in_watts: bool,
) -> list[Option | None]:
    """What would happen if nobody planned: at home, first come first served."""
    carbon = np.array([onto(rates.per_j["carbon_g"], grid.edges_s).values for rates in places])
    tasks = [in_one_piece(one, home, grid, in_watts=in_watts) for one, home in zip(jobs, homes, strict=True)]
    return _best_options(jobs, tasks, start_now(tasks, carbon, room), places, rates=carbon, grid=grid)


def _best_options(
    jobs: Sequence[FleetJob],
    tasks: Sequence[Task],
    plan: SlotPlan,
    places: Sequence[Rates],
    *,
    rates: Array,
    grid: Grid,
) -> list[Option | None]:
    return [
        None
        if held is None
        else option_of(places[held.place], one.job, times_of(one, task, held, grid, rates))
        for one, task, held in zip(jobs, tasks, plan, strict=True)
    ]


def _sum_of(options: Iterable[Option], weights: Weights) -> Option:
    """All of them as one, to compare with."""
    several = list(options)
    if not several:
        raise NoPlan(
            "no job can start at home: there is no room, or nothing is known of it, at any time",
            fix="Check --capacity, the jobs' first places, and: wattermark signals",
        )
    known = {
        name: None if any(part is None for part in parts) else float(sum(parts))
        for name in QUANTITIES
        for parts in [[getattr(option, name) for option in several]]
    }
    carbon_g = known.pop("carbon_g") or 0.0
    total = Option(
        place="",
        stretches=tuple(option.stretches[0] for option in several),
        facility_energy_j=sum(option.facility_energy_j for option in several),
        carbon_g=carbon_g,
        **known,
    )
    if not all(amount(total, what) for what in weights):
        raise NoPlan(
            f"not all of {', '.join(weights)} is known where the jobs would start now, or it is zero there",
            fix="Weigh only what is known; see: wattermark signals",
        )
    return total


def _score_rates(
    places: Sequence[Rates], reference: Option, weights: Weights, grid: Grid
) -> tuple[Array, list[str]]:
    """What a joule costs in each slot at each place, weighed; a place that is not known is one gap."""
    rows, flags = [], []
    for rates in places:
        score = scored(rates, reference, weights)
        if score is None:
            flags.append(f"left-out: {rates.place}: not all of {', '.join(weights)} is known there")
            rows.append(np.full(grid.count, np.nan))
            continue
        rows.append(onto(score, grid.edges_s).values)
        if np.isnan(rows[-1]).any():
            flags.append(
                f"gap: at {rates.place} too little is known of {int(np.isnan(rows[-1]).sum())} slots of "
                f"{grid.count}; nobody runs there then"
            )
    return np.array(rows), flags


def _sums(placed: Sequence[Placed]) -> tuple[Sums, ...]:
    """Over the jobs that start-now has room for, too."""
    pairs = [(one.now, one.best) for one in placed if one.now is not None]
    found = []
    for what in PARTS:
        amounts = [(amount(now, what), amount(best, what)) for now, best in pairs]
        known = [(now, best) for now, best in amounts if now is not None and best is not None]
        if known and len(known) == len(pairs):
            now_sum, best_sum = sum(now for now, _ in known), sum(best for _, best in known)
            found.append(Sums(quantity=what, unit=UNITS[what], now=now_sum, planned=best_sum))
    return tuple(found)


def plan_of(placed: Placed, outlooks: Mapping[str, Outlook], weights: Weights, made_s: float) -> Plan:
    """One job's plan, as for a job alone; when and where it runs was decided with all the others.

    Parameters
    ----------
    placed : Placed
        The job and its ways.
    outlooks : mapping
        By place, as the user named it.
    weights : mapping
        As of ``check_weights``.
    made_s : float
        When. [s since 1970]
    """
    now, best = placed.now or placed.best, placed.best
    savings = tuple(
        Saving(quantity=what, planned=1 - after / before)
        for what in PARTS
        if (before := amount(now, what)) and (after := amount(best, what)) is not None
    )
    main = next((one.planned for one in savings if one.quantity in weights), 0.0)
    front = tuple(dict.fromkeys((best, now)))
    seen = [outlooks[place] for place in dict.fromkeys((now.place, best.place))]
    flags = [flag for one in seen for flag in one.flags]
    return Plan(
        job=placed.job.job,
        now=now,
        best=best,
        considered=best,
        savings=savings,
        front=front,
        knee=0,
        worth_it=main >= LEAST_SAVING,
        verdict=VERDICT,
        heard=tuple(heard for one in seen for heard in one.heard),
        made_s=made_s,
        weights=tuple(weights.items()),
        flags=tuple(dict.fromkeys(flags if placed.now else [*flags, NO_ROOM])),
    )


def _reason(one: FleetJob, task: Task, why: str, solved: Solved) -> str:
    job = one.job
    if why == "window":
        span_s = job.deadline_s - job.earliest_s
        if span_s <= 0:
            return "its deadline has passed before it may start"
        return f"its deadline comes before it could end: {_hours(job.duration_s)} in {_hours(span_s)}"
    if why == "units":
        return f"it takes {task.units:g} of a capacity that none of its places has for long enough"
    if why == "gap":
        return "none of its places has known signals for long enough in its window"
    proof = "as is proven" if solved.proven else "by this plan; --exact may find some"
    return f"no capacity is left for it in its window, {proof}"


def _hours(span_s: float) -> str:
    return f"{span_s / 3600:.3g} h"
