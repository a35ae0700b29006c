"""``wattermark run``: measure any command."""

from __future__ import annotations

import argparse
import sys

from wattermark.cli.options import add_json, add_ledger, add_site, duration_s, settings
from wattermark.cli.terminal import paints_lines, say
from wattermark.errors import FOREIGN, UsageError, WattermarkError
from wattermark.ledger.runs import default_ledger
from wattermark.verbs.command import Ended, Minder, check_command, end_alike, run_command
from wattermark.verbs.facts import name_of
from wattermark.verbs.measure import Run
from wattermark.verbs.place import check_place

EPILOG = """examples:
  wattermark run -- python train.py
  wattermark run --name baseline --tag lr=3e-4 --place aws:eu-west-1 -- torchrun train.py
  wattermark run --scope machine --interval 0.1 -- ./benchmark
  wattermark run --json --quiet -- make > result.json
  wattermark run --resume baseline -- python train.py --from last.ckpt
  wattermark run --when greenest --within 24h -- python train.py       when it costs least
  wattermark run --when greenest --within 24h --interruptible --hours 3 --energy 2kWh -- ./batch

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
    _add_when(parser)
    add_ledger(parser)
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no live line and no summary")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, after --")


def _add_when(parser: argparse.ArgumentParser) -> None:
    """Options of a run that is planned; without ``--when`` none of them has a meaning."""
    when = parser.add_argument_group("at another time")
    when.add_argument("--when", metavar="WHEN", help="greenest, now, or a moment: 2026-12-01T03:00")
    when.add_argument("--within", metavar="T", type=duration_s, help="done by then: 24h, 2d")
    when.add_argument("--hours", metavar="H", type=duration_s, help="how long it takes (as its last run)")
    when.add_argument("--energy", metavar="E", help="of all of it: 2kWh (as its last run)")
    when.add_argument("--interruptible", action="store_true", help="it may pause, and go on")
    when.add_argument("--pause-by", metavar="WAY", help="auto, signal, cgroup, checkpoint (auto)")
    when.add_argument("--restart", metavar="T", type=duration_s, help="run again after each pause: 10m")
    when.add_argument("--held-power", metavar="W", type=float, help="what it draws while paused [W]")
    when.add_argument("--dry-run", action="store_true", help="show the plan, start nothing")


def main(args: argparse.Namespace) -> int:
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    check_command(command)
    config = settings(args, "place", "pue", "wue", "market_intensity", "scope", "interval", "ledger")
    _check_place(config.place)
    tags = _tags(args.tag)

    def run_of(resume: str | None, more: dict[str, str]) -> Run:
        return Run(
            config,
            name=args.name,
            tags={**tags, **more},
            command=name_of(command),
            charge_self=False,
            resume=resume,
        )

    def perform(run: Run, minder: Minder | None = None) -> Ended:
        return _watched(command, run, quiet=args.quiet or args.json, minder=minder)

    if args.when is None:
        _check_unplanned(args)
        run = run_of(args.resume, {})
        return _end(args, run, perform(run))
    from wattermark.cli.when import run_when

    done = run_when(args, config, args.name or name_of(command), run_of, perform)
    return 0 if done.ended is None or done.run is None else _end(args, done.run, done.ended)


def _check_unplanned(args: argparse.Namespace) -> None:
    words = ("within", "hours", "energy", "interruptible", "pause_by", "restart", "held_power", "dry_run")
    for word in words:
        if getattr(args, word) not in (None, False):
            raise UsageError(f"--{word.replace('_', '-')} needs --when", fix="Give --when greenest")


def _end(args: argparse.Namespace, run: Run, ended: Ended) -> int:
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


def _watched(command: list[str], run: Run, *, quiet: bool, minder: Minder | None) -> Ended:
    if quiet or not paints_lines(sys.stderr):
        return run_command(command, run, minder=minder)
    from wattermark.cli.live import live_line

    with live_line(run) as clear:
        return run_command(command, run, before_stop=clear, minder=minder)


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
