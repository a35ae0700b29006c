"""Millions of requests as arrays: a tenth of the memory that a record for each of them takes.

The arrays are those of the standard library; ``numpy.asarray`` takes them as they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wattermark.ledger.requests import WHOLE, WORDS, Row, Told
from wattermark.values.served import EngineLook

UNTOLD = -1
"""Where nobody said a number: no count is negative."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of names: for each request the place of its name in ``names``."""

    names: list[str]
    places: array[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTold:
    """How many requests one file told, and what of it could not be read, or was never written."""

    path: Path
    requests: int
    bad_lines: int
    torn_bytes: int
    lost_lines: int


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """Requests as columns of one length.

    ``whole`` has the numbers by the names of ``requests.WHOLE``, ``UNTOLD`` where nobody said one;
    ``words`` the names by those of ``requests.WORDS``; ``streamed`` 0 or 1; ``unknown`` says what is not
    known of each, several joined by ``"; "``.
    """

    whole: dict[str, array[int]]
    words: dict[str, Words]
    streamed: array[int]
    unknown: Words
    looks: list[EngineLook] = field(default_factory=list)
    files: tuple[FileTold, ...] = ()

    def __len__(self) -> int:
        return len(self.streamed)

    @property
    def bad_lines(self) -> int:
        """That could not be read, in all files."""
        return sum(file.bad_lines for file in self.files)

    @property
    def torn_bytes(self) -> int:
        """Of lines that were not written to their end."""
        return sum(file.torn_bytes for file in self.files)

    @property
    def lost_lines(self) -> int:
        """That were never written, as the disk was full."""
        return sum(file.lost_lines for file in self.files)


class _Columns:
    """Takes rows, each on top of the others."""

    def __init__(self) -> None:
        self.whole = {name: array("q") for name in WHOLE}
        self.words = {name: _Dictionary() for name in WORDS}
        self.streamed, self.unknown = array("b"), _Dictionary()

    def taker(self) -> Callable[[Row], None]:
        """A closure, as its names are looked up a million times."""
        add_whole = [column.append for column in self.whole.values()]
        add_words = [column.add for column in self.words.values()]
        streamed, unknown, many = self.streamed.append, self.unknown.add, len(WHOLE)

        def take(row: Row) -> None:
            for append, value in zip(add_whole, row, strict=False):
                append(UNTOLD if value is None else value)
            streamed(row[many])
            unknown("; ".join(row[many + 1]))
            for add, word in zip(add_words, row[many + 2 :], strict=True):
                add(word)

        return take

    def told(self, looks: list[EngineLook], files: tuple[FileTold, ...]) -> RequestColumns:
        words = {name: column.told() for name, column in self.words.items()}
        return RequestColumns(self.whole, words, self.streamed, self.unknown.told(), looks, files)


def columns_of(rows: Iterable[Row]) -> RequestColumns:
    """Rows as columns."""
    columns = _Columns()
    take = columns.taker()
    for row in rows:
        take(row)
    return columns.told([], ())


def read_columns(paths: Iterable[Path]) -> RequestColumns:
    """Files of requests, whatever happened to them.

    Raises
    ------
    OSError
        If one cannot be opened.
    """
    columns, files, looks = _Columns(), [], []
    take = columns.taker()
    for path in paths:
        told, before = Told(take), len(columns.streamed)
        told.read(path)
        looks += told.looks
        files.append(
            FileTold(
                path=path,
                requests=len(columns.streamed) - before,
                bad_lines=told.bad_lines,
                torn_bytes=told.torn_bytes,
                lost_lines=told.lost_lines,
            )
        )
    return columns.told(looks, tuple(files))


class _Dictionary:
    """Names as they come, each kept once."""

    __slots__ = ("_place_of", "_places")

    def __init__(self) -> None:
        self._place_of: dict[str, int] = {}
        self._places = array("q")

    def add(self, word: str) -> None:
        self._places.append(self._place_of.setdefault(word, len(self._place_of)))

    def told(self) -> Words:
        return Words([str(word) for word in self._place_of], self._places)
