"""Functions of the factors that are put together before any factor has a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number

T = TypeVar("T")


def total(parts: Iterable[Number]) -> Number:
    """The sum of parts.

    Parameters
    ----------
    parts : iterable of float or ndarray
        In one unit.
    """
    whole: Number = 0.0
    for part in parts:
        whole = whole + part
    return whole


def once(function: Callable[[Values], T]) -> Callable[[Values], T]:
    """The same function, that remembers its last answer: several terms ask it for the same values.

    Parameters
    ----------
    function : callable
        Of the factors.
    """
    last: list[tuple[Values, T]] = []

    def remembered(values: Values) -> T:
        if not last or values is not last[0][0]:
            last[:] = [(values, function(values))]
        return last[0][1]

    return remembered


def np_any(value: Number) -> bool:
    """Whether anything in it is not zero.

    Parameters
    ----------
    value : float or ndarray
        In any unit.
    """
    return bool(value.any()) if hasattr(value, "any") else value != 0
