"""What providers told of signals, and how good that has been."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.series import Series, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadError:
    """What forecasts were off by so many days ahead: 1 is the first day.

    ``error`` is the mean absolute error over the mean of what came [1]; None where too little came since.
    """

    day: int
    error: float | None
    issues: int
    compared_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One signal by one provider: what it says, how good its forecasts have been, and what went wrong."""

    signal: Signal
    provider: str
    zone: str
    series: Series | None
    errors: tuple[LeadError, ...] = ()
    flags: tuple[str, ...] = ()
