"""``wattermark lint``: where the numbers of a card contradict each other."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from wattermark.cli.options import add_json
from wattermark.cli.paint import paint, print_json
from wattermark.report.sheet import Section
from wattermark.values.claims import Finding
from wattermark.verbs.lint.linting import Linted, lint

EPILOG = """examples:
  wattermark lint README.md                       a model card, its front matter and its tables
  wattermark lint claims.json                     {"gpu_hours": 7.0e6, "power_w": 700, "emissions_t": 2040}
  wattermark lint README.md --json | jq '.findings[].sentence'

Exit code 0: nothing contradicts (a warning may stand there). 1: at least one contradiction.
2: the file cannot be read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a model card (Markdown) or claims (JSON)")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    linted = lint(args.file)
    if args.json:
        print_json(_document(linted))
    else:
        paint([_section(linted)])
    return int(linted.contradicts)


def _section(linted: Linted) -> Section:
    sentences = [_sentence(linted.file, finding) for finding in linted.findings]
    if not linted.claims:
        sentences.append(f"{linted.file}: no number was understood, so there is nothing to check")
    elif not sentences:
        sentences.append(f"{linted.file}: {linted.claims} numbers, and none contradicts another")
    if linted.not_understood:
        sentences.append(f"not understood: {', '.join(linted.not_understood)}")
    return Section("", sentences=tuple(sentences))


def _sentence(file: str, finding: Finding) -> str:
    place = f"{file}:{finding.line}" if finding.line else file
    return f"{place}: {finding.severity}: {finding.where}: {finding.sentence} [{finding.rule}]"


def _document(linted: Linted) -> dict[str, object]:
    return {
        "schema": 1,
        "file": linted.file,
        "claims": linted.claims,
        "contradicts": linted.contradicts,
        "findings": [asdict(finding) for finding in linted.findings],
        "not_understood": list(linted.not_understood),
    }
