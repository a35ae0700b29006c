"""A recorded run as a meter, for tests: the same numbers, at the same moments, on any machine."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from wattermark.errors import ReaderUnavailable
from wattermark.values.records import Channel, ReaderLog
from wattermark.values.units import NS_PER_S

SHORTEST_S = 0.01  # two looks side by side make no busy loop


class ReplayReader:
    """Plays back what one reader said.

    Parameters
    ----------
    log : ReaderLog
        What it said, as the ledger kept it; ``wm.replay(spool, name)`` finds it.
    mono_ns : callable, optional
        The clock to play by; the first look is its start. [ns]
    speed : float
        How much faster than life.

    Raises
    ------
    ReaderUnavailable
        If it never said anything.
    """

    def __init__(
        self, log: ReaderLog, *, mono_ns: Callable[[], int] = time.monotonic_ns, speed: float = 1.0
    ) -> None:
        if not log.mono_ns:
            raise ReaderUnavailable("that reader never said anything", fix="Choose a run with a beat of it")
        self.channels: Sequence[Channel] = log.channels
        self._log = log
        self._mono_ns = mono_ns
        self._speed = speed
        self._start_ns: int | None = None

    def period_s(self, interval_s: float) -> float:
        """As often as the user asks, and at least as often as it was recorded. [s]"""
        at_ns = self._log.mono_ns
        steps = [b - a for a, b in pairwise(at_ns)]
        return max(SHORTEST_S, min([interval_s, *(step / NS_PER_S / self._speed for step in steps)]))

    def read(self) -> Sequence[int | None]:
        """What the meter had said by now; its first answer before that, its last one after."""
        now_ns = self._mono_ns()
        if self._start_ns is None:
            self._start_ns = now_ns
        played_ns = self._log.mono_ns[0] + int((now_ns - self._start_ns) * self._speed)
        return self._log.values[max(0, bisect_right(self._log.mono_ns, played_ns) - 1)]

    def close(self) -> None:
        """Nothing is held open."""
