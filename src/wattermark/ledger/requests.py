"""Requests that were served: ``<ledger>/<run>/requests/<host>-<pid>.jsonl``, a line each.

Lines, told apart by ``kind``:

- ``requests`` (the first): ``schema``, the run, and who writes
- ``request``: one that ended; what equals its default is left out
- ``engine``: what an engine's counters showed at a moment
- ``lost``: how many lines of this file were let go, as there was no room for them

They lie beside the spool of their run, whose beats tell the energy, and have the same steady clock. A file
that has grown large is followed by another one, ``<host>-<pid>.1.jsonl``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any

from wattermark.ledger.fields import MOST, known_fields
from wattermark.ledger.spool import SpoolFile, line
from wattermark.values.served import EngineLook, Outcome, Route, Served, Usage

SCHEMA = 1
FOLDER = "requests"
MOST_WORD = 256
"""Letters of a name that anybody gave us: a model, a tenant."""
MOST_WHOLE = 2**62
MOST_FILE_B = 64_000_000
BLOCK_B = 1_000_000
"""Read at once."""


@dataclass(frozen=True, slots=True)
class Requests:
    """All that one file tells.

    ``bad_lines`` and ``torn_bytes`` could not be read; ``lost_lines`` were never written, as the disk was
    full.
    """

    served: list[Served]
    looks: list[EngineLook]
    bad_lines: int = 0
    torn_bytes: int = 0
    lost_lines: int = 0


class RequestFile:
    """The file of this process, and the next one when it has grown large. Writing raises nothing.

    Parameters
    ----------
    folder : Path
        Of the run.
    name : str
        Of the spool, without its ending.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, folder: Path, name: str, *, most_b: int = MOST_FILE_B) -> None:
        self._folder, self._name, self._most_b = folder, name, most_b
        self._lost_before = 0
        self._file = _new_file(folder, name)
        self._size_b = 0

    @property
    def path(self) -> Path:
        """The file that is written to now."""
        return self._file.path

    @property
    def trouble(self) -> OSError | None:
        """Why the disk took nothing, the last time that it did not."""
        return self._file.trouble

    @property
    def lost_lines(self) -> int:
        """Lines that were let go, in all files."""
        return self._lost_before + self._file.lost_lines

    def write(self, lines: str) -> None:
        """Some lines, each with its end."""
        if self._size_b >= self._most_b and not self._file.waiting:
            self._next()
        self._file.write(lines)
        self._size_b += len(lines)

    def lose(self, many: int) -> None:
        """Count requests that never came as far as here."""
        self._file.lost_lines += many
        self.write(line("lost", lines=self._file.lost_lines))

    def close(self) -> None:
        """Twice is no harm."""
        self._file.close()

    def _next(self) -> None:
        with suppress(OSError):  # no room for another: this one goes on
            following = _new_file(self._folder, self._name)
            self._file.close()
            self._lost_before += self._file.lost_lines
            self._file, self._size_b = following, 0


def _new_file(folder: Path, name: str) -> SpoolFile:
    """One of this process alone, beside the spool of its run."""
    where = folder / FOLDER
    where.mkdir(exist_ok=True)
    for number in count():
        path = where / (f"{name}.{number}.jsonl" if number else f"{name}.jsonl")
        with suppress(FileExistsError):
            path.touch(0o644, exist_ok=False)
            break
    file = SpoolFile(path)
    file.write(line("requests", schema=SCHEMA, run=folder.name, pid=os.getpid()))
    return file


def request_line(served: Served) -> str:
    """One request."""
    return line("request", **_told(served))


def look_line(look: EngineLook) -> str:
    """What an engine's counters showed."""
    return line("engine", **_told(look))


def request_files(folder: Path) -> tuple[Path, ...]:
    """The files of one run.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    return tuple(sorted((folder / FOLDER).glob("*.jsonl")))


def read_requests(path: Path) -> Requests:
    """One file, whatever happened to it: a line that cannot be read costs no other.

    A run of millions is better read by ``columns.read_columns``.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    served: list[Served] = []
    told = Told(lambda row: served.append(served_of(row)))
    told.read(path)
    return Requests(served, told.looks, told.bad_lines, told.torn_bytes, told.lost_lines)


# -- reading -----------------------------------------------------------------------------

Row = tuple[Any, ...]
WHOLE = (
    *("begin_ns", "end_ns", "first_ns", "input_tokens", "output_tokens", "cached_tokens"),
    *("reasoning_tokens", "passes", "again_tokens", "status", "chunks", "many"),
)
"""The first fields of a row, whole numbers or None; behind them ``streamed`` and ``unknown``."""
WORDS = ("model", "tenant", "provider", "upstream", "request", "route", "outcome")
"""The last ones."""


class Told:
    """What files of requests told: each request is handed on as a row, the rest is kept here."""

    def __init__(self, take: Callable[[Row], None]) -> None:
        self._take_row = take
        self.looks: list[EngineLook] = []
        self.bad_lines = self.torn_bytes = self.lost_lines = 0

    def read(self, path: Path) -> None:
        """One file more."""
        lost = 0
        for given in self._objects(path):
            try:
                kind = given["kind"]
                if kind == "request":
                    self._take_row(row_of(given))
                elif kind == "engine":
                    self.looks.append(_look(given))
                elif kind == "lost":
                    lost = _whole(given["lines"])
                elif kind == "requests" and given["schema"] > SCHEMA:
                    raise ValueError("written by a newer wattermark")
            except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
                self.bad_lines += 1
        self.lost_lines += lost  # a file tells its sum so far

    def _objects(self, path: Path) -> Iterator[Any]:
        """Block by block: one call of the parser for thousands of lines takes half the time."""
        with path.open("rb") as file:
            while block := file.read(BLOCK_B):
                block += file.readline()
                whole, end, rest = block.rpartition(b"\n")
                self.torn_bytes += len(rest)
                if end:
                    yield from self._parsed(whole.split(b"\n"))

    def _parsed(self, lines: list[bytes]) -> Iterator[Any]:
        try:
            found = json.loads(b"[%b]" % b",".join(lines))
        except (ValueError, RecursionError):
            found = ()
        if len(found) == len(lines):
            yield from found
            return
        for text in lines:
            try:
                yield json.loads(text)
            except (ValueError, RecursionError):
                self.bad_lines += 1


def row_of(given: Mapping[str, Any]) -> Row:
    """A request whose fields are what they must be: those of ``WHOLE``, ``streamed``, ``unknown``, ``WORDS``.

    Raises
    ------
    ValueError, LookupError, TypeError, AttributeError
        If they are not.
    """
    get, usage = given.get, given.get("usage", _EMPTY).get
    begin_ns, end_ns, first_ns = _whole(given["begin_ns"]), _whole(given["end_ns"]), _count(get("first_ns"))
    if not begin_ns <= (begin_ns if first_ns is None else first_ns) <= end_ns:
        raise ValueError("a request that ends before it begins")
    return (
        begin_ns, end_ns, first_ns,
        _count(usage("input_tokens")), _count(usage("output_tokens")), _count(usage("cached_tokens")),
        _count(usage("reasoning_tokens")), _count(usage("passes")), _count(usage("again_tokens")),
        _count(get("status")), _whole(get("chunks", 0)), _many(get("many", 1)),
        get("streamed", False) is True,
        tuple(map(_word, get("unknown", ()))),
        _word(get("model", "")), _word(get("tenant", "")), _word(get("provider", "")),
        _word(get("upstream", "")), _word(get("request", "")),
        Route(get("route", "other")), Outcome(get("outcome", "ok")),
    )  # fmt: skip


def served_of(row: Row) -> Served:
    """A request of its row."""
    begin_ns, end_ns, first_ns, given, written, cached, thought, passes, again, status, chunks, *rest = row
    many, streamed, unknown, model, tenant, provider, upstream, request, route, outcome = rest
    return Served(
        begin_ns=begin_ns, end_ns=end_ns, first_ns=first_ns,
        usage=Usage(
            input_tokens=given, output_tokens=written, cached_tokens=cached, reasoning_tokens=thought,
            passes=passes, again_tokens=again,
        ),
        model=model, tenant=tenant, provider=provider, upstream=upstream, request=request, route=route,
        status=status, outcome=outcome, streamed=streamed, chunks=chunks, many=many, unknown=unknown,
    )  # fmt: skip


def _look(given: Mapping[str, Any]) -> EngineLook:
    known = known_fields(EngineLook, given)
    words: dict[str, Any] = {name: _word(known.get(name, "")) for name in ("engine", "upstream", "model")}
    numbers: dict[str, Any] = {
        name: None if value is None else _amount(value)
        for name, value in known.items()
        if name not in words and name != "mono_ns"
    }
    return EngineLook(mono_ns=_whole(known["mono_ns"]), **words, **numbers)


_EMPTY: Mapping[str, Any] = {}


def _word(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("a name is expected")
    return value if len(value) <= MOST_WORD else value[:MOST_WORD]


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST_WHOLE:
        raise ValueError("a whole number is expected")
    return value


def _count(value: Any) -> int | None:
    return None if value is None else _whole(value)


def _many(value: Any) -> int:
    if _whole(value) < 1:
        raise ValueError("a row stands for one request at least")
    return int(value)


def _amount(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= MOST:
        raise ValueError("no counter shows that")
    return number


# -- writing -----------------------------------------------------------------------------


def _told(record: Served | EngineLook | Usage) -> dict[str, Any]:
    """What differs from its default."""
    told = {}
    for name, default in _USUAL[type(record)].items():
        value = getattr(record, name)
        if value != default or default is _NEEDED:
            told[name] = _plain(value)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, Usage):
        return _told(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value[:MOST_WORD] if isinstance(value, str) else value


def _usual(made: Served | EngineLook | Usage, *needed: str) -> Mapping[str, Any]:
    return {f.name: _NEEDED if f.name in needed else getattr(made, f.name) for f in fields(made)}


_NEEDED = object()
_USUAL: Mapping[type, Mapping[str, Any]] = {
    Usage: _usual(Usage()),
    Served: _usual(Served(begin_ns=0, end_ns=0), "begin_ns", "end_ns"),
    EngineLook: _usual(EngineLook(mono_ns=0, engine=""), "mono_ns", "engine"),
}
