"""The best time for a job that runs in one piece."""

from __future__ import annotations

import numpy as np

from wattermark.science.schedule.steps import Array, Steps, cut, integrals
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
    starts = starts_to_try(inside.edges_s, duration_s, earliest_s, deadline_s)
    if not len(starts) or not len(inside.values):
        return None
    ends, last_s = starts + duration_s, inside.edges_s[-1]
    costs = integrals(inside, starts, np.where(np.abs(ends - last_s) <= ROUNDING_S, last_s, ends))
    if np.isnan(costs).all():
        return None
    least = float(np.nanmin(costs))
    whole = float(np.nansum(np.abs(inside.values) * inside.lengths_s))
    near = costs <= least + 1e-14 * whole  # of equals, rounding must not choose
    begin_s = float(starts[np.argmax(near)])
    return Stretch(begin_s=begin_s, end_s=begin_s + duration_s)


def starts_to_try(edges_s: Array, duration_s: float, earliest_s: float, deadline_s: float) -> Array:
    """Where the cost of a start bends: it or its end lies on an edge, or it is the earliest or the latest.

    Parameters
    ----------
    edges_s : ndarray
        Of all steps that the cost is made of. [s since 1970]
    duration_s, earliest_s, deadline_s : float
        As of ``best_window``.

    Returns
    -------
    starts_s : ndarray
        Rising; empty where there is no time for it.
    """
    latest_s = deadline_s - duration_s
    if abs(latest_s - earliest_s) <= ROUNDING_S:
        latest_s = earliest_s  # it just fits, whatever the last digits of the moments say
    starts = np.unique(np.concatenate((edges_s, edges_s - duration_s, [earliest_s, latest_s])))
    return starts[(starts >= earliest_s) & (starts <= latest_s)]
