"""Claims in the tables of a card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wattermark.values.claims import Claim
from wattermark.verbs.lint.cells import read_value
from wattermark.verbs.lint.claims_lists import read_label
from wattermark.verbs.lint.devices import DEVICE_WORDS, named_device
from wattermark.verbs.lint.grouping import Devices, of_all
from wattermark.verbs.lint.html_tables import Cells
from wattermark.verbs.lint.keys import split_heading
from wattermark.verbs.lint.quantities import CARBON, COMMON, ENERGY, INTENSITY, words_of

Row = tuple[str, list[Claim]]


def tables_in(body: str, before: int) -> Iterator[Cells]:
    """The tables of a text; ``before`` lines stand before it."""
    from markdown_it import MarkdownIt

    rows: list[tuple[int, list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append((before + 1 + (token.map or [0])[0], []))
        elif token.type == "inline" and rows and token.level >= 4:
            rows[-1][1].append(_unmarked(token.content))
        elif token.type == "table_close":
            yield rows
            rows = []


def _unmarked(cell: str) -> str:
    glued = re.sub(r"</?su[bp]>", "", cell)
    return " ".join(re.sub(r"<[^<>]{1,500}>|\*\*|__|`", " ", glued).split())


def read_table(rows: Cells, devices: Devices) -> tuple[list[Row], list[str]]:
    """A work for each row, and the headings that no row made use of.

    Where no heading is a quantity, the first column may hold them, and each other column is a work.
    """
    headings = rows[0][1]
    meant = [split_heading(heading) for heading in headings]
    if not any(meant[1:]) and (columns := list(_columns(rows, devices))):
        return columns, []
    used = {i for i, one in enumerate(meant) if one is not None}
    read = [(cells, list(_row(line, cells, headings, devices))) for line, cells in rows[1:]]
    used |= {i for _, claims in read for i, _ in claims}
    unknown = [heading for i, heading in enumerate(headings) if i and heading and i not in used]
    unknown = unknown if any(claims for _, claims in read) or _is_ours(headings) else []
    return [
        (cells[0] if cells else "", of_all([one for _, one in claims], zip(headings, cells, strict=False)))
        for cells, claims in read
    ], unknown


def _columns(rows: Cells, devices: Devices) -> Iterator[Row]:
    """A work for each column, where the first one holds labels; a column of units belongs to the labels."""
    headings = rows[0][1]
    units = next((i for i, heading in enumerate(headings) if heading.lower() in ("unit", "units")), None)
    for i in range(1, len(headings)):
        found: list[Claim] = []
        for line, cells in rows[1:]:
            if i < len(cells) and i != units:
                label = cells[0] if units is None else f"{cells[0]} ({cells[units]})"
                found += read_label(label, cells[i], line, devices)
        if found:
            entries = [(cells[0], cells[i]) for _, cells in rows[1:] if i < len(cells)]
            yield headings[i] or "the table", of_all(found, entries)


def _is_ours(headings: Sequence[str]) -> bool:
    """Whether a table that nobody understood is about such things at all; a page has many others."""
    words = {word for heading in headings for word in words_of(heading)}
    return bool(words & {*CARBON, *ENERGY, *INTENSITY, "water", "wue", "kwh", "mwh", "pue"} - COMMON)


def _row(
    line: int, cells: Sequence[str], headings: Sequence[str], devices: Devices
) -> Iterator[tuple[int, Claim]]:
    """Claims, and the column of each."""
    for i, (heading, cell) in enumerate(zip(headings, cells, strict=False)):
        where = f"row '{cells[0]}', {heading}"
        if set(words_of(heading)) in DEVICE_WORDS:
            yield from ((i, claim) for claim in named_device(cell, where, line, devices))
        elif heading or i:
            claim = read_value(split_heading(heading), heading, cell, where, line)
            yield from [] if claim is None else [(i, claim)]
