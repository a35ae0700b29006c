"""Open every meter that works, meter each part once, and remember why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from wattermark.errors import FOREIGN, ReaderUnavailable, WattermarkError
from wattermark.values.kinds import Kind
from wattermark.values.ports import Reader
from wattermark.values.records import Channel

Opener = Callable[[], Reader]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Readers by name, and for each other one what is wrong and what to do."""

    readers: dict[str, Reader]
    skipped: dict[str, WattermarkError]


class Beside:
    """A reader of which another one meters some parts already: it reads them still, and they are not added.

    Parameters
    ----------
    reader : Reader
        As it was opened.
    channels : sequence of Channel
        What its numbers mean beside the other readers.
    """

    def __init__(self, reader: Reader, channels: Sequence[Channel]) -> None:
        self._reader = reader
        self.channels = channels

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
    """Open the candidates in the order given; hardware that one covers is not covered twice.

    A part that is metered already is not added again. A reader of which nothing else is left is closed,
    unless it tells the power of what another one counts: accounting compares the two.
    """
    readers: dict[str, Reader] = {}
    skipped: dict[str, WattermarkError] = {}
    metered: dict[str, Kind] = {}
    for name, open_reader in candidates.items():
        try:
            reader = open_reader()
        except WattermarkError as error:
            skipped[name] = error
            continue
        except FOREIGN as error:
            skipped[name] = ReaderUnavailable(
                f"the reader cannot be opened: {type(error).__name__}: {error}", fix="Report it to its makers"
            )
            continue
        twice = [channel for channel in reader.channels if channel.counted and channel.covers in metered]
        if twice and not _is_of_use(reader.channels, metered):
            reader.close()
            covers = ", ".join(sorted({channel.covers for channel in twice}))
            skipped[name] = ReaderUnavailable(f"{covers} is metered already", fix="Nothing to do")
            continue
        readers[name] = Beside(reader, [_beside(c, metered) for c in reader.channels]) if twice else reader
        metered |= {c.covers: c.kind for c in readers[name].channels if c.covers and c.counted}
    return Chosen(readers, skipped)


def _is_of_use(channels: Sequence[Channel], metered: Mapping[str, Kind]) -> bool:
    """Whether a reader has a part of its own, or the power of a part that another one counts."""
    return any(
        channel.covers not in metered or (channel.kind, metered[channel.covers]) == (Kind.POWER, Kind.COUNTER)
        for channel in channels
    )


def _beside(channel: Channel, metered: Mapping[str, Kind]) -> Channel:
    if channel.covers not in metered:
        return channel
    return replace(channel, counted=False, note="metered by another reader: not added")
