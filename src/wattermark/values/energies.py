"""Amounts of energy and power as people write them."""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

from wattermark.values.units import J_PER_KWH

_UNIT_J: Final = {
    "j": 1.0,
    "kj": 1e3,
    "mj": 1e6,
    "gj": 1e9,
    "wh": J_PER_KWH / 1e3,
    "kwh": J_PER_KWH,
    "mwh": J_PER_KWH * 1e3,
    "gwh": J_PER_KWH * 1e6,
}
_NUMBER: Final = r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)"
_FORM: Final = re.compile(rf"{_NUMBER}\s*([kmg]?(?:wh|j))", re.IGNORECASE)


def joules_of(text: str) -> float:
    """An energy with its unit: ``120kWh``, ``1.5 MWh``, ``800 Wh``, ``3e6 J``. [J]

    Raises
    ------
    ValueError
        If it is none, or not above zero.

    Examples
    --------
    >>> joules_of("1.5 kWh")
    5400000.0
    """
    found = _FORM.fullmatch(text.strip())
    energy_j = float(found[1]) * _UNIT_J[found[2].lower()] if found else 0.0
    if not energy_j > 0 or not isfinite(energy_j):
        raise ValueError(f"{text!r} is no energy above zero; write 120kWh, 800Wh or 3e6J")
    return energy_j


_UNIT_W: Final = {"w": 1.0, "kw": 1e3, "mw": 1e6}
_POWER: Final = re.compile(rf"{_NUMBER}\s*([km]?w)", re.IGNORECASE)


def watts_of(text: str) -> float:
    """A power with its unit: ``40kW``, ``700 W``, ``1.2MW``. [W]

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> watts_of("0.7 kW")
    700.0
    """
    found = _POWER.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no power; write 40kW or 700W")
    return float(found[1]) * _UNIT_W[found[2].lower()]
