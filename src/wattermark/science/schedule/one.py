"""When to run one job, by the cheapest method that is exact for it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from wattermark.science.schedule.grid import FINE_S, grid_of
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.lengths import rules_of, to_length
from wattermark.science.schedule.overhead import cheapest_runs
from wattermark.science.schedule.steps import Steps, integrals
from wattermark.science.schedule.window import best_window
from wattermark.values.plan import PlannedJob, Stretch

Stretches = tuple[Stretch, ...]


def stretches_of(rate: Steps, held_rate: Steps | None, job: PlannedJob, fine_s: float = FINE_S) -> Stretches:
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
    fine_s : float
        Of the cells of a grid that is not exact: longer ones are quicker. [s]
    """
    piece = best_window(rate, job.duration_s, job.earliest_s, job.deadline_s)
    one: Stretches = () if piece is None else (piece,)
    if not job.interruptible or job.most_pauses == 0:
        return one
    free = cheapest_stretches(rate, job.duration_s, job.earliest_s, job.deadline_s)
    nothing_more = not job.restart_s and not job.least_run_s and job.most_pauses is None
    if len(free) <= 1 or (nothing_more and held_rate is None):
        return free
    several = _on_a_grid(rate, held_rate, job, fine_s)
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


def _on_a_grid(rate: Steps, held_rate: Steps | None, job: PlannedJob, fine_s: float) -> Stretches:
    grid = grid_of(rate, job, 1 if job.most_pauses is None else job.most_pauses + 1, fine_s=fine_s)
    if grid is None:
        return ()
    running = grid.over(rate)
    held = np.zeros(len(running)) if held_rate is None else grid.over(held_rate)
    runs = cheapest_runs(running, held, grid.cells(job.duration_s), rules_of(job, grid))
    return to_length(runs, grid, running, held, job)
