"""Amounts of energy as people write them."""

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
_FORM: Final = re.compile(
    r"([0-9][0-9_]*\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+)\s*([kmg]?(?:wh|j))", re.IGNORECASE
)


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
