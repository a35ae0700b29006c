"""Functions of the factors that are put together before any factor has a value."""

from __future__ import annotations

from collections.abc import Iterable

from wattermark.science.terms import Energy
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number


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


def once(energy: Energy) -> Energy:
    """The same function, that remembers its last answer: several terms ask it for the same values.

    Parameters
    ----------
    energy : callable
        From the factors to a number or an array.
    """
    asked: Values | None = None
    answer: Number = 0.0

    def remembered(values: Values) -> Number:
        nonlocal asked, answer
        if values is not asked:
            asked, answer = values, energy(values)
        return answer

    return remembered


def np_any(value: Number) -> bool:
    """Whether anything in it is not zero.

    Parameters
    ----------
    value : float or ndarray
        In any unit.
    """
    return bool(value.any()) if hasattr(value, "any") else value != 0
