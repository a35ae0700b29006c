"""The text in which exporters tell metrics: Prometheus' exposition format, version 0.0.4.

Strict: a page with a line that cannot be meant is refused as a whole, since a page of HTML is no answer.

References: Prometheus documentation, "Exposition formats", text format details (names, label values
with ``\\\\``, ``\\"`` and ``\\n``, a value as Go's ParseFloat reads it, a timestamp in milliseconds).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

MOST_LINES = 500_000
MOST_LETTERS = 20_000
"""Of a line that is wanted."""
MOST_COUNT = 2**62
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\[\\"n])*)"[ \t]*(,|(?=\}))')
_REST = re.compile(r"[ \t]*(\S+)(?:[ \t]+(-?\d+))?[ \t]*")
_ESCAPE = re.compile(r"\\(.)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[+-]?[Ii]nf(inity)?|[Nn]a[Nn]")


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a metric, whose it is, and what it shows, in the page's own digits."""

    name: str
    labels: Mapping[str, str]
    shown: str


def samples(page: str, wanted: Collection[str]) -> Iterator[Sample]:
    """The lines of a page that tell some metrics.

    Parameters
    ----------
    page : str
        All of it.
    wanted : collection of str
        Names of metrics; of all other lines, only the name is looked at.

    Raises
    ------
    ValueError
        If a line cannot be meant.
    """
    for number, line in enumerate(page.split("\n"), 1):
        if number > MOST_LINES:
            raise ValueError(f"more than {MOST_LINES} lines")
        text = line.strip(" \t\r")
        if not text or text[0] == "#":
            continue
        name = _NAME.match(text)
        if name is None:
            raise ValueError(f"line {number} is no metric")
        if name[0] in wanted:
            yield _sample(name[0], text[name.end() :].lstrip(" \t"), number)


def _sample(name: str, rest: str, number: int) -> Sample:
    if len(rest) > MOST_LETTERS:
        raise ValueError(f"line {number} is too long")
    labels: dict[str, str] = {}
    if rest.startswith("{"):
        rest = _labels(rest, labels, number)
    told = _REST.fullmatch(rest)
    if told is None or not _NUMBER.fullmatch(told[1]):
        raise ValueError(f"line {number} has no value that can be meant")
    return Sample(name, labels, told[1])


def _labels(rest: str, labels: dict[str, str], number: int) -> str:
    """Fills the labels; what follows their brace."""
    at = 1
    while (found := _LABEL.match(rest, at)) is not None:
        if found[1] in labels:
            raise ValueError(f"line {number} names a label twice")
        labels[found[1]] = _ESCAPE.sub(lambda one: "\n" if one[1] == "n" else one[1], found[2])
        at = found.end()
    end = rest[at:].lstrip(" \t")
    if not end.startswith("}"):
        raise ValueError(f"line {number} has labels that cannot be meant")
    return end[1:]


def count_of(shown: str, per_unit: int) -> int | None:
    """A number of a page as a whole number of a smaller unit; None if it is not finite, or below zero.

    Parameters
    ----------
    shown : str
        Digits, as ``1.5152422938e+10``.
    per_unit : int
        How many of the smaller unit are one: 1000 for millijoule, where joule are shown.
    """
    try:
        value = Decimal(shown)
    except InvalidOperation:
        return None
    if not value.is_finite() or value.is_signed() or value.adjusted() > len(str(MOST_COUNT)):
        return None
    count = int((value * per_unit).to_integral_value())
    return count if count < MOST_COUNT else None
