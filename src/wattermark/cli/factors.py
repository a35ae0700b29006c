"""``wattermark factors``: the numbers behind the numbers."""

from __future__ import annotations

import argparse

from wattermark.cli.options import add_json, settings
from wattermark.cli.paint import paint, print_json
from wattermark.report.document import factor_document
from wattermark.report.sheet import Section, factor_sentence
from wattermark.verbs.catalogue import factors_of, source_titles
from wattermark.verbs.place import check_place

EPILOG = """examples:
  wattermark factors                    those of your place, and those of every run
  wattermark factors --place swe
  wattermark factors --place gcp:us-central1 --at 2022-07 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--place", help="deu, US-CAMX, aws:eu-west-1 ... (see: wattermark places)")
    parser.add_argument("--at", metavar="WHEN", help="the factors of then: 2024, 2024-07, ...")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    config = settings(args, "place")
    if config.place is not None:
        check_place(config.place)
    place, factors = factors_of(config.place, args.at)
    sources = source_titles(factors)
    if args.json:
        documents = [factor_document(factor) for factor in factors]
        print_json({"schema": 1, "place": place.resolved, "factors": documents, "sources": sources})
        return 0
    papers = tuple(f"{key}: {text}" for key, text in sources.items())
    values = tuple(factor_sentence(factor) for factor in factors)
    paint([Section(" > ".join(place.steps), sentences=values), Section("sources", sentences=papers)])
    return 0
