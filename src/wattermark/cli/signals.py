"""``wattermark signals``: what changes by the hour at a place, who says so, and how good that has been."""

from __future__ import annotations

import argparse
import time

from wattermark.cli.options import add_json, settings
from wattermark.cli.paint import paint, print_json, table
from wattermark.report.sheet import Section
from wattermark.report.told import HEADINGS, told_document, told_rows, told_sentences
from wattermark.verbs.signals import signals_at

EPILOG = """examples:
  wattermark signals                        where we are
  wattermark signals --place gbr --fetch    ask them now, though what they said is fresh
  wattermark config set signals uk          who is asked; nobody is by default
  wattermark config set electricity_maps_key -

Providers are asked only if you set them, and again only when what they said is stale: after half an hour to
an hour. What they said is kept, so that their forecasts can be judged by what came.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--place", help="deu, US-CAMX, aws:eu-west-1 ... (see: wattermark places)")
    parser.add_argument("--fetch", action="store_true", help="ask all of them now")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    config = settings(args)
    overview = signals_at(args.place, config=config, now_s=time.time(), anew=args.fetch)
    if args.json:
        print_json({"schema": 1, **told_document(overview)})
        return 0
    paint([Section(f"signals at {overview.place.resolved} ({overview.place.name})")])
    if overview.told:
        table(HEADINGS, told_rows(overview))
    paint([Section("", sentences=tuple(told_sentences(overview)))])
    return 0
