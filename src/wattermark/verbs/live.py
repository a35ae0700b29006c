"""A run while it lasts: the same accounting, on the tail of its spool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wattermark.ledger.read import SpoolReader, follow
from wattermark.science.running import Running, is_settled
from wattermark.values.records import ReaderLog
from wattermark.verbs.account import account_briefly


def watch(spool: Path) -> Iterator[Running]:
    """What the run has cost so far, each time it is asked; only new lines are read.

    A stretch is kept, and accounted anew, until the slowest meter has spoken often enough in it.
    """
    total = so_far = Running()
    for reader in follow(spool):
        if reader.header is not None and reader.has_beats:
            stretch = account_briefly(reader.recorded())
            so_far = total.plus(stretch)
            if is_settled(stretch, [channel for log in reader.logs.values() for channel in log.channels]):
                total = so_far
                _forget(reader)
        yield so_far


def _forget(reader: SpoolReader) -> None:
    """Keep the last look of each meter only: the next stretch begins there."""
    for name, log in reader.logs.items():
        reader.logs[name] = ReaderLog(channels=log.channels, mono_ns=log.mono_ns[-1:], values=log.values[-1:])
    reader.begin_again()
