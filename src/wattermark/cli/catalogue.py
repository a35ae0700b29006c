"""What the commands share that look names up in our tables: places, models, accelerators."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from wattermark.cli.options import add_json
from wattermark.cli.paint import print_json, table
from wattermark.report.numbers import COUNT, say

LARGE = 1e5  # a count of parameters, which nobody reads by its zeros

Entry = Mapping[str, str | float | None]


def add_word(parser: argparse.ArgumentParser) -> None:
    """The word that is looked for, and ``--json``."""
    parser.add_argument("word", nargs="?", default="", help="part of a name")
    add_json(parser)


def show(
    kind: str, found: Sequence[Entry], columns: Mapping[str, str], *, as_json: bool, nothing: str
) -> int:
    """The entries as a table of some columns, each under its heading; all of them as JSON."""
    if as_json:
        print_json({"schema": 1, kind: found})
    elif not found:
        print(nothing, file=sys.stderr)
    else:
        numbers = [i for i, name in enumerate(columns) if any(isinstance(one[name], float) for one in found)]
        table(columns.values(), [[_cell(one[name]) for name in columns] for one in found], right=numbers)
    return 0


def _cell(value: str | float | None) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if value < LARGE else say(value, COUNT)
