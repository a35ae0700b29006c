"""``wattermark backtest``: what a better time would have saved on a history."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from wattermark.cli.options import add_json, duration_s
from wattermark.cli.terminal import paints_lines
from wattermark.values.backtest import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    from wattermark.verbs.backtest import Part

MOST_OFFSET_S = 50_400.0
"""14 hours: no clock on Earth is further from UTC."""
EPILOG = """examples:
  wattermark backtest --trace de_2022.csv --hours 24 --within 96h --every 24h
  wattermark backtest --trace grids.csv --hours 8 --within 2d --zone DE --zone FR --interruptible
  wattermark backtest --trace grids.csv --hours 12 --slack 24h --json | jq .together

The file: CSV (datetime_utc and a column a zone, or time, zone, carbon_intensity), the Electricity Maps
portal's, CarbonCast's, JSON as of the Carbon Aware SDK, or Parquet; steps of any length.

policies
  best-start     the best start before the deadline, for those who know what comes
  best-pauses    the cheapest hours before the deadline, as wait-awhile (--interruptible); what --restart
                 says is counted, but is not looked at when they are chosen
  lowest-slot, lowest-window, carbon-time        GAIA's; --expected tells how long such jobs take
  one-min, k-min, pause-resume    thresholds that need no forecast, but the least and the greatest intensity
  ecovisor       runs below the 30th percentile of the next day
  next-workday, semi-weekly       Let's Wait Awhile's deadlines, instead of --within

--within: the deadline after the arrival; jobs arrive where the history knows what comes until then.
--slack: as the EuroSys'24 tables count: jobs arrive until the end of the history, which shortens their slack;
the last start is left out, unless the slack is longer than the history.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--trace", required=True, metavar="FILE", help="a history of carbon intensity")
    parser.add_argument(
        "--hours", required=True, type=duration_s, metavar="H", help="of the job: 24, 90m, 2d"
    )
    until = parser.add_mutually_exclusive_group(required=True)
    until.add_argument("--within", type=duration_s, metavar="H", help="its deadline after it arrives")
    until.add_argument("--slack", type=_slack_s, metavar="H", help="how much later it may start, or 'end'")
    parser.add_argument(
        "--every", type=duration_s, metavar="H", help="how often one arrives (the trace's step)"
    )
    parser.add_argument("--zone", action="append", default=[], metavar="Z", help="only this one, or several")
    parser.add_argument("--interruptible", action="store_true", help="it may pause")
    parser.add_argument(
        "--restart", type=duration_s, default=0.0, metavar="H", help="lost at each resume (0)"
    )
    parser.add_argument(
        "--policy", action="append", default=[], metavar="NAME", help="only this one, or several"
    )
    parser.add_argument("--expected", type=duration_s, metavar="H", help="how long such jobs take (--hours)")
    parser.add_argument(
        "--from", dest="begin", type=_moment_s, metavar="TIME", help="leave out what is before"
    )
    parser.add_argument("--to", dest="end", type=_moment_s, metavar="TIME", help="leave out what is after")
    parser.add_argument("--basis", choices=("lifecycle", "direct"), help="where the file has several")
    parser.add_argument(
        "--utc-offset", type=_offset_s, default=0.0, metavar="H", help="of workdays there (0)"
    )
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.verbs.backtest import backtest_trace

    with _progress() as progress:
        found = backtest_trace(
            Path(args.trace), _job(args), policies=args.policy, part=_part(args), progress=progress
        )
    if args.json:
        from wattermark.cli.paint import print_json
        from wattermark.report.backtested import backtest_document

        print_json(backtest_document(found))
        return 0
    from wattermark.cli.paint import paint, table
    from wattermark.report.backtested import (
        FORETOLD,
        HEADINGS,
        backtest_notes,
        backtest_title,
        foretold_table,
        tables,
    )

    paint((), title=backtest_title(found))
    for title, rows in tables(found):
        paint((), title=title)
        table(HEADINGS, rows, right=range(1, len(HEADINGS)))
    if found.foretold:
        paint((), title="by forecasts alone")
        table(FORETOLD, foretold_table(found), right=range(1, len(FORETOLD)))
    paint([backtest_notes(found)])
    return 0


def _job(args: argparse.Namespace) -> Rehearsal:
    return Rehearsal(
        duration_s=args.hours,
        within_s=args.hours + args.slack if args.within is None else args.within,
        every_s=args.every,
        interruptible=args.interruptible,
        to_the_end=args.within is None,
        expected_s=args.expected,
        restart_s=args.restart,
        offset_s=args.utc_offset,
    )


def _part(args: argparse.Namespace) -> Part:
    from wattermark.verbs.backtest import Part

    return Part(
        zones=tuple(dict.fromkeys(args.zone)),
        basis=args.basis or "",
        begin_s=-inf if args.begin is None else args.begin,
        end_s=inf if args.end is None else args.end,
    )


def _slack_s(text: str) -> float:
    return inf if text.strip().lower() in ("end", "inf") else duration_s(text)


def _offset_s(text: str) -> float:
    ahead = text.strip()
    offset_s = -duration_s(ahead[1:]) if ahead.startswith("-") else duration_s(ahead.removeprefix("+"))
    if abs(offset_s) > MOST_OFFSET_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no offset of a clock; write 2, -5 or 5h45m")
    return offset_s


def _moment_s(text: str) -> float:
    from wattermark.signals.traces.moments import moment

    found = moment(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2022-03-27 or 2022-03-27T01:00Z")
    return found[0]


@contextmanager
def _progress() -> Iterator[Callable[[int, int], object] | None]:
    """A bar on a terminal's stderr, from the first place on; nothing elsewhere."""
    if not paints_lines(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("trying every start", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
