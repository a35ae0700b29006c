"""Measured over true energy, a tool and a case a cell: meters of known power, and what happens to them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from subprocess import Popen

from common import Settings, answer, begun, end_session, scratch, spawn
from common import bench as new_bench
from environments import Environment, Failed
from kept import kept_by
from telling import Row

from fakes.meters import Bench

Change = Callable[[Bench, float], object]
HOUR_S = 3600.0
SHORT_S = 0.3
AT_ONCE = 2
CHANGE_AT = 0.55  # of the job: a little after half, where no look at the meters is due


@dataclass(frozen=True)
class Case:
    """Meters, what happens to them in the middle of the job, and which job that is."""

    scenario: str
    change: Change | None = None
    fails: bool = False
    modelled: bool = False
    job: str = "sleep"
    killed: bool = False


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
MORE_CASES: dict[str, Case] = {
    **{name: Case(name) for name in ("gpu1", "gpu8", "twelve")},
    "nested": Case("const", job="nested"),
    "burners": Case("const", job="burners"),
    "kill -9": Case("all", killed=True),
}
"""Besides: other numbers of devices, a tracker inside the tracker, short processes, a sudden end."""


def cells_of(
    given: Settings, places: Mapping[str, Environment], cases: Mapping[str, Case], seconds: float
) -> list[Row]:
    """All cases of all tools: two at once, but the short ones alone, since each millisecond tells."""
    at_once = 1 if seconds == SHORT_S else AT_ONCE
    todo = [(where, name, case) for where in places.values() for name, case in cases.items()]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda one: _cell(given, *one, seconds), todo))


def _cell(given: Settings, where: Environment, name: str, case: Case, seconds: float) -> Row:
    times = given.pick(3, 1) if seconds == SHORT_S else 1
    runs = [_once(given, where, name, case, seconds) for _ in range(times)]
    parts = {part for one in runs for part in one["ratio"]}
    ratio = {
        part: statistics.median([one["ratio"][part] for one in runs if part in one["ratio"]])
        for part in sorted(parts)
    }
    errors = [one["error"] for one in runs if one["error"]]
    cell: Row = {"tool": where.tool, "case": name, "seconds": seconds, "ratio": ratio, "errors": errors}
    cell |= {"fails": case.fails, "modelled": case.modelled}
    return cell | {name: runs[-1][name] for name in ("says", "guesses", "holds", "absent")} | {"runs": runs}


def _once(given: Settings, where: Environment, name: str, case: Case, seconds: float) -> Row:
    meters = new_bench(given, case.scenario, scratch(given, f"{where.tool}-{name.replace(' ', '')}"))
    if name.startswith("clock"):
        meters.step_clock(1e12, 0.0)  # so that the child has a clock that can be stepped
    child = spawn(where, meters, "measure", seconds=seconds, interval=None, job=case.job)
    begin = begun(child)
    if begin is not None and case.change is not None:
        case.change(meters, begin + seconds * CHANGE_AT)
    try:
        if case.killed and begin is not None:
            return _killed(child, where.tool, meters, begin, seconds * CHANGE_AT)
        found = answer(child)
        return {**found, "error": "", **_judged(_truths(meters, found), _told(found))}
    except (Failed, LookupError) as error:
        return _NOTHING | {"error": _why(error, meters)}
    finally:
        end_session(child)


_NOTHING: Row = {"ratio": {}, "absent": ["all"], "holds": None, "says": [], "guesses": []}


def _why(error: Exception, meters: Bench) -> str:
    """The last line that the child wrote, where it wrote any."""
    lines = (meters.folder / "stderr").read_text(errors="replace").strip().splitlines()
    return f"{error}: {lines[-1].strip()}" if lines else f"{error}"


def _killed(child: Popen[str], tool: str, meters: Bench, begin: float, after_s: float) -> Row:
    """What lies on the disk of CPU and GPUs, of what they used until then."""
    time.sleep(max(0.0, begin + after_s - time.monotonic()))
    ended = time.monotonic()
    child.kill()
    end_session(child)  # an orphan holds the pipe open
    child.communicate()
    kept = kept_by(tool, meters)
    truth = _truth(meters, begin, ended)
    ratio = sum(kept.energies_j) / (truth["cpu"] + truth["gpu"])
    return _NOTHING | {"ratio": {"kept": ratio}, "absent": [], "says": kept.states, "error": ""}


def _told(found: Row) -> Row:
    """What was told of the whole, and of the tracker inside it."""
    inner = found.get("inner")
    if inner is None:
        return found
    joules = found["joules"] | {f"inner {part}": joules for part, joules in inner["joules"].items()}
    return found | {"joules": joules, "range": {}}


def _truths(meters: Bench, found: Row) -> dict[str, float]:
    whole, inner = _truth(meters, found["begin"], found["end"]), found.get("inner")
    if inner is None:
        return whole
    inside = _truth(meters, inner["begin"], inner["end"])
    return whole | {f"inner {part}": joules for part, joules in inside.items()}


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


def rows_of(cells: Iterable[Row], seconds: float, missing: Mapping[str, str]) -> list[Row]:
    """A case a row, a tool a column; why a tool has no figures stands in each row of its column."""
    chosen = [cell for cell in cells if cell["seconds"] == seconds]
    names = dict.fromkeys(cell["case"] for cell in chosen)
    return [
        {"case": name}
        | {cell["tool"]: text_of(cell) for cell in chosen if cell["case"] == name}
        | dict(missing)
        for name in names
    ]


def text_of(cell: Row) -> str:
    """A cell in words."""
    if not cell["ratio"]:
        return "no figure: " + " ".join(cell["errors"])[-70:]
    told = "  ".join(
        f"{part} {ratio:.3f}{' (modelled)' if part in cell['guesses'] else ''}"
        for part, ratio in cell["ratio"].items()
    )
    told += "".join(f"  {part} none" for part in cell["absent"])
    if not cell["fails"]:
        return told
    marked = bool(cell["says"]) or (cell["modelled"] and "cpu" in cell["guesses"])
    held = {True: ", in range", False: ", OUT OF RANGE", None: ""}[cell["holds"]]
    return f"{told}  {'said' if marked else 'NOT SAID'}{held}"
