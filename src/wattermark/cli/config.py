"""``wattermark config``: settings, and where each one came from."""

from __future__ import annotations

import argparse
import sys

from wattermark.cli.options import add_json
from wattermark.cli.paint import print_json, table
from wattermark.errors import UsageError
from wattermark.verbs.place import check_place
from wattermark.wiring.config import SETTINGS, forget, keep, load_config

EPILOG = (
    """examples:
  wattermark config                     what holds now
  wattermark config set place deu       keep it in your own file
  wattermark config unset place
  wattermark config set electricity_maps_key -    reads it from stdin, so that no shell keeps it

settings:
"""
    + "".join(f"  {name:23} {one.help}\n" for name, one in SETTINGS.items())
    + """
An option wins over an environment variable (WATTERMARK_PLACE ...), that over ./wattermark.toml,
that over your own file, that over the default. Of a key or a password is shown that it is set, and where.
"""
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("show", "set", "unset"), default="show")
    parser.add_argument("setting", nargs="?", metavar="SETTING", help=f"one of: {', '.join(SETTINGS)}")
    parser.add_argument("value", nargs="?", metavar="VALUE")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    if args.action == "show":
        return _show(as_json=args.json)
    if args.setting is None or (args.action == "set") != (args.value is not None):
        raise UsageError(
            f"config {args.action} needs a setting" + (" and a value" if args.action == "set" else ""),
            fix="See: wattermark config --help",
        )
    if args.action == "set" and args.setting == "place":
        check_place(args.value)
    path = keep(args.setting, _value(args)) if args.action == "set" else forget(args.setting)
    print(f"{args.setting} {'is kept' if args.action == 'set' else 'is no longer'} in {path}")
    return 0


def _value(args: argparse.Namespace) -> str:
    """What is to be kept; a secret may come from stdin, where no history of a shell keeps it."""
    if args.value == "-" and args.setting in SETTINGS and SETTINGS[args.setting].secret:
        if sys.stdin.isatty():
            from getpass import getpass

            return getpass(f"{args.setting}: ")
        return sys.stdin.readline()
    return str(args.value)


def _shown(name: str, value: object) -> object:
    """What may be told of a setting: of a secret, that it is set."""
    return "(set)" if SETTINGS[name].secret and value is not None else value


def _show(*, as_json: bool) -> int:
    config = load_config()
    values = {name: _shown(name, getattr(config, name)) for name in SETTINGS}
    if as_json:
        settings = {name: {"value": value, "origin": config.origin[name]} for name, value in values.items()}
        print_json({"schema": 1, "settings": settings})
        return 0
    shown = {name: "-" if value in (None, "") else str(value) for name, value in values.items()}
    rows = [(name, text, config.origin[name]) for name, text in shown.items()]
    table(("setting", "value", "from"), rows)
    return 0
