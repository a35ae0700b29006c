"""``wattermark serving``: what there is about requests to models."""

from __future__ import annotations

import argparse

from wattermark.cli.main import SECOND_WORDS
from wattermark.errors import UsageError

WORDS = {name: summary for name, summary in SECOND_WORDS.items() if name.startswith("serving ")}
EPILOG = """examples:
  wattermark serving report last --by tenant
  wattermark serving watch --engine vllm --metrics http://localhost:8000/metrics
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="COMMAND", help=", ".join(n.split()[1] for n in WORDS))


def main(args: argparse.Namespace) -> int:
    raise UsageError(
        f"there is no 'serving {args.what}'" if args.what else "say what about serving",
        fix=f"Commands are: {', '.join(WORDS)}",
    )
