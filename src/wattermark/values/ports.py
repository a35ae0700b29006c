"""Every place where something can be plugged in, on one page."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from wattermark.values.mix import Mix
    from wattermark.values.records import Channel
    from wattermark.values.series import Answer, Ask, Request, Series, Signal
    from wattermark.values.served import Quote, Served


Told_co = TypeVar("Told_co", covariant=True)


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


class Talker(Protocol[Told_co]):
    """Whoever holds a conversation over the network; of a ``Provider`` or a ``MixProvider``, that part."""

    @property
    def name(self) -> str: ...

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Told_co]]: ...


class Provider(Protocol):
    """Who tells a signal over the network. It asks and understands; it fetches nothing itself."""

    @property
    def name(self) -> str:
        """As in the settings: ``electricity_maps``."""
        ...

    @property
    def signals(self) -> Sequence[Signal]:
        """What it can tell."""
        ...

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Series]]:
        """Yield requests, get their answers (status 200 to 299), return what they said.

        Any other status is thrown in as ``SignalRefused``, for who can do something about it, and else is
        the end.

        Raises
        ------
        BadSignal
            If an answer makes no sense, or says that there is nothing.
        """
        ...


class MixProvider(Protocol):
    """Who tells which plants made the electricity; factors and ``science/mix`` turn that into signals."""

    @property
    def name(self) -> str:
        """As in the settings: ``entsoe``."""
        ...

    @property
    def signals(self) -> Sequence[Signal]:
        """What can be known by what it tells."""
        ...

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Mix]]:
        """As a ``Provider``; what was first, a forecast after it.

        Raises
        ------
        BadSignal
            If an answer makes no sense, or says that there is nothing.
        """
        ...


class Quoter(Protocol):
    """Who says at once what a request took, before it is settled."""

    def quote(self, served: Served) -> Quote | None:
        """None where nothing can be said; never raises, and takes microseconds."""
        ...


class Pausable(Protocol):
    """A command that can be made to stand still, and to go on."""

    @property
    def paused(self) -> bool:
        """Whether it stands still, by us."""
        ...

    def pause(self) -> None:
        """Make it stand still; twice is no harm.

        Raises
        ------
        LeverStuck
            If it does not; it then runs on.
        """
        ...

    def resume(self) -> None:
        """Let it go on; no harm if it does."""
        ...

    def close(self) -> None:
        """Let it go on, and leave nothing behind."""
        ...
