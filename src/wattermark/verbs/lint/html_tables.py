"""Tables that a card writes in HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from wattermark.verbs.lint.sentences import Line

Cells = list[tuple[int, list[str]]]
"""Rows of cells, each with its line."""
_TABLE = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_CELLS = ("td", "th")


class _Rows(HTMLParser):
    """Rows of cells, each with its line, counted from the table's own."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Cells = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append((self.getpos()[0] - 1, []))
            self._open = False
        elif tag in _CELLS and self.rows:
            self.rows[-1][1].append("")
            self._open = True
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag in (*_CELLS, "tr"):
            self.rows[-1][1][-1] = " ".join(self.rows[-1][1][-1].split())
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][1][-1] += data


def html_tables(lines: Sequence[Line]) -> tuple[list[Cells], list[Line]]:
    """The tables among some lines, and the lines outside of them.

    A row that is shorter or longer than the first, as where a cell spans two, is left out.
    """
    text = "\n".join(words for _, words in lines)
    tables: list[Cells] = []
    outside: list[Line] = []
    at = line = seen = 0
    for hit in _TABLE.finditer(text):
        first = line + text.count("\n", seen, hit.start())
        last = first + hit[0].count("\n")
        line, seen = last, hit.end()
        outside += lines[at:first]
        at = last + 1
        parser = _Rows()
        parser.feed(hit[0])
        rows = [(lines[first + row][0], cells) for row, cells in parser.rows]
        tables.append([row for row in rows if len(row[1]) == len(rows[0][1])])
    return [table for table in tables if len(table) > 1], [*outside, *lines[at:]]
