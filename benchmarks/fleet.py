"""Many jobs at once: how long a plan takes and how far from the best it is proven to be at most.

python benchmarks/fleet.py [--traces DIR] [--repeat N] [--quick]

Rates are made, daily cycles with noise (fixed seeds), or with --traces those of real zones: a folder that
holds em2022/em_2022_hourly_123zones.csv (Electricity Maps, ODbL 1.0, by umassos/decarbonization-potential).
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "benchmarks")]

from telling import Row, Target, show, show_targets  # noqa: E402

from wattermark.science.fleet.fleet import Fleet, Plan, Task, cost_of, fleet_of  # noqa: E402
from wattermark.science.fleet.greedy import greedy  # noqa: E402
from wattermark.science.fleet.solve import solve, start_now  # noqa: E402

Array = NDArray[np.float64]
TRACE = "em_2022_hourly_123zones.csv"
ZONES = ("DE", "SE", "FR", "PL", "GB", "US-CAL-CISO", "US-TEX-ERCO", "US-MIDA-PJM", "CA-ON", "AU-NSW")
EXACT_S, THOUSAND_S, TEN_THOUSAND_S, GAP, MEMORY_MB = 10.0, 2.0, 30.0, 0.06, 1000.0
LIMIT_S = 9.0  # what is left for the solver


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """So many jobs of 1 to ``longest`` slots, and capacity of which they need the share ``load``."""

    jobs: int
    places: int
    slots: int
    load: float
    units: tuple[float, ...] = (1, 1, 2, 4)
    longest: int = 24
    seed: int = 0

    @property
    def name(self) -> str:
        units = "1 unit" if max(self.units) == 1 else f"1-{max(self.units):g} units"
        return (
            f"{self.jobs} x {self.places} x {self.slots} h, {units}, load {self.load:.0%}, seed {self.seed}"
        )


def made_rates(kind: Kind) -> Array:
    """Zones of different levels and swings, a slow noise over their days. [g/kWh]"""
    rng, hours = np.random.default_rng(kind.seed), np.arange(kind.slots)
    level, phase = rng.uniform(100, 600, kind.places), rng.uniform(0, 24, kind.places)
    swing = level * rng.uniform(0.1, 0.4, kind.places)
    day = np.sin(2 * np.pi * (hours - phase[:, None]) / 24)
    noise = np.cumsum(rng.normal(size=(kind.places, kind.slots)), axis=1)
    return np.clip(level[:, None] + swing[:, None] * (day + 0.05 * noise), 10, None)


def real_rates(folder: Path, kind: Kind) -> Array:
    """Hours of 2022, another week for each seed. [g/kWh]"""
    with open(folder / "em2022" / TRACE, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    begin = 24 * 37 * (1 + kind.seed) % (len(rows) - kind.slots)
    chosen = [zone for zone in ZONES if zone in rows[0]][: kind.places]
    return np.array([[float(row[zone]) for row in rows[begin : begin + kind.slots]] for zone in chosen])


def instance(kind: Kind, traces: Path | None) -> tuple[Fleet, list[Task], Array]:
    """Jobs with windows of 6 to 72 h more than they need; a third may run anywhere, others at some places."""
    rates = real_rates(traces, kind) if traces else made_rates(kind)
    rng, places = np.random.default_rng(kind.seed + 1000), len(rates)
    tasks, needed = [], 0.0
    for i in range(kind.jobs):
        slots, units = int(rng.integers(1, kind.longest + 1)), float(rng.choice(kind.units))
        first = int(rng.integers(0, kind.slots - slots))
        some = np.sort(rng.choice(places, int(rng.integers(2, places + 1)), replace=False))
        there = some if i % 3 else np.arange(places)
        tasks.append(
            Task(
                slots=slots, weight=units * float(rng.uniform(0.3, 0.7)), units=units, first=first,
                end=min(kind.slots, first + slots + int(rng.integers(6, 73))),
                places=there, moving=np.zeros(len(there)),
            )
        )  # fmt: skip
        needed += units * slots
    size = max(*kind.units, 1.0, float(np.ceil(needed / kind.load / rates.size)))
    return fleet_of(tasks, rates, np.full(rates.shape, size)), tasks, rates


def saved(fleet: Fleet, tasks: list[Task], rates: Array, plan: Plan) -> float:
    """Against start-now at the first place, of the jobs for which both find room."""
    at_home = [
        Task(slots=one.slots, weight=one.weight, units=one.units, first=one.first, end=rates.shape[1],
             places=one.places[:1], moving=np.zeros(1))
        for one in tasks
    ]  # fmt: skip
    before = start_now(at_home, rates, fleet.capacity)
    both = [(now.cost, best.cost) for now, best in zip(before, plan, strict=True) if now and best]
    return 1 - sum(best for _, best in both) / sum(now for now, _ in both)


def measured(kind: Kind, traces: Path | None, repeat: int, limit_s: float | None = None) -> Row:
    """The least time of several, as the machine is others' too."""
    fleet, tasks, rates = instance(kind, traces)
    first = cost_of(greedy(fleet))
    times = []
    for _ in range(repeat):
        begun = time.perf_counter()
        fleet = fleet_of(tasks, rates, fleet.capacity)
        solved = solve(fleet, limit_s)
        times.append(time.perf_counter() - begun)
    left = solved.plan.count(None)
    return {
        "instance": kind.name, "how": "exact" if limit_s else "prices", "s": min(times), "left out": left,
        "gap %": 100 * solved.gap if solved.gap is not None else None, "proven": solved.proven,
        "below greedy %": 100 * (1 - solved.cost / first[1]) if left == first[0] else None,
        "saved %": 100 * saved(fleet, tasks, rates, solved.plan),
        "worse": (left, solved.cost) > (first[0], first[1] * (1 + 1e-9)),
    }  # fmt: skip


def small(quick: bool) -> Iterator[Kind]:
    for seed in range(1 if quick else 3):
        for units in ((1.0,), (1.0, 2.0, 4.0)):
            for load in (0.3, 0.6):
                yield Kind(jobs=50, places=5, slots=96, load=load, units=units, seed=seed)


def large(quick: bool) -> Iterator[Kind]:
    for seed in range(1 if quick else 3):
        for load in (0.3, 0.6, 0.8):
            yield Kind(jobs=1000, places=10, slots=168, load=load, seed=seed)


def memory_mb(traces: Path | None) -> tuple[float, float, float]:
    """10,000 jobs in a process of their own: seconds, gap, and the most memory that it held."""
    words = [sys.executable, __file__, "--ten-thousand", *(["--traces", str(traces)] if traces else [])]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, gap, most = map(float, done.stdout.split())
    return seconds, gap, most


def ten_thousand(traces: Path | None) -> None:
    import resource

    row = measured(Kind(jobs=10_000, places=10, slots=168, load=0.6), traces, 1)
    print(row["s"], row["gap %"] / 100, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--traces", type=Path, metavar="DIR")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--ten-thousand", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ten_thousand:
        ten_thousand(given.traces)
        return 0
    exact = [measured(kind, given.traces, 1, LIMIT_S) for kind in small(given.quick)]
    show("Small: exact", exact)
    prices = [measured(kind, given.traces, given.repeat) for kind in large(given.quick)]
    show("Large: greedy and prices", prices)
    seconds, gap, most = memory_mb(given.traces)
    ones = [row for row in exact if "1 unit," in row["instance"]]
    show_targets(
        [
            Target("plans worse than greedy", sum(row["worse"] for row in [*exact, *prices]), 0, ""),
            Target("50 x 5 x 96 h, 1 unit, exact, the slowest", max(row["s"] for row in ones), EXACT_S, "s"),
            Target("of these not proven", sum(not row["proven"] for row in ones), 0, ""),
            Target("1,000 x 10 x 168 h, the slowest", max(row["s"] for row in prices), THOUSAND_S, "s"),
            Target("of these the largest gap", max(row["gap %"] for row in prices), 100 * GAP, "%"),
            Target("10,000 x 10 x 168 h", seconds, TEN_THOUSAND_S, "s"),
            Target("its gap", 100 * gap, 100 * GAP, "%"),
            Target("its memory", most, MEMORY_MB, "MB"),
        ]
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
