"""``wattermark serving tenant``: the name of a key in reports."""

from __future__ import annotations

import argparse
import sys

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import print_json
from wattermark.errors import UsageError

MOST_KEY = 65_536
EPILOG = """examples:
  wattermark serving tenant                 asks for the key, and does not show it
  wattermark serving tenant < key.txt

The ledger keeps a salted hash of each key and never the key, so only whoever has the key finds its name.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", nargs="*", help=argparse.SUPPRESS)  # refused below, and not said again
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.verbs.opening import ledger_of
    from wattermark.verbs.serving.tenants import tenants_of

    if args.key:
        raise UsageError(
            "a key on the command line can be seen by everybody on this machine", fix="Give it on stdin"
        )
    tenants = tenants_of(ledger_of(settings(args, "ledger")), make=False)
    name = tenants.named(_key())
    if args.json:
        print_json({"schema": 1, "tenant": name})
    else:
        print(name)
    return 0


def _key() -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        key = getpass("Key (not shown): ")
    else:
        key = sys.stdin.buffer.readline(MOST_KEY).decode("utf-8", "surrogateescape")
    if not key.strip():
        raise UsageError("no key was given", fix="Give it on stdin, or type it when you are asked")
    return key.strip()
