"""What providers said, kept: so that nobody is asked twice in an hour, and past forecasts can be judged.

One SQLite file in the user's cache, which several processes use at once. It can be lost: a damaged one is
set aside, one that cannot be written is done without. It holds what was told, and nothing of who asked.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from wattermark.signals.answers import harmless
from wattermark.signals.cache_rows import COLUMNS, prepare, row_of, series_of_row
from wattermark.signals.tidy import between, joined
from wattermark.values.series import Ask, Series, Signal

T = TypeVar("T")
VARIABLE = "WATTERMARK_CACHE"
FILE = "signals.sqlite"
KEPT_S = 60 * 86400.0
"""So long issues are kept. [s]"""
SHORTEST_FRESH_S, LONGEST_FRESH_S = 1800.0, 3600.0
BUSY_S = 2.0
MOST_READ = 12
"""More issues than that are not looked through for what holds now."""
WHERE = "WHERE provider = ? AND zone = ? AND signal = ? AND (basis = ? OR ? = '')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Whose word, of what: ``zone`` as the provider calls it, ``basis`` empty for any."""

    provider: str
    zone: str
    signal: Signal
    basis: str = ""

    @property
    def name(self) -> tuple[str, str, str, str]:
        return (self.provider, self.zone, self.signal.value, self.basis)

    @property
    def columns(self) -> tuple[str, ...]:
        """As ``WHERE`` takes them."""
        return (*self.name, self.basis)


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

    def keep(self, keys: Sequence[Key], ask: Ask, series: Sequence[Series]) -> None:
        """What somebody said, beside what they said before; what is too old is forgotten.

        Each forecast stays as it was made. What came is one series, which grows.

        Parameters
        ----------
        keys : sequence of Key
            What was asked for, of one provider and zone: also what was not answered need not be asked again.
        ask : Ask
            When, and for which stretch of time.
        series : sequence of Series
            The answer.
        """
        fresh = {one.signal: fresh_s(one.edges_s) for one in series}
        longest_s = max(fresh.values(), default=SHORTEST_FRESH_S)
        asked = [
            (*key.name, ask.begin_s, ask.end_s, ask.now_s, ask.now_s + fresh.get(key.signal, longest_s))
            for key in keys
        ]

        def work(database: sqlite3.Connection) -> None:
            with database:  # all of it, or nothing
                database.execute("BEGIN IMMEDIATE")
                kept = [_with_older(database, keys[0], one, ask.now_s - KEPT_S) for one in series]
                rows = [row_of(keys[0].provider, keys[0].zone, ask.now_s, one) for one in kept]
                database.executemany(f"INSERT INTO told VALUES (NULL{', ?' * 14})", rows)
                database.execute("DELETE FROM told WHERE fetched_s < ?", (ask.now_s - KEPT_S,))
                database.executemany("INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?)", asked)
                database.execute("DELETE FROM asked WHERE until_s < ?", (ask.now_s,))

        self._use(work, None)

    def read(self, key: Key, begin_s: float, end_s: float) -> Series | None:
        """What is known of a stretch of time: where two issues tell of one moment, as the later has it.

        The flags are those of the latest one.
        """

        query = (
            f"SELECT {COLUMNS} FROM told {WHERE} AND end_s > ? AND begin_s < ?"
            " ORDER BY fetched_s DESC, id DESC LIMIT ?"
        )

        def work(database: sqlite3.Connection) -> list[Series]:
            found: list[Series] = []
            for row in database.execute(query, (*key.columns, begin_s, end_s, MOST_READ)):
                part = between(series_of_row(key.signal, row), begin_s, end_s)
                if part is not None and (not found or part.basis == found[0].basis):
                    found.append(part)
                if found and found[-1].begin_s <= begin_s and found[0].end_s >= end_s:
                    break  # older ones could add nothing
            return found[:1] + [replace(one, flags=()) for one in found[1:]]

        nothing: list[Series] = []
        found = self._use(work, nothing)
        return joined(found[::-1]) if found else None

    def asked_lately(self, key: Key, ask: Ask) -> bool:
        """Whether what is asked was asked within the time in which the answer stays fresh.

        Its end may lie a little later, as it moves with the clock.
        """
        query = (
            "SELECT 1 FROM asked WHERE provider = ? AND zone = ? AND signal = ? AND basis = ?"
            " AND at_s <= ? AND until_s >= ? AND begin_s <= ? AND end_s >= ? LIMIT 1"
        )
        span = (ask.now_s, ask.now_s, ask.begin_s, ask.end_s - LONGEST_FRESH_S)
        return self._use(
            lambda database: database.execute(query, (*key.name, *span)).fetchone() is not None, False
        )

    def issues(self, key: Key, *, apart_s: float = 1.0, most: int = -1) -> list[Series]:
        """All that was ever said and is kept, the oldest first.

        Parameters
        ----------
        key : Key
            Whose, of what.
        apart_s : float
            Of all forecasts within so many seconds the last one only, and so of what came. [s]
        most : int
            The latest so many.
        """
        query = (
            f"SELECT {COLUMNS} FROM told WHERE id IN (SELECT MAX(id) FROM told {WHERE}"
            " GROUP BY CAST(fetched_s / ? AS INTEGER), forecast_from_s IS NULL)"
            " ORDER BY fetched_s DESC, id DESC LIMIT ?"
        )
        return self._use(lambda database: _all(database, query, key, apart_s, most), [])

    def _use(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What is done with the file; once more with a new one, if it is damaged."""
        for _ in range(2):
            database = None
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                database = sqlite3.connect(self.path, timeout=BUSY_S)
                prepare(database)
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


def _with_older(database: sqlite3.Connection, key: Key, one: Series, since_s: float) -> Series:
    """What only tells what came, joined with all that did so before, which then need not be kept; a forecast
    as it is."""
    if one.forecast_from_s is not None:
        return one
    mine = replace(key, signal=one.signal, basis=one.basis).name
    where = "WHERE provider = ? AND zone = ? AND signal = ? AND basis = ? AND forecast_from_s IS NULL"
    older = database.execute(f"SELECT {COLUMNS} FROM told {where} ORDER BY fetched_s", mine).fetchall()
    database.execute(f"DELETE FROM told {where}", mine)
    before = [replace(series_of_row(one.signal, row), flags=()) for row in older]
    return between(joined([*before, one]), since_s, one.end_s) or one


def _all(database: sqlite3.Connection, query: str, key: Key, apart_s: float, most: int) -> list[Series]:
    rows = database.execute(query, (*key.columns, apart_s, most)).fetchall()
    return [series_of_row(key.signal, row) for row in reversed(rows)]
