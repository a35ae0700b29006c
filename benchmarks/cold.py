"""The first moments of a tool in a new process, which has imported nothing that the tool will need.

python cold.py latency TOOL LATER        first start and stop, then LATER more
python cold.py modules TOOL TRACK        what its import (and, if 1, a start and stop) loads and calls
"""

from __future__ import annotations

import sys
import time

from trackers import first_line, tracker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
PROCESS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.exec")


def latency(tool: str, later: int) -> dict[str, Any]:
    """Import, start and stop in a new process; then start and stop again, as often as asked."""
    wall, cpu = time.perf_counter(), time.process_time()
    first = tracker(tool)
    first.start()
    started, started_cpu = time.perf_counter(), time.process_time()
    time.sleep(0.05)
    stopping = time.perf_counter()
    first.stop()
    stopped, stopped_cpu = time.perf_counter(), time.process_time()
    pairs = [_again(tool) for _ in range(later)]
    began = time.perf_counter()
    first.result()
    return {
        "first_start_s": started - wall,
        "first_start_cpu_s": started_cpu - cpu,
        "first_stop_s": stopped - stopping,
        "all_cpu_s": stopped_cpu - cpu,
        "first_result_s": time.perf_counter() - began,
        "later_start_s": [start for start, _ in pairs],
        "later_stop_s": [stop for _, stop in pairs],
    }


def _again(tool: str) -> tuple[float, float]:
    began = time.perf_counter()
    again = tracker(tool)
    again.start()
    started = time.perf_counter()
    time.sleep(0.02)
    stopping = time.perf_counter()
    again.stop()
    return started - began, time.perf_counter() - stopping


def modules(tool: str, track: int) -> dict[str, Any]:
    """What is loaded, connected to and spawned, by the audit events of Python."""
    before, network, spawned = set(sys.modules), [], []

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NETWORK:
            network.append(str(arguments[:2])[:100])
        elif event in PROCESS:
            spawned.append(str(arguments[1] if event == "subprocess.Popen" else event)[:100])

    sys.addaudithook(hear)
    first_line(tool)
    if track:
        one = tracker(tool)
        one.start()
        one.stop()
    new = set(sys.modules) - before
    tops = {name.partition(".")[0] for name in new} - sys.stdlib_module_names - {tool}
    strangers = sorted(name for name in tops if not name.startswith("_"))
    return {"modules": len(new), "third_party": strangers, "network": network, "subprocesses": spawned}


if __name__ == "__main__":
    task, tool_name, number = sys.argv[1:]
    answer = (latency if task == "latency" else modules)(tool_name, int(number))
    import json

    print("@@" + json.dumps(answer), flush=True)
