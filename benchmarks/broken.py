"""Break what must hold, one edit at a time, and see that the tests say so.

python benchmarks/broken.py [--only N] [--table]

All tests that are named in ``broken_cases.py``, ``broken_plans.py`` and ``broken_serving.py`` must pass on a
copy of the sources and the tests; with each edit in a fresh copy, each test that is named with it must fail.
benchmarks/results/broken.json keeps all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from broken_cases import GUARANTEES, PARTS
from guarantee import Case, Guarantee
from telling import Row, machine, show

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
COPIED = ("src", "tests", "benchmarks", "tools")
AS_IT_MUST, SURVIVED = "failed as it must", "SURVIVED"
PATIENCE_S, A_TEST_S = 900, 60
SOURCE = Path("src/wattermark")


class Rotten(Exception):
    """An edit that no longer fits its file."""


def broken(case: Case, root: Path = ROOT) -> str:
    """The file of a case as it would be with its edit.

    Raises
    ------
    Rotten
        If the text that it replaces does not stand there once.
    """
    text = (root / SOURCE / case.file).read_text()
    if text.count(case.old) != 1:
        raise Rotten(f"{case.file} holds {text.count(case.old)} times, not once: {case.old!r}")
    return text.replace(case.old, case.new)


def tables() -> Iterator[str]:
    """The end of docs/guarantees.md: a table below each heading."""
    for i, (heading, guarantees) in enumerate(PARTS.items()):
        yield from ("",) if i else ()
        yield from (f"## {heading}", "", *_table(guarantees))


def _table(guarantees: Iterable[Guarantee]) -> Iterator[str]:
    yield "| | what holds | tests that hold it | who fails it |"
    yield "|---|---|---|---|"
    for one in guarantees:
        tests = "<br>".join(f"`{test}`" for test in one.tests)
        yield f"| {one.number} | {one.holds} | {tests} | {one.peers} |"


# ---------------------------------------------------------------------------- running
def _copy(folder: Path) -> Path:
    """Sources and tests as they stand here, compiled files too, as they save time."""
    skipped = shutil.ignore_patterns("results", "*.egg-info", ".hypothesis")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for name in ("pyproject.toml", ".importlinter"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def _run(root: Path, tests: Sequence[str]) -> tuple[dict[str, list[str]], str]:
    """How the tests of a copy end: outcomes of each named one, and what pytest said."""
    words = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=line", "-p", "no:cacheprovider",
             f"--timeout={A_TEST_S}", *(f"tests/{test}" for test in tests)]  # fmt: skip
    paths = os.pathsep.join(str(root / name) for name in ("src", "tests"))
    env = {**os.environ, "PYTHONPATH": paths, "COLUMNS": "2000"}
    try:
        done = subprocess.run(
            words, cwd=root, env=env, timeout=PATIENCE_S, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {test: ["HUNG"] for test in tests}, "hung"
    return {test: list(outcomes_of(done.stdout, f"tests/{test}")) for test in tests}, done.stdout


def outcomes_of(said: str, test: str) -> Iterator[str]:
    """PASSED, FAILED or ERROR of a test, or of each of its rows."""
    for line in said.splitlines():
        word, _, name = line.partition(" ")
        if word in ("PASSED", "FAILED", "ERROR") and name.startswith(test) and name[len(test) :][:1] in " [":
            yield word


def _whole(guarantees: Sequence[Guarantee]) -> list[str]:
    """Tests that do not pass as things stand."""
    every = tuple(dict.fromkeys(test for one in guarantees for test in one.tests))
    with tempfile.TemporaryDirectory() as folder:
        outcomes, said = _run(_copy(Path(folder)), every)
    faults = [test for test, words in outcomes.items() if set(words) != {"PASSED"}]
    if faults:
        print(said[-4000:])
    return faults


def seen(case: Case) -> tuple[str, list[str]]:
    """Whether each test of a case fails, and those that do not."""
    with tempfile.TemporaryDirectory() as folder:
        root = _copy(Path(folder))
        (root / SOURCE / case.file).write_text(broken(case))
        outcomes, _ = _run(root, case.tests)
    blind = [test for test, words in outcomes.items() if not {"FAILED", "HUNG"} & set(words)]
    return SURVIVED if blind else AS_IT_MUST, blind


def _rows(guarantees: Iterable[Guarantee]) -> Iterator[Row]:
    for one in guarantees:
        for case in one.cases:
            began_s = time.monotonic()
            result, blind = seen(case)
            took_s = round(time.monotonic() - began_s, 1)
            print(f"{one.number:3} {case.how}: {result}, {took_s} s", *blind, flush=True)
            yield {
                "row": one.number, "what holds": one.holds, "broken": case.how, "file": case.file,
                "tests": len(case.tests), "result": result, "blind": blind, "seconds": took_s,
            }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", type=int, metavar="N", action="append", help="a row; may be given again")
    parser.add_argument("--table", action="store_true", help="print the tables of docs/guarantees.md")
    given = parser.parse_args()
    if given.table:
        print("\n".join(tables()))
        return 0
    chosen = [one for one in GUARANTEES if given.only is None or one.number in given.only]
    for one in chosen:
        for case in one.cases:
            broken(case)  # a list that has rotten is told before anything is run
    faults = _whole(chosen)
    if faults:
        print("These do not pass unbroken:", *faults, sep="\n  ")
        return 1
    rows = list(_rows(chosen))
    shown = ("row", "what holds", "broken", "file", "tests", "result")
    show("Broken, one at a time", [{name: one[name] for name in shown} for one in rows])
    _keep({"rows": rows, "machine": machine(), "load": os.getloadavg()})
    missed = sum(one["result"] == SURVIVED for one in rows)
    told = f"{len(rows) - missed} {AS_IT_MUST}, {missed} {SURVIVED}"
    print(f"{len(rows)} ways to break {len(chosen)} rows: {told}")
    return int(missed > 0)


def _keep(found: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "broken.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
