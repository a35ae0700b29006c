"""What runs inside a tool's own environment: one task, told as JSON, answered as one line of JSON.

    python inside.py TASK '{"tool": "codecarbon", ...}'        prints @@{...}

Needs the standard library and the tool only.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

J_PER_KWH = 3.6e6
MB = 1e6
TOLD = ("gap", "lost", "missing", "unread", "fail", "incomplete")
Joules = dict[str, float | None]
Answer = dict[str, Any]


# ---------------------------------------------------------------------------- the tools
class Tracker(Protocol):
    """A tool under its documented use, without network."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def joules(self) -> Joules:
        """Energy of cpu, dram and gpu; None where the tool has no such figure."""

    def says(self) -> list[str]:
        """Words in the kept result that tell of energy that was not seen."""

    def guesses(self) -> list[str]:
        """Parts that the kept result marks as modelled."""


class Wattermark:
    """All that the meters saw, as the others report it."""

    def __init__(self, interval: float | None, folder: Path) -> None:
        import wattermark

        self._run = wattermark.track(scope="machine", interval=interval, ledger=folder)

    def start(self) -> None:
        self._run.start()

    def stop(self) -> None:
        self._run.stop()

    def joules(self) -> Joules:
        sums: Joules = {}
        for part in self._run.footprint().components:
            if part.counted and part.energy_j is not None:
                sums[part.kind] = (sums.get(part.kind) or 0.0) + part.energy_j.best
        return {kind: sums.get(kind) for kind in ("cpu", "dram", "gpu")}

    def says(self) -> list[str]:
        return [flag for flag in self._run.footprint().flags if flag.startswith("gap:")]

    def guesses(self) -> list[str]:
        return [part.kind for part in self._run.footprint().components if part.quality == "modelled"]


class CodeCarbon:
    """The offline tracker: the online one asks the network where it is."""

    def __init__(self, interval: float | None, folder: Path) -> None:
        from codecarbon import OfflineEmissionsTracker

        self._folder = folder
        every = {} if interval is None else {"measure_power_secs": interval}
        self._tracker = OfflineEmissionsTracker(
            country_iso_code="FRA", log_level="error", save_to_file=True, output_dir=str(folder), **every
        )

    def start(self) -> None:
        self._tracker.start()

    def stop(self) -> None:
        self._tracker.stop()

    def joules(self) -> Joules:
        found = self._tracker.final_emissions_data
        energies = {"cpu": found.cpu_energy, "dram": found.ram_energy, "gpu": found.gpu_energy}
        return {kind: kwh * J_PER_KWH for kind, kwh in energies.items()}

    def says(self) -> list[str]:
        path = self._folder / "emissions.csv"
        if not path.exists():
            return []
        with path.open() as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        return [cell for cell in cells if any(word in cell.lower() for word in TOLD)]

    def guesses(self) -> list[str]:
        return []  # there is no such mark in its file


TRACKERS: dict[str, Callable[[float | None, Path], Tracker]] = {
    "wattermark": Wattermark,
    "codecarbon": CodeCarbon,
}


def tracker(tool: str, interval: float | None = None) -> Tracker:
    """A new tracker that keeps its files in the current folder."""
    return TRACKERS[tool](interval, Path.cwd())


def first_use(tool: str) -> None:
    """Import what a user's first line names."""
    if tool == "wattermark":
        from wattermark import track  # noqa: F401
    elif tool == "codecarbon":
        from codecarbon import OfflineEmissionsTracker  # noqa: F401


# ---------------------------------------------------------------------------- what a process costs
def descendants(pid: int) -> list[int]:
    """Living processes below this one."""
    parents: dict[int, int] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1])
    found = [pid]
    for parent in found:
        found += [child for child, above in parents.items() if above == parent]
    return found[1:]


def cpu_s() -> float:
    """Processor seconds of this process, its living descendants and those that it waited for."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = time.process_time() + waited.ru_utime + waited.ru_stime
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            spent += time.clock_gettime((~pid << 3) | 2)  # the clock of another process, clock_getcpuclockid(3)
    return spent


def rss_mb() -> float:
    """Resident memory of this process and its descendants."""
    total_kb = 0
    for pid in [os.getpid(), *descendants(os.getpid())]:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total_kb += next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
    return total_kb * 1024 / MB


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


class Watch:
    """Counts what a tool asks the system for, by audit events."""

    NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
    PROCESS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.exec")

    def __init__(self) -> None:
        self.network: list[str] = []
        self.spawned: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in self.NETWORK:
            self.network.append(str(arguments[:2])[:100])
        elif event in self.PROCESS:
            self.spawned.append(str(arguments[1] if event == "subprocess.Popen" else event)[:100])


# ---------------------------------------------------------------------------- startup
def latency(tool: str, later: int) -> Answer:
    """Import, start and stop in a new process; then start and stop again, as often as asked."""
    wall, cpu = time.perf_counter(), time.process_time()
    first = tracker(tool)
    first.start()
    started, started_cpu = time.perf_counter(), time.process_time()
    time.sleep(0.05)
    stopping = time.perf_counter()
    first.stop()
    stopped = time.perf_counter()
    answer: Answer = {"first_start_s": started - wall, "first_start_cpu_s": started_cpu - cpu}
    answer |= {"first_stop_s": stopped - stopping, "all_cpu_s": time.process_time() - cpu}
    pairs = [_again(tool) for _ in range(later)]
    began = time.perf_counter()
    first.joules()
    answer |= {"first_result_s": time.perf_counter() - began}
    return answer | {"later_start_s": [one for one, _ in pairs], "later_stop_s": [two for _, two in pairs]}


def _again(tool: str) -> tuple[float, float]:
    began = time.perf_counter()
    again = tracker(tool)
    again.start()
    started = time.perf_counter()
    time.sleep(0.02)
    stopping = time.perf_counter()
    again.stop()
    return started - began, time.perf_counter() - stopping


def modules(tool: str, *, track: bool) -> Answer:
    """What an import (and a start and stop, if ``track``) loads, connects to and spawns."""
    before, watch = set(sys.modules), Watch()
    first_use(tool)
    if track:
        one = tracker(tool)
        one.start()
        one.stop()
    new = set(sys.modules) - before
    tops = {name.partition(".")[0] for name in new} - sys.stdlib_module_names
    tops = {name for name in tops if name.strip("_") not in (tool, "main") and not name.startswith("__")}
    answer = {"modules": len(new), "third_party": sorted(tops)}
    return answer | {"network": watch.network, "subprocesses": watch.spawned, "rss_mb": rss_mb()}


# ---------------------------------------------------------------------------- overhead
def idle(tool: str, interval: float, seconds: float) -> Answer:
    """The cost of tracking a job that sleeps."""
    before_mb, before_threads = rss_mb(), threads()
    one = tracker(tool, interval)
    one.start()
    time.sleep(1.0)
    spent, began = cpu_s(), time.monotonic()
    time.sleep(seconds)
    spent, took = cpu_s() - spent, time.monotonic() - began
    answer = {
        "cpu_s_per_h": spent / took * 3600,
        "rss_mb": rss_mb() - before_mb,
        "threads": threads() - before_threads,
        "children": len(descendants(os.getpid())),
    }
    one.stop()
    one.joules()
    return answer | {"rss_with_result_mb": rss_mb() - before_mb}


def steal(tool: str, interval: float, seconds: float, pairs: int) -> Answer:
    """Processor time of everything else per second of a busy loop: tracked and not, in turn."""
    _spin(0.3)
    _tracked_spin(tool, interval, 0.3)
    tracked, control, rate = [], [], []
    for i in range(pairs):
        order = (True, False) if i % 2 else (False, True)
        both = {on: _tracked_spin(tool, interval, seconds) if on else _spin(seconds) for on in order}
        tracked.append(both[True][0])
        control.append(both[False][0])
        rate.append(both[True][1] / both[False][1])
    return {"steal": tracked, "control": control, "rate": rate}


def _tracked_spin(tool: str, interval: float, seconds: float) -> tuple[float, float]:
    one = tracker(tool, interval)
    one.start()
    try:
        return _spin(seconds)
    finally:
        one.stop()


def _spin(seconds: float) -> tuple[float, float]:
    """Other CPU seconds per CPU second of work, and rounds per CPU second of work."""
    others, work, end, rounds = cpu_s(), time.thread_time(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        value = 0
        for i in range(20_000):
            value = (value * 3 + i) & 1_048_575
        rounds += 1
    work = time.thread_time() - work
    return (cpu_s() - others - work) / work, rounds / work


# ---------------------------------------------------------------------------- accuracy
def measure(tool: str, seconds: float, interval: float | None) -> Answer:
    """Track a sleep; says when it begins, so that the meters can be changed under it."""
    one = tracker(tool, interval)
    one.start()
    begin = time.monotonic()
    print(f"@begin {begin!r}", flush=True)
    time.sleep(max(0.0, begin + seconds - time.monotonic()))
    end = time.monotonic()
    one.stop()
    answer = {"begin": begin, "end": end, "stop_s": time.monotonic() - end}
    return answer | {"joules": one.joules(), "says": one.says(), "guesses": one.guesses()}


# ---------------------------------------------------------------------------- crash
def user(tool: str, interval: float, seconds: float, how: str) -> Answer:
    """The documented use, around a job that ends in some way."""
    with contextlib.ExitStack() as stack:
        for _ in range(2 if how == "nested" else 1):
            stack.enter_context(_documented(tool, interval))
        print(f"@begin {time.monotonic()!r}", flush=True)
        _job(seconds, how)
    return {}


def _documented(tool: str, interval: float) -> Any:
    if tool == "wattermark":
        import wattermark

        return wattermark.track(interval=interval)
    from codecarbon import OfflineEmissionsTracker

    return OfflineEmissionsTracker(country_iso_code="FRA", log_level="error", measure_power_secs=interval)


def _job(seconds: float, how: str) -> None:
    if how == "fork":
        _forked(seconds)
    elif how == "pool":
        import multiprocessing

        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(time.sleep, [seconds] * 2)
    else:
        time.sleep(seconds)
    if how == "exception":
        raise RuntimeError("training failed")
    if how == "exit":
        sys.exit(3)


def _forked(seconds: float) -> None:
    """A child that leaves the tracked block by itself, as a badly forked worker does."""
    pid = os.fork()
    if pid == 0:
        time.sleep(seconds / 2)
        sys.exit(0)
    time.sleep(seconds)
    os.waitpid(pid, 0)


TASKS: dict[str, Callable[..., Answer]] = {
    task.__name__: task for task in (latency, modules, idle, steal, measure, user)
}


def main(task: str, arguments: str) -> None:
    main_pid = os.getpid()
    answer = TASKS[task](**json.loads(arguments))
    if os.getpid() == main_pid:
        answer["threads_at_end"] = threading.active_count()
        print("@@" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
