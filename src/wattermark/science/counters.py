"""Energy counters: from what a counter showed to the energy between two looks at it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIRROR_LOOKS = 2  # a short run has two; by chance two sockets' counters stand so close once in 25,000


def counts_between(
    time_s: ArrayLike,
    count: ArrayLike,
    *,
    wrap: int | None,
    most_per_s: float,
    refresh_s: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Counts between successive looks at a counter, and whether each is known.

    Whole numbers stay whole: where nothing wraps, the sum of the known counts is the last
    look minus the first, exactly, however the window is cut.

    Parameters
    ----------
    time_s : array_like, shape (n,)
        When each look was taken; strictly increasing. [s]
    count : array_like of int, shape (n,)
        What the counter showed, in its own unit.
    wrap : int or None
        Where the counter starts again from zero; None if it never does.
    most_per_s : float
        More than the device can count in a second; tells a wrap from a reset.
    refresh_s : float
        How often the counter is renewed: a short interval may hold the counts of a longer one. [s]

    Returns
    -------
    delta : ndarray of int64, shape (n - 1,)
        Counts of each interval; 0 where they are not known.
    known : ndarray of bool, shape (n - 1,)
        False where a second wrap could hide in the interval, where the counter was reset, or
        where the rise asks for more than the device can do: these are gaps, not zeros.

    Raises
    ------
    ValueError
        If time does not increase, or the two arrays differ in shape.

    References
    ----------
    .. [1] Linux kernel, Documentation/power/powercap/powercap.rst
       (``energy_uj``, ``max_energy_range_uj``).

    Examples
    --------
    >>> counts_between([0, 1, 2], [90, 98, 5], wrap=100, most_per_s=20)
    (array([8, 7]), array([ True,  True]))
    """
    time, shown = np.asarray(time_s, float), np.asarray(count, np.int64)
    if time.shape != shown.shape:
        raise ValueError(f"shapes differ: time {time.shape}, count {shown.shape}")
    gap_s = np.diff(time)
    if np.any(gap_s <= 0):
        raise ValueError("time_s must increase; sort and de-duplicate the readings first")
    most = most_per_s * (gap_s + refresh_s)
    delta = np.diff(shown)
    if wrap is None:
        known = (delta >= 0) & (delta <= most)
    else:
        delta = np.where(delta < 0, delta + wrap, delta)
        known = (delta >= 0) & (delta <= most) & (most_per_s * gap_s < wrap)
    return np.where(known, delta, 0), known


def not_dips(
    time_s: ArrayLike, count: ArrayLike, *, most_per_s: float, refresh_s: float = 0.0
) -> NDArray[np.bool_]:
    """Which looks to keep of a counter that never wraps: not those at which it fell and was back soon after.

    A counter that was reset climbs from where it fell to. One that jumps back up, by more than the
    device can count, to where it would have been, showed nonsense meanwhile; all that it counted is
    there again. Where it was down at more looks than it was up, nobody knows which were nonsense.

    Parameters
    ----------
    time_s : array_like, shape (n,)
        When each look was taken; strictly increasing. [s]
    count : array_like of int, shape (n,)
        What the counter showed, in its own unit.
    most_per_s : float
        More than the device can count in a second.
    refresh_s : float
        How often the counter is renewed. [s]

    References
    ----------
    .. [1] intel/compute-runtime issue 938 (22 MJ, 200 J, 22 MJ at three looks); ROCm/amdsmi issue 115.

    Examples
    --------
    >>> not_dips([0, 1, 2, 3], [5000, 2, 2, 5030], most_per_s=20)
    array([ True, False, False,  True])
    """
    time, shown = np.asarray(time_s, float), np.asarray(count, np.int64)
    kept = np.ones(len(shown), bool)
    delta = np.diff(shown)
    jumps = np.flatnonzero(delta > most_per_s * (np.diff(time) + refresh_s)) + 1
    returns: set[int] = set()
    for before in np.flatnonzero(delta < 0):
        if before in jumps and before not in returns:
            continue  # back from a leap: what lies behind is true
        back = next(iter(jumps[jumps > before + 1]), None)
        if back is None:
            break
        rise, most = shown[back] - shown[before], most_per_s * (time[back] - time[before] + refresh_s)
        if 0 <= rise <= most:
            kept[before + 1 : back] = False
            returns.add(int(back))
    return kept if 2 * kept.sum() >= len(kept) else np.ones(len(shown), bool)


def are_mirrors(one: ArrayLike, other: ArrayLike, *, tolerance: float, wrap: int | None = None) -> bool:
    """Whether two counters of one socket show the same register.

    The dies of some processors (AMD Zen 1 and 2) each show their socket's counter. Two
    genuine counters started at different moments and stand apart; twins stay within what
    a socket counts between two reads.

    Parameters
    ----------
    one, other : array_like of int, shape (n,)
        What both showed at the same looks, raw.
    tolerance : float
        The most that a twin may have moved on between the two reads of a look, raw.
    wrap : int or None
        Where both start again from zero: one may just have, and the other not yet.
    """
    first, second = np.asarray(one, np.int64), np.asarray(other, np.int64)
    apart = np.abs(first - second)
    if wrap is not None:
        apart = np.minimum(apart, wrap - apart)
    return len(first) >= MIRROR_LOOKS and bool(np.all(apart <= tolerance))
