"""Millions of requests as arrays: a tenth of the memory that a record for each of them takes.

The arrays are those of the standard library; ``numpy.asarray`` takes them as they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
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
    bad_lines: int = 0
    torn_bytes: int = 0
    lost_lines: int = 0

    def __len__(self) -> int:
        return len(self.streamed)


def read_columns(paths: Iterable[Path]) -> RequestColumns:
    """Files of requests, whatever happened to them.

    Raises
    ------
    OSError
        If one cannot be opened.
    """
    whole = {name: array("q") for name in WHOLE}
    words = {name: _Dictionary() for name in WORDS}
    streamed, unknown = array("b"), _Dictionary()
    add_whole = [column.append for column in whole.values()]
    add_words = [column.add for column in words.values()]
    many = len(WHOLE)

    def take(row: Row) -> None:
        for append, value in zip(add_whole, row, strict=False):
            append(UNTOLD if value is None else value)
        streamed.append(row[many])
        unknown.add("; ".join(row[many + 1]))
        for add, word in zip(add_words, row[many + 2 :], strict=True):
            add(word)

    told = Told(take)
    for path in paths:
        told.read(path)
    return RequestColumns(
        whole,
        {name: column.told() for name, column in words.items()},
        streamed,
        unknown.told(),
        told.looks,
        told.bad_lines,
        told.torn_bytes,
        told.lost_lines,
    )


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
