"""Least squares with nothing below zero, for a handful of columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SLACK = 1e-10
"""A gradient below this part of the largest is none."""


def nnls(gram: Floats, wanted: Floats) -> Floats:
    """The x at or above zero that makes ``x @ gram @ x / 2 - wanted @ x`` least.

    Columns are brought to equal size first, so that joules a token and watts may stand side by side. A column
    that is nowhere stays at zero.

    Parameters
    ----------
    gram : ndarray, shape (k, k)
        Normal equations of the problem: ``columns.T @ columns``, positive semidefinite.
    wanted : ndarray, shape (k,)
        ``columns.T @ values``.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    .. [1] C. L. Lawson and R. J. Hanson, Solving Least Squares Problems (1974), chapter 23; on normal
       equations: R. Bro and S. de Jong (1997),
       doi:10.1002/(SICI)1099-128X(199709/10)11:5<393::AID-CEM483>3.0.CO;2-L.

    Examples
    --------
    >>> nnls(np.eye(2), np.array([3.0, -1.0]))
    array([3., 0.])
    """
    size = np.sqrt(np.diag(gram))
    size = np.where(size > 0, size, 1.0)
    scaled, target = gram / np.outer(size, size), wanted / size
    found = np.zeros(len(wanted))
    free = np.zeros(len(wanted), bool)
    tolerance = SLACK * max(float(np.abs(target).max(initial=0.0)), 1e-300)
    for _ in range(10 * len(wanted) + 10):
        slope = target - scaled @ found
        if free.all() or slope[~free].max() <= tolerance:
            break
        free[np.where(free, -np.inf, slope).argmax()] = True
        found = _feasible(scaled, target, found, free)
    return np.asarray(found / size, np.float64)


def _feasible(gram: Floats, target: Floats, before: Floats, free: NDArray[np.bool_]) -> Floats:
    """The best with the free ones free; those that would fall below zero are bound on the way there."""
    found = before
    while free.any():
        best = np.zeros(len(target))
        best[free] = np.linalg.lstsq(gram[np.ix_(free, free)], target[free], rcond=1e-12)[0]
        low = free & (best <= 0)
        if not low.any():
            return best
        part = np.min(found[low] / np.maximum(found[low] - best[low], 1e-300))
        found = found + part * (best - found)
        free &= ~(low & (found <= SLACK * max(float(found.max()), 1e-300)))
        found = np.where(free, found, 0.0)
    return found
