"""Give a job the slots that it wants, and find others for those that it drives out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from wattermark.science.fleet.fleet import EPSILON, Chosen, Fleet, Plan, true_cost
from wattermark.science.fleet.greedy import MOST_ROUNDS, cheapest_free, free_of, polish
from wattermark.science.schedule.steps import Array

MOST_DRIVEN_OUT = 12
MOST_TRIES = 200
"""In a round, of those that have most to gain: the others gain next to nothing."""


def exchanged(fleet: Fleet, plan: Plan, prices: Array, least: Array, wanted: Sequence[Chosen | None]) -> Plan:
    """Exchange slots until nobody gains by it; those try first that are farthest from what they want.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    plan : list of Chosen or None
        A way to run for each job, None for one that is left out.
    prices : ndarray
        Of a unit in a slot, shape (places, slots).
    least : ndarray
        What each job would pay alone, at its wanted choice, shape (jobs,).
    wanted : sequence of Chosen or None
        What each job would choose alone.
    """
    for _ in range(MOST_ROUNDS):
        order = _by_regret(fleet, plan, prices, least)
        swaps = Swaps(fleet, plan)
        if not swaps.try_all(wanted, order[:MOST_TRIES]):
            break
        plan = polish(fleet, swaps.plan)
    return plan


def _by_regret(fleet: Fleet, plan: Plan, prices: Array, least: Array) -> list[int]:
    regret: dict[int, float] = {}
    for i, (task, held) in enumerate(zip(fleet.tasks, plan, strict=True)):
        if held is None:
            regret[i] = np.inf
            continue
        pays = held.cost + task.units * float(prices[held.place, held.slots].sum())
        if pays > least[i] + 1e-9 * abs(least[i]):
            regret[i] = pays - float(least[i])
    return sorted(regret, key=lambda i: (-regret[i], i))


class Swaps:
    """A plan that is made better by one exchange after the other."""

    def __init__(self, fleet: Fleet, plan: Plan) -> None:
        self.fleet, self.plan = fleet, list(plan)
        self.free = free_of(fleet, plan)
        self._place = np.full(len(plan), -1)
        self._begin, self._end = np.zeros(len(plan), np.intp), np.zeros(len(plan), np.intp)
        self._units = np.array([task.units for task in fleet.tasks])
        for i, held in enumerate(plan):
            self._note(i, held)

    def try_all(self, wanted: Sequence[Chosen | None], order: Sequence[int]) -> int:
        """Try to give each job in an order what it wants; how many exchanges were worth it."""
        return sum(self._try(i, want) for i in order if (want := wanted[i]) is not None)

    def _try(self, i: int, want: Chosen) -> bool:
        held, task = self.plan[i], self.fleet.tasks[i]
        cost = true_cost(task, self.fleet.choices[i], want)
        if cost == np.inf or (held is not None and _same(held, want)):
            return False
        was = {i: held}
        self._put(i, None)
        driven = self._in_the_way(want, task.units)
        if driven is None:
            self._put(i, held)
            return False
        for other in driven:
            was[other] = self.plan[other]
            self._put(other, None)
        self._put(i, Chosen(want.place, want.slots, cost))
        for other in driven:
            again = cheapest_free(self.fleet.tasks[other], self.fleet.choices[other], self.free)
            self._put(other, again and self._at_cost(other, again))
        if _weigh(self.plan[j] for j in was) < _weigh(was.values()):
            return True
        for j in was:
            self._put(j, None)
        for j, before in was.items():
            self._put(j, before)
        return False

    def _in_the_way(self, want: Chosen, units: float) -> list[int] | None:
        """Who must leave, the least of them, longest first; None where it would be too many."""
        lacking = units - EPSILON - self.free[want.place, want.slots]
        slots = np.arange(self.free.shape[1])[want.slots]
        short = slots[lacking > 0]
        if not len(short):
            return []
        lack = dict(zip(slots.tolist(), lacking.tolist(), strict=True))
        there = (self._place == want.place) & (self._begin <= short[-1]) & (self._end > short[0])
        found = []
        for j in self._by_use(np.flatnonzero(there)):
            used = [t for t in self._slots_of(j) if lack.get(t, 0.0) > 0]
            if used:
                found.append(j)
                for t in used:
                    lack[t] -= self._units[j]
                if len(found) > MOST_DRIVEN_OUT:
                    return None
        if any(left > 0 for left in lack.values()):
            return None
        return sorted(found, key=lambda j: (-self.fleet.tasks[j].slots, j))

    def _by_use(self, jobs: NDArray[np.intp]) -> list[int]:
        """Those first that lose least by leaving: with the lowest cost for each unit and slot they hold."""
        tasks = self.fleet.tasks
        return sorted(jobs.tolist(), key=lambda j: (tasks[j].weight / tasks[j].units, j))

    def _slots_of(self, j: int) -> list[int]:
        held = self.plan[j]
        if held is None:
            return []
        return (
            list(range(held.slots.start, held.slots.stop))
            if isinstance(held.slots, slice)
            else held.slots.tolist()
        )

    def _at_cost(self, j: int, found: Chosen) -> Chosen:
        return Chosen(found.place, found.slots, true_cost(self.fleet.tasks[j], self.fleet.choices[j], found))

    def _put(self, j: int, chosen: Chosen | None) -> None:
        before, units = self.plan[j], self._units[j]
        if before is not None:
            self.free[before.place, before.slots] += units
        if chosen is not None:
            self.free[chosen.place, chosen.slots] -= units
        self.plan[j] = chosen
        self._note(j, chosen)

    def _note(self, j: int, chosen: Chosen | None) -> None:
        if chosen is None:
            self._place[j] = -1
        elif isinstance(chosen.slots, slice):
            self._place[j], self._begin[j], self._end[j] = chosen.place, chosen.slots.start, chosen.slots.stop
        else:
            self._place[j] = chosen.place
            self._begin[j], self._end[j] = chosen.slots[0], chosen.slots[-1] + 1


def _same(one: Chosen, other: Chosen) -> bool:
    return one.place == other.place and str(one.slots) == str(other.slots)


def _weigh(several: Iterable[Chosen | None]) -> tuple[int, float]:
    left, cost = 0, 0.0
    for one in several:
        if one is None:
            left += 1
        else:
            cost += one.cost * (1 - 1e-12)
    return left, cost
