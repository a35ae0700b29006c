"""Open every meter that works, meter each part once, and remember why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wattermark.errors import FOREIGN, ReaderUnavailable, WattermarkError
from wattermark.values.ports import Reader

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
        parts = {channel.covers for channel in reader.channels if channel.covers and channel.counted}
        if parts & covered:
            reader.close()
            skipped[name] = ReaderUnavailable(
                f"{', '.join(sorted(parts & covered))} is metered already", fix="Nothing to do"
            )
            continue
        readers[name] = reader
        covered |= parts
    return Chosen(readers, skipped)
