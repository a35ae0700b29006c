"""``wattermark places``: names of places."""

from __future__ import annotations

import argparse

from wattermark.cli.catalogue import add_word, show
from wattermark.verbs.catalogue import find_places

EPILOG = """examples:
  wattermark places                  all of them
  wattermark places virginia         those whose name or key holds a word
  wattermark places aws: --json
"""

COLUMNS = {
    "place": "place", "kind": "kind", "name": "name", "grid": "grid", "intensity_g_per_kwh": "g/kWh",
    "water_thermal_l_per_kwh": "thermal", "water_hydro_l_per_kwh": "hydro L/kWh",
}  # fmt: skip

add_arguments = add_word


def main(args: argparse.Namespace) -> int:
    nothing = f"No place holds {args.word!r}. Try a country, a state, or a provider as in: aws:"
    return show("places", find_places(args.word), COLUMNS, as_json=args.json, nothing=nothing)
