"""Read a spool back, whatever happened to it."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool
from wattermark.ledger.spool import SCHEMA
from wattermark.values.kinds import Kind, Part, Scope, Status
from wattermark.values.records import Channel, ReaderLog, Recorded, RunHeader, SpanMark
from wattermark.values.units import BASE_PER_RAW, NS_PER_S

STEP_S = 2.0  # the wall clock may drift this far from the steady one before it counts as a jump
MOST, MOST_CPUS = 2**62, 2**20  # more is no reading, and no machine
TAIL_B, HEAD_B = 4096, 65536
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
        header = _header(_known(RunHeader, fields))
        self.header = header
        self._last_ns = header.mono_ns

    def _reader(self, fields: Mapping[str, Any]) -> None:
        channels = tuple(_channel(one) for one in fields["channels"])
        self.logs[str(fields["name"])] = ReaderLog(channels=channels, mono_ns=[], values=[])

    def _skip(self, fields: Mapping[str, Any]) -> None:
        self._skipped[str(fields["name"])] = (str(fields["problem"]), str(fields["fix"]))

    def _beat(self, fields: Mapping[str, Any]) -> None:
        mono_ns, time_ns = _int64(fields["mono_ns"]), _int64(fields["time_ns"])
        looks = [
            (log, _readings(fields[name], len(log.channels)))
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
            begin_ns=int(fields["mono_ns"]),
            parent=None if fields["parent"] is None else int(fields["parent"]),
        )
        self._spans[mark.number] = mark

    def _end(self, fields: Mapping[str, Any]) -> None:
        number = int(fields["span"])
        self._spans[number] = replace(self._spans[number], end_ns=int(fields["mono_ns"]))

    def _stopped(self, fields: Mapping[str, Any]) -> None:
        self._stop = {"status": Status(fields["status"]), "detail": fields.get("detail", "")}
        self._last_ns = max(self._last_ns, int(fields["mono_ns"]))

    def _late(self, fields: Mapping[str, Any]) -> None:
        """The program began before the meters answered."""
        late_ns = int(fields["mono_ns"])
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
        return Status.RUNNING if _alive(header, self.path) else Status.INTERRUPTED


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


def follow(path: Path) -> Iterator[SpoolReader]:
    """The same reader again and again, each time with what was appended since."""
    reader, rest = SpoolReader(path), b""
    with path.open("rb") as file:
        while True:
            data = rest + file.read()
            kept = reader.feed(data)
            rest = data[len(data) - kept :]
            yield reader


def _known(record: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that this version knows; a newer one may have written more."""
    names = {field.name for field in fields(record)}
    return {name: value for name, value in given.items() if name in names}


def _int64(value: Any) -> int:
    """A whole number that arrays can hold."""
    number = int(value)
    if abs(number) > MOST:
        raise ValueError(f"{number} is no reading")
    return number


def _readings(values: Iterable[Any], channels: int) -> list[int | None]:
    found = [_reading(value) for value in values]
    if len(found) != channels:
        raise ValueError("a number for each channel is expected")
    return found


def _reading(value: Any) -> int | None:
    """What a meter said; more than any can say is no answer, and spoils those beside it no more than one."""
    number = None if value is None else int(value)
    return number if number is not None and abs(number) <= MOST else None


_HEADER_TYPES: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("pid", "started_ns", "mono_ns", "logical_cpus", "memory_b"), _int64),
    **dict.fromkeys(
        ("run", "name", "host", "command", "place_from", "pid_started", "cpu_model", "version"), str
    ),
    **dict.fromkeys(("inside", "ancestors"), lambda texts: tuple(str(text) for text in texts)),
    **dict.fromkeys(
        ("pue", "wue_l_per_kwh", "market_intensity_g_per_kwh"),
        lambda one: None if one is None else float(one),
    ),
    "place": lambda one: None if one is None else str(one),
    "interval_s": float,
    "scope": Scope,
    "tags": lambda tags: {str(key): str(value) for key, value in dict(tags).items()},
}


def _header(known: Mapping[str, Any]) -> RunHeader:
    """A header whose fields are what they must be; else an error that makes it a bad line."""
    header = RunHeader(**{name: _HEADER_TYPES[name](value) for name, value in known.items()})
    possible = (
        0 < header.interval_s < math.inf
        and 1 <= header.logical_cpus <= MOST_CPUS
        and 0 <= header.memory_b <= MOST
        and (header.pue is None or 1 <= header.pue < math.inf)
        and (header.wue_l_per_kwh is None or 0 <= header.wue_l_per_kwh < math.inf)
        and (header.market_intensity_g_per_kwh is None or 0 <= header.market_intensity_g_per_kwh < math.inf)
    )
    if not possible:
        raise ValueError("a header with impossible numbers")
    return header


def _channel(given: Mapping[str, Any]) -> Channel:
    known = _known(Channel, given)
    channel = Channel(**{**known, "kind": Kind(known["kind"]), "part": Part(known["part"])})
    numbers = (channel.power_max_w, channel.refresh_s, channel.share)
    possible = (
        channel.unit in BASE_PER_RAW
        and all(isinstance(number, int | float) for number in numbers)
        and 0 < channel.power_max_w < math.inf
        and 0 <= channel.refresh_s < math.inf
        and 0 < channel.share <= 1
        and (channel.wrap is None or (isinstance(channel.wrap, int) and 0 < channel.wrap <= MOST))
    )
    if not possible:
        raise ValueError(f"a channel with impossible numbers: {channel.name}")
    return channel


def _alive(header: RunHeader, path: Path) -> bool:
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
