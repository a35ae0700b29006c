"""What the benchmarks share: settings, the fake meters, children in a tool's environment, results."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environments import CHECKOUT, OURS, Environment, Failed, cache, environments
from telling import Row, Target, machine, show_targets

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
TOOLS = (OURS, "codecarbon")
PATIENCE_S = 120.0
BEGIN = re.compile(r"@begin (\d+\.\d+)")
NOWHERE = "http://127.0.0.1:9"
"""A proxy where nobody listens: no tool asks the network while it is measured."""

sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests")]
from fakes.meters import SCENARIOS, Bench  # noqa: E402


# ---------------------------------------------------------------------------- settings
@dataclass(frozen=True)
class Settings:
    """How a benchmark was called."""

    quick: bool
    tools: tuple[str, ...]
    work: Path
    envs: Path
    minutes: float
    missing: dict[str, str] = field(default_factory=dict)
    """Tools that were asked for and cannot be installed, and why."""

    def pick(self, full: Any, quick: Any) -> Any:
        return quick if self.quick else full


def settings(description: str | None, tools: Iterable[str], minutes: float | None) -> Settings:
    """Read the command line that all benchmarks share."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    peers = [tool for tool in tools if tool != OURS]
    if peers:
        parser.add_argument(
            "--peers", action=argparse.BooleanOptionalAction, default=True, help="run the others"
        )
        parser.add_argument(
            "--only", metavar="NAME", action="append", choices=peers, help=f"of: {', '.join(peers)}"
        )
    if minutes is not None:
        parser.add_argument("--minutes", type=float, default=minutes, help="(%(default)g)")
    work = Path(tempfile.gettempdir()) / "wattermark-bench"
    parser.add_argument(
        "--work", type=Path, default=work, help="keeps the fakes and what fails (%(default)s)"
    )
    parser.add_argument("--envs", type=Path, default=cache(), help="keeps the environments (%(default)s)")
    given = parser.parse_args()
    chosen = (getattr(given, "only", None) or peers) if getattr(given, "peers", False) else []
    work, envs = given.work.resolve(), given.envs.resolve()
    work.mkdir(parents=True, exist_ok=True)
    return Settings(given.quick, (OURS, *chosen), work, envs, getattr(given, "minutes", 0.0))


# ---------------------------------------------------------------------------- fakes and children
def bench(given: Settings, scenario: str, folder: Path) -> Bench:
    """The fake meters of a scenario, compiled once for all."""
    return SCENARIOS[scenario](Bench(folder, libs=given.work / "lib"))


def surroundings(meters: Bench) -> dict[str, str]:
    """The environment of a child that sees only these meters, and no setting of this user's.

    A stand-in for ``nvidia-smi``, by whose presence some tools tell that there are NVIDIA GPUs,
    is on the PATH where the fakes have GPUs.
    """
    home = meters.folder / "home"
    home.mkdir(exist_ok=True)
    base = {k: v for k, v in os.environ.items() if not k.startswith(("WATTERMARK_", "CODECARBON_", "XDG_"))}
    base |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    base |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    if meters.gpus:
        command = meters.folder / "bin" / "nvidia-smi"
        command.parent.mkdir(exist_ok=True)
        command.write_text("#!/bin/sh\nexit 0\n")
        command.chmod(0o755)
        base["PATH"] = f"{command.parent}:{base.get('PATH', '')}"
    return meters.env(base)


def scratch(given: Settings, name: str) -> Path:
    """A new folder for one run."""
    runs = given.work / "runs" / str(os.getpid())
    runs.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=runs))


def spawn(where: Environment, meters: Bench, task: str, /, **arguments: Any) -> subprocess.Popen[str]:
    """A task of ``inside.py`` in the tool's environment."""
    return launch(where, meters, "inside.py", task, json.dumps({"tool": where.tool, **arguments}))


def launch(where: Environment, meters: Bench, *words: str) -> subprocess.Popen[str]:
    """A script of this folder in the tool's environment, in a session and a folder of its own."""
    script, *rest = words
    return subprocess.Popen(
        [str(where.python), str(HERE / script), *rest],
        env=surroundings(meters),
        cwd=meters.folder / "home",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(meters.folder / "stderr").open("w"),
        text=True,
        start_new_session=True,
    )


def begun(child: subprocess.Popen[str]) -> float | None:
    """The monotonic second at which the tracked job of a child begins; None if it never does."""
    assert child.stdout is not None
    enough = threading.Timer(PATIENCE_S, end_session, (child,))
    enough.start()
    try:
        for line in child.stdout:
            if found := BEGIN.search(line):  # some tools write in between
                return float(found[1])
        return None
    finally:
        enough.cancel()


def end_session(child: subprocess.Popen[str]) -> int:
    """End what a child left running in its session; how many processes that were."""
    left = [pid for pid in _session(child.pid) if pid != os.getpid()]
    for pid in left:  # the session was begun here, for this child alone
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return len(left)


def _session(leader: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            state, _, _, session = Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[:4]
            if int(session) == leader and state != "Z":
                found.append(int(name))
    return found


def answer(child: subprocess.Popen[str], patience_s: float = PATIENCE_S) -> Row:
    """What a child said at its end."""
    try:
        said, _ = child.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Failed(f"no answer after {patience_s:g} s") from None
    told = re.findall(r"@@(\{.*\})", said)
    if not told:
        raise Failed(f"exit code {child.returncode} and no answer")
    found: Row = json.loads(told[-1])
    return found


def ask(given: Settings, where: Environment, task: str, /, scenario: str = "all", **arguments: Any) -> Row:
    """One task of ``inside.py`` on fake meters, to its end."""
    return ask_on(bench(given, scenario, scratch(given, f"{where.tool}-{task}")), where, task, **arguments)


def ask_on(meters: Bench, where: Environment, task: str, /, **arguments: Any) -> Row:
    """One task of ``inside.py`` on these meters, to its end."""
    longest_s = arguments.get("seconds", 0.0) * 2 * arguments.get("pairs", 1)
    return heard(spawn(where, meters, task, **arguments), meters, longest_s)


def ask_cold(given: Settings, where: Environment, task: str, number: int) -> Row:
    """One task of ``cold.py`` on two sockets with DRAM and two GPUs, to its end."""
    meters = bench(given, "all", scratch(given, f"{where.tool}-{task}"))
    return heard(launch(where, meters, "cold.py", task, where.tool, str(number)), meters)


def heard(child: subprocess.Popen[str], meters: Bench, seconds: float = 0.0) -> Row:
    """What a child said at its end, or why it said nothing; ``seconds`` is how long it is to work."""
    try:
        return answer(child, PATIENCE_S + seconds)
    except Failed as error:
        raise Failed(f"{error}\n{(meters.folder / 'stderr').read_text()[-2000:]}") from None
    finally:
        end_session(child)


# ---------------------------------------------------------------------------- a whole benchmark
def run(
    name: str,
    doc: str | None,
    measured: Measured,
    *,
    tools: Iterable[str] = TOOLS,
    minutes: float | None = None,
) -> None:
    """A whole benchmark: settings, environments, figures, tables, and a file under results/."""
    given = settings(doc, tuple(tools), minutes)
    places, missing = environments(given.tools, given.envs)
    given.missing.update(missing)
    load_before = list(os.getloadavg())
    found, targets = measured(given, places)
    load_after = list(os.getloadavg())
    if targets:
        show_targets(targets)
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": name,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": given.quick,
        "missing": given.missing,
        "versions": {tool: where.version for tool, where in places.items()},
        "machine": machine() | {"load_before": load_before, "load_after": load_after},
        **found,
        "targets": [{**vars(target), "met": target.met} for target in targets],
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    shutil.rmtree(given.work / "runs" / str(os.getpid()), ignore_errors=True)  # kept where something failed
    print(f"load {load_before[0]:.2f} before, {load_after[0]:.2f} after; figures in {path}")


Measured = Callable[[Settings, dict[str, Environment]], tuple[Row, list[Target]]]
