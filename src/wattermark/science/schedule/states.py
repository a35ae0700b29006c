"""For a job that may pause and move: the rules, and what each transition between states costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.schedule.steps import Array

Runs = tuple[tuple[int, int], ...]
"""From which cell to before which one the job runs, in order."""
Path = tuple[tuple[int, int, int], ...]
"""The same, and at which place."""
Index = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """What pauses take, in cells.

    ``restart`` is what each start after the first runs again (where it is no whole number, that run begins so
    much later in its first cell), ``least`` the shortest run (the restart in it), ``most_pauses`` how many
    there may be (None: any number).
    """

    restart: float = 0.0
    least: int = 0
    most_pauses: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """What moves take.

    ``home`` is the place where the data are, ``costs[i][j]`` what it costs from place i to place j (never
    less by way of another place), ``cells`` how long it takes, ``most`` how many there may be (None: any
    number).
    """

    home: int = 0
    costs: ArrayLike = ()
    cells: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Costs by place and cell, and the lengths that the rules come to.

    The first run is ``first`` cells at least, each other ``jump``, of which ``gain`` do work.
    """

    costs: Array
    held: Array
    work: int
    moving: Moving
    first: int
    jump: int
    gain: int
    late: float
    shape: tuple[int, int, int, int]
    pause_counts: int

    @classmethod
    def of(
        cls,
        *,
        costs: Array,
        held: Array,
        work: int,
        rules: Rules,
        moving: Moving,
        pause_layers: int | None = None,
    ) -> Problem:
        again = ceil(rules.restart - 1e-12)
        least, most = min(rules.least, work), None if moving.most is None else min(moving.most, work)
        jump = max(least, again + 1)
        shape = (1 if most is None else most + 1, pause_layers or 1, len(costs), work + 1)
        late, counts = again - rules.restart, int(pause_layers is not None)
        return cls(costs, held, work, moving, max(least, 1), jump, jump - again, late, shape, counts)

    @property
    def n(self) -> int:
        return int(self.costs.shape[1])

    @property
    def moves(self) -> bool:
        return len(self.costs) > 1 and self.moving.most != 0

    @property
    def move_counts(self) -> int:
        return int(self.moving.most is not None)

    @property
    def move_costs(self) -> Array:
        """From each place to each other, shape (places, places); nowhere is it a move to stay."""
        costs = np.array(self.moving.costs, np.float64)
        costs[np.isnan(costs)] = np.inf
        np.fill_diagonal(costs, np.inf)
        return costs

    def narrow(self, states: NDArray[Any]) -> NDArray[Any]:
        """Without its axes of moves, pauses and places, where each has one entry: half the time."""
        single = self.shape[:3] == (1, 1, 1) and not self.pause_counts
        return states[..., 0, 0, 0, :] if single else states

    def steps(self) -> list[Any]:
        """What each cell costs to run in, by place."""
        return self._by_cell(self.costs)

    def holds(self) -> list[Any]:
        """What each cell costs to be held in, by place."""
        return self._by_cell(self.held)

    def _by_cell(self, costs: Array) -> list[Any]:
        """A number each, or a column of one for each place."""
        return costs[0].tolist() if len(costs) == 1 else list(costs.T[:, :, None])

    def restarts(self) -> list[Any]:
        """What the least run after a pause costs, by place, for each cell in which it may begin."""
        found = _windows(self.costs, self.jump)
        if self.late > 1e-12:
            known = np.isfinite(found)
            first, hold = (
                np.where(known, part[:, : known.shape[1]], 0.0) for part in (self.costs, self.held)
            )
            found = found - self.late * (first - hold)
        return self._by_cell(found)

    def first_starts(self) -> list[list[tuple[Index, float]]]:
        """By the edge at which the first run is long enough: the states come to, and what they cost."""
        found: list[list[tuple[Index, float]]] = [[] for _ in range(self.n + 1)]
        costs = _windows(self.costs, self.first)
        for place in range(len(self.costs)):
            home = place == self.moving.home
            if not (home or self.moves):
                continue
            index = (0 if home else self.move_counts, 0, place, self.first)
            there = 0.0 if home else float(self.move_costs[self.moving.home, place])
            for begin in range(0 if home else self.moving.cells, costs.shape[1]):
                found[begin + self.first].append((index, there + float(costs[place, begin])))
        return found


def _windows(costs: Array, length: int) -> Array:
    """What so many cells in a row cost, by their first; infinite over a gap."""
    known, before = np.isfinite(costs), ((0, 0), (1, 0))
    gaps = np.pad(np.cumsum(~known, axis=1), before)
    sums = np.pad(np.cumsum(np.where(known, costs, 0.0), axis=1), before)
    found = sums[:, length:] - sums[:, : max(0, sums.shape[1] - length)]
    return np.where(gaps[:, length:] > gaps[:, : found.shape[1]], np.inf, found)
