"""Quantities as people read them: three digits, and a unit that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wattermark.values.range import Range

Scale = Sequence[tuple[float, str]]

ENERGY: Final[Scale] = (
    (1e-6, "µJ"),
    (1e-3, "mJ"),
    (1.0, "J"),
    (3.6e3, "Wh"),
    (3.6e6, "kWh"),
    (3.6e9, "MWh"),
    (3.6e12, "GWh"),
)
CARBON: Final[Scale] = (
    *((1e-9, "ng"), (1e-6, "µg"), (1e-3, "mg")),
    *((1.0, "g"), (1e3, "kg"), (1e6, "t"), (1e9, "kt")),
)
WATER: Final[Scale] = ((1e-9, "nL"), (1e-6, "µL"), (1e-3, "mL"), (1.0, "L"), (1e3, "m3"))
SCARCITY: Final[Scale] = ((1e-9, "µL eq"), (1e-6, "mL eq"), (1e-3, "L eq"), (1.0, "m3 eq"))
POWER: Final[Scale] = ((1e-3, "mW"), (1.0, "W"), (1e3, "kW"), (1e6, "MW"))
TIME: Final[Scale] = ((1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86400.0, "d"))

EARLY: Final = {"Wh": 0.1}
"""Units that are used before there is one of them: people compare prompts in watt-hours."""

COUNT: Final[Scale] = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "B"), (1e12, "T"))

SCALES: Final = {
    "j": ENERGY,
    "g": CARBON,
    "l": WATER,
    "m3eq": SCARCITY,
    "w": POWER,
    "s": TIME,
}
UNKNOWN = "not known"


def scale_of(quantity: str) -> Scale:
    """The units of a quantity, by the end of its name (``it_energy_j``)."""
    return SCALES[quantity.rpartition("_")[2]]


def say(value: float | None, scale: Scale) -> str:
    """One value: ``1.23 kWh``."""
    if value is None:
        return UNKNOWN
    size, unit = _fit(value, scale)
    return f"{digits(value / size)} {unit}"


def say_interval(value: Range | None, scale: Scale) -> str:
    """Its 90 % interval, in the unit that fits its best value: ``0.9 - 1.6 kWh``."""
    if value is None or value.is_exact:
        return ""
    size, unit = _fit(value.best or value.high, scale)
    return f"{digits(value.low / size)} - {digits(value.high / size)} {unit}"


def one_unit(scale: Scale, values: Sequence[float]) -> Scale:
    """The one unit that fits the middle of some values."""
    middle = sorted(values)[len(values) // 2] if values else 0.0
    return (_fit(middle, scale),)


def bare(value: float, scale: Scale) -> str:
    """One value in the only unit of a scale, without naming it: a column's heading does."""
    return digits(value / scale[0][0])


def bare_interval(value: Range | None, scale: Scale) -> str:
    """An interval likewise."""
    if value is None or value.is_exact:
        return ""
    return f"{bare(value.low, scale)} - {bare(value.high, scale)}"


def digits(value: float) -> str:
    """Three significant digits, without an exponent where people would not use one."""
    if value == 0:
        return "0"
    if abs(value) >= 1e7:
        return f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"


def _fit(value: float, scale: Scale) -> tuple[float, str]:
    """The largest unit of which the value holds at least one; the smallest if there is none."""
    if value == 0:
        return next(unit for unit in scale if unit[0] >= 1e-3)
    fits = [unit for unit in scale if abs(value) >= unit[0] * EARLY.get(unit[1], 0.9995)]
    return fits[-1] if fits else scale[0]
