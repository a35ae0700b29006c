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
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from wattermark.values.records import Channel, RunHeader

SCHEMA = 1
MOST_KEPT_B = 4_000_000  # lines that wait for a full disk

_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder a call


class SpoolFile:
    """A spool that is being written. One write a call, and no exception ever.

    What cannot be written (a full disk) waits in memory and is tried again with the next
    lines; when too much waits, the oldest whole lines are let go and counted. Counters
    remember, so a lost beat costs resolution and no energy.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._waiting = b""
        self._torn = False  # the file ends in the middle of a line of ours
        self.path = path
        self.trouble: OSError | None = None
        self.lost_lines = 0

    def write(self, lines: str) -> None:
        self._waiting += lines.encode()
        if self._fd < 0:
            return
        try:
            written = os.write(self._fd, self._waiting)
        except OSError as error:
            self.trouble = error
            self._let_go()
            return
        self._torn = written < len(self._waiting)
        self._waiting = self._waiting[written:]

    def close(self) -> None:
        """Try once more what waits, then give the file back."""
        if self._fd < 0:
            return
        if self._waiting:
            self.write("")
        os.close(self._fd)
        self._fd = -1

    def _let_go(self) -> None:
        if len(self._waiting) <= MOST_KEPT_B:
            return
        head = self._waiting.find(b"\n") + 1 if self._torn else 0  # the rest of a line that was begun
        cut = self._waiting.find(b"\n", head + MOST_KEPT_B // 2) + 1
        self.lost_lines += self._waiting.count(b"\n", head, cut)
        told = line("lost", lines=self.lost_lines).encode()
        self._waiting = self._waiting[:head] + told + self._waiting[cut:]


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
