"""Edges of hours."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
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


def pieces(begin_s: float, end_s: float, cuts_s: Iterable[float] = ()) -> list[tuple[float, float]]:
    """A time cut at whole hours (UTC) and at further moments.

    Parameters
    ----------
    begin_s, end_s : float
        [s since 1970]
    cuts_s : iterable of float
        Further moments; those outside are passed over. [s since 1970]
    """
    edges = {
        begin_s,
        end_s,
        *(cut for cut in (*hour_edges(begin_s, end_s), *cuts_s) if begin_s < cut < end_s),
    }
    return list(pairwise(sorted(edges)))


def days_before(moment_s: float, days: int) -> float:
    """A moment so many days of 24 h earlier. [s since 1970]

    Parameters
    ----------
    moment_s : float
        [s since 1970]
    days : int
        [d]
    """
    return moment_s - days * 24 * S_PER_HOUR
