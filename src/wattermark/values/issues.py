"""Forecasts as they were issued, one after the other, beside what then came."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.series import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Issues:
    """Rolling forecasts of one place: row i was issued at ``issued_s[i]`` for the steps that follow.

    ``forecast[i][j]`` and ``actual[i][j]`` are of the step from ``issued_s[i] + j * step_s`` on; None is a
    gap. All rows are of one length. [s since 1970]
    """

    signal: Signal
    place: str
    source: str
    step_s: float
    issued_s: tuple[float, ...]
    actual: tuple[tuple[float | None, ...], ...]
    forecast: tuple[tuple[float | None, ...], ...]
    basis: str = ""
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.issued_s) == len(self.actual) == len(self.forecast):
            raise ValueError("each issue needs its time, its forecast and what came")
        if len({len(row) for rows in (self.actual, self.forecast) for row in rows}) > 1:
            raise ValueError("the issues of a forecast must be of one length")

    @property
    def steps(self) -> int:
        """How many steps each issue looks ahead."""
        return len(self.forecast[0]) if self.forecast else 0
