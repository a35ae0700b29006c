"""``wattermark places``: names of places."""

from __future__ import annotations

import argparse
import sys

from wattermark.cli.options import add_json
from wattermark.cli.paint import print_json, table
from wattermark.verbs.catalogue import find_places

EPILOG = """examples:
  wattermark places                  all of them
  wattermark places virginia         those whose name or key holds a word
  wattermark places aws: --json
"""

COLUMNS = (
    *("place", "kind", "name", "grid"),
    *("intensity_g_per_kwh", "water_thermal_l_per_kwh", "water_hydro_l_per_kwh"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", nargs="?", default="", help="part of a key or a name")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    places = find_places(args.word)
    if args.json:
        print_json({"schema": 1, "places": places})
        return 0
    if not places:
        print(
            f"No place holds {args.word!r}. Try a country, a state, or a provider as in: aws:",
            file=sys.stderr,
        )
        return 0
    rows = [["-" if one[column] is None else str(one[column]) for column in COLUMNS] for one in places]
    table(("place", "kind", "name", "grid", "g/kWh", "thermal", "hydro L/kWh"), rows, right=(4, 5, 6))
    return 0
