"""Schedules on real traces against what was told of them: ``python benchmarks/schedules.py --traces DIR``.

DIR holds ``em2022`` (hourly intensity of 123 zones, with published results), ``equitable-ai`` (carbon and
water of ten sites) and ``carbonscaler`` (profiles of elastic jobs); what is not there is left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "tests", "benchmarks")]

import schedule_cases as cases  # noqa: E402
from telling import Row, Target, machine, show, show_targets  # noqa: E402

from wattermark.science.schedule.elastic import Level  # noqa: E402
from wattermark.science.schedule.one import stretches_of  # noqa: E402
from wattermark.science.schedule.overhead import cheapest_runs  # noqa: E402
from wattermark.science.schedule.pareto import front, hypervolume, knee  # noqa: E402
from wattermark.science.schedule.states import Rules  # noqa: E402
from wattermark.values.plan import PlannedJob  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
GROUPS = ("Global", "Europe", "Americas", "Asia", "Oceania")
REPEATS = 7


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def zones(traces: Path) -> dict[str, cases.Array]:
    """Hourly intensity by zone. [g/kWh]"""
    with (traces / "em2022" / "em_2022_hourly_123zones.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    values = np.array([row[1:] for row in rows], np.float64).T
    return dict(zip(header[1:], values, strict=True))


def ten_sites(traces: Path) -> Iterator[Row]:
    """Change of carbon and water by what may be chosen. [%]"""
    return cases.rows_of_sites(sites(traces))


def sites(traces: Path) -> list[cases.Site]:
    def column(path: Path) -> cases.Steps:
        return cases.hourly([float(list(row.values())[1]) for row in table(path)])

    folder = traces / "equitable-ai"
    names = sorted(path.name.removesuffix("_carbon.csv") for path in (folder / "carbon").glob("*_carbon.csv"))
    return [
        cases.Site(name, *(column(folder / what / f"{name}_{what}.csv") for what in ("carbon", "water")))
        for name in names
    ]


def spatial(traces: Path) -> Iterator[Row]:
    """Moving once and endlessly, by part of the world. [g/kWh]"""
    intensities = zones(traces)
    groups = table(traces / "em2022" / "zone_groups.csv")
    golden = {row["migration"]: row for row in table(traces / "em2022" / "golden" / "spatial_one_inf.csv")}
    for group in GROUPS:
        inside = {
            row["zone_code"]: intensities[row["zone_code"]]
            for row in groups
            if group == "Global" or row[group] == "1"
        }
        ours = cases.moved_once(inside), cases.moved_endlessly(inside)
        told = [float(golden[name][group]) for name in ("one", "inf")]
        yield {
            "zones of": group, "zones": len(inside), "once": ours[0], "published": told[0],
            "endlessly": ours[1], "published, endlessly": told[1],
            "off by": max(abs(a - b) for a, b in zip(ours, told, strict=True)),
        }  # fmt: skip


def elastic(traces: Path) -> Iterator[Row]:
    """Savings by running faster and slower. [%]"""
    levels = [
        Level(name=row["nodes"], throughput=float(row["throughput"]), power_w=float(row["power"]))
        for row in table(traces / "carbonscaler" / "nbody100k.csv")
    ]
    intensities = zones(traces)
    for zone, told in cases.ELASTIC.items():
        ours = [cases.elastic_saving(intensities[zone], levels, within) for within in cases.ELASTIC_WITHIN]
        yield {
            "zone": zone,
            **{f"within {hours} h": saving for hours, saving in zip(cases.ELASTIC_WITHIN, ours, strict=True)},
            "told": told, "off by": max(abs(a - b) for a, b in zip(ours, told, strict=True)),
        }  # fmt: skip


def front_of_sites(rows: list[Row]) -> Row:
    """The front over all weights where time and place may be chosen: its knee, and what it dominates."""
    points = np.array([[row["carbon"], row["water"]] for row in rows if row["may choose"] == "both"])
    points = points[front(points)]
    volume = hypervolume(points, points.max(axis=0) + 1.0)
    return {"points": len(points), "knee": points[knee(points)].tolist(), "hyper-volume": volume}


def best_ms(n: int, work: int) -> float:
    """The fastest of some runs of the dynamic program, with everything that costs. [ms]"""
    rng = np.random.default_rng(0)
    running = rng.random(n)
    return _fastest_ms(lambda: cheapest_runs(running, 0.1 * running, work, Rules(1, 3, None)))


def plan_ms() -> float:
    """One plan of a day within four, of any length, with a restart and held devices. [ms]"""
    rate = cases.hourly(100 + 50 * np.sin(np.arange(97) / 4))
    job = PlannedJob(
        it_energy_j=1.0, duration_s=85_555.5, earliest_s=1234.5, deadline_s=96 * 3600.0, interruptible=True,
        restart_s=123.4,
    )  # fmt: skip
    return _fastest_ms(lambda: stretches_of(rate, cases.hourly(np.full(97, 9.0)), job))


def _fastest_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return 1e3 * min(taken)


TABLES: dict[str, tuple[str, Callable[[Path], Iterator[Row]], float, str]] = {
    "Ten sites: change of carbon and water [%]": ("equitable-ai", ten_sites, 1.0, "points"),
    "Running faster and slower: saving [%]": ("carbonscaler", elastic, 0.5, "points"),
    "Moving once and endlessly: saving [g/kWh]": ("em2022", spatial, 0.001, "g/kWh"),
}
"""Its folder, its rows, and how far off they may be."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--traces", type=Path, required=True, metavar="DIR", help="holds the traces")
    traces = parser.parse_args().traces
    found: dict[str, Any] = {"machine": machine()}
    targets = []
    for title, (folder, rows_of, most, unit) in TABLES.items():
        if not (traces / folder).is_dir():
            print(f"{title}: no {folder} in {traces}")
            continue
        rows = list(rows_of(traces))
        show(title, rows)
        found[rows_of.__name__] = rows
        targets.append(Target(f"{rows_of.__name__}: off by", max(row["off by"] for row in rows), most, unit))
    if "ten_sites" in found:
        found["front"] = front_of_sites(found["ten_sites"])
        show("The front of ten sites, time and place", [found["front"]])
    found["speed"] = {
        "n 720, k 168": best_ms(720, 168),
        "n 8760, k 336": best_ms(8760, 336),
        "a plan": plan_ms(),
    }
    show("Pauses that cost something, fastest of seven [ms]", [found["speed"]])
    targets += [
        Target("n 720, k 168", found["speed"]["n 720, k 168"], 12.0, "ms"),
        Target("n 8760, k 336", found["speed"]["n 8760, k 336"], 250.0, "ms"),
    ]
    show_targets(targets)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "schedules.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
