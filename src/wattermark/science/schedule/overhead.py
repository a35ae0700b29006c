"""The best times for a job whose pauses cost something, on cells of one length: an exact dynamic program."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.schedule.steps import Array

Runs = tuple[tuple[int, int], ...]
"""From which cell to before which one the job runs, in order."""
GOES_ON, RESTARTS, STARTS = 0, 1, 2
NEAR: Final = 1e-12
"""Of equals, rounding must not choose."""


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


def cheapest_runs(running: ArrayLike, held: ArrayLike, work: int, rules: Rules) -> Runs:
    """The cheapest cells for a job that may pause; of equals the first to end, nothing where there is no place.

    A state is how much is done, running or paused, at the edge of each cell: O(n k) for k cells of work,
    times the pauses where they are limited and the limit binds. A pause is one cell at least, and after it
    ``restart`` cells are run that do no work. Where cells that cost less than nothing would make a restart
    worth while, it is taken.

    Parameters
    ----------
    running : array-like
        What each cell costs while the job runs, shape (n,); NaN is a gap, in which it never runs.
    held : array-like
        What each costs while the job is paused between its first start and its end, shape (n,); NaN is not
        known, and the job is never paused there.
    work : int
        Cells that the job runs, restarts aside; at least one.
    rules : Rules
        What pauses take.

    Returns
    -------
    runs : tuple of (int, int)
    """
    costs = np.where(np.isnan(running), np.inf, running).astype(np.float64)
    pauses = np.where(np.isnan(held), np.inf, held).astype(np.float64)
    if work < 1 or work > len(costs):
        return ()
    free = _Table.of(costs, pauses, work, rules, layers=None)
    runs = free.best()
    if rules.most_pauses is None or len(runs) <= rules.most_pauses + 1:
        return runs
    return _Table.of(costs, pauses, work, rules, layers=rules.most_pauses + 1).best()


@dataclass(frozen=True, slots=True)
class _Table:
    """How each state was come to: ``came`` to running, ``paused`` whether a pause began in the cell before.

    Both have the shape (edges, layers, done); a layer holds what has paused so often, where that is counted.
    """

    came: NDArray[np.uint8]
    paused: NDArray[np.bool_]
    end: int
    layer: int
    first: int
    jump: int
    gain: int
    counts: int

    @classmethod
    def of(cls, costs: Array, held: Array, work: int, rules: Rules, layers: int | None) -> _Table:
        """Go through the cells once; ``layers`` of None counts no pauses."""
        n, counts, again = len(costs), 0 if layers is None else 1, ceil(rules.restart - NEAR)
        first, jump = min(max(rules.least, 1), work), max(min(rules.least, work), again + 1)
        gain = jump - again
        shape = (layers or 1, work + 1)
        came, paused = np.zeros((n + 1, *shape), np.uint8), np.zeros((n + 1, *shape), np.bool_)
        begins, restarts = _windows(costs, first).tolist(), _windows(costs, jump)
        if (late := again - rules.restart) > NEAR:
            known = np.isfinite(restarts)
            saved = [np.where(known, part[: len(known)], 0.0) for part in (costs, held)]
            restarts = restarts - late * (saved[0] - saved[1])
        came_by_restart = came.view(np.bool_)[:, counts:, gain:]  # RESTARTS is True
        states = [_Views.of(np.full(shape, np.inf), counts, gain) for _ in range(2)]
        waiting = [_Views.of(np.full(shape, np.inf), counts, gain) for _ in range(jump + 1)]  # a ring
        least, end, layer = np.inf, 0, 0
        for t, (step, hold) in enumerate(zip(costs.tolist(), held.tolist(), strict=True), start=1):
            on, new = states[t % 2], states[1 - t % 2]
            before, now = waiting[(t - 1) % (jump + 1)], waiting[t % (jump + 1)]
            np.add(on.undone, step, out=new.done)
            if t >= jump and gain <= work:
                start = waiting[(t - jump) % (jump + 1)].source + restarts[t - jump]
                np.less(start, new.target, out=came_by_restart[t])
                np.minimum(start, new.target, out=new.target)
            if t >= first and begins[t - first] < new.all[0, first]:
                new.all[0, first], came[t, 0, first] = begins[t - first], STARTS
            np.less(on.all, before.all, out=paused[t])
            np.minimum(on.all, before.all, out=now.all)
            np.add(now.all, hold, out=now.all)
            reached = min(new.ends.tolist())
            if reached < least - NEAR * abs(least if end else 0.0):
                least, end, layer = reached, t, int(new.ends.argmin())
        return cls(came, paused, end, layer, first, jump, gain, counts)

    def best(self) -> Runs:
        """Back from the cheapest end."""
        t, layer, done = self.end, self.layer, self.came.shape[2] - 1
        runs: list[tuple[int, int]] = []
        while t > 0:
            stop = t
            while (how := self.came[t, layer, done]) == GOES_ON:
                t, done = t - 1, done - 1
            if how == STARTS:
                runs.append((t - self.first, stop))
                break
            t, done, layer = t - self.jump, done - self.gain, layer - self.counts
            runs.append((t, stop))
            while not self.paused[t, layer, done]:
                t -= 1
            t -= 1
        return tuple(reversed(runs))


@dataclass(frozen=True, slots=True)
class _Views:
    """Costs by layer and done, and the parts of them that each cell needs (cut once: that takes the time)."""

    all: Array
    undone: Array
    done: Array
    source: Array
    target: Array
    ends: Array

    @classmethod
    def of(cls, costs: Array, counts: int, gain: int) -> _Views:
        layers, width = costs.shape
        source = costs[: layers - counts, : max(0, width - gain)]
        return cls(costs, costs[:, :-1], costs[:, 1:], source, costs[counts:, gain:], costs[:, -1])


def _windows(costs: Array, length: int) -> Array:
    """What so many cells in a row cost, by their first; infinite over a gap."""
    gaps = np.concatenate(([0], np.cumsum(np.isinf(costs))))
    sums = np.concatenate(([0.0], np.cumsum(np.where(np.isinf(costs), 0.0, costs))))
    found = sums[length:] - sums[: len(sums) - length]
    return np.where(gaps[length:] > gaps[: len(gaps) - length], np.inf, found)


def pauses_between(runs: Runs) -> Runs:
    """The cells between runs."""
    return tuple((one[1], other[0]) for one, other in pairwise(runs))
