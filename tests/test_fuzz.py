"""A second of what ``benchmarks/fuzz.py`` does for an hour: the same doors, the same rules, fixed seeds."""

from dataclasses import replace
from pathlib import Path

import fuzz
import pytest
from fuzzing.holds import Broken, check_footprint
from fuzzing.mutate import smallest
from fuzzing.settings import Settings
from fuzzing.spools import Spools, lines
from fuzzing.sysfs import Sysfs
from fuzzing.tables import Tables

from wattermark.ledger.read import SpoolReader
from wattermark.values.kinds import Scope
from wattermark.values.range import Range
from wattermark.verbs.account import account


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


ZERO, MUCH = Range.exact(0.0), Range.exact(1e9)


@pytest.mark.parametrize(
    ("component", "quantities", "says"),
    [
        pytest.param({"energy_j": ZERO}, {}, "gpu/0 is zero in silence", id="a zero for what was drawn"),
        pytest.param({"energy_j": None}, {}, "gpu/0 is unknown, and no flag", id="unknown without a flag"),
        pytest.param({"energy_j": MUCH}, {}, "gpu/0 took 1e.09 J; it cannot", id="more than it can take"),
        pytest.param({}, {"water_l": Range(-1, 0, 1)}, "water_l is Range", id="less than nothing"),
        pytest.param({}, {"duration_s": float("nan")}, "no JSON", id="what JSON cannot say"),
    ],
)
def test_what_must_hold_is_looked_at(component, quantities, says):
    reader = SpoolReader(Path("run"))
    reader.feed("".join(lines()).encode())
    recorded = reader.recorded()
    good = account(recorded, scope=Scope.MACHINE)
    check_footprint(recorded, good)
    broken = [
        replace(one, machine_energy_j=None, **component) if one.name == "gpu/0" else one
        for one in good.components
    ]
    with pytest.raises(Broken, match=says):
        check_footprint(recorded, replace(good, components=tuple(broken), **quantities))


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
