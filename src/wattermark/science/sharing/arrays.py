"""Two sums that sharing makes everywhere."""

from __future__ import annotations

import numpy as np

from wattermark.science.sharing.columns import Floats, Places


def summed(place: Places, amount: Floats, length: int) -> Floats:
    """Amounts by place.

    Parameters
    ----------
    place : ndarray, shape (m,)
        Of each amount, below ``length``.
    amount : ndarray, shape (m,)
        In any unit.
    length : int
        How many places there are. [1]

    Returns
    -------
    ndarray, shape (length,)
    """
    return np.asarray(np.bincount(place, amount, length), np.float64)


def part_of(part: Floats, whole: Floats, *, empty: float = 0.0) -> Floats:
    """part / whole, and ``empty`` where there is no whole.

    Parameters
    ----------
    part, whole : ndarray
        Of one shape and unit.
    empty : float
        [1]

    Returns
    -------
    ndarray
        [1]
    """
    ratio: Floats = np.divide(part, whole, out=np.full(np.shape(whole), empty), where=whole > 0)
    return ratio
