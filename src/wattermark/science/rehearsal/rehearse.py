"""Every policy on every start of one history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from wattermark.science.rehearsal import policies
from wattermark.science.rehearsal.sweep import ELEMENTS, at_once, in_pieces, one_piece
from wattermark.science.rehearsal.workweek import next_workday, semi_weekly
from wattermark.science.schedule.steps import Array

DAY_S = 86_400.0
MOST_WINDOWS = 40_000_000
"""Slots of all starts that are looked at one by one; beyond, what the cheapest cost is still known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """A history on steps of one length, with the starts that are tried and the job in steps.

    ``values`` has shape (n,), NaN for a gap, and begins at ``begin_s``; ``starts`` are places in it.
    """

    values: Array
    begin_s: float
    step_s: float
    starts: NDArray[np.intp]
    length: float
    slack: float
    expected: int
    restart: float
    interruptible: bool
    offset_s: float

    @property
    def slots(self) -> int:
        """That the job touches."""
        return ceil(self.length)

    @property
    def waiting(self) -> int:
        """The most slots that pass unused before the deadline."""
        return int(min(self.slack + self.length, len(self.values))) - self.slots

    @property
    def waits(self) -> int:
        """The most slots that a start may wait."""
        return int(min(self.slack, len(self.values)))

    def windows(self, wide: int) -> Iterator[tuple[slice, Array]]:
        """So many slots from each start, in blocks of starts; NaN beyond the end."""
        padded = np.concatenate((self.values, np.full(wide, np.nan)))
        every = sliding_window_view(padded, wide)
        rows = max(ELEMENTS // wide, 1)
        for i in range(0, len(self.starts), rows):
            part = slice(i, i + rows)
            yield part, every[self.starts[part]]


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Of each start: the mean intensity of the job, how much later it ends, and how often it paused. [1]

    NaN where the policy finds no time, and for what was not looked at. Shape (m,); waits in steps.
    """

    cost: Array
    wait: Array
    pauses: Array


def now(history: History) -> Array:
    """The mean intensity of a job that starts at once, shape (m,).

    Parameters
    ----------
    history : History
        With its starts.
    """
    return np.asarray(at_once(history.values, history.length)[history.starts] / history.length)


def rehearse(history: History, policy: str) -> Tried:
    """What one policy would have done at every start.

    Parameters
    ----------
    history : History
        With its starts.
    policy : str
        One of ``POLICIES``.
    """
    return POLICIES[policy](history)


def _best_start(history: History) -> Tried:
    best = one_piece(history.values, history.length, history.slack)
    cost, wait = best.cost[history.starts] / history.length, best.wait[history.starts]
    return Tried(cost, wait, np.zeros(len(cost)))


def _best_pieces(history: History) -> Tried:
    if not history.restart and len(history.starts) * (history.slots + history.waiting) > MOST_WINDOWS:
        cost = in_pieces(history.values, history.length, history.slack)[history.starts] / history.length
        unseen = np.full(len(cost), np.nan)
        return Tried(cost, unseen, unseen)
    return _used(
        history,
        lambda windows: policies.wait_awhile(windows, history.slots, history.waiting),
        history.slots + history.waiting,
        dearest=True,
    )


def _ecovisor(history: History) -> Tried:
    day = max(round(DAY_S / history.step_s), 1)
    return _used(
        history,
        lambda windows: policies.ecovisor(windows, history.slots, history.waiting, day=day),
        max(day, history.slots + history.waiting),
    )


def _k_min(history: History) -> Tried:
    return _pause_resume(history, 0.0)


def _pause_resume(history: History, switching: float | None = None) -> Tried:
    low, high, mean = _bounds(history)
    price = history.restart * mean / 2 if switching is None else switching
    return _used(
        history,
        lambda windows: policies.pause_resume(
            windows, history.slots, history.waiting, low=low, high=high, switching=price
        ),
        history.slots + history.waiting,
    )


def _bounds(history: History) -> tuple[float, float, float]:
    """The least, the greatest and the mean that the history ever shows."""
    known = history.values[np.isfinite(history.values)]
    return float(known.min()), float(known.max()), float(known.mean())


def _lowest_slot(history: History) -> Tried:
    return _placed(history, lambda w: policies.lowest_slot(w, history.waits), history.waits + 1)


def _lowest_window(history: History) -> Tried:
    wide = history.waits + history.expected
    return _placed(history, lambda w: policies.lowest_window(w, history.waits, history.expected), wide)


def _carbon_time(history: History) -> Tried:
    wide = history.waits + history.expected
    return _placed(history, lambda w: policies.carbon_time(w, history.waits, history.expected), wide)


def _one_min(history: History) -> Tried:
    low, high, _ = _bounds(history)
    return _placed(history, lambda w: policies.one_min(w, history.waits, low, high), history.waits + 1)


def _next_workday(history: History) -> Tried:
    return _by_deadline(history, next_workday)


def _semi_weekly(history: History) -> Tried:
    return _by_deadline(history, semi_weekly)


def _by_deadline(history: History, deadline: Callable[[Array, float], Array]) -> Tried:
    """The best start, or the cheapest slots, before a deadline of each start's own."""
    finish = np.asarray(history.begin_s + (history.starts + history.length) * history.step_s, np.float64)
    slack = (deadline(finish, history.offset_s) - finish) / history.step_s
    most = int(np.floor(slack.max(initial=0.0) + 1e-9))
    if not history.interruptible:
        costs = at_once(history.values, history.length)
        rows = sliding_window_view(np.concatenate((costs, np.full(most, np.nan))), most + 1)[history.starts]
        late = np.arange(most + 1) > slack[:, np.newaxis] + 1e-9
        places = policies.lowest_slot(np.where(late, np.nan, rows), most)
        return _started(history, places)
    wide = history.slots + most
    late = np.arange(wide) + 1 > slack[:, np.newaxis] + history.length + 1e-9

    def choose(part: slice, windows: Array) -> policies.Used:
        return policies.wait_awhile(np.where(late[part], np.nan, windows), history.slots, most)

    return _joined(
        _taken(history, windows, choose(part, windows), dearest=True)
        for part, windows in history.windows(wide)
    )


def _placed(history: History, choose: Callable[[Array], policies.Places], wide: int) -> Tried:
    """A policy that chooses a slot to start in; where the job would reach beyond the end, the last that fits.

    Others forget a job's length when they choose its start; the history's end must not forgive it.
    """
    places = np.concatenate([choose(windows) for _, windows in history.windows(wide)])
    last = len(history.values) - history.slots - history.starts
    return _started(history, np.minimum(places, last))


def _started(history: History, places: policies.Places) -> Tried:
    costs = at_once(history.values, history.length)
    found = places >= 0
    cost = np.where(found, costs[np.where(found, history.starts + places, 0)], np.nan) / history.length
    return Tried(cost, np.where(np.isfinite(cost), places, np.nan), np.zeros(len(cost)))


def _used(
    history: History, choose: Callable[[Array], policies.Used], wide: int, *, dearest: bool = False
) -> Tried:
    """A policy that chooses slots."""
    return _joined(
        _taken(history, windows, choose(windows), dearest=dearest) for _, windows in history.windows(wide)
    )


def _taken(history: History, windows: Array, used: policies.Used, *, dearest: bool) -> Tried:
    """What slots cost that are used. Of the dearest of them, or else of the last, only a part is needed."""
    costs = np.where(used, windows, 0.0)
    total = costs.sum(-1)
    unused = history.slots - history.length
    last = used.shape[-1] - 1 - np.argmax(used[:, ::-1], axis=-1)
    if unused:
        part = costs.max(-1) if dearest else np.take_along_axis(costs, last[:, np.newaxis], -1)[:, 0]
        total = total - unused * part
    before = np.zeros(used.shape, np.bool_)
    before[:, 1:] = used[:, :-1]
    begins = used & ~before
    pauses = begins.sum(-1) - 1.0
    if history.restart:
        begins[np.arange(len(used)), np.argmax(used, axis=-1)] = False
        total = total + history.restart * np.where(begins, windows, 0.0).sum(-1)
    found = used.any(-1)
    waits = last + 1.0 - history.slots
    return Tried(*(np.where(found, one, np.nan) for one in (total / history.length, waits, pauses)))


def _joined(parts: Iterator[Tried]) -> Tried:
    every = list(parts)
    return Tried(
        *(np.concatenate([getattr(one, name) for one in every]) for name in ("cost", "wait", "pauses"))
    )


POLICIES: Final[Mapping[str, Callable[[History], Tried]]] = {
    "best-start": _best_start,
    "best-pauses": _best_pieces,
    "lowest-slot": _lowest_slot,
    "lowest-window": _lowest_window,
    "carbon-time": _carbon_time,
    "one-min": _one_min,
    "wait-awhile": _best_pieces,
    "ecovisor": _ecovisor,
    "k-min": _k_min,
    "pause-resume": _pause_resume,
    "next-workday": _next_workday,
    "semi-weekly": _semi_weekly,
}
PAUSING: Final = ("best-pauses", "wait-awhile", "ecovisor", "k-min", "pause-resume")
"""Those that are for jobs that may pause."""
