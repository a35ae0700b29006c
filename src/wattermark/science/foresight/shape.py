"""A yearly factor with the hours of its year: what is known where nobody tells a forecast."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from wattermark.science.foresight.days import DAY_S
from wattermark.science.foresight.errors import HOUR_S, Errors, errors_of_spread
from wattermark.science.schedule.steps import Array, Steps, onto
from wattermark.values.year_shape import YearShape

WEEKEND_DAYS: Final = 2 / 7
UNKNOWN_SPREAD: Final = 0.2
"""Standard deviation of real hours where no shape is known; that of 123 zones lies from 0.01 to 0.5."""
UNKNOWN_ALIKE: Final = 0.6


def shaped(yearly: float, shape: YearShape, edges_s: ArrayLike) -> Steps:
    """A yearly mean at each step, by hour, season and weekday.

    Between the middles of two months their hours are mixed, so that the first of a month is no step.

    Parameters
    ----------
    yearly : float
        In any unit.
    shape : YearShape
        Of the place; a flat one changes nothing.
    edges_s : array-like
        Rising, shape (n + 1,). [s since 1970]
    """
    edges = np.asarray(edges_s, np.float64)
    if not shape.hours:
        return Steps(edges, np.full(len(edges) - 1, yearly))
    first = np.floor(edges[0] / HOUR_S)
    hours = np.arange(first, np.ceil(edges[-1] / HOUR_S)) * HOUR_S
    hourly = Steps(np.append(hours, hours[-1] + HOUR_S), yearly * _over_mean(shape, hours + HOUR_S / 2))
    return onto(hourly, edges)


def shape_errors(shape: YearShape, begin_s: float, horizon_s: float) -> Errors:
    """How real hours have differed from the shape, as paths.

    Parameters
    ----------
    shape : YearShape
        Of the place; where it is flat, a usual spread is taken.
    begin_s : float
        When the first hour is. [s since 1970]
    horizon_s : float
        How long. [s]
    """
    if not shape.hours:
        return errors_of_spread(UNKNOWN_SPREAD, UNKNOWN_ALIKE, horizon_s, source="usual spread")
    spread = float(np.asarray(shape.spread)[_month(np.array([begin_s + horizon_s / 2]))[0]])
    return errors_of_spread(spread, shape.alike, horizon_s, source=shape.source)


def _over_mean(shape: YearShape, moments_s: Array) -> Array:
    table = np.asarray(shape.hours, np.float64)
    hour = np.floor(moments_s / HOUR_S).astype(np.intp) % 24
    before, after, part = _between(moments_s)
    usual = table[before, hour] * (1 - part) + table[after, hour] * part
    ratio = np.asarray(shape.weekend, np.float64)[_month(moments_s)]
    on_others = 1 / (1 + WEEKEND_DAYS * (ratio - 1))  # the mean over a week stays
    weekend = (np.floor(moments_s / DAY_S) + 3) % 7 >= 5
    return np.asarray(usual * np.where(weekend, ratio * on_others, on_others), np.float64)


def _month(moments_s: Array) -> np.typing.NDArray[np.intp]:
    """0 for January, UTC."""
    return np.asarray(
        moments_s.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12, np.intp
    )


def _between(
    moments_s: Array,
) -> tuple[np.typing.NDArray[np.intp], np.typing.NDArray[np.intp], Array]:
    """The months whose middles lie before and after, and how far between them a moment is."""
    at = moments_s.astype("datetime64[s]")
    month = at.astype("datetime64[M]")
    begin, end = (one.astype("datetime64[s]").astype(np.float64) for one in (month, month + 1))
    through = month.astype(np.int64) + (moments_s - begin) / (end - begin) - 0.5
    before = np.floor(through)
    return (before % 12).astype(np.intp), ((before + 1) % 12).astype(np.intp), through - before
