"""Files of many jobs, and of what places have room for: one row each, columns in any order."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any

from wattermark.errors import UsageError, nearest
from wattermark.science.fleet.slots import energy_j
from wattermark.values.durations import seconds_of
from wattermark.values.energies import joules_of, watts_of
from wattermark.values.fleet import Capacity, FleetJob, Room
from wattermark.values.plan import PlannedJob
from wattermark.verbs.moments import moment_s

JOB_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("job", "id", "job_name", "job_id"),
    "hours": ("duration", "length", "duration_h", "time", "runtime"),
    "energy": ("energy_kwh", "kwh"),
    "power": ("power_kw", "kw"),
    "units": ("gpus", "nodes", "gpu", "count"),
    "earliest": ("from", "start", "begin", "earliest_start", "not_before"),
    "deadline": ("by", "until", "end", "due", "latest_end"),
    "within": ("within_h", "window"),
    "places": ("place", "regions", "region", "zones", "zone"),
    "home": (),
    "interruptible": ("pausable", "preemptible"),
}
"""Columns, and what else people call them."""
ROOM_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "place": ("region", "zone"),
    "capacity": ("units", "gpus", "nodes", "power", "power_kw", "kw"),
    "from": ("begin", "start"),
    "until": ("end", "to"),
}
YES, NO = ("yes", "true", "1", "y", "x"), ("no", "false", "0", "n", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The jobs of a file, and what is to be known of it."""

    jobs: tuple[FleetJob, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with where it stands, so that every complaint can say it."""

    file: str
    line: int
    cells: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.cells.get(name, "")

    def wrong(self, problem: str, fix: str) -> UsageError:
        return UsageError(f"{self.file}, line {self.line}: {problem}", fix=fix)

    def read(self, name: str, how: Callable[[str], Any], fix: str) -> Any:
        """A cell as something, None where it is empty."""
        text = self.get(name)
        if not text:
            return None
        try:
            return how(text)
        except ValueError as error:
            raise self.wrong(f"{name} is {text!r}", fix) from error


def read_jobs(file: str | Path, *, now_s: float, within_s: float | None = None) -> Found:
    """The jobs of a CSV file; ``within_s`` is for those that name no deadline.

    Raises
    ------
    UsageError
        If it cannot be read, holds no jobs, or a cell makes no sense: it names the line.
    """
    names: dict[str, int] = {}
    jobs, (rows, flags) = [], _rows(file, JOB_COLUMNS, ("hours", ("energy", "power")))
    for row in rows:
        job = _job(row, now_s, within_s)
        if job.name in names:
            raise row.wrong(
                f"there is a job {job.name!r} in line {names[job.name]} already",
                "Give each a name of its own",
            )
        names[job.name] = row.line
        jobs.append(job)
    if not jobs:
        raise UsageError(f"{file} holds no jobs", fix="Write one a line, under the names of the columns")
    return Found(jobs=tuple(jobs), flags=tuple(flags))


def _job(row: _Row, now_s: float, within_s: float | None) -> FleetJob:
    duration_s = row.read("hours", seconds_of, "Write 8, 8h, 90m or 2d")
    if not duration_s:
        raise row.wrong("it takes no time", "Give its length in the column hours, as 8, 90m or 2d")
    power_w = row.read("power", _with_unit(watts_of, "kW"), "Write a number of kW, or 700W")
    energy = row.read("energy", _with_unit(joules_of, "kWh"), "Write a number of kWh above 0, or 800Wh")
    if (power_w is None) == (energy is None):
        how_many = "neither energy nor power" if energy is None else "both energy and power"
        raise row.wrong(f"it has {how_many}", "Give one of them, as energy_kwh or power_kw")
    told_j = energy if energy is not None else energy_j(power_w, duration_s)
    if not 0 < told_j < inf:
        raise row.wrong("it takes no energy", "Give a number above 0")
    earliest_s = row.read("earliest", moment_s, _MOMENT)
    begin_s = now_s if earliest_s is None else max(earliest_s, now_s)
    job = PlannedJob(
        name=row.get("name") or f"line {row.line}",
        it_energy_j=told_j,
        duration_s=duration_s,
        earliest_s=begin_s,
        deadline_s=_deadline_s(row, begin_s, within_s),
        interruptible=_yes(row, "interruptible"),
    )
    return FleetJob(job=job, units=row.read("units", _units, _ABOVE) or 1.0, places=_places(row))


_MOMENT = "Write 2026-12-01T03:00, with Z or an offset if need be"
_ABOVE = "Write a number above 0"


def _deadline_s(row: _Row, begin_s: float, within_s: float | None) -> float:
    deadline_s = row.read("deadline", moment_s, _MOMENT)
    span_s = row.read("within", seconds_of, "Write 48h, 2d or 90m, counted from its earliest start")
    if deadline_s is not None and span_s is not None:
        raise row.wrong("it has both a deadline and within", "Give one of them")
    if deadline_s is not None:
        return float(deadline_s)
    span_s = within_s if span_s is None else span_s
    if span_s is None:
        raise row.wrong("it has no deadline", "Give deadline or within, or --within for all that have none")
    return begin_s + float(span_s)


def _places(row: _Row) -> tuple[str, ...]:
    """Home first, wherever it is named."""
    named = row.get("places").replace("|", " ").replace(",", " ").replace(";", " ").split()
    home = [row.get("home")] if row.get("home") else []
    if home and named and home[0] not in named:
        raise row.wrong(f"home {home[0]!r} is none of its places", "Put it among them")
    return tuple(dict.fromkeys((*(home if named else []), *named))) if named else tuple(home)


def _yes(row: _Row, name: str) -> bool:
    word = row.get(name).lower()
    if word not in (*YES, *NO):
        raise row.wrong(f"{name} is {row.get(name)!r}", "Write yes or no")
    return word in YES


def _with_unit(how: Callable[[str], float], usual: str) -> Callable[[str], float]:
    """Reads a bare number in the usual unit, and others by their own."""
    return lambda text: how(
        text if text[-1].isalpha() and text.lower() not in ("nan", "inf") else text + usual
    )


def _units(text: str) -> float:
    number = float(text)
    if not isfinite(number) or number <= 0:
        raise ValueError("no number above zero")
    return number


def read_capacity(file: str | Path) -> dict[str, Capacity]:
    """What places have room for, by a CSV file: place, capacity, and from and until where it changes.

    A bare number counts units, ``40kW`` is IT power. A place with times only has no room at others.

    Raises
    ------
    UsageError
        If it cannot be read or a cell makes no sense.
    """
    always: dict[str, tuple[float, bool]] = {}
    rooms: dict[str, list[tuple[Room, bool]]] = {}
    for row in _rows(file, ROOM_COLUMNS, ("place", "capacity"))[0]:
        place, (units, in_watts) = row.get("place"), row.read("capacity", capacity_of, _ROOM) or (0.0, False)
        if not place or not row.get("capacity"):
            raise row.wrong("a place or its capacity is not there", "Give both")
        begin_s, end_s = row.read("from", moment_s, _MOMENT), row.read("until", moment_s, _MOMENT)
        if begin_s is None and end_s is None:
            if place in always:
                raise row.wrong(f"there is a capacity of {place} already", "Give times to one of them")
            always[place] = (units, in_watts)
            continue
        room = Room(begin_s=begin_s or 0.0, end_s=inf if end_s is None else end_s, units=units)
        if room.end_s <= room.begin_s:
            raise row.wrong("it ends before it begins", "Give from before until")
        rooms.setdefault(place, []).append((room, in_watts))
    return {
        place: Capacity(
            units=always.get(place, (0.0, False))[0],
            rooms=tuple(room for room, _ in rooms.get(place, [])),
            in_watts=any(
                watts for _, watts in [*rooms.get(place, []), *([always[place]] if place in always else [])]
            ),
        )
        for place in dict.fromkeys((*always, *rooms))
    }


_ROOM = "Write a number of units, as 8, or an IT power, as 40kW"


def capacity_of(text: str) -> tuple[float, bool]:
    """A capacity and whether it is in watts: ``8`` or ``40kW``.

    Raises
    ------
    ValueError
        If it is none.
    """
    if text.strip()[-1:].lower() == "w":
        return watts_of(text), True
    number = float(text)
    if not isfinite(number) or number < 0:
        raise ValueError(f"{text!r} is no capacity")
    return number, False


def _rows(
    file: str | Path, columns: Mapping[str, tuple[str, ...]], needed: Sequence[str | tuple[str, ...]]
) -> tuple[Iterator[_Row], list[str]]:
    """The rows of a file by the names of its columns, and a flag for each column that nobody knows."""
    text = _text(file)
    lines = csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text), strict=True)
    header = _next(lines, file)
    if not any(cell.strip() for cell in header):
        raise UsageError(f"{file} is empty", fix=f"Begin with a line of columns: {', '.join(columns)}")
    names, flags = _header(header, columns, file)
    for one in needed:
        choice = (one,) if isinstance(one, str) else one
        if not any(name in names for name in choice):
            raise UsageError(
                f"{file} has no column {' or '.join(choice)}: its first line is {','.join(header)[:80]!r}",
                fix=f"Begin with a line of columns: {', '.join(columns)}",
            )
    return _body(lines, names, file), flags


def _text(file: str | Path) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", fix="Name a CSV file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not in UTF-8", fix="Save it as CSV in UTF-8") from error
    if "\0" in text:
        raise UsageError(f"{file} is no text", fix="Name a CSV file")
    return text


def _delimiter(text: str) -> str:
    """A comma, unless the first line has more of another."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _next(lines: Iterator[list[str]], file: str | Path) -> list[str]:
    try:
        return next(lines, [])
    except csv.Error as error:
        raise UsageError(f"{file} is no CSV: {error}", fix="Check its quotes") from error


def _header(
    header: Sequence[str], columns: Mapping[str, tuple[str, ...]], file: str | Path
) -> tuple[list[str], list[str]]:
    known = {word: name for name, others in columns.items() for word in (name, *others)}
    names, flags = [], []
    for cell in header:
        word = cell.strip().lower().replace(" ", "_").replace("-", "_").partition("_[")[0].partition("[")[0]
        name = known.get(word, "")
        if name and name in names:
            raise UsageError(f"{file} has two columns of {name}: {cell!r} is one", fix="Keep one of them")
        if not name and cell.strip():
            near = nearest(word, (other for other in known if known[other] not in names), most=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            flags.append(f"column-unknown: {cell.strip()!r} was not read{hint}")
        names.append(name)
    return names, flags


def _body(lines: Any, names: Sequence[str], file: str | Path) -> Iterator[_Row]:
    while cells := _next_row(lines, file):
        if not any(cell.strip() for cell in cells):
            continue
        row = _Row(str(file), lines.line_num)
        if len(cells) > len(names):
            raise row.wrong(
                f"it has {len(cells)} cells for {len(names)} columns",
                "Put a cell that holds commas in quotes, or spaces between places",
            )
        told = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        yield _Row(str(file), lines.line_num, {name: cell for name, cell in told.items() if name})


def _next_row(lines: Any, file: str | Path) -> list[str]:
    """The next row; an empty line is a row of one empty cell, nothing is the end."""
    try:
        cells: list[str] | None = next(lines, None)
    except csv.Error as error:
        raise UsageError(
            f"{file}, line {lines.line_num}: it is no CSV: {error}", fix="Check its quotes"
        ) from error
    return [] if cells is None else cells or [""]
