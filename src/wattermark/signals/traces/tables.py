"""A trace file as columns of cells, whatever it is written in."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from wattermark.errors import BadTrace, MissingExtra

Cell = str | float | None
SEPARATORS = ",;\t|"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d|\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of one length. ``lines[i]`` says where row i stands; ``utc`` are columns of times in UTC.

    ``comma`` is whether numbers are written with a decimal comma.
    """

    file: str
    names: tuple[str, ...]
    columns: tuple[Sequence[Cell], ...]
    lines: Sequence[int]
    row: str = "line"
    utc: frozenset[int] = frozenset()
    comma: bool = False

    def at(self, row: int) -> str:
        """How to find a row: ``trace.csv, line 7``."""
        return f"{self.file}, {self.row} {self.lines[row]}"


def read_table(path: Path) -> Table:
    """Open a file by what it is named and by how it begins.

    Raises
    ------
    BadTrace
        If it is not there, is not text, or holds no rows.
    MissingExtra
        For Parquet without DuckDB.
    """
    if not path.is_file():
        raise BadTrace(f"there is no file {path}", fix="Give the path of a CSV, JSON or Parquet file")
    with path.open("rb") as file:
        begins = file.read(4)
    if begins == b"PAR1":
        return _parquet(path)
    text = _text(path)
    table = _json(path, text) if text.lstrip()[:1] in ("{", "[") else _csv(path, text)
    if not table.lines:
        raise BadTrace(f"{path} holds no rows", fix="Give a file with a header and a row for each hour")
    return table


def _text(path: Path) -> str:
    data = path.read_bytes()
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTrace(
            f"{path} is not UTF-8 text (byte {error.start})", fix="Save it as CSV in UTF-8, or as Parquet"
        ) from error
    if "\0" in text:
        raise BadTrace(f"{path} is not text", fix="Give a CSV, JSON or Parquet file")
    return text


def _csv(path: Path, text: str) -> Table:
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    header = lines[first] if first < len(lines) else ""
    separator = max(SEPARATORS, key=header.count)
    reader = csv.reader(lines[first:], delimiter=separator)
    names = [name.strip() for name in next(reader, [])]
    if any(map(_MOMENT.match, names)):
        raise BadTrace(
            f"{path}, line {first + 1} holds a moment where the names of columns belong",
            fix="Put a line over it, as: time,carbon_intensity",
        )
    rows, at = [], []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(names) and any(row[len(names) :]):
            raise BadTrace(
                f"{path}, line {first + reader.line_num}: {len(row)} cells under {len(names)} columns",
                fix="Mend the line, or put quotes around a cell that holds the separator",
            )
        rows.append(row[: len(names)])
        at.append(first + reader.line_num)
    return Table(
        file=str(path),
        names=tuple(names),
        columns=tuple(zip_longest(*rows, fillvalue=None)) if rows else tuple(() for _ in names),
        lines=at,
        comma=separator == ";",
    )


def _json(path: Path, text: str) -> Table:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadTrace(
            f"{path}, line {error.lineno}: this is no JSON ({error.msg})", fix="Mend it, or download it again"
        ) from error
    rows = _rows(found)
    if rows is None:
        raise BadTrace(f"{path} holds no list of measurements", fix='Give [{"time": ..., "value": ...}, ...]')
    return _of_rows(path, rows)


def _rows(found: Any) -> list[Mapping[str, Any]] | None:
    """The first list of objects in a document: itself, or under one of its keys."""
    if isinstance(found, list) and all(isinstance(row, Mapping) for row in found):
        return found
    if isinstance(found, Mapping):
        nested = (_rows(value) for value in found.values() if isinstance(value, Mapping | list) and value)
        return next((rows for rows in nested if rows), None)
    return None


def _of_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Table:
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    columns = tuple([_cell(row.get(name)) for row in rows] for name in names)
    return Table(file=str(path), names=names, columns=columns, lines=range(1, len(rows) + 1), row="item")


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return float(value)


def _parquet(path: Path) -> Table:
    try:
        import duckdb
    except ImportError:
        raise MissingExtra.of("A Parquet file", "duckdb", "parquet") from None
    try:
        with duckdb.connect(":memory:") as connection:
            told = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]).fetchall()
            kinds = {name: kind for name, kind, *_ in told}
            asked = ", ".join(_selected(name, kind) for name, kind in kinds.items())
            rows = connection.execute(f"SELECT {asked} FROM read_parquet($1)", [str(path)]).fetchall()
    except duckdb.Error as error:
        told_first = str(error).partition("\n")[0]
        raise BadTrace(
            f"{path} is no Parquet that can be read ({told_first})", fix="Write it again"
        ) from error
    utc = {i for i, kind in enumerate(kinds.values()) if "TIME ZONE" in kind}
    columns: Iterable[Sequence[Cell]] = zip(*rows, strict=True) if rows else (() for _ in kinds)
    return Table(
        file=str(path),
        names=tuple(kinds),
        columns=tuple(tuple(map(_cell, column)) for column in columns),
        lines=range(1, len(rows) + 1),
        row="row",
        utc=frozenset(utc),
    )


def _selected(name: str, kind: str) -> str:
    """Times as seconds since 1970, decimals as floats: DuckDB's own objects need more packages."""
    quoted = '"' + name.replace('"', '""') + '"'
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"epoch({quoted}) AS {quoted}"
    if kind.startswith("DECIMAL") or kind == "HUGEINT":
        return f"{quoted}::DOUBLE AS {quoted}"
    return quoted
