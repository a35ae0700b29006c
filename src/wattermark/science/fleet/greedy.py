"""One job after the other into what is free, then each again where it can be had for less."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from wattermark.science.fleet.fleet import (
    EPSILON,
    Chosen,
    Fleet,
    Plan,
    Task,
    any_of,
    cheapest,
    cost_of,
    costs_with,
    sums_before,
    true_cost,
)
from wattermark.science.schedule.steps import Array

MOST_ROUNDS = 8


def orders(fleet: Fleet) -> list[list[int]]:
    """In which jobs are worth being placed: large ones first, then those with little room, then by deadline.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    """
    tasks = fleet.tasks

    def room(task: Task) -> int:
        return task.end - task.first - task.slots

    keys = (
        lambda i: (-tasks[i].weight * tasks[i].slots, room(tasks[i]), i),
        lambda i: (-tasks[i].units * tasks[i].slots, room(tasks[i]), i),
        lambda i: (room(tasks[i]), -tasks[i].units * tasks[i].slots, i),
        lambda i: (tasks[i].end, room(tasks[i]), i),
    )
    return [sorted(range(len(tasks)), key=key) for key in keys]


def greedy(fleet: Fleet) -> Plan:
    """The best of several orders, each job at its cheapest in what the earlier ones left.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    """
    tried = [(order, pack(fleet, order)) for order in orders(fleet)]
    order, best = min(tried, key=lambda one: cost_of(one[1]))
    return packed_again(fleet, order, best)


def packed_again(fleet: Fleet, order: Sequence[int], plan: Plan, prices: Array | None = None) -> Plan:
    """Another plan with the jobs that were left over in front, as often as that helps.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    order : sequence of int
        In which the plan was made.
    plan : list of Chosen or None
        A way to run for each job, None for one that is left out.
    prices : ndarray, optional
        As of ``pack``.
    """
    for _ in range(MOST_ROUNDS):
        left = [i for i in order if plan[i] is None]
        if not left:
            break
        order = left + [i for i in order if plan[i] is not None]
        again = pack(fleet, order, prices)
        if cost_of(again) >= cost_of(plan):
            break
        plan = again
    return plan


def pack(
    fleet: Fleet, order: Iterable[int], prices: Array | None = None, wanted: Sequence[Chosen | None] = ()
) -> Plan:
    """Place jobs in an order, each where it costs least in what is free.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    order : iterable of int
        Places of jobs in the list of all.
    prices : ndarray, optional
        Of a unit in a slot, shape (places, slots): what counts beside the cost.
    wanted : sequence of Chosen or None, optional
        What each job would choose at these prices if it were alone.

    Returns
    -------
    plan : list of Chosen or None
        At their costs without the prices.
    """
    free = fleet.capacity.copy()
    plan: Plan = [None] * len(fleet.tasks)
    priced = None if prices is None else sums_before(prices)
    for i in order:
        task, costs = fleet.tasks[i], fleet.choices[i]
        found = wanted[i] if wanted else None
        if found is None or not fits(free, task, found):
            if priced is not None and prices is not None:
                costs = costs_with(task, costs, priced, prices)
            found = cheapest_free(task, costs, free)
        if found is not None:
            plan[i] = Chosen(found.place, found.slots, true_cost(task, fleet.choices[i], found))
            free[found.place, found.slots] -= task.units
    return plan


def polish(fleet: Fleet, plan: Plan, rounds: int = MOST_ROUNDS) -> Plan:
    """Take each job out and put it back where it costs least, until none moves; place what now fits.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    plan : list of Chosen or None
        Is not changed.
    rounds : int, optional
        At most.
    """
    better, free = list(plan), free_of(fleet, plan)
    least = [cheapest(task, costs) for task, costs in zip(fleet.tasks, fleet.choices, strict=True)]
    for _ in range(rounds):
        moved = False
        for i in _by_regret(better, least):
            task, held = fleet.tasks[i], better[i]
            if held is not None:
                free[held.place, held.slots] += task.units
            found = cheapest_free(task, fleet.choices[i], free)
            if found is not None:
                found = Chosen(found.place, found.slots, true_cost(task, fleet.choices[i], found))
            if found is not None and (held is None or found.cost < held.cost - 1e-12 * abs(held.cost)):
                better[i], moved = found, True
            if (now := better[i]) is not None:
                free[now.place, now.slots] -= task.units
        if not moved:
            break
    return better


def _by_regret(plan: Plan, least: Sequence[Chosen | None]) -> list[int]:
    """Jobs that could do better if they were alone, those with the most to gain first."""
    regret = {}
    for i, (held, alone) in enumerate(zip(plan, least, strict=True)):
        if alone is not None and (held is None or held.cost > alone.cost):
            regret[i] = np.inf if held is None else held.cost - alone.cost
    return sorted(regret, key=lambda i: (-regret[i], i))


def free_of(fleet: Fleet, plan: Sequence[Chosen | None]) -> Array:
    """The capacity that a plan leaves, shape (places, slots).

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    plan : sequence of Chosen or None
        A way to run for each job, None for one that is left out.
    """
    free = fleet.capacity.copy()
    for task, held in zip(fleet.tasks, plan, strict=True):
        if held is not None:
            free[held.place, held.slots] -= task.units
    return free


def fits(free: Array, task: Task, chosen: Chosen) -> bool:
    """Whether there is room for a job where it wants to be.

    Parameters
    ----------
    free : ndarray
        Shape (places, slots).
    task : Task
        The job.
    chosen : Chosen
        Where it runs and when.
    """
    return bool(free[chosen.place, chosen.slots].min() >= task.units - EPSILON)


def cheapest_free(task: Task, costs: Array, free: Array) -> Chosen | None:
    """The cheapest way to run a job in what is free; None if there is none.

    Parameters
    ----------
    task : Task
        The job.
    costs : ndarray
        Of ``Fleet.choices``, prices added or not.
    free : ndarray
        Shape (places, slots).
    """
    if not costs.size:
        return None
    rows = free if len(task.places) == len(free) else free[task.places]
    full = rows[:, task.first : task.end] < task.units - EPSILON
    if not task.interruptible:
        full = any_of(full, task.slots)
    return cheapest(task, np.where(full, np.inf, costs))
