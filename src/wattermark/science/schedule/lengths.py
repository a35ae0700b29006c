"""Lengths of any kind on cells: rounded up for the plan, and cut off again after it."""

from __future__ import annotations

from typing import Final

import numpy as np

from wattermark.science.schedule.grid import Grid
from wattermark.science.schedule.states import Rules, Runs
from wattermark.science.schedule.steps import Array
from wattermark.values.plan import PlannedJob, Stretch

SHORTEST_S: Final = 1.0
"""No run is cut to less than this, its restart aside."""
NEAR_S: Final = 1e-6


def rules_of(job: PlannedJob, grid: Grid) -> Rules:
    """What the pauses of a job take, in cells.

    Parameters
    ----------
    job : PlannedJob
        Its restarts, least runs and most pauses.
    grid : Grid
        Of ``grid_of``.
    """
    least = grid.cells(job.least_run_s)
    spare = 0 if grid.exact or not least else 1  # so that what is cut off leaves no run too short
    return Rules(job.restart_s / grid.cell_s, least + spare, job.most_pauses)


def to_length(runs: Runs, grid: Grid, running: Array, held: Array, job: PlannedJob) -> tuple[Stretch, ...]:
    """Runs as stretches, less what was rounded up, cell by cell off the ends where it costs most.

    No run is cut below its least length, its restart and ``SHORTEST_S``.

    Parameters
    ----------
    runs : tuple of (int, int)
        Of ``cheapest_runs``.
    grid : Grid
        Of which they are cells.
    running, held : ndarray
        What each cell costs, shape (n,); where being held is not known nothing is cut off, if that can be.
    job : PlannedJob
        What the stretches add up to: its duration, and a restart for each after the first.
    """
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
