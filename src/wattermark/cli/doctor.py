"""``wattermark doctor``: what works here."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import paint, print_json
from wattermark.ledger.runs import ledger_folder
from wattermark.report.sheet import Section
from wattermark.verbs.doctor import Finding, can_measure, can_model, examine

NOTHING = "Nothing to do"
EPILOG = """examples:
  wattermark doctor
  wattermark doctor --json | jq '.findings[] | select(.works | not)'

It prints the commands that mend things and never runs one. Where no meter of energy works, the
load is modelled instead. Exit code 1: nothing can be measured, nor modelled.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    findings = examine(ledger_folder(settings(args, "ledger").ledger))
    fine = can_measure(findings)
    if args.json:
        print_json({"schema": 1, "can_measure": fine, "findings": [asdict(finding) for finding in findings]})
    else:
        paint([*(_section(finding) for finding in findings if not finding.absent), *_absent(findings)])
    return 0 if fine or can_model(findings) else 1


def _absent(findings: Sequence[Finding]) -> Iterator[Section]:
    """What this machine does not have, a line each."""
    told = tuple(
        f"{one.name.removeprefix('meter ')}: {one.says}"
        + ("" if one.fix.startswith(NOTHING) else f". {one.fix}")
        for one in findings
        if one.absent
    )
    if told:
        yield Section("not on this machine", sentences=told)


def _section(finding: Finding) -> Section:
    mark = "works" if finding.works else "does not work"
    mend = (f"mend: {finding.fix}",) if finding.fix else ()
    return Section(f"{finding.name}: {mark}", sentences=(finding.says, *mend))
