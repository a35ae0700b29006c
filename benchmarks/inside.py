"""What runs inside a tool's own environment: one task, told as JSON, answered as one line of JSON.

    python inside.py TASK '{"tool": "codecarbon", ...}'        prints @@{...}

Needs the standard library and the tool only; ``cold.py`` is for what needs a process without imports.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trackers import tracker

Answer = dict[str, Any]


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


def children_s() -> float:
    """Processor seconds of the living descendants and of those that were waited for."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = waited.ru_utime + waited.ru_stime
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            spent += time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3) of another process
    return spent


class Spent:
    """Processor time from here on; looking for children takes milliseconds, and is left out."""

    def __init__(self) -> None:
        self._children_s = children_s()
        self._main_s, self._all_s = time.thread_time(), time.process_time()

    def main_and_others(self) -> tuple[float, float]:
        """Seconds of the calling thread, and of all others with the children."""
        all_s, main_s = time.process_time() - self._all_s, time.thread_time() - self._main_s
        return main_s, max(0.0, all_s - main_s) + children_s() - self._children_s


def rss_mb() -> float:
    """Resident memory of this process and its descendants."""
    total_kb = 0
    for pid in [os.getpid(), *descendants(os.getpid())]:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total_kb += next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
    return total_kb * 1024 / 1e6


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


# ---------------------------------------------------------------------------- overhead
def idle(tool: str, interval: float | None, seconds: float) -> Answer:
    """The cost of tracking a job that sleeps."""
    before_mb, before_threads = rss_mb(), threads()
    one = tracker(tool, interval)
    one.start()
    time.sleep(1.0)
    spent, began = Spent(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    answer = {
        "cpu_s_per_h": sum(spent.main_and_others()) / took * 3600,
        "rss_mb": rss_mb() - before_mb,
        "threads": threads() - before_threads,
        "children": len(descendants(os.getpid())),
    }
    one.stop()
    one.result()
    return answer | {"rss_with_result_mb": rss_mb() - before_mb}


def steal(tool: str, interval: float | None, seconds: float, pairs: int) -> Answer:
    """Processor time of everything else beside a busy loop: tracked and not, in turn."""
    _spin(0.3)
    _tracked_spin(tool, interval, 0.3)
    tracked, control = [], []
    for i in range(pairs):
        for on in (True, False) if i % 2 else (False, True):
            one = _tracked_spin(tool, interval, seconds) if on else _spin(seconds)
            (tracked if on else control).append(one)
    return {"tracked": tracked, "control": control}


def _tracked_spin(tool: str, interval: float | None, seconds: float) -> Answer:
    one = tracker(tool, interval)
    one.start()
    try:
        return _spin(seconds)
    finally:
        one.stop()


def _spin(seconds: float) -> Answer:
    """Seconds of the clock, CPU seconds of the loop and of all others, and rounds of the loop."""
    rounds, spent, began = 0, Spent(), time.monotonic()
    while time.monotonic() < began + seconds:
        value = 0
        for i in range(20_000):
            value = (value * 3 + i) & 1_048_575
        rounds += 1
    took = time.monotonic() - began
    work, others = spent.main_and_others()
    return {"took_s": took, "work_s": work, "others_s": others, "rounds": rounds}


# ---------------------------------------------------------------------------- accuracy
def measure(tool: str, seconds: float, interval: float | None, job: str = "sleep") -> Answer:
    """Track a job; says when it begins, so that the meters can be changed under it."""
    one = tracker(tool, interval)
    one.start()
    begin = time.monotonic()
    print(f"\n@begin {begin!r}\n", end="", flush=True)
    more = MEASURED_JOBS[job](tool, interval, begin + seconds)
    end = time.monotonic()
    one.stop()
    return {"begin": begin, "end": end, **one.result(), **more}


def _sleep(_tool: str, _interval: float | None, until: float) -> Answer:
    time.sleep(max(0.0, until - time.monotonic()))
    return {}


def _nested(tool: str, interval: float | None, until: float) -> Answer:
    """A tracker inside the tracker, in the middle of its time."""
    quarter_s = max(0.0, until - time.monotonic()) / 4
    time.sleep(quarter_s)
    one = tracker(tool, interval)
    one.start()
    begin = time.monotonic()
    time.sleep(2 * quarter_s)
    end = time.monotonic()
    one.stop()
    _sleep(tool, interval, until)
    return {"inner": {"begin": begin, "end": end, **one.result()}}


def _burners(_tool: str, _interval: float | None, until: float) -> Answer:
    """Short processes one after the other, each busy for a fifth of a second."""
    code = "import time\nwhile time.process_time() < 0.2: pass"
    while time.monotonic() < until - 0.3:
        subprocess.run([sys.executable, "-S", "-c", code], check=True)
    return _sleep(_tool, _interval, until)


MEASURED_JOBS = {"sleep": _sleep, "nested": _nested, "burners": _burners}


# ---------------------------------------------------------------------------- soak
def soak(tool: str, interval: float, seconds: float, every: float) -> Answer:
    """Track a long sleep; memory and the size of the file, again and again."""
    one = tracker(tool, interval)
    one.start()
    begin, began_s = time.monotonic(), time.process_time()
    samples = []
    while time.monotonic() < begin + seconds:
        time.sleep(min(every, max(0.0, begin + seconds - time.monotonic())))
        kept_b = sum(path.stat().st_size for path in Path("ledger").glob("*/*.jsonl"))
        samples.append([time.monotonic() - begin, rss_mb(), kept_b / 1e6])
    end, cpu_s = time.monotonic(), time.process_time() - began_s
    one.stop()
    return {"begin": begin, "end": end, "samples": samples, "cpu_s": cpu_s} | one.result()


# ---------------------------------------------------------------------------- crash
def user(tool: str, interval: float, seconds: float, how: str) -> Answer:
    """The documented use, around a job that ends in some way."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    with contextlib.ExitStack() as stack:
        for _ in range(2 if how == "nested" else 1):
            stack.enter_context(_documented(tool, interval))
        print(f"\n@begin {time.monotonic()!r}\n", end="", flush=True)
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


TASKS: dict[str, Callable[..., Answer]] = {task.__name__: task for task in (idle, steal, measure, soak, user)}


def main(task: str, arguments: str) -> None:
    main_pid = os.getpid()
    answer = TASKS[task](**json.loads(arguments))
    if os.getpid() == main_pid:
        print(f"\n@@{json.dumps(answer)}\n", end="", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
