"""By when a result is wanted, where people look at results in working hours only.

Wiesner et al., "Let's Wait Awhile", Middleware 2021, doi:10.1145/3464298.3493399, section 5.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from wattermark.science.schedule.steps import Array

DAY_S = 86_400.0
OPENS_S, CLOSES_S = 9 * 3600.0, 17 * 3600.0
MONDAY, THURSDAY, SATURDAY = 0, 3, 5


def next_workday(finish_s: ArrayLike, offset_s: float = 0.0) -> Array:
    """What would end outside of working hours may end when the next workday begins; else as it would.

    A Friday's evening ends on Monday, and what ends as work ends (17:00) is still seen.

    Parameters
    ----------
    finish_s : array-like
        When it ends if it starts at once. [s since 1970]
    offset_s : float
        How far the clock there is ahead of UTC. [s]

    Returns
    -------
    deadlines : ndarray
        Of the same shape. [s since 1970]
    """
    local = np.asarray(finish_s, np.float64) + offset_s
    day, time_s = np.divmod(local, DAY_S)
    weekday = _weekday(day)
    seen = (weekday < SATURDAY) & (time_s >= OPENS_S) & (time_s <= CLOSES_S)
    opening = day + (time_s > CLOSES_S)  # before nine it is the same day
    opening += np.choose(_weekday(opening).astype(np.intp), (0, 0, 0, 0, 0, 2, 1))
    return np.where(seen, local, opening * DAY_S + OPENS_S) - offset_s


def semi_weekly(finish_s: ArrayLike, offset_s: float = 0.0) -> Array:
    """What ends may end as late as the next Monday or Thursday at nine, when results are looked at.

    Parameters
    ----------
    finish_s, offset_s
        As of ``next_workday``.
    """
    local = np.asarray(finish_s, np.float64) + offset_s
    day, time_s = np.divmod(local, DAY_S)
    day += time_s > OPENS_S
    weekday = _weekday(day)
    wait = np.where(weekday <= THURSDAY, THURSDAY - weekday, 7 + MONDAY - weekday)
    return (day + np.where(weekday == MONDAY, 0, wait)) * DAY_S + OPENS_S - offset_s


def _weekday(day: Array) -> Array:
    """Of days since 1970, which began with a Thursday; Monday is 0."""
    return np.asarray((day + THURSDAY) % 7)
