"""Lengths of time as people write them."""

from __future__ import annotations

import re
from typing import Final

from wattermark.values.units import S_PER_HOUR

_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": S_PER_HOUR, "d": 24 * S_PER_HOUR, "w": 168 * S_PER_HOUR}
_UNIT: Final = r"(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
_NUMBER: Final = r"(\d+(?:\.\d*)?|\.\d+)"
_PART: Final = re.compile(rf"{_NUMBER}\s*{_UNIT}\s*")
_BARE: Final = re.compile(_NUMBER)


def seconds_of(text: str) -> float:
    """What ``24`` (hours), ``24h``, ``90m``, ``2d``, ``1.5 hours`` or ``1d12h`` is. [s]

    Raises
    ------
    ValueError
        If it is no length of time: a unit that is none, a number below nothing, words.
    """
    plain = text.strip().lower()
    if _BARE.fullmatch(plain):
        return float(plain) * S_PER_HOUR
    if not plain or _PART.sub("", plain):
        raise ValueError(f"{text!r} is no length of time; write 24h, 90m, 2d or 1d12h (24 is hours)")
    return sum(float(number) * _SECONDS[unit[0]] for number, unit in _PART.findall(plain))
