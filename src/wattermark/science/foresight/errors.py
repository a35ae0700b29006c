"""How forecasts err: whole paths of relative errors, one for each past issue.

Errors of neighbouring hours and of the same hour on the next day are alike, so that hours must not be drawn
one by one: a path is drawn as it was, and with it all that hangs together (a block bootstrap whose blocks
are issues).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from wattermark.science.foresight.days import DAY_S
from wattermark.science.schedule.steps import Array, Steps
from wattermark.science.uncertainty import standard_draws
from wattermark.values.year_shape import ErrorTable

MOST_PATHS: Final = 200
ENOUGH_PATHS: Final = 20
"""With fewer of one's own, others' fill up."""
LEAST_BASE: Final = 0.1
"""An error is told over the forecast, or over so much of its mean where the forecast is next to nothing."""
MOST_GAPS: Final = 0.1
LOWEST: Final = -0.99
LEAST_VARIABILITY: Final = 0.01
HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Errors:
    """What forecasts of one kind have been off by.

    ``leads_s`` are edges of shape (m + 1,), from the moment of issue on [s]; ``relative`` has shape (k, m):
    (actual - forecast) / forecast, a row for each issue [1]. ``variability`` of shape (k,) is that of each
    issue's forecast where the errors are another place's and must be scaled (deviation over mean), else
    empty. ``days`` is how long a time the issues cover; ``source`` is whose they are.
    """

    leads_s: Array
    relative: Array
    source: str
    days: float
    variability: Array

    @property
    def many(self) -> int:
        return len(self.relative)


def errors_of(
    actual: ArrayLike, forecast: ArrayLike, leads_s: ArrayLike, *, issued_s: ArrayLike, source: str = "own"
) -> Errors:
    """Errors of past issues; an issue with many gaps is left out, a few are bridged.

    Parameters
    ----------
    actual, forecast : array-like
        Shape (n, m): what came, and what each issue had said; NaN for a gap. In any one unit.
    leads_s : array-like
        Edges of the steps, shape (m + 1,), from the moment of issue on. [s]
    issued_s : array-like
        When, shape (n,). [s since 1970]
    source : str
        Whose errors these are.
    """
    came, said = np.asarray(actual, np.float64), np.asarray(forecast, np.float64)
    relative = (came - said) / base(said) if len(said) else np.empty((0, said.shape[-1]))
    gaps = np.isnan(relative).mean(axis=1)
    kept = np.flatnonzero(gaps <= MOST_GAPS)
    when = np.asarray(issued_s, np.float64)[kept]
    days = float(when.max() - when.min()) / DAY_S + 1 if len(kept) else 0.0
    bridged = np.array([_bridged(row) for row in relative[_spaced(kept)]])
    paths = bridged.reshape(-1, said.shape[-1])
    return Errors(
        leads_s=np.asarray(leads_s, np.float64), relative=paths, source=source, days=days, variability=_NONE
    )


_NONE: Final = np.empty(0)


def base(forecast: Array) -> Array:
    """What an error is told over: the size of the forecast, or a tenth of its mean size where that is more.

    Parameters
    ----------
    forecast : ndarray
        Shape (..., m); NaN for a gap.
    """
    size = np.abs(forecast)
    known = np.isfinite(size)
    many = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    mean = np.where(known, size, 0.0).sum(axis=-1, keepdims=True) / many
    return np.asarray(np.maximum(size, np.maximum(LEAST_BASE * mean, np.finfo(float).tiny)), np.float64)


def variability(forecast: ArrayLike) -> Array:
    """Deviation of a forecast over its mean size, shape (...,); gaps aside. [1]

    Parameters
    ----------
    forecast : array-like
        Shape (..., m); NaN for a gap.
    """
    said = np.asarray(forecast, np.float64)
    known = np.isfinite(said)
    many = np.maximum(known.sum(axis=-1), 1)
    mean = np.where(known, said, 0.0).sum(axis=-1) / many
    off = np.where(known, said - mean[..., None], 0.0)
    spread = np.sqrt((off**2).sum(axis=-1) / many)
    return np.asarray(spread / np.maximum(np.abs(mean), np.finfo(float).tiny), np.float64)


def paths(forecast: Steps, issued_s: float, errors: Errors) -> Array:
    """What may come instead of a forecast, shape (k, n): NaN where the forecast has a gap.

    Beyond the errors' last lead the same hours of their last day are taken again; before the moment of
    issue nothing is unsure.

    Parameters
    ----------
    forecast : Steps
        In any unit; shape (n,).
    issued_s : float
        When it was made. [s since 1970]
    errors : Errors
        Of forecasts like it.
    """
    leads_s = (forecast.edges_s[:-1] + forecast.edges_s[1:]) / 2 - issued_s
    drawn = np.where(leads_s < 0, 0.0, errors.relative[:, _column(errors, leads_s)])
    if len(errors.variability):
        scale = np.sqrt(float(variability(forecast.values)) / errors.variability)[:, None]
        drawn = np.expm1(np.log1p(np.maximum(drawn, LOWEST)) * scale)  # never below nothing
    return np.asarray(forecast.values + drawn * base(forecast.values), np.float64)


def _column(errors: Errors, leads_s: Array) -> Sequence[int]:
    """Which of the errors' steps a lead lies in."""
    end_s = float(errors.leads_s[-1])
    over = np.maximum(np.ceil((leads_s - end_s) / DAY_S + 1e-9), 0.0)
    inside = np.clip(leads_s - over * DAY_S, 0.0, end_s)
    found = np.searchsorted(errors.leads_s, inside, side="right") - 1
    return list(np.clip(found, 0, len(errors.leads_s) - 2))


def errors_of_table(table: ErrorTable) -> Errors:
    """Published errors of other places, for those who have none of their own; scaled where they are used.

    Parameters
    ----------
    table : ErrorTable
        Of the factors.
    """
    relative = np.array(table.relative, np.float64)
    return Errors(
        leads_s=np.arange(relative.shape[1] + 1, dtype=np.float64) * table.step_s,
        relative=relative,
        source=table.source,
        days=0.0,
        variability=np.maximum(np.array(table.variability, np.float64), LEAST_VARIABILITY),
    )


def filled(own: Errors, others: Errors) -> Errors:
    """One's own errors, and others' where these are few.

    Parameters
    ----------
    own, others : Errors
        The others' are scaled; one's own are not, which is as if they had been made in a week like this.
    """
    lacking = ENOUGH_PATHS - own.many
    if lacking <= 0:
        return own
    if not own.many:
        return others
    some = others.relative[_spaced(np.arange(others.many), lacking)]
    middles = (own.leads_s[:-1] + own.leads_s[1:]) / 2
    lent = some[:, _column(others, middles)]
    return replace(own, relative=np.concatenate((own.relative, lent)), source=f"{own.source}+{others.source}")


def errors_of_spread(
    spread: float, alike: float, horizon_s: float, *, source: str, many: int = 100, step_s: float = HOUR_S
) -> Errors:
    """Errors of a shape of the year: a relative deviation that is alike from day to day.

    A first-order autoregression on equal slices of the normal distribution, the same in every process.

    Parameters
    ----------
    spread : float
        Standard deviation of actual over shape. [1]
    alike : float
        Correlation of the deviation with that of a day before, from 0 to 1. [1]
    horizon_s : float
        From the moment of issue on. [s]
    source : str
        What it was taken from.
    many : int
        Paths.
    step_s : float
        Of the errors. [s]
    """
    steps = max(int(np.ceil(horizon_s / step_s)), 1)
    keep = float(np.clip(alike, 1e-6, 1 - 1e-6)) ** (step_s / DAY_S)
    draws = np.stack([_normal(f"foresight/{i}", many) for i in range(steps)], axis=1)
    z = np.empty_like(draws)
    z[:, 0] = draws[:, 0]
    for i in range(1, steps):
        z[:, i] = keep * z[:, i - 1] + np.sqrt(1 - keep**2) * draws[:, i]
    log = np.sqrt(np.log1p(spread**2))
    relative = np.exp(log * z - log**2 / 2) - 1
    edges = np.arange(steps + 1, dtype=np.float64) * step_s
    return Errors(leads_s=edges, relative=relative, source=source, days=365.0, variability=_NONE)


def _normal(identity: str, many: int) -> Array:
    """Some of the standard draws, centred and of unit deviation again."""
    some = standard_draws(identity)[:many]
    return np.asarray((some - some.mean()) / some.std(), np.float64)


def _bridged(row: Array) -> Array:
    known = np.isfinite(row)
    at = np.arange(len(row))
    return row if known.all() else np.interp(at, at[known], row[known])


def _spaced(items: Sequence[int] | np.typing.NDArray[np.intp], most: int = MOST_PATHS) -> list[int]:
    """At most so many of them, evenly."""
    many = len(items)
    if many <= most:
        return [int(item) for item in items]
    return [int(items[int(i)]) for i in (np.arange(most) + 0.5) * many / most]
