"""Footprints add where they mean the same, and nowhere else."""

from dataclasses import FrozenInstanceError, replace

import pytest

from science.build import HALF_BUSY, account, counter, cpu, factor, gpu, recorded
from wattermark.errors import WattermarkError
from wattermark.values.footprint import QUANTITIES, Boundary, IncompatibleFootprints
from wattermark.values.kinds import Scope
from wattermark.values.range import Range

ONE = account(recorded(cpu(counter(100)), load=HALF_BUSY))
HERE = ONE.boundary


def test_two_runs_add_up():
    both = ONE + ONE
    assert both.it_energy_j == Range(*(2 * end for end in _ends(ONE.it_energy_j)))
    assert (both.duration_s, len(both.components)) == (20, 2 * len(ONE.components))
    assert both.factors == ONE.factors


def test_a_sum_with_something_unknown_in_it_is_unknown():
    assert ONE.carbon_market_g is None
    assert (replace(ONE, carbon_market_g=Range.exact(1.0)) + ONE).carbon_market_g is None
    assert (ONE + replace(ONE, water_l=None)).water_l is None


def test_a_flag_of_either_is_a_flag_of_the_sum_once():
    flags = (replace(ONE, flags=("a", "b")) + replace(ONE, flags=("b", "c"))).flags
    assert flags == ("a", "b", "c")


@pytest.mark.parametrize(
    "boundary",
    [
        pytest.param(Boundary(Scope.PROCESS, HERE.parts, HERE.ci_basis), id="a process and a machine"),
        pytest.param(Boundary(HERE.scope, ("cpu", "gpu"), HERE.ci_basis), id="with a GPU and without"),
        pytest.param(Boundary(HERE.scope, HERE.parts, "direct"), id="lifecycle carbon and direct carbon"),
    ],
)
def test_other_boundaries_refuse_to_add(boundary):
    with pytest.raises(IncompatibleFootprints, match="do not add up") as caught:
        ONE + replace(ONE, boundary=boundary)
    assert isinstance(caught.value, WattermarkError) and caught.value.fix


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(account(recorded(cpu(counter(1)), load=HALF_BUSY), Scope.PROCESS), id="of a process"),
        pytest.param(account(recorded(cpu(counter(1)), gpu(counter(9, unit=1e3)))), id="with a GPU"),
    ],
)
def test_the_boundary_comes_from_what_was_accounted(other):
    with pytest.raises(IncompatibleFootprints):
        ONE + other


def test_another_grid_of_the_same_basis_adds():
    elsewhere = [
        factor("carbon_intensity", 1, 2, 3),
        *(f for f in ONE.factors if f.name != "carbon_intensity"),
    ]
    other = account(recorded(cpu(counter(100))), factors=elsewhere)
    assert (ONE + other).it_energy_j.best == pytest.approx(2000)
    assert len((ONE + other).factors) == len(ONE.factors) + 1


def test_every_quantity_is_named_once_and_ends_in_its_unit():
    assert set(ONE.quantities()) == set(QUANTITIES) and len(QUANTITIES) == 12
    assert {name.rsplit("_", 1)[1] for name in QUANTITIES} == {"j", "g", "l", "m3eq"}


def test_nobody_mends_a_footprint_by_hand():
    with pytest.raises(FrozenInstanceError):
        ONE.water_l = Range.exact(0.0)  # type: ignore[misc]


def _ends(value):
    return value.low, value.best, value.high
