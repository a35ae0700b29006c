"""The share of making the hardware that falls on a run."""

from __future__ import annotations

from wattermark.values.boundary import Number
from wattermark.values.units import HOURS_PER_YEAR, S_PER_HOUR


def life_share(used_s: Number, *, lifetime_years: Number, utilisation: Number) -> Number:
    """What part of a device's useful life was used.

    Parameters
    ----------
    used_s : float or ndarray
        Device time that the run held: seconds times devices. [s]
    lifetime_years : float or ndarray
        How long a device serves. [year]
    utilisation : float or ndarray
        Part of that time in which somebody uses it: idle hours are shared by all. [1]

    Returns
    -------
    share : float or ndarray
        To be multiplied with what making one device took (kg CO2e, L). [1]

    References
    ----------
    .. [1] ISO/IEC 21031:2024: M = TE x TS x RS, time share and resource share.
    """
    return used_s / (S_PER_HOUR * HOURS_PER_YEAR * lifetime_years * utilisation)
