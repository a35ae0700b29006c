"""The hours to come from the hours that were: no weather, no service, a few milliseconds.

The last seven days' mean profile is corrected by regression on how the last day, the last hours, the last
month and the same weekday lay about it; one set of weights for each day of lead, least squares with a ridge,
fitted to what this history would have been forecast as on each of its own days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.science.foresight.days import DAY_S, Days, days_of, last_known_s
from wattermark.science.foresight.errors import Errors, errors_of
from wattermark.science.foresight.scores import error_by_day, mean_error
from wattermark.science.schedule.steps import Array, Steps

MOST_ROWS: Final = 9000
MOST_DAYS, LEAST_DAYS = 365, 28
RIDGE: Final = 20.0
"""How many days of one's own the belief counts for that a feature has no weight."""
REFIT_DAYS: Final = 7
BACKTEST_DAYS, BACKTEST_REFIT_DAYS = 84, 28
"""How far a forecast looks back at itself, with weights that are fitted anew this often."""
FIRST_ISSUE: Final = 3
FEW_DAYS: Final = "forecast-of-few-days: the history holds less than two weeks"
NO_HISTORY: Final = "no-history: nothing is known of this signal, and nothing is forecast"

Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Issues:
    """Forecasts that were made, and what came.

    ``issued_s`` has shape (n,) [s since 1970], ``leads_s`` are edges of shape (h + 1,) from the moment of
    issue on [s]; ``actual`` and ``forecast`` have shape (n, h), NaN for a gap, in one unit.
    """

    issued_s: Array
    leads_s: Array
    actual: Array
    forecast: Array

    @property
    def many(self) -> int:
        return len(self.issued_s)

    def errors(self, source: str = "own") -> Errors:
        """Their errors as paths."""
        return errors_of(self.actual, self.forecast, self.leads_s, issued_s=self.issued_s, source=source)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GridForecast:
    """A forecast, and how good such forecasts of this history have been.

    ``past`` are those of a rolling back-test, each made of what was known then; ``error`` is their mean
    absolute error over the mean, ``error_by_day`` their mean absolute relative error for each day of lead,
    None where nobody knows [1].
    """

    steps: Steps
    issued_s: float
    past: Issues
    error: float | None
    error_by_day: tuple[float | None, ...]
    flags: tuple[str, ...] = ()


def forecast(history: Steps, now_s: float, horizon_s: float) -> GridForecast:
    """What comes after a history, in its own steps.

    Parameters
    ----------
    history : Steps
        A signal of any step and length, NaN for a gap; what lies after ``now_s`` is not looked at.
    now_s : float
        [s since 1970]
    horizon_s : float
        From ``now_s`` on. [s]

    Returns
    -------
    GridForecast
        Its steps begin where the history ends, which is before ``now_s`` where that is stale; all gaps
        where there is no history.

    References
    ----------
    .. [1] The form follows long practice for electricity: R. Weron, "Electricity price forecasting", Int. J.
       Forecasting 30 (2014), doi:10.1016/j.ijforecast.2014.08.008: lagged days, weekday, a few regressors.
    """
    until = Steps(*_until(history, now_s))
    begin_s = last_known_s(until)
    days = None if begin_s is None else days_of(until, begin_s)
    if days is None or begin_s is None:
        empty = Steps(np.array([now_s, now_s + horizon_s]), np.array([np.nan]))
        past = _no_issues(np.array([0.0, horizon_s]))
        return GridForecast(
            steps=empty, issued_s=now_s, past=past, error=None, error_by_day=(), flags=(NO_HISTORY,)
        )
    leads = int(np.ceil((now_s + horizon_s - begin_s) / DAY_S - 1e-9))
    told = _ahead(days, np.array([len(days.values)]), leads)[0]
    edges = begin_s + np.arange(len(told) + 1) * days.slot_s
    past = _backtest(days, leads, BACKTEST_DAYS, BACKTEST_REFIT_DAYS)
    flags = (FEW_DAYS,) if len(days.values) < 2 * REFIT_DAYS else ()
    return GridForecast(
        steps=Steps(np.asarray(edges, np.float64), told),
        issued_s=begin_s,
        past=past,
        error=mean_error(past.actual, past.forecast),
        error_by_day=error_by_day(past.actual, past.forecast, past.leads_s),
        flags=flags,
    )


def past_forecasts(history: Steps, end_s: float, horizon_s: float, *, most_days: int = 730) -> Issues:
    """What this forecast would have said on each day of a history, at the hour of its end.

    Nothing after an issue is in its fit or its features; weights are fitted anew every seven days.

    Parameters
    ----------
    history : Steps
        NaN for a gap.
    end_s : float
        Where it is taken to end. [s since 1970]
    horizon_s : float
        Of each issue; only those are returned whose horizon lies within the history. [s]
    most_days : int
        How many issues at most, the latest.
    """
    days = days_of(Steps(*_until(history, end_s)), end_s)
    leads = max(int(np.ceil(horizon_s / DAY_S - 1e-9)), 1)
    if days is None:
        return _no_issues(np.array([0.0, horizon_s]))
    return _cut(_backtest(days, leads, most_days, REFIT_DAYS), horizon_s)


def _cut(issues: Issues, horizon_s: float) -> Issues:
    kept = int(np.searchsorted(issues.leads_s, horizon_s - 1e-6))
    return Issues(
        issued_s=issues.issued_s,
        leads_s=issues.leads_s[: kept + 1],
        actual=issues.actual[:, :kept],
        forecast=issues.forecast[:, :kept],
    )


def _no_issues(leads_s: Array) -> Issues:
    none = np.empty((0, len(leads_s) - 1))
    return Issues(issued_s=np.empty(0), leads_s=leads_s, actual=none, forecast=none)


def _until(history: Steps, end_s: float) -> tuple[Array, Array]:
    kept = int(np.searchsorted(history.edges_s, end_s, side="right")) - 1
    if kept < 1 and end_s <= history.edges_s[0]:
        return np.array([end_s - 1.0, end_s]), np.array([np.nan])
    inside = history.edges_s[: kept + 1]
    if inside[-1] < end_s and kept < len(history.values):  # a step that is under way is known so far
        return np.append(inside, end_s), history.values[: kept + 1]
    return inside, history.values[:kept]


def _backtest(days: Days, leads: int, most_days: int, refit_days: int) -> Issues:
    many, slots = days.values.shape
    leads_s = np.arange(leads * slots + 1) * days.slot_s
    first = max(FIRST_ISSUE, many - leads + 1 - most_days)
    issues = np.arange(first, many - leads + 1)
    if not len(issues):
        return _no_issues(leads_s)
    told = np.concatenate(
        [_ahead(days, issues[i : i + refit_days], leads) for i in range(0, len(issues), refit_days)]
    )
    seen = np.where(days.known, days.real(days.values), np.nan).ravel()
    came = seen[issues[:, None] * slots + np.arange(leads * slots)]
    issued_s = days.end_s + (issues - many) * DAY_S
    return Issues(issued_s=issued_s, leads_s=leads_s, actual=came, forecast=told)


def _ahead(days: Days, issues: Whole, leads: int) -> Array:
    """Forecasts at the beginning of some days, shape (issues, leads x slots), as known at the first."""
    values = days.values
    around = _Around.of(values)
    known_days = int(issues[0])
    window = int(np.clip(MOST_ROWS // days.slots, LEAST_DAYS, MOST_DAYS))
    told = np.empty((len(issues), leads, days.slots))
    for lead in range(leads):
        learnt = np.arange(max(1, known_days - window), max(known_days - lead, 0))
        weights = _fitted(days, around, learnt, lead)
        told[:, lead] = around.week[issues] + _design(days, around, issues, lead) @ weights
    return days.real(told.reshape(len(issues), -1))


def _fitted(days: Days, around: _Around, learnt: Whole, lead: int) -> Array:
    """Weights of the features, shape (features,); zero where nothing is learnt."""
    ridge = RIDGE * days.slots * np.diag(np.square(_SCALES))
    if not len(learnt):
        return np.zeros(len(_SCALES))
    x = _design(days, around, learnt, lead)
    y = days.values[learnt + lead] - around.week[learnt]
    seen = days.known[learnt + lead]
    x, y = (x[seen], y[seen]) if not seen.all() else (x.reshape(-1, x.shape[-1]), y.ravel())
    return np.asarray(np.linalg.solve(x.T @ x + ridge, x.T @ y), np.float64)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Around:
    """For the beginning of each day: means of the days before, shape (days + 1, slots)."""

    week: Array
    one: Array
    two: Array
    three: Array
    month: Array

    @classmethod
    def of(cls, values: Array) -> _Around:
        many = len(values)
        sums = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
        at = np.arange(many + 1)

        def mean(days: int, skipped: int = 0) -> Array:
            end = np.maximum(at - skipped, np.minimum(at, 1))
            begin = np.maximum(end - days, 0)
            return np.asarray((sums[end] - sums[begin]) / np.maximum(end - begin, 1)[:, None], np.float64)

        return cls(week=mean(7), one=mean(1), two=mean(1, 1), three=mean(3), month=mean(28))


_SCALES: Final = np.array([0.05] * 12 + [0.5] * 5)
"""What a feature is worth at the size that it usually has: levels and profiles, then weekend and waves."""


def _design(days: Days, around: _Around, at: Whole, lead: int) -> Array:
    """Features of every slot of the day that lies ``lead`` days after each, shape (at, slots, features)."""
    slots, week = days.slots, around.week[at]
    hour = np.arange(slots) * 24 / slots
    wave = 2 * np.pi * hour / 24
    off = around.one[at] - week
    month = around.month[at] - week
    last6, last1 = (
        off[:, -max(round(slots * hours / 24), 1) :].mean(axis=1, keepdims=True) for hours in (6, 1)
    )
    weekend = (days.weekday(at + lead) >= 5).astype(np.float64)[:, None]
    features = (
        off, around.two[at] - week, around.three[at] - week, month,
        _weeks_ago(days, around, at, lead, 1) - week, _weeks_ago(days, around, at, lead, 2) - week,
        off.mean(axis=1, keepdims=True), month.mean(axis=1, keepdims=True),
        last6, last1,
        last6 * np.exp(-(hour + 24 * lead) / 18), last1 * np.exp(-(hour + 24 * lead) / 6),
        weekend, weekend * np.cos(wave), weekend * np.sin(wave), np.cos(wave), np.sin(wave),
    )  # fmt: skip
    table = np.empty((len(at), slots, len(features)))
    for i, feature in enumerate(features):
        table[..., i] = feature
    return table


def _weeks_ago(days: Days, around: _Around, at: Whole, lead: int, weeks: int) -> Array:
    """The same weekday, so many weeks before the first one that is not known yet; else the week's mean."""
    day = at + lead - 7 * (lead // 7 + weeks)
    return np.where((day >= 0)[:, None], days.values[np.maximum(day, 0)], around.week[at])
