"""Edges of hours."""

from __future__ import annotations

from math import ceil, floor

from wattermark.values.units import S_PER_HOUR


def hour_edges(begin_s: float, end_s: float) -> tuple[float, ...]:
    """Edges of the whole hours (UTC) that hold a time.

    Parameters
    ----------
    begin_s, end_s : float
        [s since 1970]
    """
    first, last = floor(begin_s / S_PER_HOUR), max(ceil(end_s / S_PER_HOUR), floor(begin_s / S_PER_HOUR) + 1)
    return tuple(hour * S_PER_HOUR for hour in range(first, last + 1))
