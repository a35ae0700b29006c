"""A recorded run as a meter, for tests: the same numbers, at the same moments, on any machine."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wattermark.errors import ReaderUnavailable
from wattermark.values.records import Channel, Kind, Part
from wattermark.values.units import NS_PER_S


class ReplayReader:
    """Plays one reader of a spool back.

    Parameters
    ----------
    spool : Path
        A run's file in a ledger.
    reader : str
        Which of its readers, e.g. ``rapl``.
    mono_ns : callable, optional
        The clock to play by; the first look is its start. [ns]
    speed : float
        How much faster than life.

    Raises
    ------
    ReaderUnavailable
        If the file holds no such reader, or no beat of it.
    """

    def __init__(
        self,
        spool: Path,
        reader: str,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        speed: float = 1.0,
    ) -> None:
        self._mono_ns = mono_ns
        self._speed = speed
        self._start_ns: int | None = None
        self.channels, self._at_ns, self._values = _recorded(spool, reader)

    def period_s(self, interval_s: float) -> float:
        """As often as the user asks, and at least as often as it was recorded. [s]"""
        steps = [b - a for a, b in zip(self._at_ns, self._at_ns[1:], strict=False)]
        return min([interval_s, *(step / NS_PER_S / self._speed for step in steps)])

    def read(self) -> Sequence[int | None]:
        """What the meter had said by now; its first answer before that, its last one after."""
        now_ns = self._mono_ns()
        if self._start_ns is None:
            self._start_ns = now_ns
        played_ns = self._at_ns[0] + int((now_ns - self._start_ns) * self._speed)
        return self._values[max(0, bisect_right(self._at_ns, played_ns) - 1)]

    def close(self) -> None:
        """Nothing is held open."""


def _recorded(spool: Path, reader: str) -> tuple[tuple[Channel, ...], list[int], list[list[int | None]]]:
    channels: tuple[Channel, ...] = ()
    at_ns: list[int] = []
    values: list[list[int | None]] = []
    for fields in _lines(spool):
        if fields.get("kind") == "reader" and fields.get("name") == reader:
            channels = tuple(_channel(one) for one in fields["channels"])
        if fields.get("kind") == "beat" and reader in fields:
            at_ns.append(int(fields["mono_ns"]))
            values.append(fields[reader])
    if not channels or not values:
        raise ReaderUnavailable(
            f"{spool} holds nothing of a reader {reader!r}", fix="See: wattermark show --json RUN"
        )
    return channels, at_ns, values


def _lines(spool: Path) -> list[dict[str, Any]]:
    found = []
    try:
        text = spool.read_bytes()
    except OSError as error:
        raise ReaderUnavailable(f"{spool} cannot be read: {error.strerror}", fix="Check the path") from error
    for line in text.split(b"\n"):
        try:
            fields = json.loads(line)
        except ValueError:
            continue  # a torn or broken line: the rest still plays
        if isinstance(fields, dict):
            found.append(fields)
    return found


def _channel(given: dict[str, Any]) -> Channel:
    return Channel(**{**given, "kind": Kind(given["kind"]), "part": Part(given["part"])})
