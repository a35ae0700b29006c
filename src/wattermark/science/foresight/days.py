"""A history as a table: a row a day, a column for each slot of the day, counted back from one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.science.schedule.steps import Array, Steps, onto

DAY_S: Final = 86400.0
MOST_SLOTS: Final = 288
LEAST_FOR_LOG: Final = 0.02
"""Of the median: a signal that comes nearer to zero is not looked at by its logarithm."""
KEPT_DAYS: Final = 800


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Days:
    """Days of a history, the last one ending at ``end_s`` [s since 1970].

    ``values`` has shape (days, slots) without gaps: logarithms where ``is_log``, else over ``scale``;
    ``known`` of the same shape tells what was seen, and not filled.
    """

    end_s: float
    values: Array
    known: NDArray[np.bool_]
    is_log: bool
    scale: float

    @property
    def slots(self) -> int:
        return int(self.values.shape[1])

    @property
    def slot_s(self) -> float:
        return DAY_S / self.slots

    def weekday(self, day: NDArray[np.intp]) -> NDArray[np.intp]:
        """Of the middle of a row, in UTC; Monday is 0."""
        middle_s = self.end_s + (day - len(self.values) + 0.5) * DAY_S
        return np.asarray((np.floor(middle_s / DAY_S) + 3) % 7, np.intp)

    def real(self, values: Array) -> Array:
        """Back in the signal's unit."""
        return np.asarray((np.exp(values) if self.is_log else values) * self.scale, np.float64)


def last_known_s(history: Steps) -> float | None:
    """When the last step ends that is no gap; None where there is none. [s since 1970]

    Parameters
    ----------
    history : Steps
        NaN for a gap.
    """
    known = np.flatnonzero(np.isfinite(history.values))
    return float(history.edges_s[known[-1] + 1]) if len(known) else None


def days_of(history: Steps, end_s: float) -> Days | None:
    """A history up to a moment, gaps filled with the same slot of the day before; None where it is empty.

    Parameters
    ----------
    history : Steps
        Of any step; NaN for a gap.
    end_s : float
        Later steps are not looked at. [s since 1970]
    """
    lengths = history.lengths_s[np.isfinite(history.values)]
    span_s = end_s - float(history.edges_s[0])
    if not len(lengths) or span_s <= 0:
        return None
    slots = int(np.clip(round(DAY_S / float(np.median(lengths))), 1, MOST_SLOTS))
    many = int(np.clip(np.ceil(span_s / DAY_S - 1e-9), 1, KEPT_DAYS))
    edges = end_s + (np.arange(many * slots + 1) - many * slots) * (DAY_S / slots)
    table = onto(history, edges).values.reshape(many, slots)
    known = np.isfinite(table)
    return _told(end_s, table, known) if known.any() else None


def _told(end_s: float, table: Array, known: NDArray[np.bool_]) -> Days:
    seen = table[known]
    middle = float(np.median(np.abs(seen)))
    is_log = float(seen.min()) > LEAST_FOR_LOG * middle
    scale = 1.0 if is_log else middle or 1.0
    told = np.log(table, where=known, out=np.full_like(table, np.nan)) if is_log else table / scale
    return Days(end_s=end_s, values=_filled(told, known), known=known, is_log=is_log, scale=scale)


def _filled(table: Array, known: NDArray[np.bool_]) -> Array:
    """Each gap by the slot's last value before it, a first one by the next, a slot never seen by others."""
    rows = np.arange(len(table))[:, None]
    before = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, rows, len(table))[::-1], axis=0)[::-1]
    source = np.where(before >= 0, before, after)
    never = source[0] >= len(table)
    filled = np.take_along_axis(table, np.minimum(source, len(table) - 1), axis=0)
    if never.any():
        at = np.arange(table.shape[1])
        for row in filled:
            row[never] = np.interp(at[never], at[~never], row[~never], period=table.shape[1])
    return filled
