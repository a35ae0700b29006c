"""Power samples to energy: a sample holds until the next one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from wattermark.science.integrate import hold_last_j

MOMENTS = st.lists(st.floats(0, 100), min_size=1, max_size=30, unique=True).map(sorted)


@pytest.mark.parametrize(
    ("time_s", "power_w", "energy_j", "known"),
    [
        pytest.param([0, 1, 3], [10, 20, 5], [10, 40, 35], [True] * 3, id="each holds to the next"),
        pytest.param([3, 10], [7, 9], [49, 0], [True, True], id="one at the very end holds for nothing"),
        pytest.param([5], [4], [20], [True], id="a single one holds to the end"),
        pytest.param(
            [0, 1, 10], [3, 8, 5], [3, 0, 0], [True, False, True], id="too late: a gap, and no zero"
        ),
        pytest.param([0], [3], [0], [False], id="so old at the end that it says nothing"),
        pytest.param(
            [0, 0, 2], [1, 3, 5], [0, 6, 40], [True] * 3, id="twice at one moment: the later counts"
        ),
        pytest.param([], [], [], [], id="none"),
    ],
)
def test_hold_last(time_s, power_w, energy_j, known):
    got_j, got = hold_last_j(time_s, power_w, end_s=10, longest_hold_s=8)
    assert_allclose(got_j, energy_j)
    assert got.tolist() == known


@given(MOMENTS, st.floats(0, 1000))
def test_steady_power_is_power_times_time(time_s, power_w):
    """Whatever the moments of the samples, even if they crowd or straggle."""
    energy_j, known = hold_last_j(time_s, [power_w] * len(time_s), end_s=100, longest_hold_s=200)
    assert known.all()
    assert_allclose(energy_j.sum(), power_w * (100 - time_s[0]), atol=1e-9)


@given(MOMENTS, st.data())
def test_windows_cut_anywhere_add_up(time_s, data):
    power_w = data.draw(st.lists(st.floats(0, 1000), min_size=len(time_s), max_size=len(time_s)))
    cut_s = data.draw(st.floats(time_s[0], 100))
    before = [(t, p) for t, p in zip(time_s, power_w, strict=True) if t <= cut_s]
    after = [(cut_s, before[-1][1]), *((t, p) for t, p in zip(time_s, power_w, strict=True) if t > cut_s)]
    halves = [_total_j(before, cut_s), _total_j(after, 100)]
    assert_allclose(sum(halves), _total_j(list(zip(time_s, power_w, strict=True)), 100), atol=1e-6)


@pytest.mark.parametrize("time_s", [[1, 0], [0, 11]], ids=["out of order", "after the end"])
def test_refuses(time_s):
    with pytest.raises(ValueError, match="must increase and end before"):
        hold_last_j(time_s, [1, 1], end_s=10, longest_hold_s=99)


def _total_j(samples, end_s):
    return hold_last_j([t for t, _ in samples], [p for _, p in samples], end_s=end_s, longest_hold_s=200)[
        0
    ].sum()
