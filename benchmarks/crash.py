"""What is left when a tracked program dies, and what is counted twice when trackers meet.

python benchmarks/crash.py [--quick] [--no-peers] [--work DIR]
"""

from __future__ import annotations

import random
import signal
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from common import Settings, begun, bench, end_session, run, scratch, spawn
from environments import Environment
from kept import kept_by, spools
from telling import Row, Target, show

from fakes.meters import Bench
from wattermark.errors import BadSpool
from wattermark.ledger.read import read_spool
from wattermark.values.kinds import Status

BEAT_S = 0.1
AT_ONCE = 4
SEED = 20
JOB_S, SIGNAL_S = 3.0, 1.7
HIDDEN = ("tool", "ids", "said")
TWICE = 1.3  # times the energy of the same job tracked once


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    kills = _kills(given, places["wattermark"])
    show("kill -9 at random moments, wattermark, a beat each 0.1 s", list(kills.values()))
    todo = [(where, name) for where in places.values() for name in CASES]
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda one: _case(given, *one), todo))
    for tool in places:
        _judge([row for row in rows if row["tool"] == tool])
    for tool in places:
        ours = [row for row in rows if row["tool"] == tool]
        show(
            f"Ends and meetings, {tool}", [{k: v for k, v in row.items() if k not in HIDDEN} for row in ours]
        )
    return {"kills": kills, "cases": rows}, _targets(kills, rows)


# ---------------------------------------------------------------------------- kill -9
def _kills(given: Settings, where: Environment) -> dict[str, Row]:
    """Killed while the job runs, and while the tracker starts."""
    chance = random.Random(SEED)
    delays = [chance.uniform(0.0, 1.2) for _ in range(given.pick(200, 20))]
    early = [chance.uniform(0.03, 0.25) for _ in range(given.pick(50, 8))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = list(pool.map(lambda delay: _kill(given, where, delay, started=True), delays))
        starting = list(pool.map(lambda delay: _kill(given, where, delay, started=False), early))
    return {"running": _summary("running", running), "starting": _summary("starting", starting)}


def _kill(given: Settings, where: Environment, delay_s: float, *, started: bool) -> Row:
    meters = bench(given, "all", scratch(given, "kill"))
    child = spawn(where, meters, "user", interval=BEAT_S, seconds=60.0, how="ok")
    if started:
        begun(child)
    time.sleep(delay_s)
    killed_ns = time.monotonic_ns()
    child.kill()
    child.communicate()
    found = spools(meters)
    if not found:
        return {"found": "no spool"}
    try:
        recorded = read_spool(found[0])
    except BadSpool as error:
        return {"found": "unreadable", "why": f"{error}", "bytes": found[0].stat().st_size}
    beats = sum(len(log.mono_ns) for log in recorded.logs.values())
    missing_s = (killed_ns - recorded.end_mono_ns) * 1e-9 if beats else None
    return {
        "found": "readable",
        "status": recorded.status.value,
        "missing_s": missing_s,
        "bad": recorded.bad_lines + bool(recorded.torn_bytes),
    }


def _summary(when: str, kills: list[Row]) -> Row:
    found = [kill["found"] for kill in kills]
    missing = [kill["missing_s"] / BEAT_S for kill in kills if kill.get("missing_s") is not None]
    interrupted = [kill.get("status") == Status.INTERRUPTED.value for kill in kills]
    return {
        "killed while": when,
        "times": len(kills),
        "readable": found.count("readable"),
        "unreadable": found.count("unreadable"),
        "no spool yet": found.count("no spool"),
        "interrupted": sum(interrupted),
        "bad lines": sum(kill.get("bad", 0) for kill in kills),
        "missing, beats: median": statistics.median(missing) if missing else None,
        "most": max(missing, default=None),
    }


# ---------------------------------------------------------------------------- ends and meetings
@dataclass(frozen=True)
class Case:
    """How a program ends, and the exit code that it must keep."""

    how: str = "ok"
    code: int = 0
    signal: signal.Signals | None = None
    programs: int = 1


CASES = {
    "ok": Case(),
    "kill -9": Case(code=-9, signal=signal.SIGKILL),
    "SIGTERM": Case(code=-15, signal=signal.SIGTERM),
    "Ctrl-C": Case(code=-2, signal=signal.SIGINT),
    "exception": Case("exception", code=1),
    "sys.exit(3)": Case("exit", code=3),
    "fork": Case("fork"),
    "pool": Case("pool"),
    "nested": Case("nested"),
    "two programs": Case(programs=2),
}


def _case(given: Settings, where: Environment, name: str) -> Row:
    case = CASES[name]
    meters = bench(given, "all", scratch(given, f"{where.tool}-crash"))
    task = partial(spawn, where, meters, "user", interval=0.5, seconds=JOB_S, how=case.how)
    children = [task() for _ in range(case.programs)]
    begins = [begin for begin in map(begun, children) if begin is not None]
    if case.signal is not None:
        time.sleep(SIGNAL_S)
        children[0].send_signal(case.signal)
    hung = not all(_ended(child) for child in children)
    time.sleep(0.7)
    orphans = sum(end_session(child) for child in children)
    kept = kept_by(where.tool, meters)
    true_j = _true_j(meters, min(begins, default=0.0), JOB_S if case.signal is None else SIGNAL_S)
    return {
        "tool": where.tool,
        "case": name,
        "on disk": ", ".join(kept.states) or "nothing",
        "energy / true": sum(kept.energies_j) / true_j,
        "exit code": [child.returncode for child in children],
        "kept": all(child.returncode == case.code for child in children),
        "hangs": hung,
        "orphans": orphans,
        "ids": kept.ids,
        "said": kept.said,
    }


def _ended(child: subprocess.Popen[str]) -> bool:
    try:
        child.communicate(timeout=25)
    except subprocess.TimeoutExpired:
        child.kill()
        return False
    return True


def _true_j(meters: Bench, begin: float, took_s: float) -> float:
    names = ("package-0", "package-1", "gpu0", "gpu1")
    return sum(meters.truth_j(name, begin, begin + took_s) for name in names)


def _judge(rows: list[Row]) -> None:
    """Counted twice is what was kept twice under one id, or adds up to far more than the job alone."""
    alone = next(row["energy / true"] for row in rows if row["case"] == "ok")
    for row in rows:
        again = len(set(row["ids"])) < len(row["ids"])
        more = len(row["ids"]) > 1 and row["energy / true"] > TWICE * alone
        row["twice"] = "no" if not (again or more) else "yes, said" if row["said"] else "YES, in silence"


def _targets(kills: dict[str, Row], rows: list[Row]) -> list[Target]:
    ours = [row for row in rows if row["tool"] == "wattermark"]
    running, starting = kills["running"], kills["starting"]
    unreadable = running["times"] - running["readable"] + starting["unreadable"]
    return [
        Target("killed runs that cannot be read", unreadable, 0, ""),
        Target("killed runs not told as interrupted", running["times"] - running["interrupted"], 0, ""),
        Target("most time missing before a kill", running["most"] or 0.0, 1, "beats"),
        Target("ends that leave nothing on disk", sum(row["on disk"] == "nothing" for row in ours), 0, ""),
        Target("exit codes changed", sum(not row["kept"] for row in ours), 0, ""),
        Target("hangs", sum(row["hangs"] for row in ours), 0, ""),
        Target("orphans", sum(row["orphans"] for row in ours), 0, ""),
        Target("counted twice in silence", sum("silence" in row["twice"] for row in ours), 0, ""),
    ]


if __name__ == "__main__":
    run("crash", __doc__, measured)
