"""What the columns of a trace mean, by their names; and their cells as numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite, isnan

from wattermark.errors import BadTrace
from wattermark.signals.traces.moments import moment
from wattermark.signals.traces.tables import Cell, Table
from wattermark.values.series import Signal

TIMES = (
    "datetime",
    "utctime",
    "timeutc",
    "timestamp",
    "pointtime",
    "time",
    "date",
    "period",
    "from",
    "start",
)
ENDS = ("end", "to")
ZONES = ("zoneid", "zonekey", "zonecode", "zone", "region", "ba", "biddingzone", "location", "place", "area")
"""Of several, the first of these is the zone: a key is better than a name."""
GAPS = frozenset({"", "nan", "null", "none", "na", "n/a", "-", "--", "?"})
LB_PER_MWH = 0.45359237
"""Grams per kWh."""
_LOOKS = 20
_ZONE = re.compile(r"[A-Z]{2}(-[A-Z0-9]+)*")
_BASES = {"lca": "lifecycle", "lifecycle": "lifecycle", "life cycle": "lifecycle", "direct": "direct"}
_SIGNALS = (
    (r"moer|marginal", Signal.CARBON_MARGINAL),
    (
        r"carbon.?intensity|carbonintensity|emission|co2|^ci$|^rating$|^intensity$|carbon \(|aoer",
        Signal.CARBON,
    ),
    (r"wet.?bulb", Signal.WET_BULB),
    (r"\bwue\b", Signal.WUE),
    (r"price|\blmp\b", Signal.PRICE),
    (r"^values?$", Signal.CARBON),
)
_UNITS = (
    (r"lbs?[ _/]*(co2)?[ _/]*(per)?[ _/]*mwh", LB_PER_MWH),
    (r"kg[^)]*/ ?kwh|t[^)]*/ ?mwh", 1000.0),
    (r"(usd|eur|\$|€|gbp)[ /]*mwh|\blmp\b", 1e-3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of values: of which signal, on which basis, at which place; ``scale`` into our unit."""

    at: int
    signal: Signal
    basis: str = ""
    place: str = ""
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column is the time, the end, the length, the zone; which hold values, which a forecast."""

    time: int
    end: int | None
    duration: int | None
    zone: int | None
    values: tuple[Column, ...]
    forecast: Column | None


def roles(table: Table, signal: Signal | None, place: str) -> Roles:
    """Understand a header.

    Raises
    ------
    BadTrace
        If there is no column of times, or none of values.
    """
    names = [name.lower() for name in table.names]
    keys = [re.sub(r"[^a-z0-9]", "", name) for name in names]
    time = _time(table, keys)
    end = next((i for i, key in enumerate(keys) if i != time and _is_end(table, key, i)), None)
    duration = next((i for i, key in enumerate(keys) if key == "duration"), None)
    zone = next(
        (at for word in ZONES for at, key in enumerate(keys) if key == word and _is_text(table, at)), None
    )
    left = [i for i in range(len(names)) if i not in (time, end, duration, zone)]
    forecasts = [_column(i, names, signal, place) for i in left if names[i].startswith("forecast")]
    named = [_column(i, names, signal, place) for i in left if _signal(names[i]) and not _is_zone(table, i)]
    actual = [one for one in named if names[one.at].startswith("actual")]
    if forecasts and actual:
        return Roles(
            time=time, end=end, duration=duration, zone=zone, values=(actual[0],), forecast=forecasts[0]
        )
    values = [one for one in named if one.at not in {forecast.at for forecast in forecasts}]
    found = tuple(_usable(table, values) or _wide(table, left, signal))
    if not found:
        raise BadTrace(
            f"{table.file} has no column of numbers beside its times ({', '.join(table.names)})",
            fix="Name one carbon_intensity, or each by its zone",
        )
    return Roles(time=time, end=end, duration=duration, zone=zone, values=found, forecast=None)


def _time(table: Table, keys: Sequence[str]) -> int:
    """The column whose name says time and whose first cell is one; else the first whose cells are."""
    named = [i for word in TIMES for i, key in enumerate(keys) if word in key and not key.endswith("end")]
    every: list[int] = [*named, *range(len(keys))]
    for i in every:
        first = next((cell for cell in table.columns[i] if cell not in {None, ""}), None)
        if first is not None and moment(first) is not None:
            return i
    if named:
        return every[0]  # its first cell will be told
    raise BadTrace(
        f"{table.file} has no column of times ({', '.join(table.names)})",
        fix="Name it datetime_utc, and write 2022-03-27T01:00Z",
    )


def _is_text(table: Table, at: int) -> bool:
    """Bosnia's column of a wide trace is named BA, as balancing authorities are; it holds numbers."""
    return not _holds_numbers(table, at)


def _is_zone(table: Table, at: int) -> bool:
    """Whether ``CI`` is the zone of the Ivory Coast: beside other zones, and not the intensity."""
    others = (name for i, name in enumerate(table.names) if i != at and _ZONE.fullmatch(name))
    return table.names[at] == "CI" and any(others)


def _is_end(table: Table, key: str, at: int) -> bool:
    first = next((cell for cell in table.columns[at] if cell), None)
    return (key in ENDS or ("end" in key and any(word in key for word in ("time", "interval", "date")))) and (
        first is not None and moment(first) is not None
    )


def _column(at: int, names: Sequence[str], signal: Signal | None, place: str) -> Column:
    name = names[at]
    basis = next((basis for word, basis in _BASES.items() if word in name), "")
    scale = next((scale for unit, scale in _UNITS if re.search(unit, name)), 1.0)
    return Column(
        at=at, signal=signal or _signal(name) or Signal.CARBON, basis=basis, place=place, scale=scale
    )


def _signal(name: str) -> Signal | None:
    words = re.sub(r"[_]+", " ", name).strip()
    return next((signal for pattern, signal in _SIGNALS if re.search(pattern, words)), None)


def _usable(table: Table, values: Sequence[Column]) -> list[Column]:
    """Those with a number: a column may only tell the method, or the unit."""
    return [one for one in values if _holds_numbers(table, one.at)]


def _wide(table: Table, left: Sequence[int], signal: Signal | None) -> list[Column]:
    """A column a zone: all that hold numbers, but an index without a name."""
    return [
        Column(at=i, signal=signal or Signal.CARBON, place=table.names[i])
        for i in left
        if table.names[i] and not table.names[i].lower().startswith("unnamed") and _holds_numbers(table, i)
    ]


def _holds_numbers(table: Table, at: int) -> bool:
    """Whether one of its first cells is a number; the others are told when they are read."""
    told = list(islice((cell for cell in table.columns[at] if not _is_gap(cell)), _LOOKS))
    return not told or any(_is_number(cell, table.comma) for cell in told)


def _is_number(cell: Cell, comma: bool) -> bool:
    try:
        _number(cell, comma)
    except ValueError:
        return False
    return True


def numbers(table: Table, column: Column) -> list[float | None]:
    """The cells of a column in our unit; None for a gap.

    Raises
    ------
    BadTrace
        With the line of the first cell that is no number, or that cannot be.
    """
    cells, scale, comma = table.columns[column.at], column.scale, table.comma
    try:
        found = [_value(cell, scale, comma) for cell in cells]
    except ValueError:
        raise _no_number(table, column, cells) from None
    if column.signal is Signal.CARBON:
        below = next((row for row, value in enumerate(found) if value is not None and value < 0), None)
        if below is not None:
            raise BadTrace(
                f"{table.at(below)}: {table.names[column.at]!r} is {found[below]:g}, below nothing",
                fix="Leave the cell empty where the intensity is not known",
            )
    return found


def _value(cell: Cell, scale: float, comma: bool) -> float | None:
    if _is_gap(cell):
        return None
    value = _number(cell, comma) * scale
    if not isfinite(value):
        raise ValueError(cell)
    return value


def _is_gap(cell: Cell) -> bool:
    if isinstance(cell, str):
        return not cell[:1].isdigit() and cell.strip().lower() in GAPS
    return cell is None or isnan(cell)


def _number(cell: Cell, comma: bool) -> float:
    if comma and isinstance(cell, str):
        cell = cell.replace(",", ".")
    return float(cell)  # type: ignore[arg-type]


def _no_number(table: Table, column: Column, cells: Sequence[Cell]) -> BadTrace:
    for row, cell in enumerate(cells):
        try:
            _value(cell, 1.0, table.comma)
        except ValueError:
            return BadTrace(
                f"{table.at(row)}: {cell!r} in column {table.names[column.at]!r} is no number",
                fix="Leave the cell empty where nothing is known",
            )
    return BadTrace(f"{table.file}: {table.names[column.at]!r} overflows", fix="Mend its unit")
