"""A quantity that knows how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Range:
    """A best value between a low and a high one, all three in one unit.

    The name that holds a range says the unit (``carbon_g: Range``). The ends are a 90 %
    interval (5th and 95th percentile).
    """

    low: float
    best: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.best <= self.high or not (isfinite(self.low) and isfinite(self.high)):
            raise ValueError(
                f"a range needs finite low <= best <= high; got {self.low}, {self.best}, {self.high}"
            )

    @classmethod
    def exact(cls, value: float) -> Range:
        """A value without doubt."""
        return cls(value, value, value)

    @property
    def ends(self) -> tuple[float, float, float]:
        """Low, best and high."""
        return self.low, self.best, self.high

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    def plus(self, other: Range) -> Range:
        """Add where one cause may move both (two runs under one grid factor): the ends add."""
        return Range(self.low + other.low, self.best + other.best, self.high + other.high)
