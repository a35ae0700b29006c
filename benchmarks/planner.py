"""What plans save, and how fast: ``python benchmarks/planner.py --traces DIR``, two minutes.

DIR holds ``em2022`` as umassos/decarbonization-potential publishes its hours and tables (commit 3493a63).
One function answers one question; each returns rows for a table and for the results.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappush, heapreplace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "benchmarks")]

from telling import Row, Target, machine, show, show_targets  # noqa: E402

from wattermark.science.rehearsal.sweep import at_once, in_pieces, one_piece  # noqa: E402
from wattermark.science.schedule.steps import steps_of  # noqa: E402
from wattermark.signals.files import read_trace  # noqa: E402

JOBS = (1, 6, 12, 24, 48, 96, 168)
YEAR = 8760
GROUPS = ("Asia", "Americas", "Global", "Europe", "Oceania")
LACKING = {(168, 24): "SE-SE1"}
"""A zone that a published run lacks: 122 zones."""
DRAWN = "error_temporal_equal"
"""A table that we do not meet to three decimals, and do not know why: the order of equal hours moves it by
0.003, while the same errors give the spatial table exactly."""
SEED = 99
"""Of the published errors; they are drawn from NumPy's old generator, zone by zone."""
Array = NDArray[np.float64]
Costs = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Traces:
    """The published hours and tables of 2022."""

    folder: Path

    @cached_property
    def zones(self) -> dict[str, Array]:
        series = read_trace(self.folder / "em_2022_hourly_123zones.csv").series
        return {one.place: steps_of(one).values for one in series}

    @cached_property
    def hours(self) -> Array:
        return np.column_stack(list(self.zones.values()))

    def table(self, name: str) -> dict[str, dict[str, float]]:
        """A published table, by row and column."""
        header, *rows = self.rows(f"golden/{name}.csv")
        return {row[0]: dict(zip(header[1:], map(float, row[1:]), strict=True)) for row in rows}

    def rows(self, name: str) -> list[list[str]]:
        with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))

    def columns(self, group: str, lacking: str = "") -> list[int]:
        """The zones of a continent, or all."""
        header, *rows = self.rows("zone_groups.csv")
        named = {row[0] for row in rows if group == "Global" or row[header.index(group)] == "1"}
        return [i for i, zone in enumerate(self.zones) if zone in named - {lacking}]


def costs_of(traces: Traces, job: int, slack: int) -> Costs:
    """Mean g/kWh of every start and zone: at once, in one piece, in pieces; starts as published."""
    reach = np.inf if slack == YEAR else slack
    hours = traces.hours
    every = at_once(hours, job), one_piece(hours, job, reach).cost, in_pieces(hours, job, reach)
    now, whole, pieces = ((one if slack == YEAR else one[:-1]) / job for one in every)
    return now, whole, pieces


def compared(table: str, row: str, ours: float, published: float) -> Row:
    ours = float(ours)  # NumPy's own floats are no JSON
    return {"table": table, "row": row, "ours": ours, "published": published, "difference": ours - published}


# ---------------------------------------------------------------------------- the published tables
def temporal_tables(traces: Traces) -> Iterator[Row]:
    """What waiting and then pausing save, by job, slack and continent."""
    saved: dict[int, list[Row]] = {}
    for slack in (24, 168, 480, 720, YEAR):
        for job in JOBS:
            now, whole, pieces = costs_of(traces, job, slack)
            lacking = LACKING.get((job, slack), "")
            of = {name: traces.columns(name, lacking) for name in GROUPS}
            means = {
                name: [one.mean(0)[at].mean() for one in (now, whole, pieces)] for name, at in of.items()
            }
            saved.setdefault(slack, []).append({name: a - c for name, (a, _, c) in means.items()})
            if slack in (24, YEAR):
                yield from _absolute(traces, job, slack, means)
                yield from _shares(
                    traces, job, slack, [one[:, of["Global"]].mean(1) for one in (now, whole, pieces)]
                )
        table = traces.table("vary_slack")[str(slack)]
        for name in GROUPS:
            ours = float(np.mean([row[name] for row in saved[slack]]))
            yield compared("vary_slack", f"{slack} h, {name}", ours, table[name])


def _absolute(traces: Traces, job: int, slack: int, means: dict[str, list[float]]) -> Iterator[Row]:
    tables = [traces.table(f"{what}_abs_slack_{slack}")[str(job)] for what in ("defer", "interrupt")]
    for name, (now, whole, pieces) in means.items():
        yield compared(f"defer_abs_slack_{slack}", f"{job} h, {name}", now - whole, tables[0][name])
        yield compared(f"interrupt_abs_slack_{slack}", f"{job} h, {name}", whole - pieces, tables[1][name])


def _shares(traces: Traces, job: int, slack: int, means: Sequence[Array]) -> Iterator[Row]:
    table = traces.table(f"combined_pct_slack_{slack}")
    now, whole, pieces = means
    deferred, paused = (100 * (saved / now).mean() for saved in (now - whole, whole - pieces))
    yield compared(f"combined_pct_slack_{slack}", f"{job} h, defer", deferred, table["defer"][str(job)])
    yield compared(f"combined_pct_slack_{slack}", f"{job} h, interrupt", paused, table["interrupt"][str(job)])


def every_start(traces: Traces) -> Iterator[Row]:
    """The cost of single starts; the largest difference of a file, in g/kWh summed over the job's hours."""
    for path in sorted((traces.folder / "golden" / "per_start").glob("*.csv")):
        zone, job, slack = path.stem.rsplit("_", 2)
        length, column = int(job[3:]), traces.zones[zone]
        reach = np.inf if slack == f"slack{YEAR}" else int(slack[5:])
        theirs = np.array(
            [[float(cell) for cell in row] for row in traces.rows(f"golden/per_start/{path.name}")[1:]]
        )
        ours = (
            at_once(column, length),
            one_piece(column, length, reach).cost,
            in_pieces(column, length, reach),
        )
        for name, one, other in zip(("slack_0", "non_interrupt", "interrupt"), ours, theirs.T, strict=True):
            far = np.argmax(np.abs(one[: len(other)] - other))
            yield compared(
                path.stem, f"{name}, start {far}, the farthest", float(one[far]), float(other[far])
            )


def swings(traces: Traces) -> Iterator[Row]:
    """Mean and daily coefficient of variation of each zone; the farthest of each."""
    table = traces.table("mean_and_cv_2022")
    days = traces.hours.reshape(365, 24, -1)
    ours = {"mean": traces.hours.mean(0), "cv": (days.std(1, ddof=1) / days.mean(1)).mean(0)}
    for name, values in ours.items():
        theirs = np.array([table[zone][name] for zone in traces.zones])
        far = int(np.argmax(np.abs(values - theirs)))
        row = f"{name}, {list(traces.zones)[far]}, the farthest of {len(theirs)}"
        yield compared("mean_and_cv_2022", row, float(values[far]), float(theirs[far]))


def regions(traces: Traces) -> Iterator[Row]:
    """The best region once, and at every hour."""
    table = traces.table("spatial_one_inf")
    for name in GROUPS:
        values = traces.hours[:, traces.columns(name)]
        yield compared(
            "spatial_one_inf", f"one, {name}", values.mean() - values.mean(0).min(), table["one"][name]
        )
        hourly = values.mean() - values.min(1).mean()
        yield compared("spatial_one_inf", f"inf, {name}", hourly, table["inf"][name])


def capacity_and_latency(traces: Traces) -> Iterator[Row]:
    """Where work goes that may move so far, between sites that have so much room.

    The greenest origin moves first, to the greenest site that it may reach and that has room; what remains
    of the last origin stays there, as published: where others took its room, its own is then lost.
    """
    header, *rows = traces.rows("gcp_latency_matrix.csv")
    origins, names = [row[0] for row in rows], header[1:]
    mean = {zone: float(values.mean()) for zone, values in traces.zones.items()}
    sites = sorted({zone for zone in names if zone in mean}, key=lambda zone: mean[zone])
    far = {(o, d): float(rows[i][1 + j]) for i, o in enumerate(origins) for j, d in enumerate(names)}
    for limit, columns in traces.table("spatial_capacity_latency").items():
        for idle, published in columns.items():
            ours = _moved(sites, mean, lambda o, d, limit=limit: far[d, o] <= float(limit), float(idle))
            yield compared("spatial_capacity_latency", f"{limit} ms, {idle} % idle", ours, published)


def _moved(
    sites: Sequence[str], mean: dict[str, float], near: Callable[[str, str], bool], idle: float
) -> float:
    """Mean intensity of all work after it has moved. [g/kWh]"""
    work = round(100 * (1 - idle / 100))
    load = dict.fromkeys(sites, float(work))
    left = 0.0
    for origin in sites:
        left = float(work)
        for site in (site for site in sites if near(origin, site)):
            moved = min(left, max(100 - load[site], 0.0))
            load[site] += moved
            load[origin] -= moved
            left -= moved
    if left > 0:
        load[sites[-1]] = left
    return sum(load[site] * mean[site] for site in sites) / (work * len(sites))


# ---------------------------------------------------------------------------- errors, as published
def wrong(traces: Traces, levels: Sequence[int]) -> dict[int, Array]:
    """The hours as a forecast has them; each level is wrong on top of the one before it, as published."""
    old = np.random.RandomState(SEED)
    found = {level: np.empty_like(traces.hours) for level in levels}
    for zone, column in enumerate(traces.hours.T):
        values = column.copy()
        for level in levels:
            sign = old.choice([-1, 1], size=len(values))
            values = values * (1 + old.uniform(low=0, high=level / 200, size=len(values)) * sign)
            found[level][:, zone] = np.round(values, 2)
    return found


def errors(traces: Traces) -> Iterator[Row]:
    """What is lost by errors of a forecast: in space for all levels, in time for three of them."""
    levels = range(0, 101, 10)
    forecasts = wrong(traces, levels)
    order = np.argsort(traces.hours.mean(0))  # of equals the zone with the least mean
    hours, best = traces.hours[:, order], traces.hours.min(1)
    for level, row in traces.table("error_spatial").items():
        chosen = hours[np.arange(len(hours)), forecasts[int(level)][:, order].argmin(1)]
        yield compared("error_spatial", f"{level} %", 100 * ((chosen - best) / best).mean(), row["inf"])
    for level in (10, 50, 100):
        lost = [_lost(forecasts[level], traces.hours, job) for job in JOBS]
        row = traces.table("error_temporal_equal")[str(level)]
        yield compared("error_temporal_equal", f"{level} %", 100 * float(np.mean(lost)), row[str(YEAR)])


def _lost(forecast: Array, actual: Array, job: int) -> float:
    """What the cheapest forecast hours until the year's end cost more than the cheapest."""
    best = in_pieces(actual, job, np.inf)
    found = []
    for zone in range(actual.shape[1]):
        told, came = forecast[:, zone].tolist(), actual[:, zone].tolist()
        chosen: list[tuple[float, float]] = []
        total, costs = 0.0, []
        for hour in range(len(told) - 1, -1, -1):
            if len(chosen) < job:
                heappush(chosen, (-told[hour], came[hour]))
                total += came[hour]
            elif told[hour] < -chosen[0][0]:
                total += came[hour] - heapreplace(chosen, (-told[hour], came[hour]))[1]
            if len(chosen) == job:
                costs.append(total)
        found.append(np.maximum((np.array(costs[::-1]) - best[:, zone]) / best[:, zone], 0).mean())
    return float(np.mean(found))


# ---------------------------------------------------------------------------- speed
def sweep_times(traces: Traces) -> Iterator[Row]:
    """Processor seconds for all starts of all zones; the least of three."""
    hours = traces.hours
    for job, slack in ((1, 24), (24, 24), (168, 24), (24, 168), (24, 720), (24, YEAR)):
        reach = np.inf if slack == YEAR else slack
        yield {
            "job h": job,
            "slack h": slack,
            "starts": len(at_once(hours, job)) * hours.shape[1],
            "at once s": least(lambda job=job: at_once(hours, job)),
            "one piece s": least(lambda job=job, reach=reach: one_piece(hours, job, reach)),
            "in pieces s": least(lambda job=job, reach=reach: in_pieces(hours, job, reach)),
        }


def reading_times(traces: Traces) -> Iterator[Row]:
    """Processor seconds to read trace files; the least of three."""
    for path in (traces.folder / "em_2022_hourly_123zones.csv",):
        size = path.stat().st_size / 1e6
        yield {"file": path.name, "MB": size, "seconds": least(lambda path=path: read_trace(path))}


def least(job: Callable[[], Any], times: int = 3) -> float:
    taken = []
    for _ in range(times):
        begin = time.process_time()
        job()
        taken.append(time.process_time() - begin)
    return min(taken)


# ---------------------------------------------------------------------------- all of it
QUESTIONS: dict[str, Callable[[Traces], Iterator[Row]]] = {
    "temporal tables": temporal_tables,
    "every start": every_start,
    "swings": swings,
    "regions": regions,
    "capacity and latency": capacity_and_latency,
    "errors": errors,
    "sweep times": sweep_times,
    "reading times": reading_times,
}


def targets(found: dict[str, list[Row]]) -> Iterator[Target]:
    rows = [row for rows in found.values() for row in rows if "difference" in row]
    drawn = [abs(row["difference"]) for row in rows if row["table"] == DRAWN]
    exact = [abs(row["difference"]) for row in rows if row["table"] != DRAWN]
    if exact:
        yield Target(f"farthest of {len(exact)} published figures", max(exact), 5e-4, "as published")
    if drawn:
        yield Target(f"farthest of {len(drawn)} of {DRAWN}", max(drawn), 0.1, "%")
    for row in found.get("sweep times", ()):
        if (row["job h"], row["slack h"]) == (24, 24):
            yield Target("sweep, one piece", row["one piece s"], 1.5, "s")
            yield Target("sweep, in pieces", row["in pieces s"], 1.5, "s")
    for row in found.get("reading times", ()):
        yield Target(f"reading {row['file']}", row["seconds"], 1.5, "s")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--traces", type=Path, required=True, metavar="DIR", help="the folder of published traces"
    )
    parser.add_argument("--only", action="append", choices=QUESTIONS, help="one question, or several")
    given = parser.parse_args()
    traces = Traces(given.traces / "em2022")
    found: dict[str, list[Row]] = {}
    for name in given.only or QUESTIONS:
        found[name] = list(QUESTIONS[name](traces))
        show(name, found[name])
    goals = list(targets(found))
    show_targets(goals)
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": "planner",
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "questions": found,
        "targets": [{**vars(target), "met": target.met} for target in goals],
    }
    (RESULTS / "planner.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
