"""Cells of one length under steps of any length."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd
from typing import Final

import numpy as np

from wattermark.science.schedule.steps import Array, Steps, cut, onto
from wattermark.values.plan import PlannedJob

FINE_S: Final = 300.0
"""No finer than this: where the lengths have no common measure that is as long, cells of it are used."""
MOST_STATES: Final = 20_000_000
"""Cells times cells of work: what is longer gets coarser cells. (20 MB and half a second.)"""
MS: Final = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Edges of cells of one length. ``exact`` where every edge and every length of the job fall on them."""

    edges_s: Array
    cell_s: float
    exact: bool

    def over(self, steps: Steps) -> Array:
        """The mean in each cell, NaN where a cell reaches into a gap."""
        return onto(steps, self.edges_s).values

    def cells(self, duration_s: float) -> int:
        """So many hold it."""
        return ceil(duration_s / self.cell_s - 1e-9)


def grid_of(
    steps: Steps,
    job: PlannedJob,
    layers: int = 1,
    more_s: tuple[float, ...] = (),
    fine_s: float = FINE_S,
) -> Grid | None:
    """The grid of a job's time, on the edges of the steps; None where not a single cell lies in it.

    The cell is the longest that divides all steps and all lengths of the job, where it is at least
    ``fine_s``. Else it is a part of a step of about that, and lengths are rounded up to it: ends
    between cells that are cut by the first or last moment are not used. Both are coarser where there would
    be more than ``MOST_STATES`` of states.

    Parameters
    ----------
    steps : Steps
        Of what the plan is made by.
    job : PlannedJob
        Its moments and lengths are used.
    layers : int
        How often each state is kept. [1]
    more_s : tuple of float
        Other lengths that should fall on it. [s]
    fine_s : float
        No cell is shorter. [s]
    """
    inside = cut(steps, job.earliest_s, job.deadline_s)
    if not len(inside.values):
        return None
    native = _of_all(*inside.lengths_s[1:-1].tolist()) or float(inside.lengths_s.max())
    lengths = (job.duration_s, job.restart_s, job.least_run_s, *more_s, *inside.lengths_s.tolist())
    whole = _of_all(*lengths)
    cell_s = whole if whole >= fine_s else native / ceil(native / fine_s) if native >= fine_s else fine_s
    states = (inside.edges_s[-1] - inside.edges_s[0]) / cell_s * job.duration_s / cell_s * layers
    factor = ceil(np.sqrt(max(1.0, states / MOST_STATES)))
    edges = _edges(inside, cell_s * factor)
    return Grid(edges, cell_s * factor, whole >= fine_s and factor == 1) if len(edges) > 1 else None


def _edges(inside: Steps, cell_s: float) -> Array:
    """Through an inner edge of the steps where there is one."""
    first, last = float(inside.edges_s[0]), float(inside.edges_s[-1])
    through = float(inside.edges_s[1]) if len(inside.values) > 1 else first
    low, high = ceil((first - through) / cell_s - 1e-9), int((last - through) / cell_s + 1e-9)
    return np.asarray(through + cell_s * np.arange(low, high + 1), np.float64)


def _of_all(*lengths_s: float) -> float:
    """The longest that divides them all, to a millisecond. [s]"""
    return gcd(*(round(length * MS) for length in lengths_s)) / MS
