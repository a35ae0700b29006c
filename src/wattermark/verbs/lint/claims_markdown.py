"""Claims in a model card: its front matter, its lists of ``label: value``, its tables, its sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from wattermark.values.claims import Claim, Group, Page
from wattermark.verbs.lint.claims_lists import LABEL, plain_lines, read_label
from wattermark.verbs.lint.claims_prose import read_prose, read_said, restated
from wattermark.verbs.lint.claims_tables import read_table, tables_in
from wattermark.verbs.lint.front_matter import front_claims
from wattermark.verbs.lint.grouping import (
    NO_WORK,
    OF_DEVICE,
    OF_SITE,
    SHARED,
    Devices,
    explicit,
    inherited,
    of_all,
    totals_of,
)
from wattermark.verbs.lint.html_tables import html_tables
from wattermark.verbs.lint.sections import TRAININGS, Sections, phase_of, sections_of
from wattermark.verbs.lint.sentences import Line, sentences

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TRAINING_TYPE = re.compile(r"training_type:\s*(.*)")
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
    works = _works([*claimed, *again], listed, read_said(told), front, sections_of(plain))
    tables = [read_table(rows, devices) for rows in (*tables_in(body, before), *written)]
    often = Counter(claim.quantity for claim in page)
    shared = [claim for claim in page if claim.quantity in SHARED and often[claim.quantity] == 1]
    groups = [*works, *groups]
    for rows, _ in tables:
        groups += [_row(label, claims, shared, devices) for label, claims in rows if claims]
    totals = [total for rows, _ in tables for total in totals_of(rows)]
    unknown = dict.fromkeys(heading for _, headings in tables for heading in headings)
    return Page(tuple(groups), tuple(totals), tuple(unknown), unread)


def _works(
    field: Sequence[Claim], listed: Sequence[Claim], said: Iterable[Claim], front: str, sections: Sections
) -> list[Group]:
    """All that a card lists is about one training, unless its headings name several phases of a model."""
    own = "".join(phase_of(text) for text in _TRAINING_TYPE.findall(front)[:1])
    phases = {claim: sections.phase_at(claim.line) for claim in listed}
    trained = TRAININGS & {own, *phases.values()}
    if len(trained) < 2:  # a section that names no phase is about the one training
        own = "" if own in trained else own
        phases = {claim: "" if phase in trained else phase for claim, phase in phases.items()}
    told = dict.fromkeys([*([own] if field else []), *phases.values()])
    if len(told) < 2:
        return [Group("the card", tuple(explicit([*field, *listed, *said])))]
    of_site = [claim for claim in (*listed, *said) if claim.quantity in OF_SITE]
    groups = []
    for phase in told:
        mine = [*(field if phase == own else []), *(claim for claim in listed if phases[claim] == phase)]
        groups.append(Group(phase or "the card", inherited(explicit(mine), of_site)))
    return groups


def _row(label: str, claims: Sequence[Claim], shared: Sequence[Claim], devices: Devices) -> Group:
    """A row with what holds for all of the page; no work, where it tells what was not emitted."""
    if NO_WORK.match(label):
        return Group(label, ())
    of_device = any(claim.quantity in OF_DEVICE for claim in shared)
    return Group(label, inherited(claims, shared, other_device=of_device and bool(devices(label, "", 0))))


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
    entries: list[tuple[str, str]] = []
    for line, text in lines:
        hit = LABEL.fullmatch(text)
        found = list(read_label(hit[1].strip(), hit[2], line, devices)) if hit else []
        listed += found
        entries += [(hit[1], hit[2])] if hit else []
        if not found:
            prose.append((line, text))
    return of_all(listed, entries), prose
