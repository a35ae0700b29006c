"""``wattermark saved``: what a planned run really saved."""

from __future__ import annotations

import argparse
import time

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import paint, print_json

EPILOG = """examples:
  wattermark saved last                 the newest run, if it was planned
  wattermark saved baseline --json

A run that was started by wattermark run --when or wattermark slurm, as it was, as it had been planned, as it
would have been if started at once, and at best, had everything been known: by the signals as they became
final. Nothing is claimed where the average and the marginal intensity disagree whether anything was saved.

Exit code 0: something is claimed. 1: nothing is, and the output says why.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="an id, the beginning of one, a name, or 'last'")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.ledger.runs import ledger_folder
    from wattermark.report.audited import audit_document, audit_sections
    from wattermark.verbs.saving import saved

    config = settings(args, "ledger")
    audit = saved(ledger_folder(config.ledger), args.run, config=config, now_s=time.time())
    if args.json:
        print_json(audit_document(audit))
    else:
        paint(audit_sections(audit), title=f"saved by {audit.run}")
    return int(bool(audit.refused))
