"""When to run one job, by the cheapest method that is exact for it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from wattermark.science.schedule.grid import Grid, grid_of
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.overhead import Rules, Runs, cheapest_runs
from wattermark.science.schedule.steps import Array, Steps, integrals
from wattermark.science.schedule.window import best_window
from wattermark.values.plan import PlannedJob, Stretch

Stretches = tuple[Stretch, ...]
SHORTEST_S: Final = 1.0
"""No run is cut to less than this, its restart aside."""
NEAR_S: Final = 1e-6


def stretches_of(rate: Steps, held_rate: Steps | None, job: PlannedJob) -> Stretches:
    """When a job runs cheapest at one place; nothing where it finds no place.

    One piece by ``best_window`` and pauses that cost nothing by ``cheapest_stretches``: both exact for any
    length and any edges. Else by ``cheapest_runs`` on a grid, which is exact where the job's lengths fall on
    it; otherwise they are rounded up to cells of about five minutes, and what that is too much is cut off
    again where it costs most. It is never dearer than one piece.

    Each stretch after the first holds the ``restart_s`` that are run again: stretches add up to the job's
    duration and its restarts.

    Parameters
    ----------
    rate : Steps
        What a second of running costs, in any unit; gaps are never used.
    held_rate : Steps or None
        What a second of being paused costs, between the first start and the end. A pause never reaches into
        a gap of it, as what that would cost is not known; None holds nothing, and pauses are free.
    job : PlannedJob
        ``home``, ``move_gb`` and its energy do not matter here.
    """
    piece = best_window(rate, job.duration_s, job.earliest_s, job.deadline_s)
    one: Stretches = () if piece is None else (piece,)
    if not job.interruptible or job.most_pauses == 0:
        return one
    free = cheapest_stretches(rate, job.duration_s, job.earliest_s, job.deadline_s)
    nothing_more = not job.restart_s and not job.least_run_s and job.most_pauses is None
    if len(free) <= 1 or (nothing_more and held_rate is None):
        return free
    several = _on_a_grid(rate, held_rate, job)
    whole, parts = (cost_of(way, rate, held_rate) if way else np.nan for way in (one, several))
    if np.isnan(parts) or whole <= parts + 1e-12 * abs(parts):
        return one
    return several


def cost_of(stretches: Stretches, rate: Steps, held_rate: Steps | None) -> float:
    """What running in some stretches costs, and being held between them; NaN where it reaches into a gap.

    Parameters
    ----------
    stretches : tuple of Stretch
        In their order.
    rate, held_rate : Steps
        As of ``stretches_of``.
    """
    runs = [(one.begin_s, one.end_s) for one in stretches]
    cost = _integral(rate, runs)
    if held_rate is not None:
        cost += _integral(held_rate, [(one.end_s, other.begin_s) for one, other in pairwise(stretches)])
    return cost


def _integral(steps: Steps, parts: list[tuple[float, float]]) -> float:
    begins, ends = np.array(parts, np.float64).reshape(-1, 2).T
    return float(integrals(steps, begins, ends).sum())


def _on_a_grid(rate: Steps, held_rate: Steps | None, job: PlannedJob) -> Stretches:
    grid = grid_of(rate, job, 1 if job.most_pauses is None else job.most_pauses + 1)
    if grid is None:
        return ()
    running = grid.over(rate)
    held = np.zeros(len(running)) if held_rate is None else grid.over(held_rate)
    least = grid.cells(job.least_run_s)
    spare = 0 if grid.exact or not least else 1  # so that what is cut off shortens no run too much
    rules = Rules(job.restart_s / grid.cell_s, least + spare, job.most_pauses)
    runs = cheapest_runs(running, held, grid.cells(job.duration_s), rules)
    return _to_length(runs, grid, running, held, job)


def _to_length(runs: Runs, grid: Grid, running: Array, held: Array, job: PlannedJob) -> Stretches:
    """Runs as stretches, less what was rounded up, cell by cell off the ends where it costs most."""
    ends_s = [[float(grid.edges_s[begin]), float(grid.edges_s[end])] for begin, end in runs]
    cells = [[begin, end - 1] for begin, end in runs]
    shortest_s = [SHORTEST_S + (job.restart_s if i else 0.0) for i in range(len(runs))]
    least_s = [min(job.duration_s, max(job.least_run_s, one)) for one in shortest_s]
    over_s = sum(end - begin for begin, end in ends_s) - job.duration_s - (len(runs) - 1) * job.restart_s
    while over_s > NEAR_S:
        spare_s = [end - begin - least for (begin, end), least in zip(ends_s, least_s, strict=True)]
        i, side = _dearest_end([spare > NEAR_S for spare in spare_s], cells, running, held)
        room_s = abs(ends_s[i][side] - float(grid.edges_s[cells[i][side] + 1 - side]))
        less_s = min(over_s, spare_s[i], room_s)
        ends_s[i][side] += less_s if side == 0 else -less_s
        cells[i][side] += (1 if side == 0 else -1) if less_s == room_s else 0
        over_s -= less_s
    return tuple(Stretch(begin_s=begin_s, end_s=end_s) for begin_s, end_s in ends_s)


def _dearest_end(longer: list[bool], cells: list[list[int]], running: Array, held: Array) -> tuple[int, int]:
    """Which run, and which end of it (0, 1), costs most more than being paused; the last of equals."""
    last = len(cells) - 1
    saved = [
        (
            -np.inf
            if np.isnan(less := float(running[cell]) - (0.0 if outer else float(held[cell])))
            else less,
            i,
            side,
        )
        for i, ends in enumerate(cells)
        if longer[i]
        for side, (cell, outer) in enumerate(zip(ends, (i == 0, i == last), strict=True))
    ]
    return max(saved)[1:]
