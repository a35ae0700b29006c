"""A second of what ``benchmarks/fuzz.py`` does for an hour: the same doors, the same rules, fixed seeds."""

import fuzz
import pytest
from fuzzing.holds import Broken
from fuzzing.mutate import smallest
from fuzzing.settings import Settings
from fuzzing.spools import Spools
from fuzzing.sysfs import Sysfs
from fuzzing.tables import Tables


def told(findings):
    return [f"{one.error} at {one.where}, round {one.round}: {one.case}" for one in findings]


@pytest.mark.parametrize(
    ("subject", "rounds"),
    [
        pytest.param(Spools, 150, id="spools"),
        pytest.param(Tables, 20, id="factor tables"),
        pytest.param(Settings, 300, id="settings"),
        pytest.param(Sysfs, 40, id="files of the kernel"),
    ],
)
def test_bytes_that_nobody_meant_break_nothing(tmp_path, subject, rounds):
    done, found = fuzz.fuzz(subject(tmp_path), seed=20, more=lambda number: number < rounds)
    assert (done, told(found)) == (rounds, [])


def test_a_driver_that_answers_anything_breaks_nothing(bench, tmp_path, program, home):
    bench.nvml([])
    code = (
        "import fuzz; from pathlib import Path; from fuzzing.nvml import Nvml\n"
        "done, found = fuzz.fuzz(Nvml(Path()), seed=20, more=lambda number: number < 60)\n"
        "print(done, [(one.error, one.where, one.case) for one in found])"
    )
    path = f"{home['PYTHONPATH']}:{fuzz.HERE}"
    env = bench.env({**home, "PYTHONPATH": path, "PYTHONWARNINGS": "default"})
    done = program(code, env=env)
    assert done.stdout == "60 []\n", done.stderr


def test_what_breaks_is_found_made_small_and_told_with_its_round():
    class Door:
        def case(self, chance):
            return (("a", b"quiet"), ("b", bytes(chance.choices(b"x!", weights=(30, 1), k=20))))

        def check(self, case):
            if any(b"!" in data for _, data in case):
                raise Broken("a bang")

    rounds, (found,) = fuzz.fuzz(Door(), seed=1, more=lambda number: number < 20)
    assert rounds == 20
    assert ("a bang" in found.error, [name for name, _ in found.case]) == (True, ["b"])
    assert len(found.case[0][1]) <= 3
    again = fuzz.fuzz(Door(), seed=1, more=lambda number: number < 20)
    assert again == (rounds, [found])


def test_a_case_is_made_no_smaller_than_it_fails():
    case = tuple((str(i), b"abcdefgh") for i in range(9))
    assert smallest(case, lambda one: ("7", b"abcdefgh") in one) == (("7", b"abcdefgh"),)
