"""How a signal goes with hour and season, and how forecasts of it have erred, as tables tell it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class YearShape:
    """A year's hours over its mean.

    ``hours[month][hour]`` (UTC, January first) are over the yearly mean [1]; ``weekend[month]`` is a weekend
    day's level over that of another day [1]. ``spread[month]`` is the standard deviation of real hours over
    the shape [1], and ``alike`` the correlation of that deviation with the one a day before [1]. Empty
    ``hours`` are a flat year, of which nobody knows how wrong it is.
    """

    key: str
    hours: tuple[tuple[float, ...], ...] = ()
    weekend: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    alike: float = 0.0
    source: str = ""
    year: int = 0
    basis: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """Relative errors of published forecasts: a row an issue, in steps of ``step_s`` from its moment on.

    ``variability`` is each forecast's deviation over its mean. [1]
    """

    step_s: float
    relative: tuple[tuple[float, ...], ...]
    variability: tuple[float, ...]
    zones: tuple[str, ...]
    source: str
