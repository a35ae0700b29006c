"""Many jobs on places of limited capacity: a good plan with a proven bound, or the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattermark.science.fleet.exact import solve_exactly
from wattermark.science.fleet.fleet import (
    EPSILON,
    Chosen,
    Fleet,
    Plan,
    Task,
    any_of,
    cost_of,
    fleet_of,
    true_cost,
)
from wattermark.science.fleet.greedy import cheapest_free, greedy
from wattermark.science.fleet.prices import by_prices
from wattermark.science.schedule.steps import Array

EFFORT = ((100, (200, 2)), (400, (200, 5)), (4000, (60, 30)), (float("inf"), (45, 45)))
"""Up to so many jobs: how often prices change, and after how many changes all jobs are placed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A plan, and what no plan of the same jobs costs less than; ``proven`` if it is the best there is."""

    plan: Plan
    cost: float
    bound: float
    proven: bool

    @property
    def gap(self) -> float | None:
        """How much more it costs than is proven to be needed, at most; None if nothing is. [1]"""
        if self.cost <= self.bound:
            return 0.0
        return (self.cost - self.bound) / self.bound if self.bound > 0 else None


def solve(fleet: Fleet, time_limit_s: float | None = None) -> Solved:
    """Place as many jobs as can be, at the least cost.

    Greedy in several orders, then prices of capacity, which also prove a bound; what finds no place is None
    in the plan.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    time_limit_s : float, optional
        Go on exactly, for so long at most. [s]

    Raises
    ------
    MissingExtra
        If it is to be exact and HiGHS is not installed.
    """
    possible = [i for i, costs in enumerate(fleet.choices) if np.isfinite(costs).any()]
    solved = (
        _solve(_only(fleet, possible), time_limit_s)
        if possible
        else Solved(plan=[], cost=0.0, bound=0.0, proven=True)
    )
    plan: Plan = [None] * len(fleet.tasks)
    for i, held in zip(possible, solved.plan, strict=True):
        plan[i] = held
    return replace(solved, plan=plan)


def _solve(fleet: Fleet, time_limit_s: float | None) -> Solved:
    many = len(fleet.tasks)
    rounds, every = next(effort for most, effort in EFFORT if many <= most)
    plan, priced = by_prices(fleet, greedy(fleet), rounds, every)
    left, cost = cost_of(plan)
    bound = priced.bound(np.array([held is not None for held in plan], bool))
    if 0 < left < many:
        plan, bound = _once_more(fleet, plan, bound, rounds, every)
        cost = cost_of(plan)[1]
    proven = not left and cost - bound <= EPSILON * abs(cost)
    if time_limit_s is not None and not proven:
        exact = solve_exactly(fleet, plan, priced, time_limit_s)
        proven, others = (
            exact.proven,
            [held is None for held in exact.plan] != [held is None for held in plan],
        )
        plan = exact.plan
        if others:  # a bound is of the jobs that are placed
            plan, bound = _once_more(fleet, plan, exact.bound, rounds, every)
        bound = max(bound, exact.bound)
    return Solved(plan=plan, cost=cost_of(plan)[1], bound=min(bound, cost_of(plan)[1]), proven=proven)


def _only(fleet: Fleet, jobs: Sequence[int]) -> Fleet:
    return Fleet(
        tasks=tuple(fleet.tasks[i] for i in jobs),
        capacity=fleet.capacity,
        choices=tuple(fleet.choices[i] for i in jobs),
    )


def _once_more(fleet: Fleet, plan: Plan, bound: float, rounds: int, every: int) -> tuple[Plan, float]:
    """The jobs that found a place, alone: at the prices that the others drove up little is proven."""
    kept = [i for i, held in enumerate(plan) if held is not None]
    better, priced = by_prices(_only(fleet, kept), [plan[i] for i in kept], rounds, every)
    found: Plan = [None] * len(plan)
    for i, held in zip(kept, better, strict=True):
        found[i] = held
    return found, max(bound, priced.bound(np.ones(len(kept), bool)))


def start_now(tasks: Sequence[Task], rates: Array, capacity: Array) -> Plan:
    """Every job as soon as there is room; who may start first is first.

    Parameters
    ----------
    tasks : sequence of Task
        In one piece, each at one place.
    rates, capacity : ndarray
        As of ``fleet_of``.
    """
    fleet, free = fleet_of(tasks, rates, capacity), capacity.copy()
    plan: Plan = [None] * len(tasks)
    for i in sorted(range(len(tasks)), key=lambda i: (tasks[i].first, i)):
        known = np.isfinite(fleet.choices[i])
        soonest = np.where(known, np.arange(known.shape[1], dtype=np.float64), np.inf)
        found = cheapest_free(tasks[i], soonest, free)
        if found is not None:
            plan[i] = Chosen(found.place, found.slots, true_cost(tasks[i], fleet.choices[i], found))
            free[found.place, found.slots] -= tasks[i].units
    return plan


def why_not(task: Task, rates: Array, capacity: Array) -> str:
    """Why a job finds no place: ``window``, ``units``, ``gap`` or ``full``.

    Parameters
    ----------
    task : Task
        The job.
    rates, capacity : ndarray
        As of ``fleet_of``.
    """
    if task.end - task.first < task.slots:
        return "window"
    inside = (task.places, slice(task.first, task.end))
    known, room = np.isfinite(rates[inside]), capacity[inside] >= task.units - EPSILON
    if not _holds(task, room):
        return "units"
    return "full" if _holds(task, known & room) else "gap"


def _holds(task: Task, usable: NDArray[np.bool_]) -> bool:
    """Whether one of the places has slots enough."""
    if task.interruptible:
        return bool((usable.sum(axis=1) >= task.slots).any())
    return not bool(any_of(~usable, task.slots).all())
