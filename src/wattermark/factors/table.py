"""Read the factor tables; a row without its papers does not get in."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from wattermark.errors import BadFactorTable, FactorNotFound
from wattermark.values.factors import Factor, Source
from wattermark.values.range import Range

Row = Mapping[str, str]
K = TypeVar("K")
V = TypeVar("V")
SOURCES = "sources"
DIVISORS = ("server_lifetime_years", "accelerator_utilisation")
MOST = 1e30  # more is a slip, and times two it may be no number
TABLES = os.path.join(os.path.dirname(__file__), "tables")
"""``importlib.resources`` and ``pathlib`` take 8 and 4 ms to import; an estimate needs neither."""


@cache
def table(name: str) -> tuple[Row, ...]:
    """All rows of one of our tables.

    Raises
    ------
    BadFactorTable
        If a row has no source, a source that is not registered, no year, or a short line.
    """
    try:
        with open(os.path.join(TABLES, f"{name}.csv"), encoding="utf-8", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFactorTable(f"{name}.csv cannot be read: {error}", fix="Install wattermark again") from error
    return tuple(
        check_rows(text.splitlines(), table=name, known=frozenset() if name == SOURCES else source_ids())
    )


class Index(dict[K, V]):
    """What a table holds by a key; a key that another row or a formula names must be there.

    Parameters
    ----------
    table : str
        Its name, for the error.
    entries : iterable of (key, value)
        The last one of a key stands.
    """

    def __init__(self, table: str, entries: Iterable[tuple[K, V]]) -> None:
        super().__init__(entries)
        self._table = table

    def __missing__(self, key: K) -> V:
        raise BadFactorTable(f"{self._table}.csv has no row for {key!r}", fix="Mend the table")


@cache
def rows_by(name: str, column: str) -> Index[str, Row]:
    """The rows of one of our tables by a column that tells them apart."""
    return Index(name, ((row[column], row) for row in table(name)))


@cache
def source_ids() -> frozenset[str]:
    """Ids of the registered sources."""
    return frozenset(row["id"] for row in table(SOURCES))


def papers(ids: Iterable[str]) -> dict[str, Source]:
    """Registered sources by their ids, in the order that they are asked for; others are left out."""
    known = {row["id"]: row for row in table(SOURCES)}
    return {id_: _paper(known[id_]) for id_ in ids if id_ in known}


def _paper(row: Row) -> Source:
    words = {name: row[name] for name in ("id", "title", "publisher", "version", "licence")}
    return Source(url=row["url_or_doi"], **words)


def check_rows(lines: Iterable[str], *, table: str, known: frozenset[str]) -> Iterable[Row]:
    """Rows of a table, each with its papers looked at.

    Raises
    ------
    BadFactorTable
        At the first row that breaks the schema; it names the table and the line.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
        for cells in reader:
            if not cells:
                continue
            row = _Cells(zip(header, cells, strict=False))
            fault = _fault(row, known) if table != SOURCES else ("" if row.get("id") else "id is empty")
            if len(cells) != len(header):
                fault = "the line has not as many cells as the header"
            if fault:
                raise _bad(table, reader.line_num, fault)
            yield row
    except csv.Error as error:
        raise _bad(table, reader.line_num, str(error)) from error


class _Cells(dict[str, str]):
    """A row that says so where it has no such column."""

    def __missing__(self, column: str) -> str:
        raise _no_column(column)


def _no_column(column: str) -> BadFactorTable:
    return BadFactorTable(f"there is no column {column}", fix="Mend the table's header")


def _bad(table: str, line: int, fault: str) -> BadFactorTable:
    return BadFactorTable(
        f"{table}.csv:{line}: {fault}", fix="See CONTRIBUTING, 'Mend a factor', for what a row needs"
    )


def _fault(row: Row, known: frozenset[str]) -> str:
    sources, year = row.get("source", ""), row.get("year", "")
    if not sources:
        return "source is empty"
    if sources not in known:
        strange = [source for source in sources.split("+") if source not in known]
        if strange:
            return f"source {strange[0]!r} is not in sources.csv"
    if not year.isdecimal():
        return f"year is {year!r}, not a year"
    if not row.get("basis"):
        return "basis is empty ('-' where it has no meaning)"
    return ""


def number(row: Row, column: str) -> float:
    """A cell as a number.

    Raises
    ------
    FactorNotFound
        If the cell is empty: unknown is not zero.
    BadFactorTable
        If it is not a number, or not one that can be meant.
    """
    if column not in row:
        raise _no_column(column)
    text = row[column]
    if text == "":
        raise FactorNotFound(f"no {column} is known", fix="Name a wider place, or give the number yourself")
    try:
        value = float(text)
    except ValueError as error:
        raise BadFactorTable(f"{column} is {text!r}, not a number", fix="Mend the table") from error
    if not abs(value) <= MOST:
        raise BadFactorTable(f"{column} is {text!r}, which no factor can be", fix="Mend the table")
    return value


def whole(row: Row, column: str) -> int:
    """A cell as a whole number.

    Raises
    ------
    BadFactorTable
        If it is none.
    """
    if not row[column].isdecimal():
        raise BadFactorTable(f"{column} is {row[column]!r}, not a whole number", fix="Mend the table")
    return int(row[column])


def factor(
    row: Row, name: str, *, key: str, columns: tuple[str, str, str], unit: str, **more: object
) -> Factor:
    """A factor from three cells of a row: low, best, high."""
    try:
        value = Range(*(number(row, column) for column in columns))
    except ValueError as error:
        raise BadFactorTable(f"{name} of {key}: {error}", fix="Mend the table") from error
    if value.low < 0:
        raise BadFactorTable(f"{name} of {key} is {value.low:g}, below nothing", fix="Mend the table")
    papers = {"basis": row["basis"], "source": row["source"], **more}
    return Factor(name=name, value=value, unit=unit, key=key, year=int(row["year"]), **papers)  # type: ignore[arg-type]


@cache
def named(table_name: str, name: str) -> Factor:
    """A factor of a table of single numbers (``defaults``, ``embodied``).

    Raises
    ------
    FactorNotFound
        If the table has no such row.
    BadFactorTable
        If its cells are no numbers, or what divides may be zero.
    """
    for row in table(table_name):
        if row["name"] == name:
            least = 1.0 if name.startswith("pue") else 0.0
            if name in DIVISORS and not number(row, "low") > 0:
                raise BadFactorTable(f"{name} is {row['low']} at least, and divides", fix="Mend the table")
            return factor(
                row,
                name,
                key="default",
                columns=("low", "best", "high"),
                unit=row["unit"],
                note=row.get("note", ""),
                least=least,
            )
    raise FactorNotFound(f"no {name} in {table_name}", fix="See: wattermark factors")
