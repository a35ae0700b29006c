"""Where the numbers of a model card, or of a list of claims, contradict each other."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from wattermark.errors import UsageError
from wattermark.science.lint.consistency import check
from wattermark.values.claims import Finding, Page, Severity
from wattermark.verbs.lint.claims_json import read_json
from wattermark.verbs.lint.claims_markdown import read_markdown
from wattermark.verbs.lint.devices import device_facts

STDIN = "-"
MOST_BYTES = 500_000


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found in a file, and how much of it was understood.

    ``unread`` counts numbers with units in sentences that were left alone, ``unchecked`` the rows behind
    the first hundred bad ones; ``note`` says what kind of file it is, where that matters.
    """

    file: str
    claims: int
    findings: tuple[Finding, ...]
    not_understood: tuple[str, ...]
    unread: int = 0
    unchecked: int = 0
    note: str = ""

    @property
    def contradicts(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def lint(file: str) -> Linted:
    """Read a card (Markdown) or claims (JSON), and check them; ``-`` is what stands on stdin."""
    text = _text(file)
    page = read_page(text, file)
    claims = [claim for group in page.groups for claim in group.claims if not claim.ours]
    claims += [part for total in page.totals for part in (total.total, *total.parts)]
    printed = {(claim.line, claim.where, claim.text) for claim in claims}
    findings, unchecked = check(page)
    return Linted(
        file, len(printed), findings, page.not_understood, unread=page.unread, unchecked=unchecked,
        note=page.note,
    )  # fmt: skip


def read_page(text: str, name: str) -> Page:
    """The claims of a text; JSON by its ending, or by how it begins."""
    is_json = name.lower().endswith(".json") or text.lstrip()[:1] in ("{", "[")
    is_card = name.lower().endswith((".md", ".markdown"))
    return (read_json if is_json and not is_card else read_markdown)(text, name, device_facts)


def _text(file: str) -> str:
    try:
        with nullcontext(sys.stdin.buffer) if file == STDIN else Path(file).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", fix="Check its name") from error
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{file} is larger than {MOST_BYTES:,} bytes", fix="Give the page with the claims, not the data"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not text in UTF-8", fix="Give Markdown or JSON in UTF-8") from error
