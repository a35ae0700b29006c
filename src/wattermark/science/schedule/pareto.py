"""What cannot be better in one quantity without being worse in another: fronts, their knee, their volume.

Less is better, in every quantity. A quantity that is known for none of the points says nothing and is left
out; of the others, a point with an unknown one is on no front, and beats nobody.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.schedule.steps import Array

Indices = NDArray[np.intp]
BLOCK: Final = 256
SAME: Final = 1e-9
"""Amounts that differ by less than this, over the largest of their kind, are one."""


def front(points: ArrayLike) -> Indices:
    """The points that no other dominates, by rising first quantity; of equal points the first.

    One point dominates another where it is worse in nothing and better in something. Exact: for two
    quantities by sorting and sweeping, O(n log n); for more each point is compared with the front so far.

    Parameters
    ----------
    points : array-like
        Shape (n, d); NaN where a quantity is not known.

    Returns
    -------
    indices : ndarray of int
        Into ``points``.
    """
    values, rows = _known(points)
    order = np.lexsort((rows, *values.T[::-1]))  # by the first quantity, then the second, ..., then as told
    values, rows = values[order], rows[order]
    if values.shape[1] == 1:
        return rows[:1]
    return rows[_swept(values) if values.shape[1] == 2 else _sieved(values)]


def _known(points: ArrayLike) -> tuple[Array, Indices]:
    """The points of which all is known that is known of any, and which they are."""
    values = np.asarray(points, np.float64)
    if not values.size:
        return np.empty((0, 1)), np.empty(0, np.intp)
    values = values[:, ~np.isnan(values).all(axis=0)]
    rows = np.flatnonzero(~np.isnan(values).any(axis=1)) if values.shape[1] else np.empty(0, np.intp)
    return values[rows], rows


def _swept(values: Array) -> NDArray[np.bool_]:
    """Of two quantities, sorted: each that is less in the second than all before it."""
    before = np.minimum.accumulate(values[:, 1])[:-1]
    return np.append(np.ones(min(1, len(values)), np.bool_), values[1:, 1] < before)


def _sieved(values: Array) -> NDArray[np.bool_]:
    """Of sorted points: each that no point of the front before it is at most as large as, in everything."""
    kept = np.zeros(len(values), np.bool_)
    found = np.empty((0, values.shape[1]))
    for begin in range(0, len(values), BLOCK):
        block = values[begin : begin + BLOCK]
        open_ = ~np.any(np.all(found[None] <= block[:, None], axis=2), axis=1)
        for i in np.flatnonzero(open_):
            same_block = block[:i][kept[begin : begin + i]]
            kept[begin + i] = not np.any(np.all(same_block <= block[i], axis=1))
        found = np.concatenate((found, block[kept[begin : begin + BLOCK]]))
    return kept


def levelled(points: ArrayLike) -> Array:
    """Points whose quantities are equal where they differ by rounding alone, over the largest of each.

    Sums of the same hours in another order differ in their last digits; a front of them as they are holds
    ways that are better in nothing.

    Parameters
    ----------
    points : array-like
        Shape (n, d); NaN where a quantity is not known.
    """
    values = np.asarray(points, np.float64)
    if not values.size:
        return values
    largest = np.max(np.abs(values), axis=0, initial=0.0, where=~np.isnan(values))
    grain = np.where(largest > 0, largest, 1.0) * SAME
    return np.asarray(np.round(values / grain) * grain, np.float64)


def scaled(points: ArrayLike) -> Array:
    """From the least (0) to the most (1) of each quantity; a quantity that is the same everywhere is 0.

    Parameters
    ----------
    points : array-like
        Shape (n, d).
    """
    values = np.asarray(points, np.float64)
    least, most = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return np.asarray((values - least) / np.where(most > least, most - least, 1.0), np.float64)


def knee(points: ArrayLike) -> int:
    """The point of a front from which less of one quantity costs most of another.

    It lies farthest below the chord between the ends, once each quantity goes from 0 to 1 over the front; for
    more than two quantities, below the plane through the best of each. Of equals the first; where nothing
    lies below, as on a straight front, an end.

    Parameters
    ----------
    points : array-like
        Those of a front, shape (n, d), n at least 1.

    Returns
    -------
    index : int
        Into ``points``.

    References
    ----------
    .. [1] I. Das, "On characterizing the knee of the Pareto curve based on normal-boundary intersection",
       Structural Optimization 18 (1999) 107, doi:10.1007/BF01195985.
    """
    values, rows = _known(points)
    if not len(rows):
        return 0
    sums = scaled(values).sum(axis=1)
    return int(rows[np.flatnonzero(sums <= sums.min() + 1e-12)[0]])


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume that points dominate, up to a reference point: more is a better front.

    Exact, by slices: O(n log n) for two quantities, another n for each more.

    Parameters
    ----------
    points : array-like
        Shape (n, d), in any order; what is not known, or not below the reference in everything, adds nothing.
    reference : array-like
        As bad as it may be, shape (d,).

    References
    ----------
    .. [1] E. Zitzler, L. Thiele, "Multiobjective evolutionary algorithms: a comparative case study and the
       strength Pareto approach", IEEE Trans. Evol. Comput. 3 (1999) 257, doi:10.1109/4235.797969.
    """
    limits = np.asarray(reference, np.float64)
    values = np.asarray(points, np.float64).reshape(-1, len(limits))
    return _volume(values[(values < limits).all(axis=1)], limits)


def _volume(values: Array, limits: Array) -> float:
    """Slices along the last quantity, each with the points that reach down to it."""
    if not len(values):
        return 0.0
    values = values[front(values)]
    if values.shape[1] == 1:
        return float(limits[0] - values[0, 0])
    if values.shape[1] == 2:
        widths = np.diff(np.append(values[:, 0], limits[0]))
        return float((widths * (limits[1] - values[:, 1])).sum())
    values = values[np.argsort(values[:, -1], kind="stable")]
    depths = np.diff(np.append(values[:, -1], limits[-1]))
    return sum(
        float(depth) * _volume(values[: i + 1, :-1], limits[:-1])
        for i, depth in enumerate(depths)
        if depth > 0
    )
