"""``wattermark serving report``: what requests to models took."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wattermark.cli.options import add_json, add_ledger, add_site, amount, duration_s, settings
from wattermark.cli.paint import paint, print_json, table
from wattermark.cli.terminal import harmless

if TYPE_CHECKING:
    from wattermark.values.serving_report import ServingReport

EPILOG = """examples:
  wattermark serving report                            the newest run that served, by model
  wattermark serving report last --by tenant --idle tokens
  wattermark serving report all --since 7d --by hour --svg week.svg
  wattermark serving report last --what-if batch=32,place=swe,model=llama-3.1-8b
  wattermark serving report calls --place usa --gpu h100 --batch 32
  wattermark serving report last --json | jq .serving.measured.total.per

Where meters saw the server, rows add up to what they saw. Where none did, the estimator speaks, and says so;
the two stand side by side and are never added.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", default="last", metavar="RUN",
        help="an id, the beginning of one, a name; 'last' (default) or 'all' of those that served",
    )  # fmt: skip
    parser.add_argument("--by", choices=("model", "tenant", "hour", "route"), default="model")
    parser.add_argument("--since", metavar="T", type=duration_s, help="runs that began since: 7d, 24h")
    parser.add_argument(
        "--idle", choices=("apart", "tokens", "time"), default="apart",
        help="who bears capacity that nobody used: nobody (a row of its own), or all by tokens or time",
    )  # fmt: skip
    parser.add_argument(
        "--active-idle", choices=("weight", "equal"), default="weight",
        help="who bears rest while somebody ran: who ran, by the work or each alike",
    )  # fmt: skip
    parser.add_argument("--window", metavar="T", type=_window_s, help="energy is shared in such windows: 1s")
    parser.add_argument("--estimated", action="store_true", help="the estimator, also where meters were")
    parser.add_argument("--gpu", metavar="GPU", help="what serves, where no meter tells (h100-sxm)")
    parser.add_argument("--batch", metavar="N", type=amount, help="requests at a time, where no meter tells")
    parser.add_argument("--what-if", metavar="W", help="batch=32,place=swe,model=llama-3.1-8b,gpu=b200")
    add_site(parser)
    parser.add_argument("--at", metavar="WHEN", help="account with the factors of then: 2024, 2024-07, ...")
    parser.add_argument("--csv", action="store_true", help="a line a row on stdout, for spreadsheets")
    parser.add_argument("--svg", metavar="FILE", help="draw energy by the hour, idle capacity in the open")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.cli.plan import by_name
    from wattermark.ledger.runs import ledger_folder
    from wattermark.values.policy import ActiveIdle, Idle
    from wattermark.values.serving_report import Basis, By
    from wattermark.verbs.elsewhere import CHECKED
    from wattermark.verbs.serving.reporting import WINDOW_S, Asked, serving_report_of

    asked = Asked(
        by=By(args.by),
        idle=Idle(args.idle),
        active_idle=ActiveIdle(args.active_idle),
        basis=Basis.ESTIMATED if args.estimated else None,
        window_s=WINDOW_S if args.window is None else args.window,
        gpu=args.gpu,
        batch=args.batch,
        options={name: getattr(args, name) for name in CHECKED},
        at=args.at,
        what_if=by_name(args.what_if, str, "what-if", "batch=32,place=swe"),
    )
    since = None if args.since is None else time.time() - args.since
    wanted = "all" if args.since is not None and args.run == "last" else args.run
    ledger = ledger_folder(settings(args, "ledger").ledger)
    _show(serving_report_of(ledger, wanted, asked, begun_after_s=since), args)
    return 0


def _window_s(text: str) -> float:
    """``10s``, or ``10``: of windows one means seconds."""
    return duration_s(f"{text}s" if text.replace(".", "", 1).isdecimal() else text)


def _show(report: ServingReport, args: argparse.Namespace) -> None:
    from wattermark.report.served import serving_csv, serving_document
    from wattermark.report.served_picture import serving_picture
    from wattermark.verbs.moments import iso

    if args.svg:
        Path(args.svg).write_text(serving_picture(report.sides[0], iso), encoding="utf-8")
    if args.json:
        print_json(serving_document(report, iso))
    elif args.csv:
        rows = (
            [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in serving_csv(report)
        )
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
    else:
        _paint(report)


def _paint(report: ServingReport) -> None:
    from wattermark.report.served import (
        HEADINGS,
        RIGHT,
        SPREAD_HEADINGS,
        SPREAD_RIGHT,
        serving_rows,
        side_sections,
        side_title,
        spread_rows,
        what_if_section,
    )
    from wattermark.report.sheet import Section, filled

    for side in report.sides:
        table((side_title(side), *HEADINGS[1:]), serving_rows(side), right=RIGHT)
        if rows := spread_rows(side):
            print()
            table(SPREAD_HEADINGS, rows, right=SPREAD_RIGHT)
        told = [one for one in report.what_if if one.basis is side.basis]
        paint(filled([*side_sections(side), *map(what_if_section, told)]))
        print()
    if report.flags:
        paint([Section("both", sentences=report.flags)])
