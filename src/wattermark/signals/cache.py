"""What providers said, kept: so that nobody is asked twice in an hour, and past forecasts can be judged.

One SQLite file in the user's cache, which several processes use at once. It can be lost: a damaged one is
set aside, one that cannot be written is done without. It holds what was told, and nothing of who asked.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isnan, nan
from pathlib import Path
from typing import TypeVar

from wattermark.signals.answers import harmless
from wattermark.signals.tidy import between, joined
from wattermark.values.series import Ask, Series, Signal

T = TypeVar("T")
VARIABLE = "WATTERMARK_CACHE"
FILE = "signals.sqlite"
SCHEMA_VERSION = 1
KEPT_S = 60 * 86400.0
"""So long issues are kept. [s]"""
SHORTEST_FRESH_S, LONGEST_FRESH_S = 1800.0, 3600.0
BUSY_S = 2.0
MOST_READ = 48
"""More issues than that are not looked through for what holds now."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL,
    basis TEXT NOT NULL, place TEXT NOT NULL, source TEXT NOT NULL, issued_s REAL, fetched_s REAL NOT NULL,
    asked_begin_s REAL NOT NULL, asked_end_s REAL NOT NULL, forecast_from_s REAL, flags TEXT NOT NULL,
    edges BLOB NOT NULL, vals BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS told_newest ON told (provider, zone, signal, basis, fetched_s DESC);
CREATE INDEX IF NOT EXISTS told_oldest ON told (fetched_s);
"""
WHERE = "WHERE provider = ? AND zone = ? AND signal = ? AND (basis = ? OR ? = '')"
COLUMNS = "basis, place, source, issued_s, fetched_s, forecast_from_s, flags, edges, vals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Whose word, of what: ``zone`` as the provider calls it, ``basis`` empty for any."""

    provider: str
    zone: str
    signal: Signal
    basis: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.provider, self.zone, self.signal.value, self.basis, self.basis)


class Cache:
    """A file of series. Whatever is wrong with it is in ``flags``, and never raised.

    Parameters
    ----------
    path : Path
        Where it is, or is to be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.flags: tuple[str, ...] = ()

    def keep(self, provider: str, zone: str, ask: Ask, series: Sequence[Series]) -> None:
        """What a provider said of a zone, beside what it said before; what is too old is forgotten."""
        rows = [_row(provider, zone, ask, one) for one in series]

        def work(database: sqlite3.Connection) -> None:
            with database:  # all of it, or nothing
                database.executemany(f"INSERT INTO told VALUES (NULL{', ?' * 14})", rows)
                database.execute("DELETE FROM told WHERE fetched_s < ?", (ask.now_s - KEPT_S,))

        self._use(work, None)

    def read(self, key: Key, begin_s: float, end_s: float) -> Series | None:
        """What is known of a stretch of time: where two issues tell of one moment, as the later has it.

        The flags are those of the latest one.
        """

        def work(database: sqlite3.Connection) -> list[Series]:
            found: list[Series] = []
            for one in _newest(database, key, MOST_READ):
                part = between(one, begin_s, end_s)
                if part is not None and (not found or part.basis == found[0].basis):
                    found.append(part)
                if found and found[-1].begin_s <= begin_s and found[0].end_s >= end_s:
                    break  # older ones could add nothing
            return found[:1] + [replace(one, flags=()) for one in found[1:]]

        nothing: list[Series] = []
        found = self._use(work, nothing)
        return joined(found[::-1]) if found else None

    def asked_lately(self, key: Key, ask: Ask) -> bool:
        """Whether what is asked was asked within the time in which the answer stays fresh."""
        columns = "asked_begin_s, asked_end_s, fetched_s, edges"
        query = f"SELECT {columns} FROM told {WHERE} AND fetched_s BETWEEN ? AND ?"
        span = (ask.now_s - LONGEST_FRESH_S, ask.now_s)

        def work(database: sqlite3.Connection) -> bool:
            return any(
                ask.now_s - fetched_s <= fresh_s(_numbers(edges))
                and begin_s <= ask.begin_s + LONGEST_FRESH_S
                and ask.end_s <= end_s + LONGEST_FRESH_S
                for begin_s, end_s, fetched_s, edges in database.execute(query, (*key.columns, *span))
            )

        return self._use(work, False)

    def issues(self, key: Key, most: int = -1) -> list[Series]:
        """All that was ever said and is kept, the oldest first; the latest ``most`` of them."""
        return self._use(lambda database: list(_newest(database, key, most))[::-1], [])

    def _use(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What is done with the file; once more with a new one, if it is damaged."""
        for _ in range(2):
            database = None
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                database = sqlite3.connect(self.path, timeout=BUSY_S)
                _prepare(database)
                return work(database)
            except (OSError, sqlite3.OperationalError) as error:  # busy for long, full, read only
                self._say(f"cache: {self.path} cannot be used ({error})")
                return otherwise
            except (sqlite3.DatabaseError, ValueError, TypeError, EOFError, zlib.error) as error:
                self._close(database)
                self._set_aside(error)
            finally:
                self._close(database)
        return otherwise

    def _close(self, database: sqlite3.Connection | None) -> None:
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()

    def _set_aside(self, error: Exception) -> None:
        """The file under another name, so that somebody may look at it."""
        aside = self.path.with_name(f"{self.path.name}.damaged")
        with suppress(OSError):  # another process was faster
            os.replace(self.path, aside)
        for end in ("-wal", "-shm"):
            with suppress(OSError):
                os.remove(f"{self.path}{end}")
        self._say(f"cache-damaged: {harmless(str(error))}; it is set aside as {aside.name}, and begun anew")

    def _say(self, flag: str) -> None:
        self.flags = tuple(dict.fromkeys((*self.flags, flag)))


def cache_file(folder: str = "") -> Path:
    """Where it lies: the platform's folder for such (XDG on Linux); ``WATTERMARK_CACHE`` names another."""
    if named := folder or os.environ.get(VARIABLE, ""):
        return Path(os.path.expanduser(named)) / FILE
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    elif sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return Path(base) / "wattermark" / FILE


def fresh_s(edges_s: Sequence[float]) -> float:
    """How long a series is as good as new: for one of its steps, from half an hour to an hour. [s]"""
    steps = [later - earlier for earlier, later in pairwise(edges_s)]
    return min(max(min(steps, default=0.0), SHORTEST_FRESH_S), LONGEST_FRESH_S)


def _prepare(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version:
        raise sqlite3.DatabaseError(f"it is of version {version}, not {SCHEMA_VERSION}")
    with suppress(sqlite3.OperationalError):  # another process is about to do it
        database.execute("PRAGMA journal_mode = WAL")
    database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _newest(database: sqlite3.Connection, key: Key, most: int) -> Iterator[Series]:
    query = f"SELECT {COLUMNS} FROM told {WHERE} ORDER BY fetched_s DESC, id DESC LIMIT ?"
    for row in database.execute(query, (*key.columns, most)):
        yield _series(key.signal, *row)


def _row(provider: str, zone: str, ask: Ask, one: Series) -> tuple[object, ...]:
    values = [nan if value is None else value for value in one.values]
    return (
        provider, zone, one.signal.value, one.basis, one.place, one.source, one.issued_s, ask.now_s,
        ask.begin_s, ask.end_s, one.forecast_from_s, json.dumps(one.flags),
        _packed(one.edges_s), _packed(values),
    )  # fmt: skip


def _series(  # noqa: PLR0917  as the columns stand
    signal: Signal,
    basis: str,
    place: str,
    source: str,
    issued_s: float | None,
    fetched_s: float,
    forecast_from_s: float | None,
    flags: str,
    edges: bytes,
    values: bytes,
) -> Series:
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
