"""The spool: one append-only JSON Lines file for each process and run, whole up to a crash.

Lines, told apart by ``kind``:

- ``run`` (the first): what was known when it began, with ``schema``
- ``reader``: a meter that was opened, and its channels; ``skipped``: one that was not, and why
- ``beat``: ``mono_ns``, ``time_ns``, and for each reader that was due its raw numbers (null: no answer)
- ``begin`` / ``end``: a span; ``stop``: the run is over; ``fault``, ``lost``: what went wrong

Only the standard library is needed here.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from wattermark.values.records import Channel, RunHeader

SCHEMA = 1
MOST_KEPT_B = 4_000_000  # lines that wait for a full disk

_AS_IT_IS = getattr(os, "O_BINARY", 0)  # Windows would write two bytes for each line end
_BEAT, _LOST = (b'{"kind":"beat"',), b'{"kind":"lost"'
_SPAN = (b'{"kind":"begin"', b'{"kind":"end"')
_REQUEST = (b'{"kind":"request"', b'{"kind":"engine"')
_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder a call


class SpoolFile:
    """A spool that is being written. One write a call, and no exception ever.

    What cannot be written (a full disk) waits in memory and is tried again with the next
    lines; when too much waits, the oldest whole lines are let go and counted. Counters
    remember, so a lost beat costs resolution and no energy.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _AS_IT_IS, 0o644)
        self._one_at_a_time = threading.Lock()
        self._waiting = b""
        self._torn = False  # the file ends in the middle of a line of ours
        self.path = path
        self.trouble: OSError | None = None
        self.lost_lines = 0

    def write(self, lines: str) -> None:
        with self._one_at_a_time:
            self._waiting += lines.encode()
            if self._fd >= 0:
                self._try()

    @property
    def waiting(self) -> bytes:
        """Lines that could not be written yet."""
        return self._waiting

    def close(self) -> None:
        """Try once more what waits, then give the file back; what waits still is lost."""
        with self._one_at_a_time:
            if self._fd < 0:
                return
            self._try()
            self.lost_lines += self._waiting.count(b"\n")
            os.close(self._fd)
            self._fd = -1

    def _try(self) -> None:
        if not self._waiting:
            return
        try:
            written = os.write(self._fd, self._waiting)
        except OSError as error:
            self.trouble = error
            self._let_go()
            return
        if written:
            self._torn = not self._waiting[:written].endswith(b"\n")
        self._waiting = self._waiting[written:]

    def _let_go(self) -> None:
        """Where too much waits, the oldest beats or requests go, then the oldest spans; they are counted."""
        if len(self._waiting) <= MOST_KEPT_B:
            return
        lines = self._waiting.splitlines(keepends=True)
        head, lines = (lines[:1], lines[1:]) if self._torn else ([], lines)
        kept = [text for text in lines if not text.startswith(_LOST)]
        for kinds in (_BEAT + _REQUEST, _SPAN):
            kept = self._without_the_oldest(kept, kinds)
        self._waiting = b"".join([*head, *kept, line("lost", lines=self.lost_lines).encode()])

    def _without_the_oldest(self, lines: list[bytes], kinds: tuple[bytes, ...]) -> list[bytes]:
        too_much_b = sum(map(len, lines)) - MOST_KEPT_B // 2
        kept = []
        for text in lines:
            if too_much_b > 0 and text.startswith(kinds):
                too_much_b -= len(text)
                self.lost_lines += 1
            else:
                kept.append(text)
        return kept


def line(kind: str, **fields: Any) -> str:
    """One line of a spool."""
    return _encode({"kind": kind, **fields}) + "\n"


def run_line(header: RunHeader) -> str:
    """The first line of a spool."""
    return line("run", schema=SCHEMA, **_plain(header))


def reader_line(name: str, channels: Iterable[Channel]) -> str:
    """A meter that was opened; what equals its default is left out."""
    return line("reader", name=name, channels=[_short(channel) for channel in channels])


def _short(channel: Channel) -> dict[str, Any]:
    usual = Channel(name="", kind=channel.kind, part=channel.part, unit="")
    keep = {"name", "kind", "part", "unit"}
    return {k: v for k, v in _plain(channel).items() if k in keep or v != getattr(usual, k)}


def _plain(record: Channel | RunHeader) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}
