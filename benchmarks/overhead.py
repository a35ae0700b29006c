"""What tracking costs while a job runs: CPU time, memory, threads, and time stolen from a busy loop.

python benchmarks/overhead.py [--quick] [--no-peers] [--work DIR]
"""

from __future__ import annotations

import statistics

from common import Settings, ask, run
from environments import Environment
from telling import Row, Target, show

INTERVALS_S = (15.0, 1.0, 0.1)
MOST_CPU_S_PER_H = {15.0: 0.5, 1.0: 2.0, 0.1: 15.0}
MOST_STEAL = {1.0: 0.05, 0.1: 0.5}  # per cent
MOST_RSS_MB = 10


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    idle = [_idle(given, where, interval) for where in places.values() for interval in INTERVALS_S]
    show("A job that sleeps; 2 sockets, DRAM, 2 GPUs", idle)
    steal = [_steal(given, where, interval) for where in places.values() for interval in MOST_STEAL]
    show("A busy Python loop; steal: other CPU time per CPU time of the loop", steal)
    return {"idle": idle, "steal": steal}, [*_idle_targets(idle), *_steal_targets(steal)]


def _idle(given: Settings, where: Environment, interval: float) -> Row:
    long, short = (60.0, 20.0) if not given.quick else (31.0, 6.0)
    found = ask(given, where, "idle", interval=interval, seconds=long if interval > 5 else short)
    return {
        "tool": where.tool,
        "interval s": interval,
        "CPU s/h": found["cpu_s_per_h"],
        "RSS +MB": found["rss_mb"],
        "with result +MB": found["rss_with_result_mb"],
        "threads": found["threads"],
        "children": found["children"],
    }


def _steal(given: Settings, where: Environment, interval: float) -> Row:
    seconds, pairs = given.pick((5.0, 6), (3.0, 2))
    found = ask(given, where, "steal", interval=interval, seconds=seconds, pairs=pairs)
    return {
        "tool": where.tool,
        "interval s": interval,
        "steal %": 100 * statistics.median(found["steal"]),
        "most %": 100 * max(found["steal"]),
        "untracked %": 100 * statistics.median(found["control"]),
        "loop rate": statistics.median(found["rate"]),
    }


def _idle_targets(rows: list[Row]) -> list[Target]:
    ours = [row for row in rows if row["tool"] == "wattermark"]
    cpu = [
        Target(f"CPU at {row['interval s']:g} s", row["CPU s/h"], MOST_CPU_S_PER_H[row["interval s"]], "s/h")
        for row in ours
    ]
    return [
        *cpu,
        Target("memory added", max(row["RSS +MB"] for row in ours), MOST_RSS_MB, "MB"),
        Target("threads added", max(row["threads"] for row in ours), 1, ""),
        Target("child processes", max(row["children"] for row in ours), 0, ""),
    ]


def _steal_targets(rows: list[Row]) -> list[Target]:
    return [
        Target(f"steal at {row['interval s']:g} s", row["steal %"], MOST_STEAL[row["interval s"]], "%")
        for row in rows
        if row["tool"] == "wattermark"
    ]


if __name__ == "__main__":
    run("overhead", __doc__, measured)
