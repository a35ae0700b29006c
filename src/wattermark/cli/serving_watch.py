"""``wattermark serving watch``: an engine's own counters beside the meters, with no proxy in the path."""

from __future__ import annotations

import argparse
import gc
from typing import TYPE_CHECKING

from wattermark.cli.options import add_ledger, duration_s, seconds_within, settings

if TYPE_CHECKING:
    from pathlib import Path

    from wattermark.values.watched import Watched
    from wattermark.verbs.serving.watched import Watching

EPILOG = """examples:
  wattermark serving watch --metrics http://localhost:8000/metrics
  wattermark serving watch --engine vllm --metrics localhost:8000 --every 10 --for 30m
  wattermark serving watch --metrics localhost:8000 --metrics localhost:8001   two engines on one GPU
  wattermark serving watch --again last --model llama-3.1-8b                   once more, from the ledger

Engines: vllm, sglang, trtllm, tgi, llamacpp, dynamo, triton; 'auto' finds out. A line a window tells power,
tokens, joules a token, what idles, what stays unexplained, and R2; the end (Ctrl-C) sums up. Watch at
changing load, and for a while without any: else what idles and what a token costs look alike.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics",
        action="append",
        metavar="URL",
        default=[],
        help="an engine's page of metrics; may be repeated",
    )
    parser.add_argument("--engine", default="auto", metavar="NAME", help="whose page it is (auto)")
    parser.add_argument(
        "--every", type=_seconds, default=5.0, metavar="SECONDS", help="length of a window (5)"
    )
    parser.add_argument(
        "--for", dest="for_s", type=duration_s, metavar="TIME", help="how long: 10m, 2h (for ever)"
    )
    parser.add_argument("--again", metavar="RUN", help="no watch, but one that was, from the ledger")
    parser.add_argument("--model", help="what the engine serves, if its own name for it is not known")
    parser.add_argument("--gpu", help="the accelerator's kind, if no meter tells it")
    parser.add_argument(
        "--count", type=int, metavar="N", help="accelerators that share one copy of the model"
    )
    parser.add_argument("--quantisation", metavar="FORMAT", help="of the weights: bf16, fp8, int4 ...")
    parser.add_argument(
        "--meter", action="append", metavar="NAME", default=[], help="which meters see it, as gpu/0 (all)"
    )
    parser.add_argument("--json", action="store_true", help="a JSON document a window, and one at the end")
    add_ledger(parser)


def main(args: argparse.Namespace) -> int:
    known = _known(args)
    if args.again is not None:
        return _again(args, known)
    from wattermark.report.watched import window_heading
    from wattermark.verbs.serving.watching import begin_watch

    gc.enable()  # of a command that only answers it is off; this one lasts
    config = settings(args, "ledger")
    with begin_watch(config, args.metrics, args.engine, known) as watch:
        folder = watch.folder
        if not args.json:
            print(window_heading(), flush=True)
        try:
            for found in watch.rounds(args.every, args.for_s):
                _tell(found, json=args.json)
        except KeyboardInterrupt:
            watch.last_round()
    _sum_up(folder, known, json=args.json)
    return 0


def _known(args: argparse.Namespace) -> Watching:
    from wattermark.verbs.serving.watched import Watching

    return Watching(
        model=args.model,
        gpu=args.gpu,
        accelerators=args.count,
        quantisation=args.quantisation,
        meters=tuple(args.meter),
    )


def _again(args: argparse.Namespace, known: Watching) -> int:
    from wattermark.ledger.runs import find_run, ledger_folder

    found = find_run(ledger_folder(settings(args, "ledger").ledger), args.again)
    _sum_up(found.spool.parent, known, json=args.json)
    return 0


def _tell(found: Watched, *, json: bool) -> None:
    from wattermark.report.watched import window_document, window_line

    if json:
        from wattermark.cli.paint import print_json

        print_json(window_document(found))
    else:
        print(window_line(found), flush=True)


def _sum_up(folder: Path, known: Watching, *, json: bool) -> None:
    from wattermark.cli.paint import paint, print_json
    from wattermark.ledger.runs import spools_in
    from wattermark.report.watched import watched_document, watched_sections
    from wattermark.verbs.look import seen
    from wattermark.verbs.serving.watched import watched_run

    found = watched_run(folder, known)
    footprint = seen(spools_in(folder)[0]).footprint
    if json:
        print_json({"run": folder.name, **watched_document(found, footprint)})
    else:
        paint(watched_sections(found, footprint), title=folder.name)


def _seconds(text: str) -> float:
    return seconds_within(text, "length of a window", most_s=3600)
