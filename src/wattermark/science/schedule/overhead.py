"""The best times for a job whose pauses and moves cost something, on cells of one length.

An exact dynamic program: a state is how much is done, running or paused, where, after how many moves and
pauses (where they are limited), at the edge of each cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.schedule.states import Moving, Path, Problem, Rules, Runs
from wattermark.science.schedule.steps import Array

GOES_ON, RESTARTS, STARTS = 0, 1, 2
NEAR: Final = 1e-12
"""Of equals, rounding must not choose."""


def cheapest_runs(running: ArrayLike, held: ArrayLike, work: int, rules: Rules) -> Runs:
    """The cheapest cells for a job that may pause; of equals the first to end, nothing where none hold it.

    O(n k) for k cells of work in n, times the pauses where they are limited and the limit binds. A pause is
    one cell at least, and after it ``restart`` cells are run that do no work. Where cells that cost less than
    nothing would make a restart worth while, it is taken.

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
    path = cheapest_path(np.atleast_2d(running), np.atleast_2d(held), work, rules, Moving(most=0))
    return tuple((begin, end) for begin, end, _ in path)


def cheapest_path(running: ArrayLike, held: ArrayLike, work: int, rules: Rules, moving: Moving) -> Path:
    """The cheapest cells and places for a job that may pause and move.

    As ``cheapest_runs``, for places in rows: O(n k) times places squared, and moves where they are limited.
    A move ends a run and takes ``moving.cells``; what starts after it is restarted. Waiting for the first
    start costs nothing, at another place than home after one move.

    Parameters
    ----------
    running, held : array-like
        Shape (places, n).
    work : int
        Cells that the job runs, restarts aside; at least one.
    rules : Rules
        What pauses take, a move being one.
    moving : Moving
        What moves take.
    """
    costs, pauses = (np.where(np.isnan(part), np.inf, part).astype(np.float64) for part in (running, held))
    if work < 1 or work > costs.shape[1]:
        return ()
    problem = partial(Problem.of, costs=costs, held=pauses, work=work, rules=rules, moving=moving)
    path = _Trace.of(problem()).path()
    if rules.most_pauses is None or len(path) <= rules.most_pauses + 1:
        return path
    return _Trace.of(problem(pause_layers=rules.most_pauses + 1)).path()


@dataclass(frozen=True, slots=True)
class _Trace:
    """How each state was come to, and which one ends cheapest.

    ``came`` says how to running, ``paused`` whether a pause began in the cell before, ``moved`` from which
    place to being paused (0: from none, else twice its number and two, and one more where it ran until it
    moved); shape (edges, moves, pauses, places, done).
    """

    problem: Problem
    came: NDArray[np.uint8]
    paused: NDArray[np.bool_]
    moved: NDArray[np.int16] | None
    end: int
    state: tuple[int, int, int]

    @classmethod
    def of(cls, problem: Problem) -> _Trace:
        """Go through the cells once."""
        p, shape, jump = problem, problem.shape, problem.jump
        edges, ring = p.n + 1, jump + 1
        came, paused = np.zeros((edges, *shape), np.uint8), np.zeros((edges, *shape), np.bool_)
        moved = np.zeros((edges, *shape), np.int16) if p.moves else None
        by_restart = p.narrow(came.view(np.bool_)[:, :, p.pause_counts :, :, p.gain :])  # RESTARTS is True
        by_pause = p.narrow(paused)
        on, new = (_Views.of(p) for _ in range(2))
        waiting = [_Views.of(p) for _ in range(ring)]
        arriving = _Arrivals.of(p) if p.moves else None
        steps, holds, restarts, starts = p.steps(), p.holds(), p.restarts(), p.first_starts()
        least, end, state = np.inf, 0, (0, 0, 0)
        for t in range(1, edges):
            before, now = waiting[(t - 1) % ring], waiting[t % ring]
            np.add(on.undone, steps[t - 1], out=new.done)
            if t >= jump and p.gain <= p.work:
                start = waiting[(t - jump) % ring].source + restarts[t - jump]
                np.less(start, new.target, out=by_restart[t])
                np.minimum(start, new.target, out=new.target)
            for index, cost in starts[t]:
                if cost < new.all[index]:
                    new.all[index], came[(t, *index)] = cost, STARTS
            np.less(on.some, before.some, out=by_pause[t])
            np.minimum(on.some, before.some, out=now.some)
            np.add(now.some, holds[t - 1], out=now.some)
            if moved is not None and arriving is not None:
                arriving.go(t, new.all, now.all, moved)
            reached = float(new.ends.min())
            if reached < least - NEAR * abs(least if end else 0.0):
                layers = np.unravel_index(int(new.ends.argmin()), new.ends.shape)
                least, end, state = reached, t, (int(layers[0]), int(layers[1]), int(layers[2]))
            on, new = new, on
        return cls(p, came, paused, moved, end, state)

    def path(self) -> Path:
        """Back from the cheapest end."""
        p, t, done, (moves, pauses, place) = self.problem, self.end, self.problem.work, self.state
        found: list[tuple[int, int, int]] = []
        while t > 0:
            stop = t
            while (how := self.came[t, moves, pauses, place, done]) == GOES_ON:
                t, done = t - 1, done - 1
            t -= p.first if how == STARTS else p.jump
            found.append((t, stop, place))
            if how == STARTS:
                break
            done, pauses = done - p.gain, pauses - p.pause_counts
            t, moves, place = self._before_the_pause(t, moves, pauses, place, done)
        return tuple(reversed(found))

    def _before_the_pause(
        self, t: int, moves: int, pauses: int, place: int, done: int
    ) -> tuple[int, int, int]:
        """When and where the run before it ended, and after how many moves."""
        arrives = True
        while True:
            code = 0 if self.moved is None else int(self.moved[t, moves, pauses, place, done])
            if code and arrives:
                t, moves, place = (
                    t - self.problem.moving.cells,
                    moves - self.problem.move_counts,
                    code // 2 - 1,
                )
                at_once, arrives = bool(code % 2), False  # what arrives at an edge does not leave at it
            else:
                at_once, arrives = bool(self.paused[t, moves, pauses, place, done]), True
                t -= 1
            if at_once:
                return t, moves, place


@dataclass(frozen=True, slots=True)
class _Views:
    """Costs of states, and the parts of them that each cell needs (cut once: that takes the time)."""

    all: Array
    some: Array
    undone: Array
    done: Array
    source: Array
    target: Array
    ends: Array

    @classmethod
    def of(cls, p: Problem) -> _Views:
        costs = np.full(p.shape, np.inf)
        source = costs[:, : p.shape[1] - p.pause_counts, :, : max(0, p.work + 1 - p.gain)]
        target = costs[:, p.pause_counts :, :, p.gain :]
        some, source, target = p.narrow(costs), p.narrow(source), p.narrow(target)
        return cls(costs, some, some[..., :-1], some[..., 1:], source, target, costs[..., -1])


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """What is on its way: of the last ``cells`` edges, what each place gets and from where."""

    problem: Problem
    move_costs: Array
    ring: list[tuple[Array, NDArray[np.int16]]]

    @classmethod
    def of(cls, p: Problem) -> _Arrivals:
        nothing = np.full(p.shape, np.inf), np.zeros(p.shape, np.int16)
        return cls(p, p.move_costs, [nothing for _ in range(p.moving.cells + 1)])

    def go(self, t: int, running: Array, waiting: Array, moved: NDArray[np.int16]) -> None:
        """Leave at this edge from wherever it is cheapest, and take what arrives into what waits."""
        p, size = self.problem, len(self.ring)
        leaving = slice(0, p.shape[0] - p.move_counts)
        here, at_once = np.minimum(running, waiting)[leaving], (running <= waiting)[leaving]
        ways = here[:, :, :, None, :] + self.move_costs[:, :, None]  # (moves, pauses, from, to, done)
        source = ways.argmin(axis=2)
        costs, codes = np.full(p.shape, np.inf), np.zeros(p.shape, np.int16)
        costs[p.move_counts :] = np.take_along_axis(ways, source[:, :, None], axis=2)[:, :, 0]
        codes[p.move_counts :] = 2 * source + 2 + np.take_along_axis(at_once, source, axis=2)
        self.ring[t % size] = costs, codes
        costs, codes = self.ring[(t + 1) % size]  # that left ``cells`` edges ago
        better = costs < waiting
        moved[t][better] = codes[better]
        np.minimum(costs, waiting, out=waiting)
