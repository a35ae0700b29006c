"""What came of a policy, in few numbers."""

from __future__ import annotations

import numpy as np

from wattermark.science.rehearsal.rehearse import Tried
from wattermark.science.schedule.steps import Array
from wattermark.values.backtest import PERCENTS, Judged

SAME = 1e-9
"""A share by which two intensities may differ and still be the same."""


def judge(policy: str, now: Array, tried: Tried, step_s: float) -> Judged | None:
    """Compare each start with starting at once; None where there is nothing to compare.

    Parameters
    ----------
    policy : str
        Its name.
    now : ndarray
        Mean intensity of the job if it starts at once, shape (m,); NaN where unknown. [g/kWh]
    tried : Tried
        What it did, of the same shape.
    step_s : float
        Of the waits. [s]
    """
    known = np.isfinite(now) & np.isfinite(tried.cost)
    if not known.any():
        return None
    before, after = now[known], tried.cost[known]
    shares = savings(before, after)
    waits, pauses = tried.wait[known], tried.pauses[known]
    return Judged(
        policy=policy,
        intensity_g_per_kwh=float(after.mean()),
        saving=float(shares.mean()),
        saving_of_means=float(savings(before.mean(), after.mean())),
        saving_g_per_kwh=float((before - after).mean()),
        percentiles=tuple(float(p) for p in np.percentile(shares, PERCENTS)),
        worse=float((after > before * (1 + SAME)).mean()),
        wait_s=float(waits.mean() * step_s) if np.isfinite(waits).all() else None,
        pauses=float(pauses.mean()) if np.isfinite(pauses).all() else None,
    )


def savings(before: Array, after: Array) -> Array:
    """Shares that are saved; nothing where there was nothing to save. [1]

    Parameters
    ----------
    before, after : ndarray
        Of one unit and shape.
    """
    some = before > 0
    return np.where(some, (before - after) / np.where(some, before, 1.0), 0.0)
