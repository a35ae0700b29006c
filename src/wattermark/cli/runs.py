"""``wattermark runs``: what was recorded."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import print_json, table
from wattermark.ledger.runs import ledger_folder
from wattermark.report.document import run_document
from wattermark.report.numbers import CARBON, ENERGY, TIME, WATER, say
from wattermark.verbs.look import Seen, Unreadable, list_runs

EPILOG = """examples:
  wattermark runs
  wattermark runs --most 5 --tag lr=3e-4
  wattermark runs --json | jq '.runs[].footprint.carbon_g.best'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most", type=_count, default=20, metavar="N", help="no more than the newest N (20)")
    parser.add_argument("--tag", metavar="KEY=VALUE", action="append", default=[], help="only those with it")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    ledger = ledger_folder(settings(args, "ledger").ledger)
    seen = list_runs(ledger, most=args.most, tags=args.tag)
    if args.json:
        documents = [
            {"run": {"run": one.run, "fault": one.fault}} if isinstance(one, Unreadable) else _document(one)
            for one in seen
        ]
        print_json({"schema": 1, "runs": documents})
        return 0
    found = list(seen)
    rows = [_row(one) for one in found]
    if not rows:
        print(f"No runs in {ledger}. Record one: wattermark run -- python train.py", file=sys.stderr)
        return 0
    table(("run", "status", "time", "energy", "carbon", "water"), rows, right=(2, 3, 4, 5))
    if any(isinstance(one, Seen) and one.inside for one in found):
        print("* lies inside another run: do not add the two")
    return 0


def _document(one: Seen) -> dict[str, Any]:
    document = run_document(one.recorded, one.footprint)
    return {**document, "run": {**document["run"], "lies_inside": one.inside or None}}


def _row(one: Seen | Unreadable) -> tuple[str, ...]:
    if isinstance(one, Unreadable):
        return (one.run, f"unreadable: {one.fault}", "", "", "", "")
    best = {name: value.best if value else None for name, value in one.footprint.quantities().items()}
    return (
        one.run,
        one.recorded.status.value + ("*" if one.inside else ""),
        say(one.footprint.duration_s, TIME),
        say(best["it_energy_j"], ENERGY),
        say(best["carbon_g"], CARBON),
        say(best["water_l"], WATER),
    )


def _count(text: str) -> int:
    if not text.isdigit() or text == "0":
        raise argparse.ArgumentTypeError(f"{text!r} is not a count; give 1 or more")
    return int(text)
