"""Every place where something can be plugged in, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wattermark.values.records import Channel


class Reader(Protocol):
    """A meter. Opened once, read many times, from one thread."""

    @property
    def channels(self) -> Sequence[Channel]:
        """What each number of ``read`` means; the same for the whole life of the reader."""
        ...

    def period_s(self, interval_s: float) -> float:
        """How often it has to be read, when the user asked for ``interval_s``. [s]"""
        ...

    def read(self) -> Sequence[int | None]:
        """One raw number for each channel; None where the device did not answer."""
        ...

    def close(self) -> None:
        """Give back what the device lent; twice is no harm."""
        ...


class Spool(Protocol):
    """Where a run's lines go first: appended, and safe from a crash at once."""

    def write(self, lines: str) -> None:
        """Append whole lines in one go; never raises, what cannot be written now is kept."""
        ...

    def close(self) -> None:
        """No more lines will come."""
        ...
