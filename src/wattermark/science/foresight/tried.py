"""A job of a backtest, planned by forecasts: those of a file, or our own."""

from __future__ import annotations

from math import isfinite
from typing import Final

import numpy as np

from wattermark.science.foresight.days import DAY_S
from wattermark.science.foresight.grid_forecast import Issues
from wattermark.science.foresight.trial import issues_of_history, trial
from wattermark.science.schedule.steps import Array, Steps
from wattermark.values.backtest import Rehearsal
from wattermark.values.issues import Issues as IssuesTold
from wattermark.values.trial import Trial

MOST_AHEAD_S: Final = 7 * DAY_S
"""Nobody forecasts further."""


def issues_told(told: IssuesTold) -> Issues:
    """Forecasts of a file as arrays; None becomes NaN.

    Parameters
    ----------
    told : values.issues.Issues
        In the order of their issue.
    """
    return Issues(
        issued_s=np.asarray(told.issued_s, np.float64),
        leads_s=np.arange(told.steps + 1, dtype=np.float64) * told.step_s,
        actual=_array(told.actual),
        forecast=_array(told.forecast),
    )


def _array(rows: tuple[tuple[float | None, ...], ...]) -> Array:
    return np.array([[np.nan if one is None else one for one in row] for row in rows], np.float64)


def own_issues(history: Steps, job: Rehearsal) -> Issues:
    """What our own forecast would have said on each day of a history.

    Parameters
    ----------
    history : Steps
        NaN for a gap.
    job : Rehearsal
        How far must be looked ahead.
    """
    ahead_s = min(job.within_s, MOST_AHEAD_S)
    end_s = float(history.edges_s[-1])
    every_s = DAY_S if job.every_s is None else max(job.every_s, DAY_S)
    return issues_of_history(history, end_s, within_s=max(ahead_s, DAY_S), every_s=every_s)


def try_job(issues: Issues, job: Rehearsal) -> Trial:
    """One job from each issue on, planned by what was foretold.

    Parameters
    ----------
    issues : Issues
        Of one place.
    job : Rehearsal
        What runs, and by when.

    Raises
    ------
    ValueError
        As of ``trial``.
    """
    within_s = job.within_s if isfinite(job.within_s) else MOST_AHEAD_S
    return trial(issues, job_s=job.duration_s, within_s=within_s, interruptible=job.interruptible)
