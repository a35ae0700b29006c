"""``wattermark plan fleet``: when and where to run many jobs."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wattermark.cli.options import add_json, duration_s, settings
from wattermark.cli.paint import paint, print_json, table
from wattermark.report.fleet_planned import HEADINGS, fleet_document, fleet_rows, fleet_sections
from wattermark.values.fleet import Capacity
from wattermark.verbs.moments import iso, local

if TYPE_CHECKING:
    from collections.abc import Mapping

TIME_LIMIT_S = 60.0
EPILOG = """examples:
  wattermark plan fleet jobs.csv --places swe,deu --capacity swe=8,deu=16
  wattermark plan fleet jobs.csv --places aws:eu-north-1,gcp:us-central1 --capacity rooms.csv --exact
  wattermark plan fleet jobs.csv --within 48h --weights carbon=1,water=0.5 --out plans

jobs.csv has a line of columns and a job a line, in any order:
  name,hours,energy_kwh,units,earliest,deadline,places,interruptible
  train,8,120,4,,2026-12-02T08:00+01:00,swe deu,no

power_kw may stand for energy_kwh, and within (48h from its earliest start) for deadline; hours may be 90m or
2d. All but hours, energy or power, and a deadline may be left out. The first place (or the column home) is
where it would run now. units (GPUs, nodes) count against --capacity, or its power against a capacity in kW.
A file of capacities has the columns place,capacity and, where they change, from and until.

By default greedy with prices of capacity, which says how far from the best it is at most; --exact is the best
on slots (needs: pip install 'wattermark[plan]'). Pauses cost nothing here; see wattermark plan --restart.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", metavar="JOBS.csv", help="a job a line; see below")
    parser.add_argument("--places", metavar="A,B", help="of jobs that name none; first: now (default: here)")
    parser.add_argument(
        "--capacity", metavar="C", help="by place, in units or IT power: swe=8,deu=40kW; or a CSV file"
    )
    parser.add_argument("--within", metavar="T", type=duration_s, help="for jobs that have no deadline: 48h")
    parser.add_argument("--weights", metavar="W", help="carbon=1,water=0.5,cost=0.2 (default: carbon=1)")
    parser.add_argument("--prices", metavar="P", help="of electricity, by place: deu=0.25,swe=0.08 [USD/kWh]")
    parser.add_argument("--slot", metavar="T", type=duration_s, default=3600.0, help="how fine (1h)")
    parser.add_argument("--exact", action="store_true", help="the best plan, by HiGHS")
    parser.add_argument(
        "--time-limit", metavar="T", type=duration_s, default=TIME_LIMIT_S,
        help="of --exact; then the best so far: 5m (1m)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help="write one plan a job there, as JSON")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.cli.plan import by_name, names
    from wattermark.verbs.fleet import plan_fleet, write_plans
    from wattermark.verbs.fleet_file import read_jobs

    now_s = time.time()
    found = read_jobs(args.jobs, now_s=now_s, within_s=args.within)
    plan = plan_fleet(
        found.jobs,
        names(args.places),
        config=settings(args),
        now_s=now_s,
        capacity=_capacity(args.capacity),
        weights=by_name(args.weights, float, "weight", "carbon=1,water=0.5") or {"carbon": 1.0},
        price_usd_per_kwh=by_name(args.prices, float, "price", "deu=0.25,swe=0.08"),
        slot_s=args.slot,
        time_limit_s=args.time_limit if args.exact else None,
    )
    plan = replace(plan, flags=(*found.flags, *plan.flags))
    written = write_plans(plan, Path(args.out)) if args.out else []
    if args.json:
        print_json(fleet_document(plan, iso))
        return 0
    if not args.out:
        table(HEADINGS, fleet_rows(plan, local), right=(4, 5))
    title = f"{len(written)} plans in {args.out}" if args.out else ""
    paint(fleet_sections(plan), title=title)
    return 0


def _capacity(text: str | None) -> Mapping[str, Capacity]:
    """By place, or by a file."""
    from wattermark.cli.plan import by_name
    from wattermark.verbs.fleet_file import capacity_of, read_capacity

    if text is None:
        return {}
    if "=" not in text:
        return read_capacity(text)
    pairs = by_name(text, capacity_of, "capacity", "swe=8,deu=40kW")
    return {place: Capacity(units=units, in_watts=watts) for place, (units, watts) in pairs.items()}
