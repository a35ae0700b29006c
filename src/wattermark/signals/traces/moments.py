"""Cells as moments: ISO 8601 with or without an offset, American dates, seconds or milliseconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from wattermark.errors import BadTrace
from wattermark.signals.traces.tables import Cell, Table

EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""From which number on it is nano-, micro-, milliseconds or seconds since 1970; and their length. [s]"""
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})[ T]*(.*)")
NAIVE = "times without an offset were taken for UTC"
MONTH_FIRST = "dates such as 01/02/2020 were read with the month first"


@dataclass(frozen=True, slots=True)
class Moments:
    """Seconds since 1970 (UTC) of each row, and what was assumed to know them."""

    times_s: list[float]
    flags: tuple[str, ...]


def moments(table: Table, column: int) -> Moments:
    """A column of times; each must be one.

    Raises
    ------
    BadTrace
        With the line of the first cell that is none.
    """
    cells = table.columns[column]
    day_first = _day_first(cells)
    times: list[float] = []
    naive = guessed = False
    for row, cell in enumerate(cells):
        found = moment(cell, day_first=bool(day_first))
        if found is None:
            raise BadTrace(
                f"{table.at(row)}: {cell!r} in column {table.names[column]!r} is no time",
                fix="Write times as 2022-03-27T01:00Z",
            )
        seconds, without_offset, slashed = found
        times.append(seconds)
        naive = naive or without_offset
        guessed = guessed or slashed
    says_utc = "utc" in table.names[column].lower() or column in table.utc
    flags = [NAIVE] if naive and not says_utc else []
    return Moments(times, (*flags, *([MONTH_FIRST] if guessed and day_first is None else ())))


def moment(cell: Cell, *, day_first: bool = False) -> tuple[float, bool, bool] | None:
    """Seconds since 1970, whether no offset was given, whether it is a date with slashes; None if no time."""
    if isinstance(cell, float):
        seconds = _epoch(cell)
        return None if seconds is None else (seconds, False, False)
    text = (cell or "").strip()
    if text.isdecimal() and len(text) > 8:  # or milliseconds would be a date of the seventeenth century
        return moment(float(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _otherwise(text, day_first)
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC).timestamp(), True, False
    return found.timestamp(), False, False


def _otherwise(text: str, day_first: bool) -> tuple[float, bool, bool] | None:
    if slashed := _SLASHED.fullmatch(text):
        a, b, year, clock = slashed.groups()
        day, month = (a, b) if day_first else (b, a)
        found = moment(f"{year}-{month:0>2}-{day:0>2}" + (f"T{clock}" if clock else ""))
        return None if found is None else (found[0], found[1], True)
    try:
        seconds = _epoch(float(text))
    except ValueError:
        return None
    return None if seconds is None else (seconds, False, False)


def _epoch(number: float) -> float | None:
    return next((number * unit for least, unit in EPOCHS if least <= number < inf), None)


def _day_first(cells: Sequence[Cell]) -> bool | None:
    """Whether the day stands before the month; None where every date could be read both ways."""
    for cell in cells:
        if isinstance(cell, str) and (slashed := _SLASHED.fullmatch(cell.strip())):
            if int(slashed[1]) > 12:
                return True
            if int(slashed[2]) > 12:
                return False
        elif cell:
            break  # other dates: there are none with slashes to decide
    return None
