"""Paragraphs and sentences of a page, with the line of every character."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Line = tuple[int, str]
"""A line of the file, and its text."""
_ITEM = re.compile(r"\s*([-*+]|\d+[.)]|#+|>)\s")
_NOISE = re.compile(r"https?://\S+|<[^<>]{0,500}>|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|\$")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(\[])")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and at which of its characters which line begins."""

    text: str
    starts: tuple[tuple[int, int], ...]

    @property
    def line(self) -> int:
        return self.starts[0][1]

    def line_at(self, at: int) -> int:
        """The line of a character."""
        return self.starts[_index(self.starts, at)][1]


def _index(starts: Sequence[tuple[int, int]], at: int) -> int:
    return max(bisect_right(starts, at, key=lambda start: start[0]) - 1, 0)


def sentences(lines: Iterable[Line]) -> Iterator[Sentence]:
    """The sentences of all paragraphs. A list item is a paragraph of its own."""
    for paragraph in _paragraphs(lines):
        starts: list[tuple[int, int]] = []
        length = 0
        parts = []
        for line, words in paragraph:
            starts.append((length, line))
            parts.append(_NOISE.sub(" ", words).strip())
            length += len(parts[-1]) + 1
        yield from _parted(" ".join(parts), starts)


def _paragraphs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    paragraph: list[Line] = []
    for line, text in lines:
        breaks = not text.strip() or _ITEM.match(text) or (paragraph and line != paragraph[-1][0] + 1)
        if breaks and paragraph:
            yield paragraph
            paragraph = []
        if text.strip():
            paragraph.append((line, text))
    if paragraph:
        yield paragraph


def _parted(text: str, starts: list[tuple[int, int]]) -> Iterator[Sentence]:
    begin = 0
    for end, following in [*(hit.span() for hit in _END.finditer(text)), (len(text), len(text))]:
        inside = starts[_index(starts, begin) : _index(starts, end) + 1]
        yield Sentence(text[begin:end], tuple((max(at - begin, 0), line) for at, line in inside))
        begin = following
