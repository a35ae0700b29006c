"""Counter arithmetic, as a table: what the counter showed, and what was used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.counters import are_mirrors, counts_between, not_dips

GAP = None
DAY_S = 86_400


@pytest.mark.parametrize(
    ("time_s", "count", "used"),
    [
        pytest.param([0, 1, 2], [10, 13, 19], [3, 6], id="steady"),
        pytest.param([0, 1], [7, 7], [0], id="stands still: a true zero"),
        pytest.param([0, 1], [98, 5], [7], id="wraps"),
        pytest.param([0, 1], [95, 0], [5], id="wraps onto zero"),
        pytest.param([0, 4], [30, 5], [75], id="wraps between the last beat and the stop"),
        pytest.param([0, 1], [50, 10], [GAP], id="was reset: no device climbs by 60 in a second"),
        pytest.param([0, 1], [10, 40], [GAP], id="climbs faster than the device can"),
        pytest.param([0, 5], [10, 20], [GAP], id="so long that a whole turn could hide"),
        pytest.param([0, 1, 6, 7], [0, 4, 8, 9], [4, GAP, 1], id="one unknown interval spoils no other"),
        pytest.param([0, 1, 2], [50, 0, 3], [GAP, 3], id="after a reset it counts on"),
        pytest.param([0], [5], [], id="a single look bounds nothing"),
    ],
)
def test_counts_between(time_s, count, used):
    delta, known = counts_between(time_s, count, wrap=100, most_per_s=20)
    assert [int(d) if k else GAP for d, k in zip(delta, known, strict=True)] == used


@pytest.mark.parametrize(
    ("count", "known"),
    [
        pytest.param([10, 20], True, id="it climbs"),
        pytest.param([20, 10], False, id="it fell: the driver was loaded anew"),
        pytest.param([10, 10**9], False, id="it leapt"),
    ],
)
def test_a_counter_that_never_wraps_can_only_climb(count, known):
    delta, seen = counts_between([0, 1], count, wrap=None, most_per_s=20)
    assert seen.tolist() == [known]
    assert delta.tolist() == [count[1] - count[0] if known else 0]


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        pytest.param([10, 20, 30, 40], "1111", id="it climbs"),
        pytest.param([5010, 0, 5030, 5040], "1011", id="it fell for a look"),
        pytest.param([5010, 0, 5, 5040, 2, 5060], "100101", id="for two, and for one"),
        pytest.param([5010, 0, 5020], "101", id="just as high as it would be"),
        pytest.param([5010, 0, 15, 30], "1111", id="it was reset, and climbs on"),
        pytest.param([5010, 0, 15, 9000], "1111", id="it comes back higher than it could be"),
        pytest.param([5010, 0, 15, 5000], "1111", id="it comes back lower than it was"),
        pytest.param(
            [10, 10**9, 20, 30, 10**9, 50], "111111", id="leaps, and back: what lies between is true"
        ),
        pytest.param([5010, 0, 5, 9, 5010], "11111", id="it was down more often than up"),
        pytest.param([5010], "1", id="a single look"),
        pytest.param([], "", id="none"),
    ],
)
def test_looks_at_which_a_counter_dipped_are_not_kept(count, kept):
    assert not_dips(range(len(count)), count, most_per_s=20).tolist() == [one == "1" for one in kept]


@given(st.lists(st.integers(0, 19), min_size=3, max_size=40), st.sets(st.integers(1, 38), max_size=8))
def test_dips_take_nothing_from_the_whole(used, dipped):
    """Wherever the counter showed nonsense for a moment, both ends aside."""
    true = 10**6 + np.cumsum([0, *used])
    shown = np.array([7 if i in dipped and i < len(used) else count for i, count in enumerate(true)])
    time_s = np.arange(len(shown))
    kept = not_dips(time_s, shown, most_per_s=20)
    delta, known = counts_between(time_s[kept], shown[kept], wrap=None, most_per_s=20)
    assert known.all() and delta.sum() == sum(used)


def test_a_reset_is_a_gap_and_no_giant():
    """RAPL from a tenth of its range to zero: as a wrap it would be 236 kJ in a second."""
    delta, known = counts_between([0, 1, 2], [26_214_332_885, 0, 100], wrap=262_143_328_851, most_per_s=1e9)
    assert known.tolist() == [False, True]
    assert delta.sum() == 100


@pytest.mark.parametrize(("refresh_s", "known"), [(0.0, False), (0.1, True)])
def test_a_short_look_may_hold_the_counts_of_a_whole_refresh(refresh_s, known):
    _, seen = counts_between([0, 0.05], [0, 2], wrap=None, most_per_s=20, refresh_s=refresh_s)
    assert seen.tolist() == [known]


@given(st.lists(st.integers(0, 19), min_size=1, max_size=60), st.integers(0, 99))
def test_what_was_used_comes_back(used, start):
    """Whatever the start and however often it wraps."""
    shown = np.mod(start + np.cumsum([0, *used]), 100)
    delta, known = counts_between(np.arange(len(shown)), shown, wrap=100, most_per_s=20)
    assert known.all()
    assert delta.tolist() == used


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=60), st.integers(0, 2**62), st.data())
def test_any_cut_of_a_window_adds_up_to_the_whole_exactly(used, start, data):
    """In whole numbers that a float could not hold."""
    shown = start + np.cumsum([0, *used])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(used) - 1)))) if len(used) > 1 else []
    total = 0
    for one, two in zip([0, *cuts], [*cuts, len(used)], strict=True):
        time_s = np.arange(one, two + 1)
        total += int(counts_between(time_s, shown[one : two + 1], wrap=None, most_per_s=1e9)[0].sum())
    assert total == sum(used)


def test_thirty_days_at_ten_hertz_do_not_drift():
    """2.6e7 looks in uJ, 99 wraps; not one microjoule is lost."""
    wrap, tick, total = 262_143_328_851, 10_000_003, 0
    looks = np.arange(DAY_S * 10 + 1, dtype=np.int64)
    for day in range(30):
        shown = (looks + day * DAY_S * 10) * tick % wrap
        delta, known = counts_between(looks / 10, shown, wrap=wrap, most_per_s=1e9)
        assert known.all()
        total += int(delta.sum())
    assert total == 30 * DAY_S * 10 * tick


@pytest.mark.parametrize(
    ("time_s", "count", "says"),
    [([0, 0], [1, 2], "must increase"), ([1, 0], [1, 2], "must increase"), ([0, 1], [1], "shapes differ")],
)
def test_refuses(time_s, count, says):
    with pytest.raises(ValueError, match=says):
        counts_between(time_s, count, wrap=100, most_per_s=20)


@pytest.mark.parametrize(
    ("other", "mirrored"),
    [
        pytest.param([100, 200, 300], True, id="the same register"),
        pytest.param([104, 203, 305], True, id="read a moment later"),
        pytest.param([600, 700, 800], False, id="a genuine socket: the same steps, 0.5 J apart"),
        pytest.param([100, 200, 400], False, id="it parts from the other at last"),
    ],
)
def test_mirrors_show_one_register(other, mirrored):
    assert are_mirrors([100, 200, 300], other, tolerance=5) is mirrored


def test_a_single_look_is_too_little_to_tell_a_mirror():
    assert not are_mirrors([1], [1], tolerance=5)
    assert are_mirrors([1, 2], [1, 2], tolerance=5)
