"""Measured over true energy on meters of known power, also where meters fail and clocks jump.

python benchmarks/accuracy.py [--quick] [--no-peers] [--work DIR] [--envs DIR]
"""

from __future__ import annotations

from cells import CASES, SHORT_S, cells_of, rows_of, text_of
from common import Settings, run
from environments import Environment
from telling import Row, Target, show

MOST_WRONG = {False: 0.1, True: 0.5}  # per cent; True: the short job
FAST_WRAPS = ("wrap3", "wrap065")


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    cells = [
        cell
        for seconds in (given.pick(10.0, 2.0), SHORT_S)
        for cell in cells_of(given, places, CASES, seconds)
    ]
    for seconds in dict.fromkeys(cell["seconds"] for cell in cells):
        show(f"Measured / true, a job of {seconds:g} s that sleeps", rows_of(cells, seconds, given.missing))
    return {"cells": cells}, _targets(cells)


def _targets(cells: list[Row]) -> list[Target]:
    ours = [cell for cell in cells if cell["tool"] == "wattermark"]
    targets = []
    for short in (False, True):
        whole = [c for c in ours if (c["seconds"] == SHORT_S) is short and not c["fails"]]
        counters = [c for c in whole if c["case"] != "gpu2noenergy" and c["case"] not in FAST_WRAPS]
        wraps = [c for c in whole if c["case"] in FAST_WRAPS]
        what = "0.3 s" if short else f"{whole[0]['seconds']:g} s"
        targets.append(Target(f"worst error, counters, {what}", _worst(counters), MOST_WRONG[short], "%"))
        targets.append(Target(f"worst error, fast wraps, {what}", _worst(wraps), MOST_WRONG[short], "%"))
    sampled = [c for c in ours if c["case"] == "gpu2noenergy" and c["seconds"] != SHORT_S]
    silent = [c for c in ours if c["fails"] and "NOT SAID" in text_of(c)]
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
