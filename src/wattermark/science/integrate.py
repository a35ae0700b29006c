"""Power samples to energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def hold_last_j(
    time_s: ArrayLike, power_w: ArrayLike, *, end_s: float, longest_hold_s: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Energy from each sample to the next, and from the last one to the end of the window.

    A sample holds until the next one: a steady power gives power times time whatever the
    samples' moments, and windows cut anywhere add up to the whole.

    Parameters
    ----------
    time_s : array_like, shape (n,)
        When each sample was taken; increasing, none after ``end_s``. [s]
    power_w : array_like, shape (n,)
        [W]
    end_s : float
        Where the window ends. [s]
    longest_hold_s : float
        A sample older than this says nothing any more. [s]

    Returns
    -------
    energy_j : ndarray, shape (n,)
        Energy from sample i on; 0 where it is not known. [J]
    known : ndarray of bool, shape (n,)
        False where the next sample came too late: a gap.

    Examples
    --------
    >>> hold_last_j([0, 1, 3], [10, 20, 5], end_s=4, longest_hold_s=5)[0]
    array([10., 40.,  5.])
    """
    time, power = np.asarray(time_s, float), np.asarray(power_w, float)
    hold_s = np.diff(time, append=end_s)
    if np.any(hold_s < 0):
        raise ValueError("time_s must increase and end before end_s")
    known = hold_s <= longest_hold_s
    return np.where(known, power * hold_s, 0.0), known
