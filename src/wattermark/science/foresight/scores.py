"""How good forecasts have been."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from wattermark.science.foresight.days import DAY_S
from wattermark.science.foresight.errors import base
from wattermark.science.schedule.steps import Array


def mean_error(actual: ArrayLike, forecast: ArrayLike) -> float | None:
    """Mean absolute error over the mean size of what came; None where nothing can be compared. [1]

    Parameters
    ----------
    actual, forecast : array-like
        Of one shape and unit; NaN for a gap.
    """
    came, said = np.asarray(actual, np.float64), np.asarray(forecast, np.float64)
    both = np.isfinite(came) & np.isfinite(said)
    size = np.abs(came[both]).sum()
    return float(np.abs(said[both] - came[both]).sum() / size) if size > 0 else None


def mape(actual: ArrayLike, forecast: ArrayLike) -> float | None:
    """Mean of absolute errors, each over what came then; None where nothing can be compared. [1]

    Where next to nothing came, the error is told over a tenth of the row's mean.

    Parameters
    ----------
    actual, forecast : array-like
        Shape (n, h), of one unit; NaN for a gap.
    """
    off = _relative(actual, forecast)
    known = np.isfinite(off)
    return float(off[known].mean()) if known.any() else None


def error_by_day(actual: ArrayLike, forecast: ArrayLike, leads_s: ArrayLike) -> tuple[float | None, ...]:
    """``mape`` for each day of lead, the first day first.

    Parameters
    ----------
    actual, forecast
        As of ``mape``.
    leads_s : array-like
        Edges of the steps, shape (h + 1,), from the moment of issue on. [s]
    """
    off = _relative(actual, forecast)
    day = np.floor(np.asarray(leads_s, np.float64)[:-1] / DAY_S + 1e-9).astype(int)
    found: list[float | None] = []
    for one in range(day.max() + 1 if len(day) and len(off) else 0):
        some = off[:, day == one]
        known = np.isfinite(some)
        found.append(float(some[known].mean()) if known.any() else None)
    return tuple(found)


def _relative(actual: ArrayLike, forecast: ArrayLike) -> Array:
    came, said = np.asarray(actual, np.float64), np.asarray(forecast, np.float64)
    return np.asarray(np.abs(said - came) / base(came), np.float64)
