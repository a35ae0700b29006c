"""From a forecast of load, wind and sun to the plants that will run: the rest follows what is left over.

Operators foretell the load and what weather makes; what plants answer to the rest is known from the days
before. Each follows its own hours of the last week, and the residual load by a slope of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import NoPlan
from wattermark.values.mix import Fuel, Mix

Array = NDArray[np.float64]

DRIVEN: Final[tuple[Fuel, ...]] = (Fuel.WIND, Fuel.WIND_OFFSHORE, Fuel.SOLAR)
"""By the weather alone."""
DAY_S, HOUR_S = 86400.0, 3600.0
LEAST_DAYS, RECENT_DAYS = 7, 7
KEPT_A_DAY: Final = 0.8
"""How much of what was off in the last day is still off a day later; 0.8 to 0.9 serve alike. [1]"""
ROUNDING: Final = 1e-12
"""A residual load that varies less, over its square, is the same every day. [1]"""


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Steps with the hour of the day (UTC) of each, and its length. [s]"""

    begins_s: Array
    lengths_s: Array
    hour: NDArray[np.intp]


def continued(was: Mix, ahead: Mix) -> Mix:
    """The plants to come, where wind, sun and load alone are foretold.

    For each fuel that weather does not drive, P(t) = p(h) + b (R(t) - r(h)) + e k^d: its mean ``p`` of that
    hour over the last week, its slope ``b`` on the residual load ``R`` (load less wind and sun) by least
    squares over all that was, and what was off in the last day ``e``, fading by ``k`` a day.

    Parameters
    ----------
    was : Mix
        At least a week, with its load. [MW]
    ahead : Mix
        Load, wind and sun, as far as they are told. What of them is not follows its hours of the last week.
        [MW]

    Returns
    -------
    Mix
        On the steps of ``ahead``, flagged. Storage is left out: it makes nothing. [MW]

    Raises
    ------
    NoPlan
        If there are too few days, or load is told of the one and not of the other.

    References
    ----------
    .. [1] A. Hawkes (2010), doi:10.1016/j.enpol.2010.05.053: plants regressed on the load they answer to.
    """
    days = (was.edges_s[-1] - was.edges_s[0]) / DAY_S
    if days < LEAST_DAYS:
        raise NoPlan(
            f"{days:.1f} days of plants are too few to continue", fix=f"Ask for {LEAST_DAYS} or more"
        )
    if bool(was.load_mw) != bool(ahead.load_mw):
        raise NoPlan("the load is told of the past or of the future alone", fix="Take another provider")
    before, after = _hours(was), _hours(ahead)
    told = {
        fuel: power for fuel, values in was.power_mw.items() if np.isfinite(power := _array(values)).any()
    }
    drove = {fuel: power for fuel, power in told.items() if fuel in DRIVEN}
    driven = {
        fuel: _array(ahead.power_mw[fuel])
        if fuel in ahead.power_mw
        else _usual(power, before, np.isfinite(power))[after.hour]
        for fuel, power in drove.items()
    }
    left_was, left = _less(_load(was), drove), _less(_load(ahead), driven)
    made: dict[Fuel, Array] = {}
    for fuel, power in told.items():
        if fuel not in (*DRIVEN, Fuel.STORAGE):
            least = -np.inf if fuel is Fuel.IMPORTS else 0.0
            made[fuel] = np.maximum(_following(power, left_was, left, before, after), least)
    return _mix(ahead, {**driven, **made}, days)


def _load(mix: Mix) -> Array:
    """What was used; without a load, all that others follow is the weather."""
    return _array(mix.load_mw) if mix.load_mw else np.zeros(mix.steps)


def _less(load: Array, driven: Mapping[Fuel, Array]) -> Array:
    """What is left to the plants that answer; NaN where one part was not told."""
    for power in driven.values():
        load = load - power
    return load


def _following(power: Array, left_was: Array, left: Array, before: Hours, after: Hours) -> Array:
    """One fuel's power to come."""
    slope = _slope(power, left_was, before)
    both = np.isfinite(power) & np.isfinite(left_was)
    usual, usual_left = _usual(power, before, both), _usual(left_was, before, both)
    expected = usual[before.hour] + slope * (left_was - usual_left[before.hour])
    last = before.begins_s >= before.begins_s[-1] - DAY_S + HOUR_S
    off = power[last] - expected[last]
    told = np.isfinite(off)
    error = float(np.average(off[told], weights=before.lengths_s[last][told])) if told.any() else 0.0
    far = (after.begins_s - after.begins_s[0]) / DAY_S
    found: Array = usual[after.hour] + slope * (left - usual_left[after.hour]) + error * KEPT_A_DAY**far
    return found


def _slope(power: Array, left: Array, hours: Hours) -> float:
    """Of power on residual load, both less their means of the hour, over all that was told. [1]"""
    both = np.isfinite(power) & np.isfinite(left)
    x = (left - _by_hour(left, hours, both)[hours.hour])[both]
    y = (power - _by_hour(power, hours, both)[hours.hour])[both]
    weight = hours.lengths_s[both]
    spread, whole = float((weight * x * x).sum()), float((weight * left[both] ** 2).sum())
    return float((weight * x * y).sum()) / spread if spread > ROUNDING * whole else 0.0


def _usual(values: Array, hours: Hours, taken: NDArray[np.bool_]) -> Array:
    """The mean of each hour of the day in the last week, shape (24,), of the steps that are taken."""
    recent = hours.begins_s >= hours.begins_s[-1] - RECENT_DAYS * DAY_S + HOUR_S
    return _by_hour(values, hours, recent & taken)


def _by_hour(values: Array, hours: Hours, taken: NDArray[np.bool_]) -> Array:
    """Means of the steps that are taken, by hour of the day; of all of them where an hour has none."""
    if not taken.any():
        return np.full(24, np.nan)
    weight = hours.lengths_s[taken]
    total = np.bincount(hours.hour[taken], weight * values[taken], 24)
    time = np.bincount(hours.hour[taken], weight, 24)
    mean = float(total.sum() / time.sum())
    found: Array = np.divide(total, time, out=np.full(24, mean), where=time > 0.0)
    return found


def _hours(mix: Mix) -> Hours:
    edges = np.asarray(mix.edges_s, np.float64)
    hour = ((edges[:-1] + np.diff(edges) / 2) % DAY_S // HOUR_S).astype(np.intp)
    return Hours(edges[:-1], np.diff(edges), hour)


def _array(values: tuple[float | None, ...]) -> Array:
    return np.array([np.nan if one is None else one for one in values], np.float64)


def _mix(ahead: Mix, power_mw: dict[Fuel, Array], days: float) -> Mix:
    return Mix(
        place=ahead.place,
        source=ahead.source,
        edges_s=ahead.edges_s,
        power_mw={
            fuel: tuple(float(one) if np.isfinite(one) else None for one in power)
            for fuel, power in power_mw.items()
        },
        load_mw=ahead.load_mw,
        issued_s=ahead.issued_s,
        fetched_s=ahead.fetched_s,
        forecast_from_s=ahead.forecast_from_s,
        flags=(
            f"regressed: plants by residual load, on {days:.0f} days; the operator told load and weather",
        ),
    )
