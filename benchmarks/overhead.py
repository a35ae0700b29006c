"""What tracking costs: start and stop, CPU time, memory, threads, and time stolen from a busy loop.

python benchmarks/overhead.py [--quick] [--only NAME] [--no-peers] [--work DIR] [--envs DIR]
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from common import Settings, ask, ask_cold, run
from environments import OURS, Environment, Failed
from telling import Row, Target, show
from trackers import NO_INTERVAL

TOOLS = (OURS, "codecarbon", "zeus", "carbontracker", "perun", "eco2ai", "pyJoules")
INTERVALS_S = (15.0, 1.0, 0.1, 0.01)
MOST_CPU_S_PER_H = {15.0: 0.5, 1.0: 2.0, 0.1: 15.0, 0.01: 120.0}
MOST_STEAL = {1.0: 0.05, 0.1: 0.5}  # per cent
MOST_RSS_MB = 10


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    found: Row = {}
    for name, title, intervals, one in (
        ("start", "Import, start and stop in a new process, ms: least / median", (None,), _start),
        ("idle", "A job that sleeps; 2 sockets, DRAM, 2 GPUs", INTERVALS_S, _idle),
        ("steal", "A busy Python loop; steal: CPU time of all others", tuple(MOST_STEAL), _steal),
    ):
        rows = [
            _row(one, given, where, interval)
            for where in places.values()
            for interval in _intervals(where.tool, intervals)
        ]
        missing = [
            {"tool": tool, "interval s": None, "no figure": why} for tool, why in given.missing.items()
        ]
        found[name] = rows + missing
        show(title, found[name])
    return found, [*_idle_targets(_ours(found["idle"])), *_steal_targets(_ours(found["steal"]))]


def _intervals(tool: str, intervals: tuple[float | None, ...]) -> tuple[float | None, ...]:
    return (None,) if tool in NO_INTERVAL else intervals


One = Callable[[Settings, Environment, float | None], Row]


def _row(one: One, given: Settings, where: Environment, interval: float | None) -> Row:
    """A row, or why there is none: a peer that fails does not stop the others."""
    row: Row = {"tool": where.tool, "interval s": interval}
    try:
        return row | one(given, where, interval)
    except Failed as error:
        if where.tool == OURS:
            raise
        return row | {"no figure": str(error).strip().splitlines()[-1][:80]}


def _start(given: Settings, where: Environment, _interval: float | None) -> Row:
    runs = [ask_cold(given, where, "latency", 0) for _ in range(given.pick(7, 2))]
    names = {"first start": "first_start_s", "of it CPU": "first_start_cpu_s", "first stop": "first_stop_s"}
    return {
        title: f"{min(ms):.1f} / {statistics.median(ms):.1f}"
        for title, name in {**names, "CPU of all": "all_cpu_s"}.items()
        for ms in [[one[name] * 1e3 for one in runs]]
    }


def _idle(given: Settings, where: Environment, interval: float | None) -> Row:
    long, short = given.pick((60.0, 20.0), (31.0, 6.0))
    seconds = long if interval is None or interval > 5 else short
    found = ask(given, where, "idle", interval=interval, seconds=seconds)
    return {
        "CPU s/h": found["cpu_s_per_h"],
        "RSS +MB": found["rss_mb"],
        "with result +MB": found["rss_with_result_mb"],
        "threads": found["threads"],
        "children": found["children"],
    }


def _steal(given: Settings, where: Environment, interval: float | None) -> Row:
    """Per second of the clock: where other programs take the processor, the loop gets less of each
    second, and the tracker no less; *of its CPU* is the same per CPU second of the loop."""
    seconds, pairs = given.pick((5.0, 6), (3.0, 2))
    found = ask(given, where, "steal", interval=interval, seconds=seconds, pairs=pairs)
    tracked, control = found["tracked"], found["control"]
    return {
        "steal %": 100 * _median(tracked, "others_s", "took_s"),
        "most %": 100 * max(one["others_s"] / one["took_s"] for one in tracked),
        "of its CPU %": 100 * _median(tracked, "others_s", "work_s"),
        "untracked %": 100 * _median(control, "others_s", "took_s"),
        "loop got %": 100 * _median(tracked, "work_s", "took_s"),
        "loop rate": _median(tracked, "rounds", "work_s") / _median(control, "rounds", "work_s"),
    }


def _median(spins: list[Row], name: str, per: str) -> float:
    return statistics.median(one[name] / one[per] for one in spins)


def _ours(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["tool"] == OURS]


def _idle_targets(rows: list[Row]) -> list[Target]:
    cpu = [
        Target(f"CPU at {row['interval s']:g} s", row["CPU s/h"], MOST_CPU_S_PER_H[row["interval s"]], "s/h")
        for row in rows
    ]
    return [
        *cpu,
        Target("memory added", max(row["RSS +MB"] for row in rows), MOST_RSS_MB, "MB"),
        Target("threads added", max(row["threads"] for row in rows), 1, ""),
        Target("child processes", max(row["children"] for row in rows), 0, ""),
    ]


def _steal_targets(rows: list[Row]) -> list[Target]:
    return [
        Target(f"steal at {row['interval s']:g} s", row["steal %"], MOST_STEAL[row["interval s"]], "%")
        for row in rows
    ]


if __name__ == "__main__":
    run("overhead", __doc__, measured, tools=TOOLS)
