"""Energy for one token, operation or epoch; what is not known stays so."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wattermark.science.running import Running
from wattermark.science.scores import energy_j_per_unit
from wattermark.values.range import Range

sums = some.floats(0, 1e9)
runnings = some.builds(Running, sums, sums, sums, sums, sums)


@pytest.mark.parametrize(
    ("energy_j", "units", "each_j"),
    [
        pytest.param(Range(1.0, 2.0, 4.0), 8, Range(0.125, 0.25, 0.5), id="the ends go with the best"),
        pytest.param(Range(1.0, 2.0, 4.0), None, None, id="nobody counted"),
        pytest.param(Range(1.0, 2.0, 4.0), 0, None, id="a count of nothing is no count"),
        pytest.param(Range(1.0, 2.0, 4.0), nan, None, id="not a number"),
        pytest.param(Range(1.0, 2.0, 4.0), inf, None, id="more than anybody can count"),
        pytest.param(None, 8, None, id="no meter saw it"),
    ],
)
def test_energy_per_unit(energy_j, units, each_j):
    assert energy_j_per_unit(energy_j, units) == each_j


@given(runnings, runnings)
def test_what_came_since_and_what_was_before_make_the_whole(before, stretch):
    whole = before.plus(stretch)
    since = whole.since(before)
    for name in ("elapsed_s", "it_energy_j", "carbon_g", "water_l"):
        sum_of_both = getattr(before, name) + getattr(since, name)
        assert sum_of_both == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-6)


def test_the_power_since_is_the_mean():
    assert Running(4.0, 100.0).since(Running(2.0, 20.0)).power_w == 40.0
