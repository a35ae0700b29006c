"""``wattermark places``: names of places."""

from __future__ import annotations

import argparse

from wattermark.cli.options import add_json
from wattermark.cli.paint import print_json, table
from wattermark.verbs.catalogue import find_places

EPILOG = """examples:
  wattermark places                  all of them
  wattermark places virginia         those whose name or key holds a word
  wattermark places aws: --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", nargs="?", default="", help="part of a key or a name")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    places = find_places(args.word)
    if args.json:
        print_json({"schema": 1, "places": places})
        return 0
    rows = [
        (
            one["place"],
            one["kind"],
            one["name"],
            one["grid"],
            one["intensity_g_per_kwh"],
            one["water_l_per_kwh"],
        )
        for one in places
    ]
    table(("place", "kind", "name", "grid", "g/kWh", "L/kWh"), rows, right=(4, 5))
    return 0
