"""Claims in a model card: its tables, its lists of ``label: value``, its front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from wattermark.errors import MissingExtra, UsageError
from wattermark.science.lint.printed import read_number
from wattermark.values.claims import Claim, Group, Page
from wattermark.verbs.lint.claim_words import (
    SHARED,
    Devices,
    count_and_name,
    device_count,
    explicit,
    grams_field,
    inherited,
    read_value,
    split_heading,
    totals_of,
    words_of,
)

FIELD = "co2_eq_emissions"
DEVICE_WORDS = (
    {"hardware"},
    {"hardware", "type"},
    {"gpu"},
    {"gpu", "type"},
    {"accelerator"},
    {"hardware", "used"},
)
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LABEL = re.compile(r"\s*(?:[-*+]\s+)?[*_]*([A-Za-z][^:=|*]{1,80}?)[*_]*\s*[:=][*_]*\s*(\S.*)")
_FENCE = re.compile(r"\s*(```|~~~)")
_SAID = (
    (re.compile(r"\bPUE\)?\s+(?:of|is|was|=)\s+(?:about\s+)?([\d.]*\d)"), "PUE"),
    (re.compile(r"\bintensity\s+(?:of|is|was|=)\s+(?:about\s+)?([\d.,]*\d\s*k?g\S*(?:\s*[A-Zc]\S*)?\s*(?:/|per)\s*[kM]Wh)"),
     "carbon intensity"),
)  # fmt: skip
Row = tuple[str, list[Claim]]


def read_markdown(text: str, name: str, devices: Devices) -> Page:
    """The claims of a card. ``devices`` knows what a name stands for."""
    front, body, before = _parted(text)
    unknown: list[str] = []
    page = explicit(
        [*_front_claims(front, name, devices), *_lists(body, before, devices), *_sentences(body, before)]
    )
    tables = [_table(rows, devices, unknown) for rows in _tables(body, before)]
    groups = [Group("the card", tuple(page))]
    shared = [claim for claim in page if _once(claim, page)]
    for table in tables:
        groups += [Group(label, inherited(claims, shared)) for label, claims in table if claims]
    totals = [total for table in tables for total in totals_of(table)]
    return Page(tuple(groups), tuple(totals), tuple(dict.fromkeys(unknown)))


def _once(claim: Claim, page: Sequence[Claim]) -> bool:
    return claim.quantity in SHARED and sum(one.quantity == claim.quantity for one in page) == 1


def _parted(text: str) -> tuple[str, str, int]:
    """Front matter, the rest, and how many lines stand before the rest."""
    hit = _FRONT.match(text)
    if hit is None:
        return "", text, 0
    return hit[1], text[hit.end() :], text.count("\n", 0, hit.end())


# -- front matter ----------------------------------------------------------------------


def _front_claims(front: str, name: str, devices: Devices) -> list[Claim]:
    if FIELD not in front:
        return []
    mapping = _yaml(front, name)
    field = mapping.get(FIELD) if isinstance(mapping, dict) else None
    if isinstance(field, dict):
        found = [claim for key, value in field.items() for claim in _entry(front, str(key), value, devices)]
        return found
    return [] if field is None else list(_entry(front, FIELD, field, devices))


def _yaml(front: str, name: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtra(
            f"the front matter of {name} is YAML, and PyYAML is not installed",
            fix="Run: pip install 'wattermark[cards]'",
        ) from error
    try:
        return yaml.safe_load(front)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else "it is nested too deeply"
        raise UsageError(f"the front matter of {name} is not YAML: {problem}", fix="Mend it") from error


def _entry(front: str, key: str, value: Any, devices: Devices) -> Iterator[Claim]:
    """One entry of the field, with its number as it is printed."""
    line, text = _line_of(front, key, str(value))
    where = FIELD if key == FIELD else f"{FIELD}.{key}"
    if key in ("emissions", FIELD):
        claim = _emissions(text if read_number(text) else str(value), where, line)
        yield from [] if claim is None else [claim]
    elif key == "hardware_used":
        yield from _device(str(value), where, line, devices)
    elif key in ("energy_consumed", "hours_used", "pue"):
        heading = {"energy_consumed": "energy (kWh)", "hours_used": "hours used (h)", "pue": "PUE"}[key]
        claim = read_value(split_heading(heading), heading, str(value), where, line)
        yield from [] if claim is None else [claim]


def _emissions(text: str, where: str, line: int) -> Claim | None:
    """Grams, by the schema. Where the line says another unit, it is that, and still stands in the field."""
    number = read_number(text)
    if number is None:
        return None
    said = re.search(r"\b(?:kg|kilograms?|t|tons?|tonnes?)(?=co[2₂]|\b)", text[number.end :], re.IGNORECASE)
    unit = "g" if said is None else said[0]
    claim = read_value(None, "carbon", f"{number.text} {unit}", where, line)
    return claim and grams_field(claim)


def _line_of(front: str, key: str, value: str) -> tuple[int, str]:
    """The line of a key in the file, and what stands behind it there."""
    for i, line in enumerate(front.splitlines()):
        hit = re.match(rf"\s*['\"]?{re.escape(key)}['\"]?\s*:\s*(\S.*)", line)
        if hit:
            return i + 2, hit[1].strip("'\"")
    return 1, value


# -- lists and sentences ---------------------------------------------------------------


def _plain_lines(body: str, before: int) -> Iterator[tuple[int, str]]:
    """Lines that are neither code nor a table."""
    fenced = False
    for i, line in enumerate(body.splitlines(), start=before + 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and not line.lstrip().startswith("|"):
            yield i, line


def _lists(body: str, before: int, devices: Devices) -> Iterator[Claim]:
    for line, text in _plain_lines(body, before):
        hit = _LABEL.fullmatch(text)
        if hit:
            yield from _labelled(hit[1].strip(), hit[2], line, devices)


def _labelled(label: str, value: str, line: int, devices: Devices) -> Iterator[Claim]:
    if set(words_of(label)) in DEVICE_WORDS:
        yield from _device(value.strip("*_ "), label, line, devices)
        return
    claim = read_value(split_heading(label), label, value, label, line)
    if claim is not None:
        yield claim


def _device(text: str, where: str, line: int, devices: Devices) -> Iterator[Claim]:
    count, name = count_and_name(text)
    known = devices(name, where, line)
    yield from known
    if known and count is not None:
        yield device_count(count, where, line)


def _sentences(body: str, before: int) -> Iterator[Claim]:
    for line, text in _plain_lines(body, before):
        for pattern, label in _SAID:
            for hit in pattern.finditer(text) if not _LABEL.fullmatch(text) else ():
                claim = read_value(split_heading(label), label, hit[1], label, line)
                yield from [] if claim is None else [claim]


# -- tables ----------------------------------------------------------------------------


def _tables(body: str, before: int) -> Iterator[list[tuple[int, list[str]]]]:
    """Rows of cells, each with its line."""
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
    return re.sub(r"<[^>]+>|\*\*|__|`", " ", cell).strip()


def _table(rows: list[tuple[int, list[str]]], devices: Devices, unknown: list[str]) -> list[Row]:
    """A row a work; or, where no heading is a quantity, a label and its value a row."""
    headings = rows[0][1]
    meant = [split_heading(heading) for heading in headings]
    if len(headings) == 2 and meant[1] is None:
        pairs = [(line, cells) for line, cells in rows[1:] if len(cells) == 2]
        found = [claim for line, (label, value) in pairs for claim in _labelled(label, value, line, devices)]
        return [(headings[0] or "the table", found)]
    unknown += [heading for heading, one in zip(headings[1:], meant[1:], strict=True) if heading and not one]
    return [
        (cells[0] if cells else "", list(_row(line, cells, headings, devices))) for line, cells in rows[1:]
    ]


def _row(line: int, cells: list[str], headings: list[str], devices: Devices) -> Iterator[Claim]:
    for heading, cell in zip(headings, cells, strict=False):
        if set(words_of(heading)) in DEVICE_WORDS:
            yield from _device(cell, f"row '{cells[0]}', {heading}", line, devices)
        else:
            claim = read_value(split_heading(heading), heading, cell, f"row '{cells[0]}', {heading}", line)
            yield from [] if claim is None else [claim]
