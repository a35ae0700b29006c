"""``wattermark watch``: a run while it lasts, from another terminal or for Prometheus."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from wattermark.cli.options import add_json, add_ledger, settings, wait_s
from wattermark.cli.paint import print_json
from wattermark.errors import UsageError
from wattermark.ledger.runs import ledger_folder
from wattermark.report.exposition import exposition
from wattermark.verbs.live import Moment, moments

EPILOG = """examples:
  wattermark watch last                        a line a second, until the run ends
  wattermark watch last --every 15 --json      a JSON document every 15 s
  wattermark watch train --textfile /var/lib/node_exporter/train.prom --every 15

The text file holds counters in joules, grams CO2e and litres that only rise; node_exporter's textfile
collector hands it to Prometheus. It is replaced in one step, so that no reader sees half of it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="an id, the beginning of one, a name, or 'last'")
    parser.add_argument("--every", type=wait_s, default=1.0, metavar="SECONDS", help="how often (1)")
    parser.add_argument("--textfile", metavar="FILE", help="write counters for Prometheus instead of a line")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    ledger = ledger_folder(settings(args, "ledger").ledger)
    try:
        for moment in moments(ledger, args.run):
            _tell(args, moment)
            if moment.over:
                return 0
            time.sleep(args.every)
    except KeyboardInterrupt:
        pass
    return 0


def _tell(args: argparse.Namespace, moment: Moment) -> None:
    if args.textfile is not None:
        _replace(Path(args.textfile), exposition(moment.header, moment.so_far))
    elif args.json:
        print_json({"run": moment.header.run, "over": moment.over, **moment.document})
    else:
        from wattermark.cli.live import line

        print(line(moment.so_far, moment.so_far.elapsed_s, moment.ahead), flush=True)


def _replace(path: Path, text: str) -> None:
    if not path.name or path.is_dir():
        raise UsageError(f"{path} is a folder", fix="Name a file in it")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", fix="Name another file") from error
