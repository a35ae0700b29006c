"""``wattermark plan``: when and where to run a job."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from wattermark.cli.options import add_json, add_ledger, duration_s, settings
from wattermark.cli.paint import paint, print_json
from wattermark.cli.terminal import say
from wattermark.errors import UsageError
from wattermark.ledger.runs import ledger_folder
from wattermark.values.energies import joules_of, watts_of
from wattermark.verbs.moments import iso, local, moment_s

if TYPE_CHECKING:
    from wattermark.values.plan import PlannedJob
    from wattermark.wiring.config import Config

T = TypeVar("T")
EPILOG = """examples:
  wattermark plan --run last --within 48h                as long and with as much as the last run
  wattermark plan --energy 120kWh --hours 8 --within 48h --interruptible
  wattermark plan --energy 120kWh --hours 8 --within 2d --places aws:eu-north-1,gcp:us-central1 \\
      --weights carbon=1,water=0.5 --move-gb 500
  wattermark plan --energy 120kWh --hours 8 --within 48h --svg plan.svg
  wattermark plan fleet jobs.csv --places swe,deu        many jobs at once; see: wattermark plan fleet --help

The first place is where it would run now. Nothing is started: see wattermark run --when, wattermark slurm.
Without a source of signals the hours are those of a usual year; see: wattermark signals
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--places", metavar="A,B", help="where it may run; first: now (default: here)")
    parser.add_argument("--weights", metavar="W", help="carbon=1,water=0.5,cost=0.2 (default: carbon=1)")
    parser.add_argument("--prices", metavar="P", help="of electricity, by place: deu=0.25,swe=0.08 [USD/kWh]")
    parser.add_argument("--capacity", metavar="C", help="IT power that is free, by place: swe=40kW")
    parser.add_argument("--svg", metavar="FILE", help="a picture of the hours and the ways to run")
    add_ledger(parser)
    add_json(parser)


def add_job(parser: argparse.ArgumentParser) -> None:
    """What is to run, and until when."""
    parser.add_argument("--run", metavar="RUN", help="as long and with as much energy as this run")
    parser.add_argument("--energy", metavar="E", type=energy_j, help="of all of it, at the plug: 120kWh")
    parser.add_argument("--hours", metavar="H", type=duration_s, help="how long it takes: 8, 90m, 2d")
    parser.add_argument("--within", metavar="T", type=duration_s, required=True, help="done by then: 48h, 2d")
    parser.add_argument("--from", metavar="WHEN", dest="earliest", help="start no earlier (default: now)")
    parser.add_argument("--interruptible", action="store_true", help="it may pause and go on")
    parser.add_argument(
        "--restart", metavar="T", type=duration_s, default=0.0, help="run again after each: 10m"
    )
    parser.add_argument("--held-power", metavar="W", type=float, default=0.0, help="drawn while paused [W]")
    parser.add_argument("--least-run", metavar="T", type=duration_s, default=0.0, help="no piece is shorter")
    parser.add_argument("--most-pauses", metavar="N", type=int, help="it pauses no more often")
    parser.add_argument("--move-gb", metavar="GB", type=float, default=0.0, help="data to move elsewhere")
    parser.add_argument("--bandwidth", metavar="G", type=float, default=1.0, help="to move them [Gbit/s]")
    parser.add_argument("--egress", metavar="USD", type=float, default=0.0, help="to move a GB [USD]")


def energy_j(text: str) -> float:
    """An energy, as an option."""
    try:
        return joules_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main(args: argparse.Namespace) -> int:
    from wattermark.report.planned import plan_document, plan_sections
    from wattermark.verbs.planning import Limits, kept_or_told, plan_and_outlooks

    config = settings(args, "ledger")
    now_s = time.time()
    plan, outlooks = plan_and_outlooks(
        job_of(args, config, now_s),
        names(args.places),
        config=config,
        now_s=now_s,
        weights=by_name(args.weights, float, "weight", "carbon=1,water=0.5") or {"carbon": 1.0},
        limits=Limits(
            price_usd_per_kwh=by_name(args.prices, float, "price", "deu=0.25,swe=0.08"),
            capacity_w=by_name(args.capacity, watts_of, "capacity", "deu=12kW,swe=40kW"),
        ),
    )
    plan_id = kept_or_told(
        ledger_folder(config.ledger), plan, lambda sentence: say(f"wattermark: {sentence}")
    )
    if args.svg is not None:
        from wattermark.report.plan_picture import plan_picture

        _draw(args.svg, plan_picture(plan, outlooks, local))
    if args.json:
        print_json({"id": plan_id, **plan_document(plan, iso)})
    else:
        paint(plan_sections(plan, local), title=f"plan {plan_id or '(not kept)'}")
    return 0


def _draw(file: str, picture: str) -> None:
    try:
        with open(file, "w", encoding="utf-8") as out:
            out.write(picture)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", fix="Name another file") from error


def job_of(args: argparse.Namespace, config: Config, now_s: float) -> PlannedJob:
    """The job that the options name."""
    from wattermark.verbs.planning import job_like

    earliest_s = max(moment_s(args.earliest), now_s) if args.earliest else now_s
    return job_like(
        args.run,
        config=config,
        it_energy_j=args.energy,
        duration_s=args.hours,
        earliest_s=earliest_s,
        deadline_s=now_s + args.within,
        interruptible=args.interruptible,
        restart_s=args.restart,
        held_power_w=args.held_power,
        least_run_s=args.least_run,
        most_pauses=args.most_pauses,
        move_gb=args.move_gb,
        move_gbit_per_s=args.bandwidth,
        move_usd_per_gb=args.egress,
    )


def names(text: str | None) -> tuple[str, ...]:
    """Names between commas; none where the option was left out.

    Raises
    ------
    UsageError
        If it was given and names nothing, as a variable of a shell does that is not set.
    """
    found = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not found:
        raise UsageError(f"{text!r} names nothing", fix="Write names with commas between: deu,swe")
    return found


def by_name(text: str | None, read: Callable[[str], T], what: str, example: str) -> dict[str, T]:
    """``carbon=1,water=0.5`` as what ``read`` makes of each.

    Raises
    ------
    UsageError
        If a part of it is none, or tells a name again.
    """
    found: dict[str, T] = {}
    for part in names(text):
        name, equals, value = part.rpartition("=")
        try:
            number = read(value)
        except ValueError as error:
            raise UsageError(f"the {what} {part!r} is none", fix=f"Write {example}") from error
        if not equals or not name.strip():
            raise UsageError(f"the {what} {part!r} names nothing", fix=f"Write {example}")
        if name.strip() in found:
            raise UsageError(f"the {what} of {name.strip()} is told twice", fix=f"Write {example}")
        found[name.strip()] = number
    return found
