"""Many jobs on places of limited capacity: the problem, on slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import NoPlan
from wattermark.science.schedule.steps import Array

MOST_CHOICES = 60_000_000
"""Numbers that may be held at once: 480 MB."""
EPSILON = 1e-9
"""Of a unit: capacities are sums of decimals."""
GRAIN = 2.0**-36

Slots = slice | NDArray[np.intp]
"""The slots that a job takes: in one piece, or one by one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """A job on slots.

    It takes ``units`` of a place's capacity in each of ``slots`` slots between ``first`` and ``end``
    (exclusive), all in one of ``places``, which rise. A whole slot costs ``weight`` times the place's rate;
    the first is used for the share ``head`` and the last for ``part`` only (of an ``interruptible`` job the
    dearest, for ``part``). ``moving`` is what it costs to get to each of ``places``.
    """

    slots: int
    weight: float
    units: float
    first: int
    end: int
    places: NDArray[np.intp]
    moving: Array
    head: float = 1.0
    part: float = 1.0
    interruptible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fleet:
    """Jobs, the capacity of places in each slot, shape (places, slots), and what each choice costs.

    ``choices`` has one array for each job, shape (its places, starts); of one that may pause, the slots.
    A choice that reaches into a gap, or where there are fewer units than it takes, costs infinitely much.
    """

    tasks: tuple[Task, ...]
    capacity: Array
    choices: tuple[Array, ...]


def fleet_of(tasks: Sequence[Task], rates: Array, capacity: Array) -> Fleet:
    """Weigh every choice of every job.

    Parameters
    ----------
    tasks : sequence of Task
        The jobs.
    rates : ndarray
        What a weight of 1 costs in each slot, shape (places, slots); NaN for a gap.
    capacity : ndarray
        In units, of the same shape; may be infinite.

    Raises
    ------
    NoPlan
        If there are more choices than a machine can hold.
    """
    many = sum(len(task.places) * max(0, task.end - task.first) for task in tasks)
    if many > MOST_CHOICES:
        raise NoPlan(
            f"{len(tasks)} jobs have {many} choices of slot and place, more than fit in memory",
            fix="Plan with longer slots, for fewer places or in several parts",
        )
    known = np.isfinite(rates)
    filled = np.where(known, rates, 0.0)
    sums = sums_before(filled)
    weighed = tuple(_choices(task, filled, sums, known, capacity) for task in tasks)
    return Fleet(tasks=tuple(tasks), capacity=capacity, choices=weighed)


def _choices(task: Task, filled: Array, sums: Array, known: NDArray[np.bool_], capacity: Array) -> Array:
    window, k = slice(task.first, task.end), task.slots
    if task.end - task.first < k:
        return np.empty((len(task.places), 0))
    usable = known[task.places, window] & (capacity[task.places, window] >= task.units - EPSILON)
    if task.interruptible:
        return np.where(usable, _even(task.weight * filled[task.places, window]), np.inf)
    begins, lasts = slice(task.first, task.end - k + 1), slice(task.first + k - 1, task.end)
    cost = sums[task.places, lasts] - sums[task.places, begins] + task.part * filled[task.places, lasts]
    cost -= (1 - task.head) * filled[task.places, begins]
    clear = ~any_of(~usable, k)
    return np.where(clear, _even(task.weight * cost) + task.moving[:, None], np.inf)


def _even(costs: Array) -> Array:
    """Without the last digits, which rounding made: of equal costs the earliest is meant to be chosen."""
    grain = float(np.abs(costs).max(initial=0.0)) * GRAIN
    return np.round(costs / grain) * grain if grain else costs


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Where a job runs and when, and what that costs."""

    place: int
    slots: Slots
    cost: float


Plan = list[Chosen | None]
"""One for each job, None for one that finds no place."""


def cheapest(task: Task, costs: Array) -> Chosen | None:
    """The cheapest way to run a job, the earliest of equals; None if there is none.

    Parameters
    ----------
    task : Task
        The job.
    costs : ndarray
        Of ``Fleet.choices``; prices of capacity may have been added.
    """
    if not costs.size:
        return None
    if task.interruptible:
        return _cheapest_slots(task, costs)
    row, start = divmod(int(costs.argmin()), costs.shape[1])
    cost = float(costs[row, start])
    begin = task.first + start
    return None if cost == np.inf else Chosen(int(task.places[row]), slice(begin, begin + task.slots), cost)


def _cheapest_slots(task: Task, costs: Array) -> Chosen | None:
    """All but the dearest of the cheapest slots wholly, that one in part: never more than it really costs."""
    k = task.slots
    if costs.shape[1] < k:
        return None
    least = np.partition(costs, k - 1, axis=1)[:, :k]
    total = least.sum(axis=1) - (1 - task.part) * np.where(least[:, -1] < np.inf, least[:, -1], 0.0)
    total = total + task.moving
    row = int(total.argmin())
    if total[row] == np.inf:
        return None
    slots = np.sort(np.argsort(costs[row], kind="stable")[:k])
    return Chosen(int(task.places[row]), task.first + slots, float(total[row]))


def costs_with(task: Task, costs: Array, priced: Array, prices: Array) -> Array:
    """What choices cost when capacity has a price, too.

    Parameters
    ----------
    task : Task
        The job.
    costs : ndarray
        Of ``Fleet.choices``.
    priced : ndarray
        Sums of the prices before each slot, shape (places, slots + 1).
    prices : ndarray
        Of one unit in one slot, shape (places, slots).
    """
    if not costs.size:
        return costs
    if task.interruptible:
        return costs + task.units * prices[task.places, task.first : task.end]
    rows = priced if len(task.places) == len(priced) else priced[task.places]
    stop = task.end - task.slots + 1
    return costs + task.units * (rows[:, task.first + task.slots : task.end + 1] - rows[:, task.first : stop])


def true_cost(task: Task, costs: Array, chosen: Chosen) -> float:
    """What a choice costs without prices.

    Parameters
    ----------
    task : Task
        The job.
    costs : ndarray
        Of ``Fleet.choices``.
    chosen : Chosen
        Where it runs and when.
    """
    row = int(np.searchsorted(task.places, chosen.place))
    if isinstance(chosen.slots, slice):
        return float(costs[row, chosen.slots.start - task.first])
    used = costs[row, chosen.slots - task.first]
    return float(used.sum() - (1 - task.part) * used.max() + task.moving[row])


def cost_of(plan: Sequence[Chosen | None]) -> tuple[int, float]:
    """How many jobs find no place, and what the others cost: less is better.

    Parameters
    ----------
    plan : sequence of Chosen or None
        A way to run for each job, None for one that is left out.
    """
    placed = [one.cost for one in plan if one is not None]
    return len(plan) - len(placed), float(sum(placed))


def sums_before(rows: Array) -> Array:
    """The sum before each column, and of all at the end.

    Parameters
    ----------
    rows : ndarray
        Shape (m, n); the answer has shape (m, n + 1).
    """
    found = np.zeros((rows.shape[0], rows.shape[1] + 1))
    np.cumsum(rows, axis=1, out=found[:, 1:])
    return found


def any_of(flags: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """Whether any of k columns from each one on is true.

    Parameters
    ----------
    flags : ndarray
        Shape (m, n); the answer has shape (m, n - k + 1).
    k : int
        How many.
    """
    many = np.zeros((flags.shape[0], flags.shape[1] + 1), np.int32)
    np.cumsum(flags, axis=1, out=many[:, 1:])
    return many[:, k:] > many[:, :-k]
