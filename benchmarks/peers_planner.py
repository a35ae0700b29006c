"""CATS beside ours, on the same forecasts in the same run: ``python benchmarks/peers_planner.py``, a minute.

Nine grids, 181 daily forecasts each, and what came (``tests/data/traces``). A job arrives 17 minutes after
each forecast, with 48 h until its deadline. Each tool picks a start by it; what counts is what came.
``if worth it`` starts at once where our verdict is not to wait, by the errors of the other eight grids. CATS
runs in an environment of its own (``--envs``), from the registry.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "benchmarks", "tests")]

from environments import Failed, cache, environments  # noqa: E402
from foresight import all_but  # noqa: E402
from telling import Row, machine, show  # noqa: E402

from science.foresight.real import HOUR_S, ZONES, issues  # noqa: E402
from wattermark.science.foresight.chances import spread_of  # noqa: E402
from wattermark.science.foresight.verdict import is_worth  # noqa: E402
from wattermark.science.schedule.steps import Steps, integrals  # noqa: E402
from wattermark.science.schedule.window import best_window  # noqa: E402
from wattermark.values.plan import Stretch  # noqa: E402

PEER = "climate-aware-task-scheduler"
JOBS_H = (1.5, 6.0, 24.0)
LATE_S, WITHIN_S = 17 * 60.0, 48 * HOUR_S
CHILD = """
import json, sys, time
from datetime import datetime, timedelta, timezone
from cats.forecast import PointEstimate, WindowedForecast
asked = json.load(sys.stdin)
begin = datetime.fromtimestamp(asked["issued_s"][0], timezone.utc)
found, took = [], 0.0
for issued_s, values in zip(asked["issued_s"], asked["forecast"]):
    at = datetime.fromtimestamp(issued_s, timezone.utc)
    data = [PointEstimate(value=v, datetime=at + timedelta(hours=h)) for h, v in enumerate(values)]
    start = at + timedelta(seconds=asked["late_s"])
    before = time.process_time()
    windows = WindowedForecast(
        data, asked["job_s"] / 60, start, max_window_minutes=(asked["within_s"] - asked["job_s"]) / 60
    )
    found.append(min(windows).start.timestamp())
    took += time.process_time() - before
json.dump({"starts": found, "seconds": took}, sys.stdout)
"""
Array = NDArray[np.float64]


def theirs(python: Path, zone: str, job_s: float) -> tuple[Array, float]:
    """Where CATS starts, and how long it thought. [s since 1970], [s]"""
    one = issues(zone)
    asked = {
        "issued_s": one.issued_s.tolist(),
        "forecast": one.forecast.tolist(),
        "job_s": job_s,
        "late_s": LATE_S,
        "within_s": WITHIN_S,
    }
    done = subprocess.run(
        [python, "-c", CHILD], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(done.stderr.strip().splitlines()[-1])
    told = json.loads(done.stdout)
    return np.array(told["starts"]), float(told["seconds"])


def ours(zone: str, job_s: float) -> tuple[Array, float]:
    """The same of ours."""
    one = issues(zone)
    starts, took = [], 0.0
    for issued_s, values in zip(one.issued_s, one.forecast, strict=True):
        steps = Steps(issued_s + one.leads_s, values)
        now_s = issued_s + LATE_S
        before = time.process_time()
        found = best_window(steps, job_s, now_s, now_s + WITHIN_S)
        took += time.process_time() - before
        assert found is not None
        starts.append(found.begin_s)
    return np.array(starts), took


def if_worth_it(zone: str, job_s: float) -> tuple[Array, float]:
    """Ours, but at once where the saving is not sure enough."""
    one = issues(zone)
    starts, took = ours(zone, job_s)
    errors, record = all_but(zone, 0.0)
    for i, (issued_s, values) in enumerate(zip(one.issued_s, one.forecast, strict=True)):
        steps = Steps(issued_s + one.leads_s, values)
        now_s = issued_s + LATE_S
        before = time.process_time()
        ways = [(Stretch(begin_s=at, end_s=at + job_s),) for at in (float(starts[i]), now_s)]
        saving = spread_of(steps, *ways, issued_s=issued_s, errors=errors, record=record)
        starts[i] = starts[i] if is_worth(saving) else now_s
        took += time.process_time() - before
    return starts, took


def priced(zone: str, starts: Array, job_s: float, what: str) -> Array:
    """The mean intensity of each start, by the forecast or by what came. [g/kWh]"""
    one = issues(zone)
    values = one.forecast if what == "forecast" else one.actual
    pairs = zip(one.issued_s, values, starts, strict=True)
    return np.array(
        [
            float(integrals(Steps(at + one.leads_s, row), start, start + job_s)) / job_s
            for at, row, start in pairs
        ]
    )


def compared(python: Path) -> list[Row]:
    """For each job: what came of each tool's starts, over all grids; the mean of the grids' savings."""
    rows: list[Row] = []
    for hours in JOBS_H:
        job_s = hours * HOUR_S
        for tool, start in (
            ("CATS", partial(theirs, python)),
            ("wattermark", ours),
            ("wattermark, if worth it", if_worth_it),
        ):
            saved, promised, worse, late, seconds = [], [], [], 0, 0.0
            for zone in ZONES:
                starts, took = start(zone, job_s)
                now = issues(zone).issued_s + LATE_S
                came, at_once = (priced(zone, one, job_s, "actual") for one in (starts, now))
                said, said_now = (priced(zone, one, job_s, "forecast") for one in (starts, now))
                saved.append(1 - came.sum() / at_once.sum())
                promised.append(1 - said.sum() / said_now.sum())
                worse.append(float((came > at_once * (1 + 1e-9)).mean()))
                late += int((starts + job_s > now + WITHIN_S + 1).sum())
                seconds += took
            rows.append(
                {
                    "job": f"{hours:g} h",
                    "tool": tool,
                    "by the forecast %": 100 * float(np.mean(promised)),
                    "as it came %": 100 * float(np.mean(saved)),
                    "worse than now %": 100 * float(np.mean(worse)),
                    "after the deadline": late,
                    "ms a plan": 1000 * seconds / (len(ZONES) * len(issues(ZONES[0]).issued_s)),
                }
            )
    return rows


def main(words: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--envs", type=Path, default=cache(), help="where environments are kept")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "peers_planner.json")
    args = parser.parse_args(None if words is None else list(words))
    places, missing = environments([PEER], args.envs)
    if missing:
        print(missing[PEER], file=sys.stderr)
        return 1
    rows = compared(places[PEER].python)
    show(f"a start within 48 h, by the same forecasts (CATS {places[PEER].version})", rows)
    told: Mapping[str, Any] = {"machine": machine(), "cats": places[PEER].version, "rows": rows}
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
