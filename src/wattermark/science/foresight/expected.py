"""The hours to come as a series, and how far it may be trusted: told, continued, or of a usual year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wattermark.science.foresight.chances import SHAPE_RECORD, USUAL_RECORD, Record
from wattermark.science.foresight.days import DAY_S
from wattermark.science.foresight.errors import Errors, errors_of_table, filled
from wattermark.science.foresight.grid_forecast import Issues, forecast
from wattermark.science.foresight.shape import shape_errors, shaped
from wattermark.science.foresight.trial import record
from wattermark.science.schedule.steps import Array, Steps, cut, steps_of
from wattermark.science.uncertainty import draws
from wattermark.science.wet_bulb import cooling_share, hourly_wue_l_per_kwh
from wattermark.values.factors import Factor
from wattermark.values.plan import PlannedJob
from wattermark.values.series import Series, Signal
from wattermark.values.units import S_PER_HOUR
from wattermark.values.year_shape import ErrorTable, YearShape

USUAL_YEAR: Final = "hours of a usual year"
OWN_FORECAST: Final = "own forecast"
LEAST_HISTORY_S: Final = 2 * DAY_S
"""Of less nothing follows for other days."""
LEAST_PAST: Final = 56
"""Of fewer past forecasts a record of one's own is wider than the usual one, and holds no better."""
LEVELS: Final = 100
AS_DRAWN: Final = Record(low=-1.0, mid=0.0, high=1.0)
"""What is drawn from an interval is as wide as it says."""
LEAST_MISSING_S: Final = 60.0
"""A series that ends so little before the deadline reaches it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Doubt:
    """How a series may err: paths of errors from ``issued_s`` on, and how plans on such paths have fared.

    ``past`` are forecasts of the same kind that were made, where these are known: by them ``record_for``
    tells how plans of a job would have fared, which says more than ``record`` does.
    """

    errors: Errors
    record: Record
    issued_s: float
    past: Issues | None = None

    def record_for(self, job: PlannedJob) -> Record:
        """How plans of a job have fared by its own length, deadline and pauses.

        Parameters
        ----------
        job : PlannedJob
            What is to run.
        """
        if self.past is None or self.past.many < LEAST_PAST:
            return self.record
        within_s = job.deadline_s - job.earliest_s
        found = record(self.past, job_s=job.duration_s, within_s=within_s, interruptible=job.interruptible)
        return found.aged(within_s / DAY_S)  # the last of them was made so long before now


def yearly(series: Series, factor: Factor) -> Doubt:
    """How a yearly factor may err that is the same at all hours: by its own interval, at all hours alike.

    Parameters
    ----------
    series : Series
        Of the factor.
    factor : Factor
        [its own unit]
    """
    errors = Errors(
        leads_s=np.array([0.0, series.end_s - series.begin_s]),
        relative=level_of(factor)[:, None],
        source=factor.source,
        days=365.0,
        variability=np.empty(0),
    )
    return Doubt(errors=errors, record=AS_DRAWN, issued_s=series.begin_s)


def level_of(factor: Factor, many: int = LEVELS) -> Array:
    """What a factor may be over its best value, less 1, shape (many,).

    Parameters
    ----------
    factor : Factor
        [its own unit]
    many : int
        How many draws.
    """
    best = factor.value.best
    return draws(factor)[:many] / best - 1 if best else np.zeros(many)


def usual_year(series: Series, shape: YearShape, factor: Factor) -> tuple[Series, Doubt]:
    """A yearly factor by hour, season and weekday; its own interval doubts the level of all hours.

    Parameters
    ----------
    series : Series
        The factor, the same at all hours.
    shape : YearShape
        Of its grid.
    factor : Factor
        Of the carbon intensity. [g/kWh]
    """
    edges = np.asarray(series.edges_s, np.float64)
    begin_s, horizon_s = series.begin_s, series.end_s - series.begin_s
    hours = shaped(factor.value.best, shape, edges).values
    told = replace(series, values=tuple(hours.tolist()), source=USUAL_YEAR)
    errors = shape_errors(shape, begin_s, horizon_s)
    level = level_of(factor, errors.many)[:, None]
    errors = replace(errors, relative=(1 + errors.relative) * (1 + level) - 1)
    return told.flagged(*shape.flags), Doubt(errors=errors, record=SHAPE_RECORD, issued_s=begin_s)


def told_by_others(series: Series, usual: ErrorTable) -> Doubt:
    """How a provider's forecast may err, of which nobody kept enough: as published ones have.

    Parameters
    ----------
    series : Series
        As it was told.
    usual : ErrorTable
        Of the factors.
    """
    return Doubt(errors=errors_of_table(usual), record=USUAL_RECORD, issued_s=_issued_s(series))


def continued(
    series: Series, history: Sequence[Series], begin_s: float, end_s: float, usual: ErrorTable
) -> tuple[Series, Doubt]:
    """A series that ends too early, continued by our own forecast from what came before.

    Parameters
    ----------
    series : Series
        As it was told.
    history : sequence of Series
        The same signal before it, in the order of time; may overlap.
    begin_s, end_s : float
        From when on it is looked at, and how far it must reach. What it tells of the time between is a
        forecast, too, from ``begin_s`` on where it does not say from when. [s since 1970]
    usual : ErrorTable
        Where the history is too short to tell how such forecasts have erred.

    Returns
    -------
    series : Series
        As it is where it reaches far enough, or where nothing is known to continue it from.
    doubt : Doubt
    """
    if series.end_s >= end_s - LEAST_MISSING_S:
        return series, told_by_others(series, usual)
    before = _known([*history, series])
    if before.lengths_s[np.isfinite(before.values)].sum() < LEAST_HISTORY_S:
        return series, told_by_others(series, usual)
    made = forecast(before, series.end_s, end_s - series.end_s)
    more = cut(made.steps, series.end_s, end_s)
    if not len(more.values) or not np.isfinite(more.values).any():
        return series, told_by_others(series, usual)
    error = "" if made.error is None else f", off by {made.error:.0%} on the days before"
    hours = (end_s - series.end_s) / S_PER_HOUR
    joined = replace(
        series,
        edges_s=(*series.edges_s, *more.edges_s[1:].tolist()),
        values=(*series.values, *(None if np.isnan(one) else one for one in more.values.tolist())),
        forecast_from_s=series.end_s if series.forecast_from_s is None else series.forecast_from_s,
    ).flagged(f"{OWN_FORECAST}: the last {hours:.3g} h follow from the hours before{error}", *made.flags)
    errors = filled(made.past.errors(), errors_of_table(usual))
    told_from_s = begin_s if series.forecast_from_s is None else series.forecast_from_s
    issued_s = min(made.issued_s, told_from_s)  # the hours that others foretold err, too
    return joined, Doubt(errors=errors, record=USUAL_RECORD, issued_s=issued_s, past=made.past)


def _known(parts: Sequence[Series]) -> Steps:
    """All of them as one history, the later part where two overlap."""
    edges: Array = np.empty(0)
    values: Array = np.empty(0)
    for part in parts:
        steps = steps_of(part)
        if len(edges) and edges[-1] > steps.edges_s[0]:
            kept = cut(Steps(edges, values), edges[0], min(steps.edges_s[0], edges[-1]))
            edges, values = kept.edges_s, kept.values
        if not len(edges) or not len(values):
            edges, values = steps.edges_s, steps.values
            continue
        gap = [np.nan] if steps.edges_s[0] > edges[-1] else []
        joint = steps.edges_s if gap else steps.edges_s[1:]
        edges, values = np.concatenate((edges, joint)), np.concatenate((values, gap, steps.values))
    return Steps(edges, values)


def _issued_s(series: Series) -> float:
    """From when on it is a forecast, as far as that is told."""
    known = (series.forecast_from_s, series.issued_s, series.fetched_s)
    return next((moment for moment in known if moment is not None), series.begin_s)


def cooled_by_weather(all_year: Series, wet_bulb: Series) -> Series:
    """A site's yearly WUE by the weather of the hours to come; their mean is the year's.

    Parameters
    ----------
    all_year : Series
        The WUE, the same at all hours. [L/kWh]
    wet_bulb : Series
        [degC]
    """
    weather = steps_of(wet_bulb)
    shape = cooling_share(weather.values)
    wue = next(value for value in all_year.values if value is not None)
    mean = float(np.nanmean(shape)) if np.isfinite(shape).any() else 0.0
    hours = hourly_wue_l_per_kwh(shape, wue, mean)
    return replace(
        wet_bulb,
        signal=Signal.WUE,
        values=tuple(None if np.isnan(one) else one for one in hours.tolist()),
    ).flagged("wue-by-weather: of the yearly WUE, by the wet bulb of these hours; their mean is the year's")
