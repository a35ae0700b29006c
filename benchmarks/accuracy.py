"""Measured over true energy on meters of known power, also where meters fail and clocks jump.

python benchmarks/accuracy.py [--quick] [--no-peers] [--work DIR]
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from common import Settings, answer, begun, run, scratch, spawn
from common import bench as new_bench
from environments import Environment, Failed
from telling import Row, Target, show

from fakes.meters import Bench

Change = Callable[[Bench, float], object]
HOUR_S = 3600.0
SHORT_S = 0.3
CHANGE_AT = 0.55  # of the job: a little after half, where no look at the meters is due
MOST_WRONG = {False: 0.1, True: 0.5}  # per cent; True: the short job
FAST_WRAPS = ("wrap3", "wrap065")


@dataclass(frozen=True)
class Case:
    """Meters, and what happens to them in the middle of the job."""

    scenario: str
    change: Change | None = None
    fails: bool = False
    modelled: bool = False


CASES: dict[str, Case] = {
    **{
        name: Case(name)
        for name in (
            *("const", "square", "fastsquare", "two", "two_equal", "dram", "core_dram", "psys", "mmio"),
            *("dies", "wrap11", "wrap3", "wrap065", "gpu2", "gpu2square", "gpu2noenergy"),
        )
    },
    "fail": Case("const", lambda bench, at_s: bench.fail("package-0", at_s), fails=True),
    "fail_one": Case("two", lambda bench, at_s: bench.fail("package-1", at_s), fails=True),
    "gpu_lost": Case("gpu2", lambda bench, at_s: bench.lose_gpu(0, at_s), fails=True),
    "denied": Case("denied", fails=True, modelled=True),
    "clock+1h": Case("all", lambda bench, at_s: bench.step_clock(at_s, HOUR_S)),
    "clock-1h": Case("all", lambda bench, at_s: bench.step_clock(at_s, -HOUR_S)),
}


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    cells = [
        cell
        for seconds in (given.pick(10.0, 2.0), SHORT_S)
        for where in places.values()
        for cell in _cells(given, where, seconds)
    ]
    for seconds in dict.fromkeys(cell["seconds"] for cell in cells):
        show(f"Measured / true, a job of {seconds:g} s that sleeps", _rows(cells, seconds))
    return {"cells": cells}, _targets(cells)


def _cells(given: Settings, where: Environment, seconds: float) -> list[Row]:
    """All cases of one tool: some at once, but the short ones alone, since each millisecond tells."""
    at_once, times = (1, given.pick(3, 1)) if seconds == SHORT_S else (2, 1)
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda name: _cell(given, where, name, seconds, times), CASES))


def _cell(given: Settings, where: Environment, name: str, seconds: float, times: int) -> Row:
    runs = [_once(given, where, name, seconds) for _ in range(times)]
    parts = {part for one in runs for part in one["ratio"]}
    ratio = {
        part: statistics.median([one["ratio"][part] for one in runs if part in one["ratio"]])
        for part in sorted(parts)
    }
    errors = [one["error"] for one in runs if one["error"]]
    cell: Row = {"tool": where.tool, "case": name, "seconds": seconds, "ratio": ratio, "errors": errors}
    return cell | {name: runs[-1][name] for name in ("says", "guesses", "holds", "absent")} | {"runs": runs}


def _once(given: Settings, where: Environment, name: str, seconds: float) -> Row:
    case = CASES[name]
    meters = new_bench(given, case.scenario, scratch(given, f"{where.tool}-{name}"))
    if name.startswith("clock"):
        meters.step_clock(1e12, 0.0)  # so that the child has a clock that can be stepped
    child = spawn(where, meters, "measure", seconds=seconds, interval=None)
    begin = begun(child)
    if begin is not None and case.change is not None:
        case.change(meters, begin + seconds * CHANGE_AT)
    try:
        found = answer(child)
    except Failed as error:
        return {"ratio": {}, "absent": ["all"], "holds": None, "says": [], "guesses": [], "error": f"{error}"}
    return {**found, "error": "", **_judged(_truth(meters, found["begin"], found["end"]), found)}


def _judged(truth: dict[str, float], found: Row) -> Row:
    """Told over true by part, and whether the told ranges hold the truth."""
    told = {part: found["joules"].get(part) for part in truth}
    ends = [(found["range"][part], truth[part]) for part in truth if part in found["range"]]
    return {
        "ratio": {part: joules / truth[part] for part, joules in told.items() if joules is not None},
        "absent": [part for part, joules in told.items() if joules is None],
        "holds": all(low <= true <= high for (low, high), true in ends) if ends else None,
    }


def _truth(meters: Bench, begin: float, end: float) -> dict[str, float]:
    """Joules by part: packages (a mirror of a die once), DRAM, GPUs; core, psys and MMIO lie inside."""
    joules: dict[str, float] = {}
    for zone in meters.zones:
        part = {"pa": "cpu", "dr": "dram"}.get(zone.name[:2])
        mirror = zone.place.startswith("intel-rapl-mmio") or zone.name.endswith("die-1")
        if part and not mirror:
            joules[part] = joules.get(part, 0.0) + meters.truth_j(zone.place, begin, end)
    gpus = [meters.truth_j(f"gpu{i}", begin, end) for i in range(len(meters.gpus))]
    return joules | ({"gpu": sum(gpus)} if gpus else {})


def _rows(cells: list[Row], seconds: float) -> list[Row]:
    """A case a row, a tool a column."""
    chosen = [cell for cell in cells if cell["seconds"] == seconds]
    return [
        {"case": name} | {cell["tool"]: _text(cell) for cell in chosen if cell["case"] == name}
        for name in CASES
    ]


def _text(cell: Row) -> str:
    if not cell["ratio"]:
        return "no figure: " + " ".join(cell["errors"])[:60]
    told = "  ".join(
        f"{part} {ratio:.3f}{' (modelled)' if part in cell['guesses'] else ''}"
        for part, ratio in cell["ratio"].items()
    )
    told += "".join(f"  {part} none" for part in cell["absent"])
    case = CASES[cell["case"]]
    if not case.fails:
        return told
    marked = bool(cell["says"]) or (case.modelled and "cpu" in cell["guesses"])
    held = {True: ", in range", False: ", OUT OF RANGE", None: ""}[cell["holds"]]
    return f"{told}  {'said' if marked else 'NOT SAID'}{held}"


def _targets(cells: list[Row]) -> list[Target]:
    ours = [cell for cell in cells if cell["tool"] == "wattermark"]
    targets = []
    for short in (False, True):
        whole = [c for c in ours if (c["seconds"] == SHORT_S) is short and not CASES[c["case"]].fails]
        counters = [c for c in whole if c["case"] != "gpu2noenergy" and c["case"] not in FAST_WRAPS]
        wraps = [c for c in whole if c["case"] in FAST_WRAPS]
        what = "0.3 s" if short else f"{whole[0]['seconds']:g} s"
        targets.append(Target(f"worst error, counters, {what}", _worst(counters), MOST_WRONG[short], "%"))
        targets.append(Target(f"worst error, fast wraps, {what}", _worst(wraps), MOST_WRONG[short], "%"))
    sampled = [c for c in ours if c["case"] == "gpu2noenergy" and c["seconds"] != SHORT_S]
    silent = [c for c in ours if CASES[c["case"]].fails and "NOT SAID" in _text(c)]
    return [
        *targets,
        Target("error, GPUs without a counter", _worst(sampled), 2.0, "%"),
        Target("losses that the result does not tell", len(silent), 0, ""),
    ]


def _worst(cells: list[Row]) -> float:
    """The largest distance from the truth, in per cent; a missing figure is all of it."""
    return max(abs(ratio - 1) * 100 for cell in cells for ratio in _all_ratios(cell))


def _all_ratios(cell: Row) -> list[float]:
    return [*cell["ratio"].values(), *(0.0 for _ in cell["absent"])]


if __name__ == "__main__":
    run("accuracy", __doc__, measured)
