"""Who used the energy: whatever the weights, the parts are the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.sharing.devices import (
    share_by_cpu_time,
    share_by_memory,
    share_by_sm_time,
    weighted_share,
)

TIME = st.floats(0, 100)
SLOTS = st.lists(st.tuples(st.floats(0, 1e6), TIME, TIME, TIME), min_size=1, max_size=20).map(np.array)


@pytest.mark.parametrize(
    ("run_s", "busy_s", "idle_fraction", "shares"),
    [
        pytest.param(1, 2, 0.0, (50, 50, 0), id="half of what is busy, and rest is free"),
        pytest.param(4, 4, 0.0, (100, 0, 0), id="all CPUs are ours"),
        pytest.param(4, 4, 0.2, (80, 0, 20), id="all CPUs are ours; they would have idled at a fifth"),
        pytest.param(2, 2, 0.5, (100 / 3, 0, 200 / 3), id="half the CPUs at half the idle power"),
        pytest.param(0, 0, 0.2, (0, 0, 100), id="nobody is busy: all is idle"),
        pytest.param(0, 0, 0.0, (0, 0, 100), id="nobody is busy and rest is free: still idle, not lost"),
        pytest.param(1, 2, 1.0, (0, 0, 100), id="a processor that draws the same at rest"),
        pytest.param(0, 3, 0.2, (0, 75, 25), id="others only"),
        pytest.param(9, 9, 0.0, (100, 0, 0), id="clocks disagree: more time than there is"),
        pytest.param(3, 1, 0.0, (100, 0, 0), id="clocks disagree: the run busier than the machine"),
    ],
)
def test_share_by_cpu_time(run_s, busy_s, idle_fraction, shares):
    got = share_by_cpu_time(
        [100], run_s=[run_s], busy_s=[busy_s], capacity_s=[4], idle_fraction=idle_fraction
    )
    assert got == pytest.approx(shares)


@given(SLOTS, st.floats(0, 1))
def test_no_joule_of_the_processor_is_lost_and_none_counted_twice(slots, idle_fraction):
    energy_j, run_s, busy_s, capacity_s = slots.T
    shares = share_by_cpu_time(
        energy_j, run_s=run_s, busy_s=busy_s, capacity_s=capacity_s, idle_fraction=idle_fraction
    )
    assert sum(shares) == pytest.approx(energy_j.sum(), abs=1e-6)
    assert min(shares) >= -1e-6 * (1 + energy_j.sum())


@given(SLOTS, st.floats(0, 1))
def test_who_works_more_is_charged_more(slots, idle_fraction):
    energy_j, run_s, busy_s, capacity_s = slots.T
    less, more = (
        share_by_cpu_time(
            energy_j,
            run_s=part * run_s,
            busy_s=run_s + busy_s,
            capacity_s=capacity_s,
            idle_fraction=idle_fraction,
        ).run_j
        for part in (0.5, 1.0)
    )
    assert less <= more + 1e-6 * (1 + energy_j.sum())


@pytest.mark.parametrize(
    ("run_b", "used_b", "shares"),
    [
        pytest.param(2, 4, (25, 25, 50), id="a quarter is ours, a quarter the others', half is free"),
        pytest.param(8, 8, (100, 0, 0), id="all is ours"),
        pytest.param(0, 0, (0, 0, 100), id="nobody holds any"),
        pytest.param(3, 1, (37.5, 0, 62.5), id="shared pages: ours look more than all used"),
        pytest.param(99, 99, (100, 0, 0), id="more than there is"),
    ],
)
def test_share_by_memory(run_b, used_b, shares):
    assert share_by_memory([100], run_b=[run_b], used_b=[used_b], installed_b=8) == pytest.approx(shares)


@given(SLOTS)
def test_no_joule_of_the_memory_is_lost(slots):
    energy_j, run_b, used_b, _ = slots.T
    shares = share_by_memory(energy_j, run_b=run_b, used_b=used_b, installed_b=50)
    assert sum(shares) == pytest.approx(energy_j.sum(), abs=1e-6)
    assert min(shares) >= -1e-6 * (1 + energy_j.sum())


@pytest.mark.parametrize(
    ("run_s", "all_s", "held", "weight", "shares"),
    [
        pytest.param(1, 4, 1, 1, (25, 75, 0), id="a quarter of the SM time"),
        pytest.param(1, 4, 1, 3, (50, 50, 0), id="a quarter, at three times the power"),
        pytest.param(2, 2, 1, 0.5, (100, 0, 0), id="ours alone, whatever it draws"),
        pytest.param(0, 2, 0, 1, (0, 100, 0), id="others only"),
        pytest.param(0, 0, 1, 1, (0, 0, 100), id="several hold it, nobody computes"),
        pytest.param(0, 0, 0, 1, (100, 0, 0), id="only we hold it"),
        pytest.param(0, 0, 7, 1, (0, 0, 100), id="held for longer than there was time"),
        pytest.param(3, 1, 1, 1, (100, 0, 0), id="the run busier than all: looks a moment apart"),
    ],
)
def test_share_by_sm_time(run_s, all_s, held, weight, shares):
    got = share_by_sm_time([100], run_s=[run_s], all_s=[all_s], held=[held], weight=weight)
    assert got == pytest.approx(shares)


@given(SLOTS, st.floats(0.05, 20))
def test_no_joule_of_the_gpu_is_lost_and_none_counted_twice(slots, weight):
    energy_j, run_s, all_s, held_s = slots.T
    shares = share_by_sm_time(energy_j, run_s=run_s, all_s=all_s, held=held_s / 100, weight=weight)
    assert sum(shares) == pytest.approx(energy_j.sum(), abs=1e-6)
    assert min(shares) >= -1e-6 * (1 + energy_j.sum())


@given(st.floats(0, 1), st.floats(0.05, 20), st.floats(1, 20))
def test_a_weighted_share_is_a_share_and_grows_with_its_weight(share, weight, more):
    assert weighted_share(share, 1.0) == pytest.approx(share)
    assert 0 <= weighted_share(share, weight) <= weighted_share(share, weight * more) + 1e-12 <= 1 + 2e-12
