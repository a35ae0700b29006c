"""``wattermark lint``: where the numbers of a card contradict each other."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from dataclasses import asdict

from wattermark.cli.options import add_json
from wattermark.cli.paint import paint, print_json
from wattermark.report.sheet import Section
from wattermark.values.claims import Finding, Severity
from wattermark.verbs.lint.keys import usual_keys
from wattermark.verbs.lint.linting import Linted, lint

EPILOG = f"""examples:
  wattermark lint README.md                       a model card, its front matter and its tables
  wattermark lint claims.json                     {{"gpu_hours": 7.0e6, "power_w": 700, "emissions_t": 2040}}
  wattermark lint README.md --json | jq '.findings[].sentence'

Keys of a JSON are words and a unit; the most usual:
{textwrap.fill(usual_keys(), 78, initial_indent="  ", subsequent_indent="  ")}
All of them: docs/lint.md

Exit code 0: nothing contradicts (a warning may stand there). 1: at least one contradiction.
2: the file cannot be read.
"""
_MOST_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a model card (Markdown) or claims (JSON); - for stdin")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    linted = lint(args.file)
    if args.json:
        print_json(_document(linted))
    else:
        paint([Section("", sentences=tuple(_sentences(linted)))])
    return int(linted.contradicts)


def _sentences(linted: Linted) -> Iterator[str]:
    """What contradicts, what was read, and what was not."""
    if linted.note:
        yield linted.note
    yield from (_sentence(linted.file, finding) for finding in linted.findings)
    yield f"{linted.file}: {_summary(linted)}"
    if linted.unchecked:
        yield f"{_many(linted.unchecked, 'row')} after so many that contradict themselves: not looked at"
    if linted.not_understood:
        shown, more = linted.not_understood[:_MOST_SHOWN], linted.not_understood[_MOST_SHOWN:]
        yield f"not understood: {', '.join(shown)}{f' and {len(more):,} more' if more else ''}"


def _summary(linted: Linted) -> str:
    said = _many(linted.claims, "number")
    errors = sum(finding.severity is Severity.ERROR for finding in linted.findings)
    if not linted.claims:
        said = (
            "no number was understood, so there is nothing to check. What is read: the co2_eq_emissions of "
            "the front matter, tables, lists of 'label: value', and sentences that give numbers with units"
        )
    elif linted.findings:
        said += f", {_many(errors, 'contradiction')}, {_many(len(linted.findings) - errors, 'warning')}"
    else:
        said += ", and none contradicts another" if linted.claims > 1 else ", and no other to compare it with"
    if not linted.unread:
        return said
    return f"{said}; {_many(linted.unread, 'number')} with units in sentences {_were(linted.unread)} not read"


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _sentence(file: str, finding: Finding) -> str:
    place = f"{file}:{finding.line}" if finding.line else file
    where = "" if finding.sentence.startswith(f"{finding.where} ") else f"{finding.where}: "
    return f"{place}: {finding.severity}: {where}{finding.sentence} [{finding.rule}]"


def _document(linted: Linted) -> dict[str, object]:
    return {
        "schema": 1,
        "file": linted.file,
        "claims": linted.claims,
        "contradicts": linted.contradicts,
        "findings": [asdict(finding) for finding in linted.findings],
        "not_understood": list(linted.not_understood),
        "unread_in_sentences": linted.unread,
        "unchecked_rows": linted.unchecked,
        "note": linted.note,
    }
