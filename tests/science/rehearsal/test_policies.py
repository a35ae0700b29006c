"""Others' policies: their papers' cases, their properties, and the faults of their code that ours has not."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from science.rehearsal.histories import hours, zones
from wattermark.science.rehearsal.policies import (
    carbon_time,
    ecovisor,
    k_min,
    k_min_thresholds,
    lowest_slot,
    lowest_window,
    one_min,
    pause_resume,
    pause_resume_thresholds,
    wait_awhile,
)

GAP = np.nan


@pytest.mark.parametrize(
    ("policy", "intensity", "arguments", "start"),
    [
        pytest.param(lowest_slot, [5, 3, 1, 9], (2,), 2, id="the cheapest slot"),
        pytest.param(lowest_slot, [5, 3, 3, 1], (2,), 1, id="of equals the earliest, within the wait"),
        pytest.param(lowest_slot, [5, 1, 9, 9], (3,), 1, id="GAIA: lowest-slot forgets how long it runs"),
        pytest.param(
            lowest_slot, [GAP, 7, 8], (2,), 1, id="Carbon Aware SDK: null never wins, as its -1 does"
        ),
        pytest.param(lowest_slot, [GAP, GAP], (1,), -1, id="nothing known, nothing chosen"),
        pytest.param(lowest_slot, [5, 1], (0,), 0, id="no waiting"),
        pytest.param(lowest_window, [5, 1, 9, 2, 2], (3, 2), 3, id="the cheapest window"),
        pytest.param(lowest_window, [2, 2, 2, 2], (2, 2), 0, id="all equal: at once"),
        pytest.param(lowest_window, [1, GAP, 3, 3], (2, 2), 2, id="no window reaches into a gap"),
        pytest.param(lowest_window, [5, 1], (3, 3), -1, id="nothing is long enough"),
        pytest.param(carbon_time, [10, 10, 6, 5], (3, 1), 2, id="4 g an hour sooner beats 5 g later"),
        pytest.param(carbon_time, [10, 9, 9, 9], (3, 1), 1, id="the same saving: the sooner"),
        pytest.param(carbon_time, [5, 6, 7], (2, 1), 0, id="nothing to save: at once"),
        pytest.param(carbon_time, [GAP, 9, 1], (2, 1), 1, id="now is not known: the first that is"),
        pytest.param(lowest_window, [5, 1, 4, 2, 9], (4, 1, 2), 2, id="starts that lie two slots apart"),
        pytest.param(carbon_time, [9, 1, 5, 1, 1], (4, 1, 2), 4, id="rates of those only"),
        pytest.param(one_min, [9, 7, 3, 1], (3, 1.0, 16.0), 2, id="the first at or below the root of 16"),
        pytest.param(one_min, [9, 7, 8, 1], (2, 1.0, 16.0), 2, id="none: the last that may be waited for"),
        pytest.param(one_min, [9, 7, GAP], (2, 1.0, 16.0), 1, id="none: the last that is known"),
    ],
)
def test_where_it_starts(policy, intensity, arguments, start):
    assert policy(intensity, *arguments) == start


def test_a_percentile_of_the_next_day_and_not_of_the_window():
    """A third of the day is at 10 or less, the bar is 10, and 10 is not below it."""
    assert np.flatnonzero(ecovisor([30, 30, 10, 30] * 6, 2, 3, percentile=30)).tolist() == [2, 4]
    assert np.flatnonzero(ecovisor([30, 30, 9, 30, 30, 10] * 4, 2, 9, percentile=30)).tolist() == [2, 8]


@pytest.mark.parametrize(
    ("used", "slots"),
    [
        pytest.param(wait_awhile([5, 1, 9, 2, 7], 2, 2), [1, 3], id="wait awhile: the cheapest, wherever"),
        pytest.param(wait_awhile([2, 1, 2, 2], 2, 2), [0, 1], id="Let's Wait Awhile: ties add no extra work"),
        pytest.param(
            wait_awhile([1, 9, 9, 1], 2, 1), [0, 1], id="Let's Wait Awhile: the deadline is no slot later"
        ),
        pytest.param(wait_awhile([GAP, 4, GAP, 6], 2, 2), [1, 3], id="gaps are waited out"),
        pytest.param(wait_awhile([GAP, 4, GAP, GAP], 2, 2), [], id="too little known: nothing"),
        pytest.param(wait_awhile([3, 2], 3, 0), [], id="too short: nothing"),
        pytest.param(ecovisor([5, 5, 5, 5], 2, 2), [2, 3], id="ecovisor: never below, until no wait is left"),
        pytest.param(ecovisor([5, GAP, 5, 5], 2, 2), [2, 3], id="a gap counts as waiting"),
        pytest.param(k_min([9, 9, 9, 9], 2, 2, low=1, high=9), [2, 3], id="k-min: all dear: at the end"),
        pytest.param(k_min([1, 1, 1, 1], 2, 2, low=1, high=9), [0, 1], id="k-min: as cheap as ever: at once"),
        pytest.param(
            pause_resume([1, 4, 9, 1], 2, 2, low=1, high=9, switching=0.0),
            [0, 3],
            id="no switching cost: as k-min",
        ),
        pytest.param(
            pause_resume([1, 4, 9, 1], 2, 2, low=1, high=9, switching=3.0),
            [0, 1],
            id="a pause that does not pay is not made",
        ),
        pytest.param(
            pause_resume([4, 9, 9, 9], 2, 2, low=1, high=9, switching=1.0),
            [2, 3],
            id="what would be good enough to go on is not to begin: the bars are 4.7 and 2.7",
        ),
    ],
)
def test_which_slots_it_runs_in(used, slots):
    assert np.flatnonzero(used).tolist() == slots


INTENSITIES = st.lists(st.one_of(st.integers(1, 9).map(float), st.just(GAP)), min_size=4, max_size=14)


@given(INTENSITIES, st.integers(1, 4), st.integers(0, 6), st.floats(0, 3))
def test_who_pauses_does_all_the_work_before_the_deadline_and_none_in_a_gap(
    intensity, length, waiting, switching
):
    every = (
        wait_awhile(intensity, length, waiting),
        ecovisor(intensity, length, waiting),
        k_min(intensity, length, waiting, low=1, high=9),
        pause_resume(intensity, length, waiting, low=1, high=9, switching=switching),
    )
    window = np.array(intensity[: length + waiting])
    feasible = np.isfinite(window).sum() >= length
    for used in every:
        assert used.sum() == (length if feasible else 0)
        assert not used[length + waiting :].any()
        assert np.isfinite(np.array(intensity)[used]).all()


@given(INTENSITIES, st.integers(1, 3), st.integers(0, 6))
def test_wait_awhile_is_the_cheapest_choice_of_all(intensity, length, waiting):
    window = intensity[: length + waiting]
    sums = [sum(chosen) for chosen in combinations([c for c in window if not np.isnan(c)], length)]
    assume(sums)
    used = wait_awhile(intensity, length, waiting)
    assert np.array(intensity)[used].sum() == pytest.approx(min(sums))


@given(
    st.lists(st.integers(1, 9).map(float), min_size=3, max_size=14),
    st.integers(1, 3), st.integers(0, 9), st.integers(1, 3),
)  # fmt: skip
def test_gaia_as_its_paper_says_it_start_by_start(intensity, expected, waiting, every):
    """Every start that may be waited for, hour by hour, the first of the best."""
    last = min(waiting, len(intensity) - expected)
    starts = range(0, last + 1, every)
    cost = {start: sum(intensity[start : start + expected]) for start in starts}
    rate = {start: (cost[0] - cost[start]) / (start + expected) for start in starts}
    assert lowest_window(intensity, waiting, expected, every) == min(starts, key=cost.__getitem__)
    assert carbon_time(intensity, waiting, expected, every) == max(starts, key=rate.__getitem__)


@given(INTENSITIES, st.integers(1, 3), st.integers(0, 6))
def test_many_jobs_are_as_each_alone(intensity, length, waiting):
    other = intensity[::-1]
    both = np.array([intensity, other])
    for policy in (lowest_window, carbon_time):
        assert policy(both, waiting, length).tolist() == [policy(one, waiting, length) for one in both]
    for policy in (wait_awhile, ecovisor):
        assert policy(both, length, waiting).tolist() == [
            policy(one, length, waiting).tolist() for one in both
        ]


@given(st.integers(1, 30), st.floats(0.1, 100), st.floats(1.1, 50), st.floats(0, 0.45))
def test_thresholds_fall_from_one_slot_to_the_next_and_end_where_nothing_better_comes(k, low, ratio, share):
    """After the last would come ``low`` while paused: definition 1 of the paper, with u of k + 1."""
    high = low * ratio
    switching = share * (high - low)
    bars = pause_resume_thresholds(k, low, high, switching)
    assert (np.diff(bars) <= 1e-9 * high).all()
    assert bars[-1] >= low + 2 * switching - 1e-6 * high
    assert bars[0] - 2 * switching <= high
    if k > 1:
        growth = (high - bars[1]) / (high - bars[0])
        ratio = 1 / (k * (growth - 1))
        worst = (k * high + 2 * switching) / (k * (bars[0] - 2 * switching) + 2 * switching)
        assert worst == pytest.approx(ratio, rel=1e-4)  # equation 7: all dear after none was good enough
        assert high - (high - bars[-1]) * growth == pytest.approx(low + 2 * switching, rel=1e-6, abs=1e-6)


def test_one_slot_of_k_min_is_the_root():
    assert k_min_thresholds(1, 4.0, 100.0) == pytest.approx([20.0])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_k_min_is_never_worse_than_its_ratio(length):
    """On everything that can come, against the cheapest choice: the bound that the paper proves."""
    low, high = 1.0, 8.0
    bars = k_min_thresholds(length, low, high)
    alpha = high / bars[0]  # the first threshold is high over the ratio
    sequences = np.array(np.meshgrid(*[[1.0, 2.0, 3.0, 5.0, 8.0]] * 6)).reshape(6, -1).T
    used = k_min(sequences, length, 6 - length, low=low, high=high)
    paid = np.where(used, sequences, 0).sum(1)
    best = np.sort(sequences, axis=1)[:, :length].sum(1)
    assert (paid <= alpha * best + 1e-9).all()


def test_gaia_on_a_real_grid_saves_in_its_order():
    """South Australia in 2022: carbon-time keeps most of what the best window saves, and waits less."""
    values = hours()[:, zones().index("AU-SA")]
    windows = np.lib.stride_tricks.sliding_window_view(values, 36)[::24]
    costs = np.lib.stride_tricks.sliding_window_view(windows, 12, axis=1).mean(-1)
    at = np.arange(len(costs))
    slot, window, rate = (
        lowest_slot(windows, 24), lowest_window(windows, 24, 12), carbon_time(windows, 24, 12)
    )  # fmt: skip
    now = costs[:, 0].mean()
    saved = [1 - costs[at, starts].mean() / now for starts in (slot, window, rate)]
    assert saved[1] >= saved[2] >= saved[0]
    assert rate.mean() < window.mean()
    assert saved[2] > 0.85 * saved[1]
