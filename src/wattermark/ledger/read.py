"""Read a spool back, whatever happened to it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool
from wattermark.ledger.fields import channel_of, header_of, int64, readings
from wattermark.ledger.spool import SCHEMA
from wattermark.values.kinds import Status
from wattermark.values.records import ReaderLog, Recorded, RunHeader, SpanMark
from wattermark.values.units import NS_PER_S

STEP_S = 2.0  # the wall clock may drift this far from the steady one before it counts as a jump
TAIL_B, HEAD_B = 4096, 65536
HALF = b"\\ud"
_MOMENT = re.compile(rb'"mono_ns":(\d{1,18})[,}]')
SILENT_BEATS = 30  # a run on another host is taken for dead after so many silent beats


class SpoolReader:
    """Takes the lines of one spool, in order, and can say at any moment what they tell.

    A line that cannot be read is counted and passed over: one bad line loses one beat.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: RunHeader | None = None
        self.logs: dict[str, ReaderLog] = {}
        self._skipped: dict[str, tuple[str, str]] = {}
        self._spans: dict[int, SpanMark] = {}
        self._stop: Mapping[str, Any] | None = None
        self._begin_ns: int | None = None
        self._last_ns = 0
        self._offsets_ns: list[int] = []
        self._bad = self._torn_bytes = self._lost = 0
        self._faults: list[str] = []
        self._take: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "run": self._run,
            "reader": self._reader,
            "skipped": self._skip,
            "beat": self._beat,
            "begin": self._begin,
            "end": self._end,
            "stop": self._stopped,
            "fault": lambda fields: self._faults.append(str(fields["error"])),
            "lost": self._lose,
            "late": self._late,
        }

    def feed(self, data: bytes) -> int:
        """Take all whole lines; answers how many bytes at the end were not one."""
        whole, _, rest = data.rpartition(b"\n")
        for text in whole.split(b"\n") if whole else ():
            self._line(text)
        self._torn_bytes = len(rest)
        return len(rest)

    @property
    def has_beats(self) -> bool:
        """Whether any meter was looked at since the beginning, or since ``begin_again``."""
        load = self.logs.get("load")
        if load is not None and (not load.mono_ns or load.mono_ns[-1] != self._last_ns):
            return False  # the stretch ends where all were looked at: shares need the load
        return self._begin_ns is not None and self._last_ns > self._begin_ns

    def begin_again(self) -> None:
        """Take what follows for a stretch of its own, from the last look on."""
        self._begin_ns = self._last_ns
        del self._offsets_ns[:-1]
        self._spans = {number: span for number, span in self._spans.items() if span.end_ns is None}

    def recorded(self) -> Recorded:
        """What has been told so far.

        Raises
        ------
        BadSpool
            If the first line is missing: then nobody knows what the numbers mean.
        """
        header = self.header
        if header is None:
            raise BadSpool(
                f"{self.path} does not begin with a run", fix="Move the file away; it holds no run of ours"
            )
        end_ns = max(self._last_ns, header.mono_ns)
        return Recorded(
            header=header,
            logs=self.logs,
            skipped=self._skipped,
            spans=tuple(self._spans.values()),
            status=self._status(header),
            detail=str(self._stop.get("detail", "")) if self._stop else "",
            begin_mono_ns=end_ns if self._begin_ns is None else min(self._begin_ns, end_ns),
            end_mono_ns=end_ns,
            wall_step_s=self._wall_step_s(),
            torn_bytes=self._torn_bytes,
            bad_lines=self._bad,
            lost_beats=self._lost,
            faults=tuple(self._faults),
        )

    def _line(self, text: bytes) -> None:
        try:
            fields = json.loads(text)
            if HALF in text:  # of a character: no text may hold that, and no other program takes it
                fields = json.loads(json.dumps(fields, ensure_ascii=False).encode(errors="replace"))
            self._take[fields["kind"]](fields)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
            self._bad += 1

    def _run(self, fields: Mapping[str, Any]) -> None:
        if fields["schema"] > SCHEMA:
            raise BadSpool(
                f"{self.path} was written by a newer wattermark (schema {fields['schema']})",
                fix="Run: pip install --upgrade wattermark",
            )
        if self.header is not None:
            raise ValueError("a run begins once")
        header = header_of(fields)
        self.header = header
        self._last_ns = header.mono_ns

    def _reader(self, fields: Mapping[str, Any]) -> None:
        channels = tuple(channel_of(one) for one in fields["channels"])
        self.logs[str(fields["name"])] = ReaderLog(channels=channels, mono_ns=[], values=[])

    def _skip(self, fields: Mapping[str, Any]) -> None:
        self._skipped[str(fields["name"])] = (str(fields["problem"]), str(fields["fix"]))

    def _beat(self, fields: Mapping[str, Any]) -> None:
        mono_ns, time_ns = int64(fields["mono_ns"]), int64(fields["time_ns"])
        looks = [
            (log, readings(fields[name], len(log.channels)))
            for name, log in self.logs.items()
            if name in fields
        ]
        for log, values in looks:  # a bad line leaves nothing behind, in no log
            if not log.mono_ns or mono_ns > log.mono_ns[-1]:
                log.mono_ns.append(mono_ns)
                log.values.append(values)
        self._begin_ns = mono_ns if self._begin_ns is None else min(self._begin_ns, mono_ns)
        self._last_ns = max(self._last_ns, mono_ns)
        self._offsets_ns.append(time_ns - mono_ns)

    def _begin(self, fields: Mapping[str, Any]) -> None:
        mark = SpanMark(
            number=int(fields["span"]),
            name=str(fields["name"]),
            label=str(fields["label"]),
            begin_ns=int64(fields["mono_ns"]),
            parent=None if fields["parent"] is None else int(fields["parent"]),
            of=None if fields.get("of") is None else int64(fields["of"]),
        )
        self._spans[mark.number] = mark

    def _end(self, fields: Mapping[str, Any]) -> None:
        number = int(fields["span"])
        self._spans[number] = replace(self._spans[number], end_ns=int64(fields["mono_ns"]))

    def _stopped(self, fields: Mapping[str, Any]) -> None:
        end_ns, status = int64(fields["mono_ns"]), Status(fields["status"])
        self._stop = {"status": status, "detail": fields.get("detail", "")}
        self._last_ns = max(self._last_ns, end_ns)

    def _late(self, fields: Mapping[str, Any]) -> None:
        """The program began before the meters answered."""
        late_ns = int64(fields["mono_ns"])
        self._begin_ns = late_ns if self._begin_ns is None else min(self._begin_ns, late_ns)

    def _lose(self, fields: Mapping[str, Any]) -> None:
        self._lost = int(fields["lines"])

    def _wall_step_s(self) -> float:
        """The largest jump of the wall clock against the steady one, between two beats. [s]"""
        steps = (b - a for a, b in zip(self._offsets_ns, self._offsets_ns[1:], strict=False))
        largest = max(steps, key=abs, default=0)
        return largest / NS_PER_S if abs(largest) > STEP_S * NS_PER_S else 0.0

    def _status(self, header: RunHeader) -> Status:
        if self._stop:
            return Status(self._stop["status"])
        return Status.RUNNING if is_alive(header, self.path) else Status.INTERRUPTED


def read_spool(path: Path, waiting: bytes = b"") -> Recorded:
    """One spool, whole, with lines that wait to be written to it.

    Raises
    ------
    BadSpool
        If it cannot be opened, or is no spool.
    """
    reader = SpoolReader(path)
    try:
        reader.feed(path.read_bytes() + waiting)
    except OSError as error:
        raise BadSpool(
            f"{path} cannot be read: {error.strerror}", fix="Check the file's permissions"
        ) from error
    return reader.recorded()


def read_run(spools: Iterable[Path], waiting: Mapping[Path, bytes] | None = None) -> list[Recorded]:
    """All files of a run, with lines that wait to be written; one that cannot be read hides no other.

    Raises
    ------
    BadSpool
        If none can be read.
    """
    found: list[Recorded] = []
    fault: BadSpool | None = None
    for path in spools:
        try:
            found.append(read_spool(path, (waiting or {}).get(path, b"")))
        except BadSpool as error:
            fault = error
    if found and fault is not None:
        found[0] = replace(found[0], faults=(*found[0].faults, fault.problem))
    if not found:
        raise fault or BadSpool("the run has no file", fix="See: wattermark runs")
    return found


def follow(path: Path) -> Iterator[SpoolReader]:
    """The same reader again and again, each time with what was appended since."""
    reader, rest = SpoolReader(path), b""
    with path.open("rb") as file:
        while True:
            data = rest + file.read()
            kept = reader.feed(data)
            rest = data[len(data) - kept :]
            yield reader


def is_alive(header: RunHeader, path: Path) -> bool:
    """Whether the process that writes a spool is still there; on another host, whether it wrote lately.

    Parameters
    ----------
    header : RunHeader
        The first line of the spool.
    path : Path
        The spool.
    """
    if header.host != host_name():
        silent_s = time.time() - path.stat().st_mtime
        return silent_s < SILENT_BEATS * max(header.interval_s, 1.0)
    return process_started(header.pid) == header.pid_started != ""


def host_name() -> str:
    """This machine's name (without the import of socket, which costs 3 ms)."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    return os.environ.get("COMPUTERNAME", "unknown")


def process_started(pid: int) -> str:
    """A mark that tells a process from a later one with the same number; empty if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return _started_without_procfs(pid)


def _started_without_procfs(pid: int) -> str:
    if os.path.exists("/proc/self/stat"):
        return ""
    try:
        import psutil  # macOS, Windows
    except ImportError:
        return ""
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""


def read_header(path: Path) -> RunHeader:
    """Only what is known since the run began.

    Raises
    ------
    BadSpool
        If the file cannot be read, or does not begin with a run.
    """
    reader = SpoolReader(path)
    try:
        with path.open("rb") as file:
            reader.feed(file.readline())
    except OSError as error:
        raise BadSpool(
            f"{path} cannot be read: {error.strerror}", fix="Check the file's permissions"
        ) from error
    return reader.recorded().header


def last_moment_ns(path: Path) -> int:
    """The steady clock at the last line that tells it; 0 where none does. Only the end is read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_B))
            tail = file.read()
    except OSError:
        return 0
    return max((int(digits) for digits in _MOMENT.findall(tail)), default=0)


def names_any(path: Path, words: Iterable[str]) -> bool:
    """Whether the head of a spool, where its meters are described, names any of some words."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_B)
    except OSError:
        return False
    return any(word.encode() in head for word in words)
