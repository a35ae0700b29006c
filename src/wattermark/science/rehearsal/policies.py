"""How others choose when one job runs, for comparison: each a pure function, with its paper.

``intensity`` holds what a slot costs from the arrival on, shape (..., slots), in any unit: one job, or many
at once. Lengths and waits are whole slots. A slot that is not known is NaN, and never chosen. Who starts
once answers with the slot it starts in, shape (...); who pauses answers with whether each slot is used,
shape (..., slots). Of equals the earliest, always. Policies that cannot be followed, as there is no known
slot, answer -1, or use nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from wattermark.science.schedule.steps import Array

Places = NDArray[np.intp]
Used = NDArray[np.bool_]
_Take = Callable[[int, Places, Used], Used]
"""Whether a slot is used, by how many are done and whether it runs."""


def lowest_slot(intensity: ArrayLike, waiting: int) -> Places:
    """Start in the cheapest slot that may be waited for; the job's length is not looked at.

    Hanafy et al., "Going Green for Less Green" (GAIA), ASPLOS 2024, doi:10.1145/3620666.3651374.

    Parameters
    ----------
    intensity : array-like
        Shape (..., slots).
    waiting : int
        The most that it may wait. [slots]
    """
    return _least(_known(intensity)[..., : waiting + 1])


def lowest_window(intensity: ArrayLike, waiting: int, expected: int, every: int = 1) -> Places:
    """Start where as many slots as such jobs take on average are cheapest together.

    Hanafy et al. (GAIA), ASPLOS 2024, doi:10.1145/3620666.3651374.

    Parameters
    ----------
    intensity : array-like
        Shape (..., slots).
    waiting, expected : int
        The most that it may wait, and the length that is expected. [slots]
    every : int
        Starts lie so far apart, as GAIA's of an hour in slots of a minute. [slots]
    """
    return _sparse(_least(_windows(intensity, waiting, expected)[..., ::every]), every)


def carbon_time(intensity: ArrayLike, waiting: int, expected: int, every: int = 1) -> Places:
    """Start where most is saved for each hour until the end: (now - then) / (wait + length).

    Hanafy et al. (GAIA), ASPLOS 2024, doi:10.1145/3620666.3651374: most of the saving for a part of the wait.
    Where the first window is not known, nothing can be saved against it, and it starts at the first that is.

    Parameters
    ----------
    intensity, waiting, expected, every
        As of ``lowest_window``.
    """
    costs = _windows(intensity, waiting, expected)[..., ::every]
    ends = every * np.arange(costs.shape[-1]) + expected
    with np.errstate(invalid="ignore"):
        rates = (costs[..., :1] - costs) / ends
    rates = np.where(np.isfinite(costs), rates, -np.inf)
    rates = np.where(np.isinf(costs[..., :1]) & np.isfinite(costs), -ends, rates)
    return _sparse(_least(-rates), every)


def ecovisor(
    intensity: ArrayLike, length: int, waiting: int, percentile: float = 30.0, day: int = 24
) -> Used:
    """Run in slots below a percentile of the next day, pause in others, until no waiting is left.

    Souza et al., "Ecovisor", ASPLOS 2023, doi:10.1145/3575693.3575709, as GAIA compares itself with it.

    Parameters
    ----------
    intensity : array-like
        Shape (..., slots).
    length, waiting : int
        Of the job, and the most that it may wait in all. [slots]
    percentile : float
        [%]
    day : int
        Over which the percentile is taken. [slots]
    """
    costs = _known(intensity)
    bar = _percentiles(costs[..., :day], percentile)
    return _online(costs, length, waiting, lambda slot, _done, _running: costs[..., slot] < bar)


def wait_awhile(intensity: ArrayLike, length: int, waiting: int) -> Used:
    """Run in the cheapest slots before the deadline, wherever they lie.

    Wiesner et al., "Let's Wait Awhile", Middleware 2021, doi:10.1145/3464298.3493399 (interrupting).

    Parameters
    ----------
    intensity, length, waiting
        As of ``ecovisor``.
    """
    costs = _known(intensity)[..., : length + waiting]
    whole = np.zeros(np.shape(intensity), np.bool_)
    if costs.shape[-1] >= length:
        bar = np.partition(costs, length - 1, axis=-1)[..., length - 1 : length]
        below, equal = costs < bar, costs == bar
        first = np.cumsum(equal, axis=-1) <= length - below.sum(-1, keepdims=True)
        whole[..., : costs.shape[-1]] = (below | (equal & first)) & np.isfinite(bar)
    return whole


def one_min(intensity: ArrayLike, waiting: int, low: float, high: float) -> Places:
    """Start in the first slot at or below the square root of low times high, without any forecast.

    El-Yaniv et al., Algorithmica 30 (2001), doi:10.1007/s00453-001-0003-0: at most sqrt(high / low) times
    the best, whatever comes.

    Parameters
    ----------
    intensity : array-like
        Shape (..., slots).
    waiting : int
        [slots]
    low, high : float
        What the intensity never goes below and above.
    """
    costs = _known(intensity)[..., : waiting + 1]
    good = costs <= np.sqrt(low * high)
    last = costs.shape[-1] - 1 - np.argmax(np.isfinite(costs)[..., ::-1], axis=-1)
    found = np.where(good.any(-1), np.argmax(good, axis=-1), last)
    return np.where(np.isfinite(costs).any(-1), found, -1)


def k_min(intensity: ArrayLike, length: int, waiting: int, *, low: float, high: float) -> Used:
    """Run in slots below thresholds that fall with each slot taken, without any forecast.

    Lorenz, Panagiotou, Steger, "Optimal algorithms for k-search", Algorithmica 55 (2009),
    doi:10.1007/s00453-008-9217-8: the best possible competitive ratio.

    Parameters
    ----------
    intensity, length, waiting
        As of ``ecovisor``.
    low, high : float
        As of ``one_min``.
    """
    costs = _known(intensity)
    bars = k_min_thresholds(length, low, high)

    def take(slot: int, done: Places, _running: Used) -> Used:
        return np.asarray(costs[..., slot] <= bars[np.minimum(done, length - 1)])

    return _online(costs, length, waiting, take)


def pause_resume(
    intensity: ArrayLike, length: int, waiting: int, *, low: float, high: float, switching: float
) -> Used:
    """As ``k_min``, with a price of starting and stopping: to go on is easier than to begin.

    Lechowicz et al., "The Online Pause and Resume Problem", SIGMETRICS 2024, doi:10.1145/3626776.

    Parameters
    ----------
    intensity, length, waiting, low, high
        As of ``k_min``.
    switching : float
        Of one start, or one stop; in the unit of the intensity, for one slot of running.
    """
    costs = _known(intensity)
    bars = pause_resume_thresholds(length, low, high, switching)

    def take(slot: int, done: Places, running: Used) -> Used:
        bar = bars[np.minimum(done, length - 1)]
        return np.asarray(costs[..., slot] <= np.where(running, bar, bar - 2 * switching))

    return _online(costs, length, waiting, take)


def k_min_thresholds(length: int, low: float, high: float) -> Array:
    """What the i-th slot may cost, falling. Shape (length,).

    Parameters
    ----------
    length : int
        [slots]
    low, high : float
        As of ``one_min``.
    """
    return pause_resume_thresholds(length, low, high, 0.0)


def pause_resume_thresholds(length: int, low: float, high: float, switching: float) -> Array:
    """What the i-th slot may cost while it runs; ``2 * switching`` less while it is paused. Shape (length,).

    They fall so that a threshold after the last would be ``low`` while paused: nothing better can come. In
    equation 9 of the paper ``2 * switching / (k * ratio)`` is added in the denominator, as follows from that.

    Parameters
    ----------
    length, low, high, switching
        As of ``pause_resume``.
    """
    low = max(low, 1e-9 * high)
    if high <= low:
        return np.full(length, np.inf)
    ratio = _ratio(length, low, high, switching)
    growth = 1 + 1 / (length * ratio)
    first = high * (1 - 1 / ratio) - 2 * switching * (1 / (length * ratio) - 1 / length + 1)
    return np.asarray(high - first * growth ** np.arange(length), np.float64)


def _ratio(length: int, low: float, high: float, switching: float) -> float:
    """The competitive ratio at which the threshold after the last meets ``low``; by bisection."""

    def beyond(ratio: float) -> float:
        growth = (1 + 1 / (length * ratio)) ** length
        first = high * (1 - 1 / ratio) - 2 * switching * (1 / (length * ratio) - 1 / length + 1)
        return high - first * growth - (low + 2 * switching)

    least, most = 1.0, 2.0
    while beyond(most) > 0:
        most *= 2
    for _ in range(200):
        middle = (least + most) / 2
        least, most = (middle, most) if beyond(middle) > 0 else (least, middle)
    return most


def _known(intensity: ArrayLike) -> Array:
    costs = np.asarray(intensity, np.float64)
    return np.where(np.isnan(costs), np.inf, costs)


def _least(costs: Array) -> Places:
    """The first of the least; of what rounding alone tells apart, too."""
    least = costs.min(-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        near = costs <= least + 1e-12 * np.abs(least)
    return np.where(np.isfinite(least[..., 0]), np.argmax(near, axis=-1), -1)


def _sparse(places: Places, every: int) -> Places:
    return np.where(places < 0, places, places * every)


def _windows(intensity: ArrayLike, waiting: int, expected: int) -> Array:
    """The cost of a window of the expected length from each slot that may be waited for."""
    costs = _known(intensity)[..., : waiting + expected]
    if costs.shape[-1] < expected:
        return np.full((*costs.shape[:-1], 1), np.inf)
    if not np.isfinite(costs).all():
        return np.asarray(sliding_window_view(costs, expected, axis=-1).sum(-1))
    sums = np.concatenate((np.zeros((*costs.shape[:-1], 1)), np.cumsum(costs, axis=-1)), axis=-1)
    return np.asarray(sums[..., expected:] - sums[..., :-expected])


def _percentiles(costs: Array, percentile: float) -> Array:
    """Of what is known of each row, interpolated between its neighbours; ``inf`` where nothing is."""
    ordered = np.sort(costs, axis=-1)
    last = np.maximum(np.isfinite(costs).sum(-1) - 1, 0)
    below, part = np.divmod(last * percentile / 100, 1.0)
    place = below.astype(np.intp)
    low, high = (
        np.take_along_axis(ordered, at[..., np.newaxis], -1)[..., 0]
        for at in (place, np.minimum(place + 1, last))
    )
    return np.asarray(low + part * np.subtract(high, low, out=np.zeros_like(low), where=high > low))


def _online(costs: Array, length: int, waiting: int, take: _Take) -> Used:
    """Slot by slot: used where ``take`` says so, or where no more waiting is left; never one that is a gap.

    A gap is waited out even then, which may leave the job undone at the end: it then uses nothing.
    """
    slots = min(costs.shape[-1], length + waiting)
    used = np.zeros(costs.shape, np.bool_)
    done = np.zeros(costs.shape[:-1], np.intp)
    running = np.zeros(costs.shape[:-1], np.bool_)
    known = np.isfinite(costs[..., :slots])
    left = np.cumsum(known[..., ::-1], axis=-1)[..., ::-1]  # slots that may still be used
    for slot in range(slots):
        forced = left[..., slot] <= length - done
        running = known[..., slot] & (done < length) & (forced | take(slot, done, running))
        used[..., slot] = running
        done += running
    return np.asarray(used & (done == length)[..., np.newaxis])
