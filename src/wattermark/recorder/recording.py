"""One run as the beat sees it: a spool, and the marks that wait for the next beat."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from wattermark.values.ports import Spool

Encode = Callable[..., str]


class Recording:
    """Takes marks from any thread at the cost of an append, and lines from the beat.

    A forked child holds a copy of this object and must not write to its parent's file:
    every door looks at the process id first.
    """

    def __init__(self, spool: Spool, encode: Encode, *, interval_s: float) -> None:
        self.interval_s = interval_s
        self._spool = spool
        self._encode = encode
        self._marks: deque[str] = deque()
        self._numbers = count(1)
        self._pid = os.getpid()
        self._closing = threading.Lock()
        self._closed = False
        self._writing = False
        self._told: set[str] = set()

    @property
    def ours(self) -> bool:
        """False in a forked child."""
        return os.getpid() == self._pid

    @property
    def open(self) -> bool:
        return not self._closed

    @property
    def marks_wait(self) -> bool:
        """Whether something that was noted has not been written yet."""
        return bool(self._marks) or self._writing

    def mark(self, kind: str, **fields: Any) -> None:
        """Note something; it goes out with the next beat."""
        if self.ours and not self._closed:
            self._marks.append(self._encode(kind, **fields))

    def first_of(self, name: str) -> bool:
        """True the first time that this name is asked for."""
        known = name in self._told
        self._told.add(name)
        return not known

    def next_number(self) -> int:
        return next(self._numbers)

    def write(self, beat: str) -> None:
        """Marks first, then the beat, in one write; nothing follows the last line."""
        if not self._closed:
            self._put(beat)

    def _put(self, beat: str) -> None:
        lines = []
        self._writing = True  # before they are taken, so that they wait or are being written all the time
        with suppress(IndexError):  # another thread may take the last one
            while True:
                lines.append(self._marks.popleft())
        if self.ours and (lines or beat):
            self._spool.write("".join(lines) + beat)
        self._writing = False

    def close(self, last: str) -> bool:
        """The last line; answers False if it was written before."""
        with self._closing:
            if self._closed or not self.ours:
                return False
            self._closed = True
        self._put(last)
        self._spool.close()
        return True
