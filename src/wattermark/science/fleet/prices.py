"""Prices of capacity: what they prove, and the plan that they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.fleet.fleet import (
    Chosen,
    Fleet,
    Plan,
    cheapest,
    cost_of,
    costs_with,
    sums_before,
)
from wattermark.science.fleet.greedy import pack, packed_again, polish
from wattermark.science.fleet.swaps import exchanged
from wattermark.science.schedule.steps import Array

KEPT, FIRST_STEP = 0.7, 2.0
"""How much of the last direction is kept, and how far the first step goes: what converged best when tried."""
BY_UNITS = (0.0, 0.25, 0.5)
"""By how much jobs of many units come first, beside long ones: which is best differs."""
CLOSE = 1e-4
"""Nobody waits for the rest of a gap as small as that."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """What every job would choose at some prices if it were alone.

    ``least`` is what that costs, prices included, infinite for a job without a choice; ``rent`` is what all
    of the capacity is worth, ``excess`` how many units are asked for beyond what there is.
    """

    prices: Array
    least: Array
    rent: float
    chosen: Sequence[Chosen | None]
    excess: Array

    def bound(self, placed: NDArray[np.bool_]) -> float:
        """No plan that places these jobs costs less: by Lagrange, at any prices from zero up.

        Parameters
        ----------
        placed : ndarray of bool
            Shape (jobs,).
        """
        return float(self.least[placed].sum() - self.rent)


def by_prices(fleet: Fleet, plan: Plan, rounds: int, every: int) -> tuple[Plan, Priced]:
    """A better plan, and the prices that prove most of it.

    Prices rise where more units are asked for than there are and fall where fewer, by ever smaller steps (the
    subgradient method); now and then all jobs are placed at them, longest first.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    plan : list of Chosen or None
        To begin with.
    rounds : int
        How often prices change.
    every : int
        After how many of these all jobs are placed.

    References
    ----------
    M. L. Fisher, "The Lagrangian relaxation method for solving integer programming problems",
    Management Science 27 (1981), doi:10.1287/mnsc.27.1.1.
    """
    best, proof = plan, None
    for i, now in enumerate(_rounds(fleet, rounds)):
        placed = _placed(best)
        if proof is None or now.bound(placed) > proof.bound(placed):
            proof = now
        if i % every == every - 1:
            power = BY_UNITS[(i // every + 1) % len(BY_UNITS)]
            best = min(best, _repaired(fleet, now, power), key=cost_of)
            if closed(best, proof):
                break
    assert proof is not None
    if not closed(best, proof):
        best = min(best, *(_repaired(fleet, proof, power) for power in BY_UNITS), key=cost_of)
    return exchanged(fleet, best, proof.prices, proof.least, proof.chosen), proof


def closed(plan: Plan, proof: Priced) -> bool:
    """Whether a plan is as good as proven best.

    Parameters
    ----------
    plan : list of Chosen or None
        A way to run for each job, None for one that is left out.
    proof : Priced
        Prices and what they prove.
    """
    left, cost = cost_of(plan)
    return not left and cost - proof.bound(_placed(plan)) <= CLOSE * abs(cost)


def _placed(plan: Plan) -> NDArray[np.bool_]:
    return np.array([one is not None for one in plan], bool)


def _rounds(fleet: Fleet, rounds: int) -> Iterator[Priced]:
    """Prices, one better than the other as a rule."""
    most, scale = _drop_costs(fleet), _scale(fleet)
    limited = np.isfinite(fleet.capacity) & (fleet.capacity > 0)
    size = np.where(limited, fleet.capacity, np.inf)
    prices, drift = np.zeros_like(fleet.capacity), np.zeros_like(fleet.capacity)
    for i in range(rounds):
        now = ask(fleet, prices, most)
        yield now
        drift = KEPT * drift + (1 - KEPT) * now.excess / size
        prices = np.maximum(0.0, prices + scale * FIRST_STEP * drift / (1 + i / 20) ** 2)


def _scale(fleet: Fleet) -> float:
    """What a unit costs in a slot, at its usual best."""
    pairs = zip(fleet.tasks, fleet.choices, strict=True)
    found = [
        abs(one.cost) / (task.units * task.slots) for task, costs in pairs if (one := cheapest(task, costs))
    ]
    return float(np.mean(found)) if found else 0.0


def _drop_costs(fleet: Fleet) -> Array:
    """What a job would pay at most; else the prices of what cannot be had would rise for ever."""
    dearest = [np.abs(costs[np.isfinite(costs)]).max(initial=0.0) for costs in fleet.choices]
    slots = [task.slots if task.interruptible else 1 for task in fleet.tasks]
    return 3.0 * np.array(dearest, np.float64) * np.array(slots, np.float64)


def ask(fleet: Fleet, prices: Array, most: Array) -> Priced:
    """Let every job choose at these prices; one that would pay more than its most asks for nothing.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    prices : ndarray
        Of a unit in a slot, shape (places, slots).
    most : ndarray
        Shape (jobs,).
    """
    asked, priced = np.zeros_like(fleet.capacity), sums_before(prices)
    chosen: Plan = []
    for i, (task, costs) in enumerate(zip(fleet.tasks, fleet.choices, strict=True)):
        found = cheapest(task, costs_with(task, costs, priced, prices))
        chosen.append(found)
        if found is not None and found.cost <= most[i]:
            asked[found.place, found.slots] += task.units
    least = np.array([np.inf if one is None else one.cost for one in chosen])
    limited = np.isfinite(fleet.capacity)
    rent = float((prices[limited] * fleet.capacity[limited]).sum())
    excess = np.where(limited, asked - np.where(limited, fleet.capacity, 0.0), 0.0)
    return Priced(prices=prices, least=least, rent=rent, chosen=chosen, excess=excess)


def _repaired(fleet: Fleet, priced: Priced, power: float) -> Plan:
    """A plan at these prices: those first that find a place least easily, by length and a power of units."""
    size = [-task.slots * float(task.units**power) for task in fleet.tasks]
    order = sorted(range(len(size)), key=lambda i: (size[i], i))
    packed = pack(fleet, order, priced.prices, priced.chosen)
    return polish(fleet, packed_again(fleet, order, packed, priced.prices), 2)
