"""Measured over true energy, ours and the peers' in the same run, on every scenario; and a thousand readers.

python benchmarks/peers_accuracy.py [--quick] [--only NAME] [--work DIR] [--envs DIR]

Peers are installed from the registry, each into an environment of its own. One that cannot be installed or
gives no figure says so in its column.
"""

from __future__ import annotations

import json

from cells import CASES, MORE_CASES, SHORT_S, cells_of, rows_of
from common import Bench, Settings, answer, launch, run, scratch
from environments import OURS, Environment
from telling import Row, Target, show

from fakes.meters import Gpu, Signal, socket

PEERS = (OURS, "codecarbon", "carbontracker", "zeus", "perun", "eco2ai")
PROCESSES, THREADS = 8, 125
WRAP_UJ = 300_000_000


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    cells = [
        *cells_of(given, places, CASES | MORE_CASES, given.pick(10.0, 3.0)),
        *cells_of(given, places, CASES, SHORT_S),
    ]
    for seconds in dict.fromkeys(cell["seconds"] for cell in cells):
        show(f"Measured / true, a job of {seconds:g} s", rows_of(cells, seconds, given.missing))
    crowd = _crowd(given, places[OURS])
    show("A thousand readers at 10 ms, ours", [{k: v for k, v in crowd.items() if k != "first"}])
    return {"cells": cells, "crowd": crowd}, [
        Target("impossible values for a thousand readers", crowd["impossible"], 0, ""),
        Target("reads without an answer", crowd["unanswered"], 0, ""),
    ]


def _crowd(given: Settings, where: Environment) -> Row:
    """Threads in several processes, each with readers of its own, on the same counters."""
    meters = Bench(scratch(given, "crowd"), libs=given.work / "lib")
    watts = {"package-0": 100.0, "package-1": 60.0, "gpu0": 300.0, "gpu1": 150.0}
    zones = [
        zone
        for i in range(2)
        for zone in socket(i, Signal.const(watts[f"package-{i}"]), offset_uj=i * 7, max_uj=WRAP_UJ)
    ]
    meters.powercap(zones).nvml([Gpu(Signal.const(watts[f"gpu{i}"])) for i in range(2)])
    truths = {f"cpu/package-{i}": (watts[f"package-{i}"], i * 7, 10**6) for i in range(2)}
    truths |= {f"gpu/{i}": (watts[f"gpu{i}"], 0, 10**3) for i in range(2)}
    words = (str(THREADS), str(given.pick(30.0, 5.0)), json.dumps(truths))
    children = [launch(where, meters, "crowd.py", *words) for _ in range(PROCESSES)]
    answers = [answer(child, 300.0) for child in children]
    summed = {
        name: sum(one[name] for one in answers) for name in ("readers", "reads", "unanswered", "impossible")
    }
    return summed | {"first": [fault for one in answers for fault in one["first"]][:5]}


if __name__ == "__main__":
    run("peers_accuracy", __doc__, measured, tools=PEERS)
