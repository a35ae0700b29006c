"""A signal as arrays: steps of any length, between edges, with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.values.series import Series

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A function of time that is constant between edges.

    ``edges_s`` has shape (n + 1,) and rises [s since 1970]; ``values`` has shape (n,), NaN for a gap.
    """

    edges_s: Array
    values: Array

    @property
    def lengths_s(self) -> Array:
        """Of each step, shape (n,). [s]"""
        return np.diff(self.edges_s)


def steps_of(series: Series) -> Steps:
    """A series as arrays; None becomes NaN.

    Parameters
    ----------
    series : Series
        Of any signal.
    """
    values = [np.nan if value is None else value for value in series.values]
    return Steps(np.asarray(series.edges_s, np.float64), np.asarray(values, np.float64))


def cut(steps: Steps, begin_s: float, end_s: float) -> Steps:
    """The part between two moments, empty where there is none of it.

    Parameters
    ----------
    steps : Steps
        All of it.
    begin_s, end_s : float
        [s since 1970]
    """
    inside = (steps.edges_s > begin_s) & (steps.edges_s < end_s)
    first = max(begin_s, float(steps.edges_s[0]))
    last = min(end_s, float(steps.edges_s[-1]))
    if last <= first:
        return Steps(np.array([begin_s]), np.empty(0))
    edges = np.concatenate(([first], steps.edges_s[inside], [last]))
    return Steps(edges, steps.values[_at(steps, edges[:-1])])


def onto(steps: Steps, edges_s: ArrayLike) -> Steps:
    """The mean over each of other steps; NaN where these reach into a gap or beyond the ends.

    Parameters
    ----------
    steps : Steps
        In whatever unit; so is the mean.
    edges_s : array-like
        Rising, shape (m + 1,). [s since 1970]
    """
    edges = np.asarray(edges_s, np.float64)
    return Steps(edges, integrals(steps, edges[:-1], edges[1:]) / np.diff(edges))


def common(several: Sequence[Steps]) -> list[Steps]:
    """All of them on all of their edges, between the last beginning and the first end.

    Parameters
    ----------
    several : sequence of Steps
        At least one.
    """
    begin = max(float(steps.edges_s[0]) for steps in several)
    end = min(float(steps.edges_s[-1]) for steps in several)
    edges = np.unique(np.concatenate([steps.edges_s for steps in several]))
    edges = edges[(edges >= begin) & (edges <= end)]
    return [Steps(edges, steps.values[_at(steps, edges[:-1])]) for steps in several]


def along(first: Steps, others: Sequence[Steps]) -> list[Steps]:
    """All of them on all of their edges, as far as the first reaches; NaN where another does not.

    Parameters
    ----------
    first : Steps
        Which tells from when until when.
    others : sequence of Steps
        Any number.
    """
    several = [first, *others]
    edges = np.unique(np.concatenate([steps.edges_s for steps in several]))
    edges = edges[(edges >= first.edges_s[0]) & (edges <= first.edges_s[-1])]
    middles = (edges[:-1] + edges[1:]) / 2
    return [
        Steps(edges, np.where(_holds(steps, middles), steps.values[_at(steps, middles)], np.nan))
        for steps in several
    ]


def _holds(steps: Steps, moments_s: Array) -> NDArray[np.bool_]:
    return np.asarray((moments_s > steps.edges_s[0]) & (moments_s < steps.edges_s[-1]), np.bool_)


def integrals(steps: Steps, begins_s: ArrayLike, ends_s: ArrayLike) -> Array:
    """The integral from each beginning to its end; NaN where it reaches into a gap or beyond the ends.

    Parameters
    ----------
    steps : Steps
        Per second, so to say.
    begins_s, ends_s : array-like
        Of one shape. [s since 1970]

    Returns
    -------
    integrals : ndarray
        In the unit of the values times seconds.
    """
    begins, ends = np.asarray(begins_s, np.float64), np.asarray(ends_s, np.float64)
    known = np.isfinite(steps.values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, steps.values, 0.0) * steps.lengths_s)))
    gaps = np.concatenate(([0.0], np.cumsum(np.where(known, 0.0, steps.lengths_s))))
    found = np.interp(ends, steps.edges_s, sums) - np.interp(begins, steps.edges_s, sums)
    unknown = np.interp(ends, steps.edges_s, gaps) - np.interp(begins, steps.edges_s, gaps)
    outside = (begins < steps.edges_s[0]) | (ends > steps.edges_s[-1])
    slack = 1e-6  # of a second: edges are numbers of ten digits
    return np.where(outside | (unknown > slack), np.nan, found)


def _at(steps: Steps, moments_s: Array) -> NDArray[np.intp]:
    """The step that each moment lies in."""
    return np.clip(np.searchsorted(steps.edges_s, moments_s, side="right") - 1, 0, len(steps.values) - 1)
