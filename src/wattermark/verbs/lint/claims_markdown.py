"""Claims in a model card: its front matter, its lists of ``label: value``, its tables, its sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wattermark.values.claims import Claim, Group, Page
from wattermark.verbs.lint.claims_lists import LABEL, plain_lines, read_label
from wattermark.verbs.lint.claims_prose import read_prose, read_said, restated
from wattermark.verbs.lint.claims_tables import read_table, tables_in
from wattermark.verbs.lint.front_matter import front_claims
from wattermark.verbs.lint.grouping import SHARED, Devices, explicit, inherited, totals_of
from wattermark.verbs.lint.html_tables import html_tables
from wattermark.verbs.lint.sentences import Line, sentences

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def read_markdown(text: str, name: str, devices: Devices) -> Page:
    """The claims of a card. ``devices`` knows what a name stands for."""
    front, body, before = _parted(text)
    written, plain = html_tables(list(plain_lines(body, before)))
    listed, prose = _lists(plain, devices)
    told = list(sentences(prose))
    groups, unread = read_prose(told, devices)
    claimed = front_claims(front, name, devices)
    again = [one for claim in claimed if claim.grams_field for one in restated(told, claim)]
    page = explicit([*claimed, *listed, *again, *read_said(told)])
    tables = [read_table(rows, devices) for rows in (*tables_in(body, before), *written)]
    shared = [claim for claim in page if _once(claim, page)]
    groups = [Group("the card", tuple(page)), *groups]
    for rows, _ in tables:
        groups += [Group(label, inherited(claims, shared)) for label, claims in rows if claims]
    totals = [total for rows, _ in tables for total in totals_of(rows)]
    unknown = dict.fromkeys(heading for _, headings in tables for heading in headings)
    return Page(tuple(groups), tuple(totals), tuple(unknown), unread)


def _parted(text: str) -> tuple[str, str, int]:
    """Front matter, the rest, and how many lines stand before the rest."""
    hit = _FRONT.match(text)
    front, body = ("", text) if hit is None else (hit[1], text[hit.end() :])
    return front, _COMMENT.sub(_blank, body), text.count("\n", 0, len(text) - len(body))


def _blank(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def _lists(lines: Sequence[Line], devices: Devices) -> tuple[list[Claim], list[Line]]:
    """The claims of labels with values, and the lines that are none."""
    listed: list[Claim] = []
    prose: list[Line] = []
    for line, text in lines:
        hit = LABEL.fullmatch(text)
        found = list(read_label(hit[1].strip(), hit[2], line, devices)) if hit else []
        listed += found
        if not found:
            prose.append((line, text))
    return listed, prose


def _once(claim: Claim, page: Sequence[Claim]) -> bool:
    return claim.quantity in SHARED and sum(one.quantity == claim.quantity for one in page) == 1
