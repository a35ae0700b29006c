"""One channel along a run: what was seen, and what was not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from science.build import cpu, gpu, sampled_gpu, steps
from wattermark.science.timeline import timeline
from wattermark.values.units import NS_PER_S

COUNTER, POWER, UNWRAPPED = cpu([])[0], sampled_gpu([])[0], gpu([])[0]
J, W = 1_000_000, 1_000


def along(channel, looks, *, begin_s=0, end_s=10):
    """A timeline from {second: raw value}."""
    moments = [round(second * NS_PER_S) for second in looks]
    return timeline(
        channel, moments, list(looks.values()), begin_ns=begin_s * NS_PER_S, end_ns=end_s * NS_PER_S
    )


@pytest.mark.parametrize(
    ("channel", "looks", "energy_j", "unseen_s"),
    [
        pytest.param(COUNTER, {0: 0, 5: 50 * J, 10: 100 * J}, 100, 0, id="seen from end to end"),
        pytest.param(COUNTER, {0: 0, 5: None, 10: 100 * J}, 100, 0, id="a look failed: a counter remembers"),
        pytest.param(COUNTER, {0: None, 5: 0, 8: 30 * J, 10: None}, 30, 7, id="gaps at both ends"),
        pytest.param(COUNTER, {0: 5 * J, 5: 15 * J, 10: 0}, 10, 5, id="a reset: what came before it stays"),
        pytest.param(
            COUNTER, {0: 0, 4: 20_000 * J, 10: 20_060 * J}, 60, 4, id="once more than the device can draw"
        ),
        pytest.param(
            UNWRAPPED,
            {0: 9000 * W, 4: 5, 6: 5, 10: 9100 * W},
            100,
            0,
            id="it fell for a moment, and was back",
        ),
        pytest.param(COUNTER, {0: 3 * J, 10: 3 * J}, 0, 0, id="it took nothing, and that was seen"),
        pytest.param(POWER, {0: 10 * W, 4: 20 * W, 10: 0}, 160, 0, id="power holds until the next sample"),
        pytest.param(
            POWER, {0: 10 * W, 4: None, 6: 20 * W}, 140, 0, id="a lost sample: the one before holds on"
        ),
        pytest.param(
            POWER, {0: 10 * W, 4: 2**32 - 1, 6: 20 * W}, 140, 0, id="more than it can draw is no sample"
        ),
        pytest.param(POWER, {0: 10 * W, 4: -5 * W, 6: 20 * W}, 140, 0, id="nor is less than nothing"),
        pytest.param(POWER, {0: 10 * W, 4: 0, 6: 20 * W}, 140, 0, id="nor does a GPU draw nothing"),
        pytest.param(POWER, {3: 10 * W}, 70, 3, id="a single sample, and nothing before it"),
    ],
)
def test_a_timeline_covers_the_whole_window(channel, looks, energy_j, unseen_s):
    track = along(channel, looks)
    assert track.total_j == pytest.approx(energy_j)
    assert track.unseen_s == pytest.approx(unseen_s)
    assert track.seen_s + track.unseen_s == pytest.approx(10)
    assert (track.edge_s[0], track.edge_s[-1]) == (0, 10)


@pytest.mark.parametrize(
    ("channel", "looks"),
    [
        pytest.param(COUNTER, {}, id="never read"),
        pytest.param(COUNTER, {0: None, 10: None}, id="never answered"),
        pytest.param(COUNTER, {0: 5}, id="a counter that was read once"),
        pytest.param(POWER, {0: None}, id="no sample"),
        pytest.param(POWER, {0: 2**32 - 1}, id="a sample that cannot be"),
        pytest.param(COUNTER, {0: 0, 10: 20_000 * J}, id="all that it told cannot be"),
        pytest.param(COUNTER, {0: 9, 10: 5}, id="reset between its only two looks"),
    ],
)
def test_what_tells_nothing_is_none(channel, looks):
    assert along(channel, looks) is None


def test_a_sample_in_a_run_of_no_length_tells_nothing():
    """A run that was killed at its first beat took some energy; it was not zero."""
    assert along(POWER, {0: 100 * W}, end_s=0) is None


def test_a_stale_power_sample_is_a_gap():
    track = along(POWER, {0: 10 * W, 10: 10 * W, 100: 10 * W, 110: 0}, end_s=110)
    assert track.total_j == pytest.approx(200)
    assert track.unseen_s == pytest.approx(90)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), min_size=1, max_size=40))
def test_failed_looks_lose_nothing(beats):
    """Whichever looks fail between the first and the last, the total is the same to the millijoule."""
    shown = steps([used for used, _ in beats])
    answered = [True, *(ok for _, ok in beats[:-1]), True]
    looks = {
        second: value if ok else None for second, (value, ok) in enumerate(zip(shown, answered, strict=True))
    }
    track = along(gpu([])[0], looks, end_s=len(beats))
    assert track.total_j == shown[-1] * 1e-3
    assert track.unseen_s == 0


def test_inside_an_interval_energy_is_even_and_a_gap_adds_none():
    track = along(COUNTER, {2: 0, 6: 40 * J, 8: 60 * J})
    assert_allclose(track.until_j([0, 2, 3, 6, 7, 8, 10]), [0, 0, 10, 40, 50, 60, 60])


@pytest.mark.parametrize(
    ("stretch", "seen"),
    [((0, 2), False), ((0, 3), True), ((4, 5), True), ((8, 10), False), ((7, 9), True)],
    ids=["before", "into it", "within", "after", "out of it"],
)
def test_a_stretch_knows_whether_any_of_it_was_seen(stretch, seen):
    assert along(COUNTER, {2: 0, 8: 60 * J}).seen_between(*stretch) is seen
