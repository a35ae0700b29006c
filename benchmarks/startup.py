"""What a tracker costs before the first epoch: install, import, --help, start, stop, network.

python benchmarks/startup.py [--quick] [--no-peers] [--work DIR]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path

from common import Settings, ask_cold, run, scratch
from environments import Environment
from telling import Row, Target, show

FIRST_LINE = {
    "wattermark": "from wattermark import track",
    "codecarbon": "from codecarbon import OfflineEmissionsTracker",
}


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    rows = {tool: _row(given, where) for tool, where in places.items()}
    _show(rows)
    return {"tools": rows}, _targets(rows["wattermark"])


def _row(given: Settings, where: Environment) -> Row:
    times = given.pick(25, 7)
    row: Row = {"version": where.version, **where.size()}
    python = str(where.python)
    row["import_ms"] = _extra(given, where, [python, "-c", f"import {where.tool}"], times)
    row["first_line_ms"] = _extra(given, where, [python, "-c", FIRST_LINE[where.tool]], times)
    row["help_ms"] = _extra(given, where, [str(where.command), "--help"], times)
    row["at_import"] = ask_cold(given, where, "modules", 0)
    row["at_track"] = ask_cold(given, where, "modules", 1)
    return row | _latency(given, where)


def _extra(given: Settings, where: Environment, command: list[str], times: int) -> Row:
    """Milliseconds over a bare interpreter, the two run in turn."""
    folder = scratch(given, f"{where.tool}-import")
    bare = [str(where.python), "-c", "pass"]
    _process_ms(command, folder)  # into the page cache
    pairs = [(_process_ms(command, folder), _process_ms(bare, folder)) for _ in range(times)]
    over = [one - two for one, two in pairs]
    return {
        "min": min(one for one, _ in pairs) - min(two for _, two in pairs),
        "median": statistics.median(over),
        "bare_median": statistics.median(two for _, two in pairs),
    }


def _process_ms(command: list[str], folder: Path) -> float:
    env = {**os.environ, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, capture_output=True, check=True)
    return (time.perf_counter() - began) * 1e3


def _latency(given: Settings, where: Environment) -> Row:
    """Start and stop, in milliseconds: the first of new processes, the later ones of the last of them."""
    runs = [ask_cold(given, where, "latency", 0) for _ in range(given.pick(10, 3))]
    last = ask_cold(given, where, "latency", given.pick(50, 15))
    runs.append(last)
    names = ("first_start_s", "first_start_cpu_s", "first_stop_s", "all_cpu_s", "first_result_s")
    row = {f"{name.removesuffix('_s')}_ms": _spread([one[name] for one in runs]) for name in names}
    return row | {
        "later_start_ms": _spread(last["later_start_s"]),
        "later_stop_ms": _spread(last["later_stop_s"]),
    }


def _spread(seconds: list[float]) -> Row:
    ms = [one * 1e3 for one in seconds]
    return {"min": min(ms), "median": statistics.median(ms), "max": max(ms)}


def _show(rows: dict[str, Row]) -> None:
    costs = {
        "import, over bare python": "import_ms",
        "import of the tracker": "first_line_ms",
        "--help, over bare python": "help_ms",
        "first start, with the import": "first_start_ms",
        "  of it CPU time": "first_start_cpu_ms",
        "first stop": "first_stop_ms",
        "later start": "later_start_ms",
        "later stop": "later_stop_ms",
        "first result": "first_result_ms",
        "CPU time of import, start, stop": "all_cpu_ms",
    }
    show("Milliseconds: least / median", [_costs(what, name, rows) for what, name in costs.items()])
    show("Counts", [{"tool": tool, **_counts(row)} for tool, row in rows.items()])


def _costs(what: str, name: str, rows: dict[str, Row]) -> Row:
    found = {tool: row[name] for tool, row in rows.items()}
    return {"cost": what} | {tool: f"{one['min']:.2f} / {one['median']:.2f}" for tool, one in found.items()}


def _counts(row: Row) -> Row:
    at_import, at_track = row["at_import"], row["at_track"]
    return {
        "version": row["version"],
        "packages": row["packages"],
        "site MB": row["site_mb"],
        "modules: import": at_import["modules"],
        "+ track": at_track["modules"],
        "third party: import": at_import["third_party"],
        "+ track ": at_track["third_party"],
        "network": len(at_track["network"]),
        "subprocesses": len(at_track["subprocesses"]),
    }


def _targets(row: Row) -> list[Target]:
    return [
        Target("import of the tracker, median", row["first_line_ms"]["median"], 60, "ms"),
        Target("--help, median", row["help_ms"]["median"], 60, "ms"),
        Target("first start with import, median", row["first_start_ms"]["median"], 100, "ms"),
        Target("later start, median", row["later_start_ms"]["median"], 1, "ms"),
        Target("later stop, median", row["later_stop_ms"]["median"], 1, "ms"),
        Target("CPU of import, start, stop, median", row["all_cpu_ms"]["median"], 150, "ms"),
        Target("new modules at import", row["at_import"]["modules"], 100, ""),
        Target("network attempts", len(row["at_track"]["network"]), 0, ""),
        Target("subprocesses", len(row["at_track"]["subprocesses"]), 0, ""),
    ]


if __name__ == "__main__":
    run("startup", __doc__, measured)
