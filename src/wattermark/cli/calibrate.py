"""``wattermark calibrate``: the serving model, by what was measured here."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from wattermark.cli.options import add_json, add_ledger, amount, settings
from wattermark.cli.paint import print_json, table

EPILOG = """examples:
  wattermark run --tag model=llama-3.1-8b --tag gpu=h100-sxm --tag batch=32 --tag requests=2000 \\
      --tag input_tokens=150 --tag output_tokens=400 -- python my_benchmark.py
  wattermark calibrate --gpu h100-sxm
  wattermark calibrate --gpu h100-sxm --json > fit.json
  wattermark estimate inference --fit fit.json --model llama-3.1-8b --gpu h100-sxm \\
      --input-tokens 150 --output-tokens 400

The shipped coefficients count for eight measurements; --prior says otherwise.
It needs one package more: pip install 'wattermark[calibrate]'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gpu", required=True, help="whose coefficients")
    parser.add_argument("--prior", type=amount, default=8.0, metavar="N", help="measurements it counts for")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.ledger.runs import ledger_folder
    from wattermark.values.jobs import check_positive
    from wattermark.verbs.estimates.calibrate import calibrate

    check_positive("prior", args.prior)
    found = calibrate(ledger_folder(settings(args, "ledger").ledger), args.gpu, prior_rows=args.prior)
    if args.json:
        print_json({"schema": 1, "calibration": asdict(found)})
        return 0
    rows = [(name, f"{found.before[name]:.4g}", f"{value:.4g}") for name, value in found.after.items()]
    errors = ("median error", f"{found.error_before:.1%}", f"{found.error_after:.1%}")
    table(("coefficient", "shipped", "calibrated"), [*rows, errors], right=(1, 2))
    return 0
