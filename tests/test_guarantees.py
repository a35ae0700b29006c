"""The list of what must hold and how it can be broken: it fits the sources, the tests and the page."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from broken import AS_IT_MUST, SURVIVED, Rotten, broken, outcomes_of, seen, tables
from broken_cases import GUARANTEES
from guarantee import Case

ROOT = Path(__file__).parents[1]
CASES = [pytest.param(case, id=f"{one.number}: {case.how}") for one in GUARANTEES for case in one.cases]
TESTS = sorted({test for one in GUARANTEES for test in one.tests})


def test_every_row_of_the_reference_is_there_and_can_be_broken():
    assert [one.number for one in GUARANTEES] == list(range(1, 109))
    assert all(one.cases for one in GUARANTEES)


@pytest.mark.parametrize("case", CASES)
def test_an_edit_fits_its_file_once_and_leaves_python(case):
    ast.parse(broken(case))
    assert case.old != case.new and case.tests


def test_an_edit_that_no_longer_fits_is_told():
    with pytest.raises(Rotten, match="holds 0 times"):
        broken(Case("gone", "values/units.py", "no such text", "", ("x",)))


@cache
def functions_in(file):
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_is_named_exists(test):
    file, _, name = test.partition("::")
    assert name.partition("[")[0] in functions_in(file)


@pytest.mark.slow
def test_pytest_knows_each_row_of_a_test_that_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *(f"tests/{test}" for test in TESTS)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_page_tells_the_list():
    """``python benchmarks/broken.py --table`` prints what must stand there."""
    page = (ROOT / "docs" / "guarantees.md").read_text()
    assert page.endswith("\n".join(("", *tables(), "")))


SAID = """
PASSED tests/a.py::test_it[one way]
FAILED tests/a.py::test_it[another] - assert 1 == 2
FAILED tests/a.py::test_it_is_another - assert 3 == 4
ERROR tests/b.py::test_that - OSError
"""


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("tests/a.py::test_it", ["PASSED", "FAILED"]),
        ("tests/a.py::test_it[another]", ["FAILED"]),
        ("tests/b.py::test_that", ["ERROR"]),
        ("tests/c.py::test_none", []),
    ],
)
def test_what_pytest_said_of_a_test_is_heard(test, words):
    assert list(outcomes_of(SAID, test)) == words


@pytest.mark.slow
@pytest.mark.parametrize(
    ("new", "result"), [('"mJ": 0.001,', SURVIVED), ('"mJ": 0.002,', AS_IT_MUST)], ids=["the same", "another"]
)
def test_a_break_that_no_test_sees_is_told(new, result):
    test = "values/test_units.py::test_raw_counts_become_base_units"
    told, blind = seen(Case("millijoules", "values/units.py", '"mJ": 1e-3,', new, (test,)))
    assert told == result and bool(blind) is (result == SURVIVED)
