"""Open every meter that works, meter each part once, and remember why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wattermark.errors import FOREIGN, ReaderUnavailable, WattermarkError
from wattermark.values.kinds import Kind
from wattermark.values.ports import Reader
from wattermark.values.records import Channel, overlap

Opener = Callable[[], Reader]
NOT_ADDED = "metered by another reader: not added"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Readers by name, and for each other one what is wrong and what to do."""

    readers: dict[str, Reader]
    skipped: dict[str, WattermarkError]


class Beside:
    """A reader of which some parts are metered already: they are read, to be compared, and not added.

    Parameters
    ----------
    reader : Reader
        All of whose channels are read on.
    again : iterable of Channel
        Those that are not added.
    """

    def __init__(self, reader: Reader, again: Iterable[Channel]) -> None:
        self._reader = reader
        names = {channel.name for channel in again}
        self.channels: Sequence[Channel] = [
            replace(channel, counted=False, note=NOT_ADDED) if channel.name in names else channel
            for channel in reader.channels
        ]

    def period_s(self, interval_s: float) -> float:
        """As the reader says. [s]"""
        return self._reader.period_s(interval_s)

    def read(self) -> Sequence[int | None]:
        """As the reader says."""
        return self._reader.read()

    def close(self) -> None:
        """Close the reader."""
        self._reader.close()


def choose(candidates: Mapping[str, Opener]) -> Chosen:
    """Open the candidates in the order given; hardware that one covers is not counted twice.

    A later one stays where it meters something more, or where it may be held against the counter of
    the first one: accounting compares the two.
    """
    readers: dict[str, Reader] = {}
    skipped: dict[str, WattermarkError] = {}
    covered: dict[str, Channel] = {}
    for name, open_reader in candidates.items():
        try:
            readers[name], told = _beside(_opened(open_reader), covered)
        except WattermarkError as error:
            skipped[name] = error
            continue
        covered = {channel.covers: channel for channel in told} | covered
    return Chosen(readers, skipped)


def _opened(open_reader: Opener) -> Reader:
    try:
        return open_reader()
    except WattermarkError:
        raise
    except FOREIGN as error:
        raise ReaderUnavailable(
            f"the reader cannot be opened: {type(error).__name__}: {error}", fix="Report it to its makers"
        ) from error


def _beside(reader: Reader, covered: Mapping[str, Channel]) -> tuple[Reader, list[Channel]]:
    """A reader as it may be used beside those that were opened, and what it would count by itself."""
    told = [channel for channel in reader.channels if channel.counted and channel.covers]
    again = [channel for channel in told if any(overlap(channel.covers, other) for other in covered)]
    if not again:
        return reader, told
    if len(again) == len(told) and not any(_comparable(channel, covered) for channel in again):
        reader.close()
        parts = ", ".join(sorted(channel.covers for channel in again))
        raise ReaderUnavailable(f"{parts} is metered already", fix="Nothing to do")
    return Beside(reader, again), told


def _comparable(channel: Channel, covered: Mapping[str, Channel]) -> bool:
    """Whether the very same part has a counter, that this counter or power may be held against."""
    first = covered.get(channel.covers)
    return first is not None and first.kind is Kind.COUNTER
