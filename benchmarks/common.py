"""What the benchmarks share: an environment for each tool, the fake meters, tables and results."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
RESULTS = HERE / "results"
TOOLS = ("wattermark", "codecarbon")
NOT_COUNTED = {"pip", "setuptools", "wheel"}
PATIENCE_S = 120.0

sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests")]
from fakes.meters import SCENARIOS, Bench  # noqa: E402

Row = dict[str, Any]


class Failed(RuntimeError):
    """A child that gave no answer."""


# ---------------------------------------------------------------------------- settings
@dataclass(frozen=True)
class Settings:
    """How a benchmark was called."""

    quick: bool
    peers: bool
    work: Path

    @property
    def tools(self) -> tuple[str, ...]:
        return TOOLS if self.peers else TOOLS[:1]

    def pick(self, full: Any, quick: Any) -> Any:
        return quick if self.quick else full


def settings(description: str | None) -> Settings:
    """Read the command line that all benchmarks share."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="run codecarbon")
    default = Path(tempfile.gettempdir()) / "wattermark-bench"
    parser.add_argument("--work", type=Path, default=default, help="keeps the environments (%(default)s)")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    return Settings(given.quick, given.peers, work)


# ---------------------------------------------------------------------------- environments
@dataclass(frozen=True)
class Environment:
    """A tool in an environment of its own, made at first use and kept."""

    tool: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / self.tool

    @cached_property
    def version(self) -> str:
        return next(d["version"] for d in self._listed() if d["name"].lower() == self.tool)

    def ready(self) -> Environment:
        """Install what is missing; our own checkout again whenever its sources changed."""
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        stamp, wanted = self.folder / "installed", self._wanted()
        if not stamp.exists() or stamp.read_text() != wanted:
            again = ["--force-reinstall", "--no-deps"] if stamp.exists() else []
            what = str(CHECKOUT) if self.tool == "wattermark" else self.tool
            self._pip("install", "--quiet", *again, what)
            stamp.write_text(wanted)
        return self

    def size(self) -> Row:
        """Packages and megabytes that the tool brings, without pip and without compiled bytecode."""
        site = next(self.folder.glob("lib/python*/site-packages"))
        files = (p for p in site.rglob("*") if p.is_file() and not p.is_symlink() and p.suffix != ".pyc")
        counted = (p for p in files if re.split(r"[-_.]", p.relative_to(site).parts[0])[0] not in _LEFT_OUT)
        packages = [d["name"] for d in self._listed() if d["name"] not in NOT_COUNTED]
        return {"packages": len(packages), "site_mb": sum(p.stat().st_size for p in counted) / 1e6}

    def _listed(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self._pip("list", "--format=json"))
        return found

    def _pip(self, *words: str) -> str:
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"pip {' '.join(words)}: {done.stderr[-1000:]}")
        return done.stdout

    def _wanted(self) -> str:
        if self.tool != "wattermark":
            return self.tool
        sources = [CHECKOUT / "pyproject.toml", *sorted((CHECKOUT / "src").rglob("*"))]
        kept = [p for p in sources if p.is_file() and "__pycache__" not in p.parts]
        return hashlib.sha256(b"".join(str(p).encode() + p.read_bytes() for p in kept)).hexdigest()


_LEFT_OUT = {*NOT_COUNTED, "distutils", "pkg"}  # with setuptools come _distutils_hack and pkg_resources


def environments(given: Settings) -> dict[str, Environment]:
    """An environment for each tool that is compared."""
    return {tool: Environment(tool, given.work / "venv" / tool).ready() for tool in given.tools}


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
    for line in child.stdout:
        if line.startswith("@begin "):
            return float(line.split()[1])
    return None


def answer(child: subprocess.Popen[str], patience_s: float = PATIENCE_S) -> Row:
    """What a child said at its end."""
    try:
        said, _ = child.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Failed(f"no answer after {patience_s:g} s") from None
    lines = [line for line in said.splitlines() if line.startswith("@@")]
    if not lines:
        raise Failed(f"exit code {child.returncode} and no answer")
    found: Row = json.loads(lines[-1][2:])
    return found


def ask(given: Settings, where: Environment, task: str, /, scenario: str = "all", **arguments: Any) -> Row:
    """One task of ``inside.py`` on fake meters, to its end."""
    meters = bench(given, scenario, scratch(given, f"{where.tool}-{task}"))
    return heard(spawn(where, meters, task, **arguments), meters)


def ask_cold(given: Settings, where: Environment, task: str, number: int) -> Row:
    """One task of ``cold.py`` on two sockets with DRAM and two GPUs, to its end."""
    meters = bench(given, "all", scratch(given, f"{where.tool}-{task}"))
    return heard(launch(where, meters, "cold.py", task, where.tool, str(number)), meters)


def heard(child: subprocess.Popen[str], meters: Bench) -> Row:
    """What a child said at its end, or why it said nothing."""
    try:
        return answer(child)
    except Failed as error:
        raise Failed(f"{error}\n{(meters.folder / 'stderr').read_text()[-2000:]}") from None


# ---------------------------------------------------------------------------- the machine
def machine() -> Row:
    """What a reader of the figures has to know."""
    cpus = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", cpus)
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


# ---------------------------------------------------------------------------- telling
@dataclass(frozen=True)
class Target:
    """A figure of ours, and the most that it may be."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.most


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table with the keys of the rows as its columns."""
    from rich.console import Console
    from rich.table import Table

    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*(text(row.get(column)) for column in columns))
    wide = None if sys.stdout.isatty() else 160
    Console(width=wide).print(table)


def text(value: Any) -> str:
    """A cell: numbers to three or four figures."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 10 else f"{value:.3f}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def show_targets(targets: Iterable[Target]) -> None:
    """Which of our figures are as good as they were meant to be."""
    rows = [
        {"target": t.name, "unit": t.unit, "figure": t.value, "at most": t.most, "met": _said(t.met)}
        for t in targets
    ]
    show("Targets of wattermark", rows)


def _said(met: bool) -> str:
    return "yes" if met else "NO"


def run(name: str, doc: str | None, measured: Measured) -> None:
    """A whole benchmark: settings, environments, figures, tables, and a file under results/."""
    given = settings(doc)
    places = environments(given)
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
