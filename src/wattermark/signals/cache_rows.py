"""The cache's tables, and a series as a row of them."""

from __future__ import annotations

import json
import sqlite3
import zlib
from array import array
from collections.abc import Sequence
from contextlib import suppress
from math import isnan, nan
from typing import Any

from wattermark.values.series import Series, Signal

SCHEMA_VERSION = 3
SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL,
    basis TEXT NOT NULL, place TEXT NOT NULL, source TEXT NOT NULL, issued_s REAL, fetched_s REAL NOT NULL,
    begin_s REAL NOT NULL, end_s REAL NOT NULL, forecast_from_s REAL, flags TEXT NOT NULL,
    edges BLOB NOT NULL, vals BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS asked (
    provider TEXT NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL, basis TEXT NOT NULL,
    begin_s REAL NOT NULL, end_s REAL NOT NULL, at_s REAL NOT NULL, until_s REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS asked_lately ON asked (provider, zone, signal, until_s);
CREATE INDEX IF NOT EXISTS told_newest ON told (provider, zone, signal, basis, fetched_s DESC);
CREATE INDEX IF NOT EXISTS told_oldest ON told (fetched_s);
"""
COLUMNS = "basis, place, source, issued_s, fetched_s, forecast_from_s, flags, edges, vals"


def prepare(database: sqlite3.Connection) -> None:
    """The tables, where there are none yet.

    Raises
    ------
    sqlite3.DatabaseError
        If the file is none of ours, or of another version.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version:
        raise sqlite3.DatabaseError(f"it is of version {version}, not {SCHEMA_VERSION}")
    with suppress(sqlite3.OperationalError):  # another process is about to do it
        database.execute("PRAGMA journal_mode = WAL")
    database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def row_of(provider: str, zone: str, now_s: float, one: Series) -> tuple[object, ...]:
    """One that was told of a zone."""
    values = [nan if value is None else value for value in one.values]
    return (
        provider, zone, one.signal.value, one.basis, one.place, one.source, one.issued_s, now_s,
        one.begin_s, one.end_s, one.forecast_from_s, json.dumps(one.flags),
        _packed(one.edges_s), _packed(values),
    )  # fmt: skip


def series_of_row(signal: Signal, row: Sequence[Any]) -> Series:
    """One as it was told, from its ``COLUMNS``.

    Raises
    ------
    ValueError, TypeError, zlib.error
        If somebody has been at the row.
    """
    basis, place, source, issued_s, fetched_s, forecast_from_s, flags, edges, values = row
    return Series(
        signal=signal,
        place=place,
        source=source,
        edges_s=_numbers(edges),
        values=tuple(None if isnan(value) else value for value in _numbers(values)),
        basis=basis,
        issued_s=issued_s,
        fetched_s=fetched_s,
        forecast_from_s=forecast_from_s,
        flags=tuple(json.loads(flags)),
    )


def _packed(numbers: Sequence[float]) -> bytes:
    return zlib.compress(array("d", numbers).tobytes(), 1)


def _numbers(packed: bytes) -> tuple[float, ...]:
    found = array("d")
    found.frombytes(zlib.decompress(packed))
    return tuple(found)
