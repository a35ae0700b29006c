"""``wattermark doctor``: what works here."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import paint, print_json
from wattermark.report.sheet import Section
from wattermark.verbs.doctor import Finding, can_measure, can_model, examine
from wattermark.verbs.look import ledger_folder

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
        paint([_section(finding) for finding in findings])
    return 0 if fine or can_model(findings) else 1


def _section(finding: Finding) -> Section:
    mark = "works" if finding.works else "does not work"
    mend = (f"mend: {finding.fix}",) if finding.fix else ()
    return Section(f"{finding.name}: {mark}", sentences=(finding.says, *mend))
