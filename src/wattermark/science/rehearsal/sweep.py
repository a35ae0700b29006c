"""Every start of a whole history at once: run now, wait for the best start, or pause.

Time is counted in the history's steps, which are all of one length; lengths of jobs and slacks may be any
real number of them. What lies beyond the end of the history is not there: slacks shrink towards it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappush, heapreplace
from math import ceil, floor, isfinite

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from wattermark.science.schedule.steps import Array

ELEMENTS = 2**21
"""Of a block of windows that is looked at together: 16 MB."""
LONG = 300
"""Steps of a window from which on it is cheaper to keep it sorted than to partition each anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """What the best start costs, and how many steps it waits; NaN where there is none. Shape (m, ...)."""

    cost: Array
    wait: Array


def at_once(values: ArrayLike, length: float) -> Array:
    """What a job costs that starts at each edge.

    Parameters
    ----------
    values : array-like
        What a step of running costs, shape (n,) or (n, zones); NaN for a gap.
    length : float
        Of the job. [steps]

    Returns
    -------
    costs : ndarray
        In the unit of the values, shape (n - ceil(length) + 1, ...); NaN where it reaches into a gap.
    """
    return _shifted(_Sums.of(np.asarray(values, np.float64)), 0.0, length)


def one_piece(values: ArrayLike, length: float, slack: float) -> Starts:
    """The best start of a job of one piece, for each edge as its arrival; of equals the earliest.

    Exact for every real length and slack: an optimum starts or ends on an edge, or starts as late as it may.

    Parameters
    ----------
    values : array-like
        As of ``at_once``.
    length, slack : float
        Of the job, and how much later it may start; ``inf`` for the end of the history. [steps]

    Returns
    -------
    Starts
        Of shape (n - ceil(length) + 1, ...).
    """
    sums = _Sums.of(np.asarray(values, np.float64))
    found = _best_of(_shifted(sums, 0.0, length), floor(slack) if isfinite(slack) else None, sums.rounding)
    late = ceil(length) - length  # a job that ends on an edge starts so much after one
    if late:
        last = floor(slack - late) if isfinite(slack) else None
        ends = _best_of(_shifted(sums, late, length), last, sums.rounding)
        found = _better(found, Starts(ends.cost, ends.wait + late), sums.rounding)
    if isfinite(slack) and slack % 1 and (slack + length) % 1:
        latest = _shifted(sums, slack, length)
        padded = np.full_like(found.cost, np.nan)
        padded[: len(latest)] = latest
        found = _better(found, Starts(padded, np.full_like(padded, slack)), sums.rounding)
    return found


def in_pieces(values: ArrayLike, length: float, slack: float) -> Array:
    """What a job costs that may pause at no cost, for each edge as its arrival.

    It takes the cheapest steps between its arrival and ``length + slack`` later, the dearest of them in part.

    Parameters
    ----------
    values, length, slack
        As of ``one_piece``.

    Returns
    -------
    costs : ndarray
        As of ``at_once``; a gap is never chosen, and NaN is where too few steps are known.
    """
    given = np.asarray(values, np.float64)
    columns = np.where(np.isfinite(given), given, np.inf).reshape(len(given), -1)
    arrivals = max(len(given) - ceil(length) + 1, 0)
    found = np.empty((arrivals, columns.shape[1]))
    window = length + slack
    to_the_end = window >= len(given)
    for i, column in enumerate(columns.T):
        if to_the_end:
            found[:, i] = _until_the_end(column, length)[:arrivals]
        elif window >= LONG and not window % 1:
            found[:, i] = _kept_sorted(column, length, int(window))[:arrivals]
        else:
            found[:, i] = _window_by_window(column, length, window)[:arrivals]
    return np.where(np.isfinite(found), found, np.nan).reshape(arrivals, *given.shape[1:])


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Running sums of steps and of gaps: what lies between two moments is a difference."""

    values: Array
    sums: Array
    gaps: NDArray[np.int64] | None

    @classmethod
    def of(cls, given: Array) -> _Sums:
        known = np.isfinite(given)
        values = given if known.all() else np.where(known, given, 0.0)
        none = np.zeros((1, *given.shape[1:]))
        gaps = None if known.all() else np.concatenate((none, np.cumsum(~known, axis=0))).astype(np.int64)
        return cls(values, np.concatenate((none, np.cumsum(values, axis=0))), gaps)

    @property
    def rounding(self) -> float:
        """What the difference of two sums may be wrong by: of equals, it must not choose."""
        return 8 * float(np.finfo(np.float64).eps) * float(np.abs(self.sums).max(initial=0.0))

    def up_to(self, offset: float, count: int) -> Array:
        """The sum up to so many steps after each of the first edges."""
        whole, part = int(offset), offset % 1
        found = self.sums[whole : whole + count]
        return found + part * self.values[whole : whole + count] if part else found


def _shifted(sums: _Sums, offset: float, length: float) -> Array:
    """The cost of a job that starts so long after each edge."""
    end = offset + length
    if abs(end - round(end)) < 1e-9:
        end = float(round(end))
    count = max(len(sums.values) - ceil(end) + 1, 0)
    costs = sums.up_to(end, count) - sums.up_to(offset, count)
    if sums.gaps is None:
        return costs
    first, last = floor(offset), ceil(end)
    return np.where(sums.gaps[last : last + count] > sums.gaps[first : first + count], np.nan, costs)


def _best_of(costs: Array, slack: int | None, rounding: float) -> Starts:
    """The least of each cost and the ``slack`` ones after it; None for all after it."""
    known = np.where(np.isnan(costs), np.inf, costs)
    if slack is not None and slack < 0:
        return Starts(np.full_like(costs, np.nan), np.full_like(costs, np.nan))
    to_the_end = slack is None or slack >= len(known)
    least, at = _least_after(known, rounding) if to_the_end else _least_within(known, slack or 0, rounding)
    own = np.arange(len(known)).reshape(-1, *(1,) * (known.ndim - 1))
    found = np.isfinite(least)
    return Starts(np.where(found, least, np.nan), np.where(found, at - own, np.nan))


def _least_after(costs: Array, rounding: float) -> tuple[Array, NDArray[np.intp]]:
    """Minima of suffixes and the first places that hold them, from the end backwards."""
    backwards = costs[::-1]
    least = np.minimum.accumulate(backwards, axis=0)
    places = np.arange(len(costs)).reshape(-1, *(1,) * (costs.ndim - 1))
    at = np.maximum.accumulate(np.where(backwards <= least + rounding, places, 0), axis=0)
    return least[::-1], len(costs) - 1 - at[::-1]


def _least_within(costs: Array, slack: int, rounding: float) -> tuple[Array, NDArray[np.intp]]:
    """Minima of windows of ``slack + 1`` and their first places, by windows that double."""
    beyond = np.full((slack, *costs.shape[1:]), np.inf)
    least = np.concatenate((costs, beyond))
    places = np.arange(len(least)).reshape(-1, *(1,) * (costs.ndim - 1))
    at: NDArray[np.intp] = np.broadcast_to(places, least.shape)
    width = 1
    while width <= slack:
        shift = min(width, slack + 1 - width)
        later = least[shift:] < least[:-shift] - rounding
        at = np.where(later, at[shift:], at[:-shift])
        least = np.where(later, least[shift:], least[:-shift])
        width += shift
    return least, at


def _better(one: Starts, other: Starts, rounding: float) -> Starts:
    """The cheaper of two, the earlier of equals."""
    a, b = (np.where(np.isnan(best.cost), np.inf, best.cost) for best in (one, other))
    with np.errstate(invalid="ignore"):
        close = (np.abs(a - b) <= rounding) | (a == b)
    earlier = np.where(close, other.wait < one.wait, b < a)
    return Starts(np.where(earlier, other.cost, one.cost), np.where(earlier, other.wait, one.wait))


def _window_by_window(column: Array, length: float, window: float) -> Array:
    """Each window on its own, in blocks; cut at the end of the history."""
    whole, part = int(window), window % 1
    wide = whole + bool(part)
    padded = np.concatenate((column, np.full(wide, np.inf)))
    blocks = _blocks(sliding_window_view(padded, wide)[: len(column)])
    return np.concatenate([cheapest(block, length, part or 1.0) for block in blocks])


def _blocks(windows: Array) -> Iterator[Array]:
    rows = max(ELEMENTS // windows.shape[1], 1)
    return (windows[i : i + rows] for i in range(0, len(windows), rows))


def cheapest(windows: Array, length: float, last: float = 1.0) -> Array:
    """What the cheapest steps of each window cost that hold a job.

    Parameters
    ----------
    windows : ndarray
        Shape (..., w); ``inf`` for what cannot be used.
    length : float
        [steps]
    last : float
        How much of the last step of each window there is. [1]

    Returns
    -------
    costs : ndarray
        Shape (...); ``inf`` where a window does not hold it.
    """
    count = ceil(length)
    if count > windows.shape[-1]:
        return np.full(windows.shape[:-1], np.inf)
    with np.errstate(invalid="ignore"):
        if last == 1.0:
            low = np.partition(windows, count - 1, axis=-1)[..., :count]
            cost = low.sum(-1) - (count - length) * low[..., -1] if count > length else low.sum(-1)
        else:
            amounts = np.ones(windows.shape[-1])
            amounts[-1] = last
            order = np.argsort(windows, axis=-1, kind="stable")
            held = amounts[order]
            used = np.clip(length - (np.cumsum(held, axis=-1) - held), 0.0, held)
            chosen = np.where(used > 0, np.take_along_axis(windows, order, -1), 0.0)
            cost = np.where(held.sum(-1) < length * (1 - 1e-12), np.inf, (used * chosen).sum(-1))
    return np.where(np.isnan(cost), np.inf, cost)


def _until_the_end(column: Array, length: float) -> Array:
    """From the end backwards, with the cheapest steps so far on a heap, the dearest on top: O(n log k)."""
    count, unused = ceil(length), ceil(length) - length
    found = np.full(len(column), np.inf)
    chosen: list[float] = []
    total = 0.0
    for i in range(len(column) - 1, -1, -1):
        value = float(column[i])
        if value == np.inf:
            pass
        elif len(chosen) < count:
            heappush(chosen, -value)
            total += value
        elif value < -chosen[0]:
            total += value + heapreplace(chosen, -value)
        if len(chosen) == count:
            found[i] = total + unused * chosen[0] if unused else total
    return found


def _kept_sorted(column: Array, length: float, window: int) -> Array:
    """A window that slides backwards and stays sorted, with the sum of its cheapest."""
    count, unused = ceil(length), ceil(length) - length
    values = column.tolist()
    found = np.full(len(values), np.inf)
    kept: list[float] = []
    total = 0.0  # of the ``count`` cheapest, or of all where there are fewer
    for i in range(len(values) - 1, -1, -1):
        if i + window < len(values) and (leaving := values[i + window]) != np.inf:
            place = bisect_left(kept, leaving)
            del kept[place]
            if place < count:
                total += (kept[count - 1] if len(kept) >= count else 0.0) - leaving
        if (value := values[i]) != np.inf:
            place = bisect_left(kept, value)
            if place < count:
                total += value - (kept[count - 1] if len(kept) >= count else 0.0)
            insort(kept, value)
        if len(kept) >= count:
            found[i] = total - unused * kept[count - 1] if unused else total
    return found
