"""``wattermark show``: one run."""

from __future__ import annotations

import argparse

from wattermark.cli.options import add_json, add_ledger, add_site, settings
from wattermark.cli.paint import paint, print_json
from wattermark.ledger.runs import ledger_folder
from wattermark.report.document import run_document
from wattermark.report.equivalents import equivalents
from wattermark.report.explain import TOPICS, explain
from wattermark.report.sheet import Section, sheet, title
from wattermark.verbs.elsewhere import CHECKED
from wattermark.verbs.look import show

EPILOG = """examples:
  wattermark show last
  wattermark show baseline                        by a part of its id, or its name
  wattermark show last --explain water            the formula, with the numbers put in
  wattermark show last --place gcp:europe-north1  what if it had run there?
  wattermark show last --at 2021-07               with the grid of then, and July's scarcity
  wattermark show last --json | jq .footprint.water_l
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="an id, the beginning of one, a name, or 'last'")
    add_site(parser)
    parser.add_argument("--at", metavar="WHEN", help="account with the factors of then: 2024, 2024-07, ...")
    parser.add_argument("--explain", choices=TOPICS, help="show how the numbers were made")
    parser.add_argument("--equivalents", action="store_true", default=None, help="and in everyday things")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    config = settings(args, "ledger", "equivalents")
    options = {name: getattr(args, name) for name in CHECKED}
    seen = show(ledger_folder(config.ledger), args.run, at=args.at, **options)
    if args.json:
        print_json(run_document(seen.recorded, seen.footprint))
        return 0
    if args.explain:
        sections = [Section(args.explain, sentences=explain(seen.footprint, args.explain))]
    else:
        sections = list(sheet(seen.recorded, seen.footprint))
        if config.equivalents:
            sections.append(Section("in everyday things", sentences=equivalents(seen.footprint)))
    paint(sections, title=f"{title(seen.recorded, seen.footprint)}  {seen.run}")
    return 0
