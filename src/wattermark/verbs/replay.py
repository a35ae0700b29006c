"""Replay: a recorded run's meter, to be read again."""

from __future__ import annotations

from pathlib import Path

from wattermark.errors import ReaderUnavailable
from wattermark.ledger.read import read_spool
from wattermark.readers.replay import ReplayReader


def replay(spool: str | Path, reader: str, *, speed: float = 1.0) -> ReplayReader:
    """One reader of a recorded run, as a meter.

    Parameters
    ----------
    spool : path
        A run's file in a ledger.
    reader : str
        Which of its readers, e.g. ``rapl``.
    speed : float
        How much faster than life.

    Raises
    ------
    BadSpool
        If the file is no spool.
    ReaderUnavailable
        If the run has no such reader, or no beat of it.

    Examples
    --------
    >>> import wattermark as wm
    >>> with wm.track(readers={"rapl": wm.replay("tests/data/rapl.jsonl", "rapl")}):  # doctest: +SKIP
    ...     train()
    """
    logs = read_spool(Path(spool)).logs
    if reader not in logs:
        raise ReaderUnavailable(
            f"{spool} holds nothing of a reader {reader!r}",
            fix=f"Choose from: {', '.join(logs) or 'nothing'}",
        )
    return ReplayReader(logs[reader], speed=speed)
