"""A trace file of a user's, whatever wrote it, as series."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wattermark.errors import BadTrace
from wattermark.signals.traces.columns import Roles, numbers, roles
from wattermark.signals.traces.layout import Layout, layout
from wattermark.signals.traces.moments import Moments, moments
from wattermark.signals.traces.rolling import issues_of
from wattermark.signals.traces.tables import Table, read_table
from wattermark.values.issues import Issues
from wattermark.values.series import Series, Signal

_NAMED = re.compile(r"(?P<place>.+?)(?:[_-](?:lifecycle|direct))?(?:[_-](?:emissions|hourly|\d{4}))*", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a file holds: a history for each place, signal and basis; and forecasts as they were issued."""

    series: tuple[Series, ...]
    issues: tuple[Issues, ...] = ()


def read_trace(path: Path, *, signal: Signal | None = None, place: str = "") -> Trace:
    """Read a CSV (wide or long), JSON (Carbon Aware SDK and its like) or Parquet file.

    Parameters
    ----------
    path : Path
        Of the file.
    signal : Signal, optional
        What the values are, where their column does not say it.
    place : str
        Of a file without zones; by default as the file is named.

    Raises
    ------
    BadTrace
        With the file, the line and what to do.
    MissingExtra
        For Parquet without DuckDB.
    """
    table = read_table(path)
    named = roles(table, signal, place or _place(path))
    times = moments(table, named.time)
    basis = next((basis for basis in ("lifecycle", "direct") if basis in path.name.lower()), "")
    if named.forecast is not None:
        issues = issues_of(table, named.values[0], named.forecast, times, basis)
        return Trace(series=(_history(issues),), issues=(issues,))
    return Trace(series=tuple(_series(table, named, times, basis)))


def _place(path: Path) -> str:
    found = _NAMED.fullmatch(path.stem)
    return found["place"] if found else path.stem


def _series(table: Table, named: Roles, times: Moments, basis: str) -> Iterator[Series]:
    """One for each zone and column; what the zones share is made once."""
    columns = [(column, numbers(table, column)) for column in named.values]
    for zone, rows in _zones(table, named.zone):
        starts = [times.times_s[row] for row in rows]
        shape = layout(starts, _ends(table, named, times, rows))
        for column, values in columns:
            yield Series(
                signal=column.signal,
                place=zone or column.place,
                source=Path(table.file).name,
                edges_s=shape.edges_s,
                values=_laid(values, rows, shape),
                basis=column.basis or basis,
                flags=(*times.flags, *shape.flags),
            )


def _zones(table: Table, column: int | None) -> list[tuple[str, Sequence[int]]]:
    """The rows of each zone, in the order in which they come up."""
    if column is None:
        return [("", range(len(table.lines)))]
    found: dict[str, list[int]] = {}
    for row, cell in enumerate(table.columns[column]):
        zone = str(cell or "").strip()
        if not zone:
            raise BadTrace(
                f"{table.at(row)}: no zone in column {table.names[column]!r}", fix="Name it in every line"
            )
        found.setdefault(zone, []).append(row)
    return list(found.items())


def _ends(table: Table, named: Roles, times: Moments, rows: Sequence[int]) -> list[float] | None:
    """When each row ends, where the file says it."""
    if named.end is not None:
        ends = moments(table, named.end).times_s
        return [ends[row] for row in rows]
    if named.duration is None:
        return None
    told = [_clock_s(table.columns[named.duration][row]) for row in rows]
    if None in told:
        return None
    return [times.times_s[row] + (length or 0.0) for row, length in zip(rows, told, strict=True)]


def _clock_s(cell: object) -> float | None:
    """``01:00`` (hours and minutes), ``01:00:00`` or ``1.00:00:00``, as .NET writes lengths. [s]"""
    found = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d{2})(?::(\d{2}(?:\.\d+)?))?", str(cell or "").strip())
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds or None


def _laid(values: Sequence[float | None], rows: Sequence[int], shape: Layout) -> tuple[float | None, ...]:
    if len(shape.rows) == len(values) and rows == range(len(values)) and shape.rows == tuple(rows):
        return tuple(values)  # in order and whole, as most are
    return tuple(None if row is None else values[rows[row]] for row in shape.rows)


def _history(issues: Issues) -> Series:
    """What came, as one history: of each issue what it tells before the next, of the last all."""
    step_s, rows = issues.step_s, issues.actual
    values = list[float | None]()
    for i, row in enumerate(rows):
        until = issues.issued_s[i + 1] if i + 1 < len(rows) else None
        fresh = len(row) if until is None else round((until - issues.issued_s[i]) / step_s)
        values += [*row[:fresh], *(None for _ in range(fresh - len(row)))]
    begin_s = issues.issued_s[0]
    return Series(
        signal=issues.signal,
        place=issues.place,
        source=issues.source,
        edges_s=tuple(begin_s + i * step_s for i in range(len(values) + 1)),
        values=tuple(values),
        basis=issues.basis,
        flags=issues.flags,
    )
