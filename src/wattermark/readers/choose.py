"""Open every meter that works, meter each part once, and remember why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wattermark.errors import FOREIGN, ReaderUnavailable, WattermarkError
from wattermark.values.ports import Reader
from wattermark.values.records import Channel

Opener = Callable[[], Reader]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Readers by name, and for each other one what is wrong and what to do."""

    readers: dict[str, Reader]
    skipped: dict[str, WattermarkError]


def choose(candidates: Mapping[str, Opener]) -> Chosen:
    """Open the candidates in the order given; hardware that one covers is not covered twice."""
    readers: dict[str, Reader] = {}
    skipped: dict[str, WattermarkError] = {}
    covered: set[str] = set()
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
        twice = [i for i, channel in enumerate(reader.channels) if _is_metered(channel, covered)]
        if twice and not _adds_any(reader, twice):
            reader.close()
            named = sorted({reader.channels[i].covers for i in twice})
            skipped[name] = ReaderUnavailable(f"{', '.join(named)} is metered already", fix="Nothing to do")
            continue
        readers[name] = _Rest(reader, twice) if twice else reader
        covered |= {one.covers for one in readers[name].channels if one.covers and one.counted}
    return Chosen(readers, skipped)


def _is_metered(channel: Channel, covered: set[str]) -> bool:
    """Whether any of it is covered: ``cpu`` holds ``cpu/package-0``, and all others."""
    mine = channel.covers
    return channel.counted and any(
        mine == other or mine.startswith(f"{other}/") or other.startswith(f"{mine}/")
        for other in covered
        if mine
    )


def _adds_any(reader: Reader, twice: list[int]) -> bool:
    """Whether it adds what no other meters."""
    return any(channel.counted and i not in twice for i, channel in enumerate(reader.channels))


class _Rest:
    """A reader without the channels that others meter: the CPU of an exporter whose GPUs NVML reads."""

    def __init__(self, reader: Reader, without: list[int]) -> None:
        self._reader = reader
        self._kept = [i for i in range(len(reader.channels)) if i not in without]
        self.channels: Sequence[Channel] = [reader.channels[i] for i in self._kept]

    def period_s(self, interval_s: float) -> float:
        return self._reader.period_s(interval_s)

    def read(self) -> Sequence[int | None]:
        values = self._reader.read()
        return [values[i] for i in self._kept]

    def close(self) -> None:
        self._reader.close()
