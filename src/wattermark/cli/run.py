"""``wattermark run``: measure any command."""

from __future__ import annotations

import argparse
import sys

from wattermark.cli.options import add_json, add_ledger, add_site, settings
from wattermark.cli.terminal import paints_lines, say
from wattermark.errors import FOREIGN, UsageError, WattermarkError
from wattermark.ledger.runs import default_ledger
from wattermark.verbs.command import Ended, check_command, end_alike, run_command
from wattermark.verbs.facts import name_of
from wattermark.verbs.measure import Run
from wattermark.verbs.place import check_place

EPILOG = """examples:
  wattermark run -- python train.py
  wattermark run --name baseline --tag lr=3e-4 --place aws:eu-west-1 -- torchrun train.py
  wattermark run --scope machine --interval 0.1 -- ./benchmark
  wattermark run --json --quiet -- make > result.json
  wattermark run --resume baseline -- python train.py --from last.ckpt

The command keeps its streams, its signals and its exit code. On a terminal the last line
shows what it costs meanwhile; the summary goes to stderr, with --json to stdout.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "wattermark run [options] -- COMMAND ..."
    parser.add_argument("--name", help="what to call the run (default: the script)")
    parser.add_argument("--resume", metavar="RUN", help="a further part of this run, as of 'wattermark show'")
    add_site(parser)
    parser.add_argument("--tag", metavar="KEY=VALUE", action="append", default=[], help="words to find it by")
    parser.add_argument("--interval", metavar="SECONDS", help="time between two looks at the meters (1)")
    add_ledger(parser)
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no live line and no summary")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, after --")


def main(args: argparse.Namespace) -> int:
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    check_command(command)
    config = settings(args, "place", "pue", "wue", "market_intensity", "scope", "interval", "ledger")
    _check_place(config.place)
    run = Run(
        config,
        name=args.name,
        tags=_tags(args.tag),
        command=name_of(command),
        charge_self=False,
        resume=args.resume,
    )
    ended = _watched(command, run, quiet=args.quiet or args.json)
    try:
        _summary(run, as_json=args.json, quiet=args.quiet)
    except (*FOREIGN, WattermarkError, SystemExit) as error:  # the command's end is what counts
        say(f"wattermark: {error}")
    return end_alike(ended)


def _check_place(place: str | None) -> None:
    """A name that is no place is refused before anything starts; a fault of our tables is only told."""
    try:
        if place is not None:
            check_place(place)
    except UsageError:
        raise
    except WattermarkError as error:
        say(f"wattermark: {error}")


def _watched(command: list[str], run: Run, *, quiet: bool) -> Ended:
    if quiet or not paints_lines(sys.stderr):
        return run_command(command, run)
    from wattermark.cli.live import live_line

    with live_line(run) as clear:
        return run_command(command, run, before_stop=clear)


def _tags(given: list[str]) -> dict[str, str]:
    tags = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"the tag {text!r} has no value", fix="Write --tag KEY=VALUE")
        tags[key] = value
    return tags


def _summary(run: Run, *, as_json: bool, quiet: bool) -> None:
    if run.spool is None or (quiet and not as_json):
        return
    from wattermark.cli.paint import paint, print_json
    from wattermark.report.document import run_document
    from wattermark.report.sheet import summary, title
    from wattermark.verbs.look import seen

    found = seen(run.spool)
    if as_json:
        print_json(run_document(found.recorded, found.footprint))
        return
    say("")
    paint(
        [summary(found.footprint)],
        title=f"wattermark  {title(found.recorded, found.footprint)}",
        stderr=True,
    )
    say(f"  more: wattermark show {run.id}")
    if run.spool.parent.parent != default_ledger().absolute():
        say(f"        --ledger {run.spool.parent.parent}")
