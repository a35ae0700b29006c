"""Bytes that nobody meant, at every door: no exception but ours, no crash, no hang, no zero in silence.

python benchmarks/fuzz.py [--minutes 60] [--seed N] [--only SUBJECT]

Each subject runs in a process of its own, so that a crash ends one and is told. What is found is printed
with the seed that finds it again and the smallest case; benchmarks/results/fuzz.json keeps all.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / folder) for folder in ("src", "tests"))]

from fuzzing.mutate import Case, smallest  # noqa: E402
from fuzzing.nvml import Nvml  # noqa: E402
from fuzzing.settings import Settings  # noqa: E402
from fuzzing.spools import Spools  # noqa: E402
from fuzzing.sysfs import Sysfs  # noqa: E402
from fuzzing.tables import Tables  # noqa: E402
from telling import machine, show  # noqa: E402

from fakes.meters import SCENARIOS, Bench  # noqa: E402

RESULTS = HERE / "results"
HANG_S, GRACE_S = 30, 120.0
SHOWN_B = 2000


class Subject(Protocol):
    """A door through which bytes come in."""

    def case(self, chance: Random) -> Case: ...

    def check(self, case: Case) -> None:
        """Raises what should not have been raised, or ``Broken``."""


SUBJECTS: dict[str, Callable[[Path], Subject]] = {
    "spools": Spools,
    "tables": Tables,
    "settings": Settings,
    "sysfs": Sysfs,
    "nvml": Nvml,
}


class Hung(BaseException):
    """One case took longer than any may; no handler of ours catches it."""


@dataclass(frozen=True)
class Finding:
    """What was found, where, and the smallest case that shows it."""

    error: str
    where: str
    round: int
    case: list[tuple[str, str]]
    trace: str


def fuzz(subject: Subject, seed: int, more: Callable[[int], bool]) -> tuple[int, list[Finding]]:
    """Rounds until ``more`` says no, and one finding for each place where something broke."""
    found: dict[tuple[str, str], Finding] = {}
    number = 0
    while more(number):
        chance = Random(f"{seed}-{number}")  # each round by itself, so that one can be done again alone
        case = subject.case(chance)
        fault = _fault(subject, case)
        if fault is not None and _key(fault) not in found:
            key = _key(fault)
            small = smallest(case, lambda smaller, key=key: _same(subject, smaller, key))
            told = [(name, data[:SHOWN_B].decode("utf-8", "backslashreplace")) for name, data in small]
            trace = "".join(traceback.format_exception(fault)[-3:])
            found[key] = Finding(f"{key[0]}: {str(fault)[:300]}", key[1], number, told, trace)
        number += 1
    return number, list(found.values())


def _fault(subject: Subject, case: Case) -> BaseException | None:
    with _limited(), contextlib.redirect_stderr(io.StringIO()):
        try:
            subject.check(case)
        except (Exception, Hung) as error:  # noqa: BLE001  anything at all is a finding
            return error
    return None


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hung(f"no end after {HANG_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _same(subject: Subject, case: Case, key: tuple[str, str]) -> bool:
    fault = _fault(subject, case)
    return fault is not None and _key(fault) == key


def _key(fault: BaseException) -> tuple[str, str]:
    """Its class, and the last place of ours (or of this folder) that it came through."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [f for f in frames if "wattermark" in f.filename or "fuzzing" in f.filename] or list(frames)
    return type(fault).__name__, f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"


# ---------------------------------------------------------------------------- a process for each
def child(name: str, seed: int, seconds: float) -> None:
    """One subject for some seconds; answers as one line."""
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        rounds, found = fuzz(SUBJECTS[name](Path(folder)), seed, lambda _: time.monotonic() < until)
    print("@@" + json.dumps({"rounds": rounds, "found": [vars(one) for one in found]}), flush=True)


def _run(name: str, seed: int, seconds: float, folder: Path) -> dict[str, Any]:
    bench = SCENARIOS["gpu2"](Bench(folder, libs=Path(tempfile.gettempdir()) / "wattermark-bench" / "lib"))
    env = bench.env({**os.environ, "HOME": str(folder), "PYTHONHASHSEED": "0"})
    if name != "nvml":  # these read trees of their own
        env.pop("LD_PRELOAD")
    command = [
        sys.executable,
        str(HERE / "fuzz.py"),
        "--child",
        name,
        "--seed",
        str(seed),
        "--seconds",
        str(seconds),
    ]
    try:
        done = subprocess.run(
            command,
            env=env,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds + GRACE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"rounds": 0, "found": [], "crash": f"the process hung (seed {seed})"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("@@")]
    if done.returncode or not lines:
        return {"rounds": 0, "found": [], "crash": f"exit code {done.returncode}: {done.stderr[-1000:]}"}
    answer: dict[str, Any] = json.loads(lines[-1][2:])
    return answer | {"crash": ""}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="for all subjects together (%(default)g)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--only", choices=SUBJECTS, action="append")
    parser.add_argument("--child", choices=SUBJECTS, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.seed, given.seconds)
        return 0
    names = given.only or list(SUBJECTS)
    seconds = given.minutes * 60 / len(names)
    answers = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            answers[name] = _run(name, given.seed, seconds, Path(folder))
        _tell(name, answers[name], given.seed)
    rows = [
        {"subject": name, "rounds": one["rounds"], "found": len(one["found"]), "crash": one["crash"] or "no"}
        for name, one in answers.items()
    ]
    show(f"Fuzzed for {given.minutes:g} minutes, seed {given.seed}", rows)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fuzz.json").write_text(
        json.dumps({"seed": given.seed, "minutes": given.minutes, "machine": machine(), **answers}, indent=1)
        + "\n"
    )
    return int(any(one["found"] or one["crash"] for one in answers.values()))


def _tell(name: str, answer: dict[str, Any], seed: int) -> None:
    for one in answer["found"]:
        print(f"\n{name}, seed {seed}, round {one['round']}: {one['error']} ({one['where']})\n{one['trace']}")
        for piece, text in one["case"]:
            print(f"  {piece}: {text[:400]!r}")


if __name__ == "__main__":
    sys.exit(main())
