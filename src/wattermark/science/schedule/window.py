"""The best time for a job that runs in one piece."""

from __future__ import annotations

import numpy as np

from wattermark.science.schedule.steps import Steps, cut, integrals
from wattermark.values.plan import Stretch

ROUNDING_S = 1e-6
"""Moments are numbers of ten digits before the point; their differences are no better than this."""


def best_window(steps: Steps, duration_s: float, earliest_s: float, deadline_s: float) -> Stretch | None:
    """Where a job of one piece costs least; the earliest of equals, None where it finds no place.

    The cost of a start is piecewise linear in it, so that an optimum has its start or its end on an edge:
    with the earliest and the latest start these are all that must be tried, in O(n).

    Parameters
    ----------
    steps : Steps
        What an hour of running costs, gaps included: no window reaches into one.
    duration_s : float
        Of any real length. [s]
    earliest_s, deadline_s : float
        It starts no earlier and ends no later. [s since 1970]

    Returns
    -------
    Stretch or None
    """
    inside = cut(steps, earliest_s, deadline_s)
    latest_s = deadline_s - duration_s
    if abs(latest_s - earliest_s) <= ROUNDING_S:
        latest_s = earliest_s  # it just fits, whatever the last digits of the moments say
    edges = inside.edges_s
    starts = np.unique(np.concatenate((edges, edges - duration_s, [earliest_s, latest_s])))
    starts = starts[(starts >= earliest_s) & (starts <= latest_s)]
    if not len(starts) or not len(inside.values):
        return None
    ends = starts + duration_s
    ends = np.where(np.abs(ends - edges[-1]) <= ROUNDING_S, edges[-1], ends)
    costs = integrals(inside, starts, ends)
    if np.isnan(costs).all():
        return None
    least = float(np.nanmin(costs))
    whole = float(np.nansum(np.abs(inside.values) * inside.lengths_s))
    near = costs <= least + 1e-14 * whole  # of equals, rounding must not choose
    begin_s = float(starts[np.argmax(near)])
    return Stretch(begin_s=begin_s, end_s=begin_s + duration_s)
