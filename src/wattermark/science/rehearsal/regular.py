"""One step for a whole history: the longest that every moment of interest lies on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wattermark.errors import UsageError
from wattermark.science.schedule.steps import Array, Steps

MOST_STEPS = 4_000_000
"""32 MB an array: a year of eight seconds."""


def grid_s(steps: Iterable[Steps], *lengths_s: float) -> float:
    """The longest step that divides all steps and all of these lengths, to the millisecond. [s]

    Parameters
    ----------
    steps : iterable of Steps
        Of any lengths.
    lengths_s : float
        As how far apart jobs arrive. [s]

    Raises
    ------
    UsageError
        If it would cut the longest history into more than ``MOST_STEPS``.
    """
    given = list(steps)
    unique = [np.unique(np.diff(np.round(one.edges_s * 1000.0))) for one in given]
    own = [int(length) for lengths in unique for length in lengths]
    begins = [round((one.edges_s[0] - given[0].edges_s[0]) * 1000) for one in given]
    found = int(np.gcd.reduce([*own, *begins, *(round(length * 1000) for length in lengths_s)])) / 1000
    longest_s = max(float(one.edges_s[-1] - one.edges_s[0]) for one in given)
    if longest_s > MOST_STEPS * found:
        raise UsageError(
            f"times that share a step of {found:g} s only make {longest_s / found:,.0f} steps",
            fix="Give lengths that are multiples of the history's step, or a part of it with --from and --to",
        )
    return found


def regular(steps: Steps, step_s: float, begin_s: float, end_s: float) -> Steps:
    """The same on steps of one length, from one moment to another; NaN where it knows nothing.

    Parameters
    ----------
    steps : Steps
        Whose edges all lie on the grid.
    step_s : float
        [s]
    begin_s, end_s : float
        On the grid, too. [s since 1970]
    """
    count = round((end_s - begin_s) / step_s)
    edges = np.asarray(begin_s + step_s * np.arange(count + 1), np.float64)
    if len(steps.values) == count and np.array_equal(steps.edges_s, edges):
        return steps
    return Steps(edges, _means(steps, edges))


def _means(steps: Steps, edges: Array) -> Array:
    at = np.searchsorted(steps.edges_s, (edges[:-1] + edges[1:]) / 2, side="right") - 1
    inside = (at >= 0) & (at < len(steps.values))
    return np.where(inside, steps.values[np.clip(at, 0, len(steps.values) - 1)], np.nan)
