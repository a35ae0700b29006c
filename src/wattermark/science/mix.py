"""From the plants that ran to what a kWh of their electricity costs: carbon, and water by its two families.

A mean over the plants, weighted by what they generated. What makes nothing (storage), comes from elsewhere
(imports) or has no factor is in no mean: its share is told, and where it is too large there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import Series, Signal

Array = NDArray[np.float64]

LEAST_TOLD_OF: Final = 0.05
"""A share larger than this is told; of what has no factor, the share by which it could raise the mean. [1]"""
MOST_WITHOUT_FACTOR: Final = 0.35
"""Above this share nothing is said: the rest need not be like the part that is known. [1]"""
MOST_NOT_TOLD: Final = 0.02
"""Above this share, fuels that are usually told and were not make a gap. [1]"""


@dataclass(frozen=True, slots=True, eq=False)
class PerKwh:
    """What a kWh costs, by step, NaN for a gap; and what is to be said of it."""

    values: Array
    flags: tuple[str, ...] = ()


def generated_mw(mix: Mix) -> dict[Fuel, Array]:
    """What plants of the place made, by fuel; NaN where nobody told.

    Storage makes nothing and imports were made elsewhere: both are left out. A plant that takes more than it
    gives makes nothing either.

    Parameters
    ----------
    mix : Mix
        [MW]

    Returns
    -------
    generated_mw : dict of Fuel to ndarray
        Each of shape (n,), at least zero. [MW]
    """
    return {
        fuel: np.maximum(power, 0.0)
        for fuel, power in _power_mw(mix).items()
        if fuel not in (Fuel.STORAGE, Fuel.IMPORTS)
    }


def shares(mix: Mix) -> dict[Fuel, Array]:
    """Each fuel's part of what was made; all NaN in a step in which nothing was, or one was not told.

    Parameters
    ----------
    mix : Mix
        [MW]

    Returns
    -------
    shares : dict of Fuel to ndarray
        Each of shape (n,); they sum to 1. [1]
    """
    made = generated_mw(mix)
    total = sum(made.values(), np.zeros(mix.steps))
    return {fuel: _over(power, total) for fuel, power in made.items()}


def per_kwh(mix: Mix, factors: Mapping[Fuel, float]) -> PerKwh:
    """The mean factor of the plants that ran, weighted by what they made.

    A step is a gap where more than ``MOST_WITHOUT_FACTOR`` of what was made has no factor, or where fuels
    were not told that usually make more than ``MOST_NOT_TOLD`` of it.

    Parameters
    ----------
    mix : Mix
        [MW]
    factors : mapping of Fuel to float
        Of one kind: lifecycle, direct, or water that thermal plants or that reservoirs lose. [per kWh]

    Returns
    -------
    PerKwh
        Values of shape (n,), in the unit of the factors.

    References
    ----------
    .. [1] I. Tranberg et al. (2019), doi:10.1016/j.esr.2019.100367: accounting by production, without flows.
    """
    made = generated_mw(mix)
    none = np.zeros(mix.steps)
    known = {fuel: np.nan_to_num(power) for fuel, power in made.items() if fuel in factors}
    total = sum((np.nan_to_num(power) for power in made.values()), none)
    covered = sum(known.values(), none)
    weighed = sum((factors[fuel] * power for fuel, power in known.items()), none)
    without = _over(total - covered, total)
    hole = _not_told(made, mix.steps)
    # a share that is just at the bound may lie on either side of it by rounding
    usable = (covered > 0.0) & (without <= MOST_WITHOUT_FACTOR + 1e-9) & (hole <= MOST_NOT_TOLD)
    values = np.where(usable, _over(weighed, covered), np.nan)
    return PerKwh(values, (*_without_factor(made, factors, without), *_holes(made, hole)))


def series_of_mix(mix: Mix, signal: Signal, factors: Mapping[Fuel, float], *, basis: str = "") -> Series:
    """A mix as a signal.

    Parameters
    ----------
    mix : Mix
        [MW]
    signal : Signal
        What the factors are of.
    factors : mapping of Fuel to float
        In the unit of the signal.
    basis : str
        Of a carbon factor: lifecycle or direct.
    """
    told = per_kwh(mix, factors)
    values = tuple(float(value) if np.isfinite(value) else None for value in told.values)
    return Series(
        signal=signal,
        place=mix.place,
        source=mix.source,
        edges_s=mix.edges_s,
        values=values,
        basis=basis,
        issued_s=mix.issued_s,
        fetched_s=mix.fetched_s,
        forecast_from_s=mix.forecast_from_s,
        flags=tuple(dict.fromkeys((*mix.flags, *told.flags, *_left_out(mix)))),
    )


def _power_mw(mix: Mix) -> dict[Fuel, Array]:
    return {
        fuel: np.array([np.nan if one is None else one for one in values], np.float64)
        for fuel, values in mix.power_mw.items()
    }


def _over(part: Array, whole: Array) -> Array:
    """NaN where the whole is nothing."""
    found: Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0.0)
    return found


def _not_told(made: Mapping[Fuel, Array], steps: int) -> Array:
    """The share that fuels which were not told in a step usually have."""
    usual = {fuel: float(np.nanmean(power)) for fuel, power in made.items() if np.isfinite(power).any()}
    whole = sum(usual.values())
    missing = sum((np.where(np.isnan(made[fuel]), usual[fuel], 0.0) for fuel in usual), np.zeros(steps))
    return _over(missing, np.full(steps, whole)) if whole > 0.0 else np.ones(steps)


def _without_factor(made: Mapping[Fuel, Array], factors: Mapping[Fuel, float], share: Array) -> list[str]:
    """What was in no mean, and what it could do to it: two per cent of unknown fuel are a lot where all else
    is clean."""
    others = [fuel for fuel, power in made.items() if fuel not in factors and np.nansum(power) > 0.0]
    used = [fuel for fuel, power in made.items() if fuel in factors and np.nansum(power) > 0.0]
    if not others or not used:
        return []
    whole = sum(float(np.nansum(power)) for power in made.values())
    parts = {fuel: float(np.nansum(made[fuel])) / whole for fuel in (*others, *used)}
    mean = sum(parts[fuel] for fuel in others)
    known = sum(factors[fuel] * parts[fuel] for fuel in used) / (1.0 - mean)
    worst = max(factors, key=lambda fuel: factors[fuel])
    rise = mean * (factors[worst] / known - 1.0) if known > 0.0 else 0.0
    most = float(np.nanmax(share, initial=0.0))
    if max(rise, most) <= LEAST_TOLD_OF:
        return []
    return [
        f"no-factor: {', '.join(others)} are {mean:.1%} of the mix, {most:.0%} at most, and in no mean; "
        f"were they {worst}, it would be {rise:.0%} more"
    ]


def _holes(made: Mapping[Fuel, Array], hole: Array) -> list[str]:
    told = [fuel for fuel, power in made.items() if np.isnan(power).any()]
    steps = int((hole > 0.0).sum())
    return [f"not-told: {', '.join(told)} in {steps} of {len(hole)} steps"] if steps else []


def _left_out(mix: Mix) -> list[str]:
    """What is in no mean as it makes nothing, or was made elsewhere."""
    power = _power_mw(mix)
    made = sum((np.nan_to_num(one) for one in generated_mw(mix).values()), np.zeros(mix.steps))
    flags = []
    for fuel, about in ((Fuel.STORAGE, "they make nothing"), (Fuel.IMPORTS, "made elsewhere")):
        if fuel in power:
            most = float(np.nanmax(_over(np.maximum(np.nan_to_num(power[fuel]), 0.0), made), initial=0.0))
            if most > LEAST_TOLD_OF:
                flags.append(f"{fuel}: up to {most:.0%} of what was made here; {about}, so in no mean")
    if Fuel.IMPORTS not in mix.power_mw:
        flags.append("generation: of the plants of this place; what comes from elsewhere is not in it")
    return [*flags, *_negatives(power, made)]


def _negatives(power: Mapping[Fuel, Array], made: Array) -> list[str]:
    own = [fuel for fuel in power if fuel not in (Fuel.STORAGE, Fuel.IMPORTS)]
    taken = sum((np.maximum(-np.nan_to_num(power[fuel]), 0.0) for fuel in own), np.zeros(len(made)))
    most = float(np.nanmax(_over(taken, made), initial=0.0))
    if most <= LEAST_TOLD_OF:
        return []
    below = ", ".join(fuel for fuel in own if np.nanmin(power[fuel], initial=0.0) < 0.0)
    return [f"negative: {below} took up to {most:.0%} of what was made; counted as nothing made"]
