"""What a proxy in the path costs: latency, throughput, pieces of streams, memory; ours and LiteLLM's.

python benchmarks/proxy_cost.py [--quick] [--no-peers] [--work DIR]
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from common import HERE, Settings, end_session, run, scratch
from environments import OURS, Environment, Failed
from telling import Row, Target, show

DIRECT, PEER = "direct", "litellm"
RATE, CONNECTIONS, STREAMS = 300.0, 32, 16
READY_S = 120.0


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    ours = Environment(OURS, given.envs / "wattermark-serving", "serving").ready()
    ways = [DIRECT, OURS, *([PEER] if PEER in places else [])]
    rows: dict[str, Row] = {}
    with _stub() as stub:
        for way in ways:
            with _server(given, way, ours if way == OURS else places.get(way), stub) as (port, pid):
                rows[way] = _asked(given, port, pid) | _streams(given, port)
                if way == OURS:
                    rows[way] |= _memory(given, port, pid)
    for way in ways[1:]:
        for name in ("p50_ms", "p99_ms", "piece p50_ms", "piece p99_ms"):
            mine, bare = rows[way][name], rows[DIRECT][name]
            rows[way][f"added {name}"] = None if None in (mine, bare) else mine - bare
    columns = dict.fromkeys(name for row in rows.values() for name in row)
    title = f"{RATE:g} requests/s; {CONNECTIONS} connections; {STREAMS} streams"
    show(title, [{"": name, **{way: rows[way].get(name) for way in ways}} for name in columns])
    return {"rows": rows}, _targets(rows)


def _asked(given: Settings, port: int, pid: int) -> Row:
    """Warmed up; then the load comes in turns, of which the median counts."""
    turn_s, many = given.pick(10.0, 3.0), 10**9
    _load(port, kind="closed", connections=CONNECTIONS, count=many, seconds=turn_s)
    cpu_s = _cpu_s(pid)
    full = [_load(port, kind="closed", connections=CONNECTIONS, count=many, seconds=turn_s) for _ in range(3)]
    spent_s = _cpu_s(pid) - cpu_s
    turns = [_load(port, kind="open", rate=RATE, seconds=turn_s) for _ in range(3)]
    kept_up = all(turn["unanswered"] == 0 for turn in turns)
    return {
        "p50_ms": median(turn["p50_ms"] for turn in turns) if kept_up else None,
        "p99_ms": median(turn["p99_ms"] for turn in turns) if kept_up else None,
        "unanswered": sum(turn["unanswered"] for turn in turns),
        "per s": median(turn["per_s"] for turn in full),
        "CPU ms each": 1e3 * spent_s / sum(turn["n"] for turn in full) if pid else None,
        "bad": sum(turn["bad"] for turn in (*turns, *full)),
    }


def _streams(given: Settings, port: int) -> Row:
    found = _load(port, kind="stream", connections=STREAMS)
    return {
        "piece p50_ms": found["p50_ms"],
        "piece p99_ms": found["p99_ms"],
        "merged": found["merged"],
        "pieces": found["n"],
    }


def _memory(given: Settings, port: int, pid: int) -> Row:
    """Before and after; so many come ahead that all that is kept of the last minute is there."""
    many = given.pick(200_000, 20_000)
    found = _load(port, kind="closed", connections=CONNECTIONS, count=many)
    first = _rss_mb(pid)
    rest = _load(port, kind="closed", connections=CONNECTIONS, count=many)
    return {
        "requests": many,
        "RSS MB before": first,
        "RSS MB after": _rss_mb(pid),
        "bad later": found["bad"] + rest["bad"],
    }


def _cpu_s(pid: int) -> float:
    """Of the server, in user and system."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _load(port: int, **asked: Any) -> Row:
    done = subprocess.run(
        [sys.executable, str(HERE / "serving_load.py")],
        input=json.dumps({"port": port, **asked}),
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise Failed(f"the load failed: {done.stderr[-1000:]}")
    found: Row = json.loads(done.stdout)
    return found


# ---------------------------------------------------------------------------- servers
@contextmanager
def _stub() -> Iterator[int]:
    child = subprocess.Popen(
        [sys.executable, str(HERE / "serving_stub.py")], stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        end_session(child)
        child.wait()


@contextmanager
def _server(given: Settings, way: str, where: Environment | None, stub: int) -> Iterator[tuple[int, int]]:
    """The port where it answers, and its process; directly it is the stub itself."""
    if where is None:
        yield stub, 0
        return
    folder, port = scratch(given, way), _free_port()
    command = _ours(where, stub, port) if way == OURS else _peer(where, folder, stub, port)
    with (folder / "said").open("w") as said:
        child = subprocess.Popen(
            command, stdout=said, stderr=said, start_new_session=True, env=_surroundings(folder), cwd=folder
        )
        try:
            _wait(port, child, folder / "said")
            yield port, child.pid
        finally:
            end_session(child)
            child.wait()


def _ours(where: Environment, stub: int, port: int) -> list[str]:
    return [
        str(where.command), "proxy",
        "--upstream", f"http://127.0.0.1:{stub}", "--listen", f"127.0.0.1:{port}",
    ]  # fmt: skip


def _peer(where: Environment, folder: Path, stub: int, port: int) -> list[str]:
    """As its documentation has it, one worker as ours, and no callbacks."""
    config = folder / "config.yaml"
    config.write_text(
        "model_list:\n  - model_name: stub\n    litellm_params:\n      model: openai/stub\n"
        f"      api_base: http://127.0.0.1:{stub}/v1\n      api_key: none\n"
        "litellm_settings:\n  telemetry: false\n  num_retries: 0\n"
    )
    words = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    return [str(where.command), *words, "--telemetry", "False"]


def _surroundings(folder: Path) -> dict[str, str]:
    base = {k: v for k, v in os.environ.items() if not k.startswith(("WATTERMARK_", "LITELLM_", "XDG_"))}
    peers = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # it checks no keys, as ours does not
    }
    return base | {"HOME": str(folder)} | peers


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _wait(port: int, child: subprocess.Popen[bytes], said: Path) -> None:
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s and child.poll() is None:
        try:
            if _load(port, kind="closed", connections=1, count=1)["n"]:
                return
        except Failed:
            time.sleep(0.5)
    raise Failed(f"no answer: {said.read_text()[-2000:]}")


def _targets(rows: dict[str, Row]) -> list[Target]:
    ours = rows[OURS]
    targets = [
        Target(f"added latency, median, at {RATE:g}/s", _known(ours["added p50_ms"]), 1.0, "ms"),
        Target(f"added latency, 99 of 100, at {RATE:g}/s", _known(ours["added p99_ms"]), 5.0, "ms"),
        Target("added delay of a piece, median", ours["added piece p50_ms"], 1.0, "ms"),
        Target("pieces merged", ours["merged"], 0, ""),
        Target("requests that failed", ours["bad"] + ours["bad later"], 0, ""),
        Target("memory over 200,000 requests", ours["RSS MB after"] - ours["RSS MB before"], 5, "MB"),
    ]
    if PEER in rows:
        share = rows[PEER]["per s"] / ours["per s"]
        targets.append(Target("LiteLLM's throughput by ours (3 times as much is 0.33)", share, 1 / 3, ""))
    return targets


def _known(figure: float | None) -> float:
    """One that did not keep up is late without end."""
    return float("inf") if figure is None else figure


if __name__ == "__main__":
    run("serving", __doc__, measured, tools=(OURS, PEER))
