"""All starts at once, against one start at a time."""

import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from science.rehearsal.histories import hours
from wattermark.science.rehearsal import sweep
from wattermark.science.rehearsal.sweep import at_once, in_pieces, one_piece
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.steps import Steps, integrals
from wattermark.science.schedule.window import best_window

VALUES = st.lists(
    st.one_of(st.integers(0, 4).map(float), st.floats(0, 900), st.just(np.nan)), min_size=1, max_size=16
)
LENGTHS = st.one_of(st.integers(1, 6).map(float), st.sampled_from([0.25, 0.5, 1.5, 2.75]), st.floats(0.1, 6))
SLACKS = st.one_of(st.integers(0, 8).map(float), st.floats(0, 8), st.just(np.inf))


def one_by_one(values, length, slack):
    """The exact planners of one job, at each start of a history whose steps are of one unit."""
    history = Steps(np.arange(len(values) + 1.0), np.array(values))
    for start in range(max(len(values) - int(np.ceil(length)) + 1, 0)):
        deadline = min(start + length + slack, float(len(values)))
        yield history, float(start), deadline


@given(VALUES, LENGTHS, SLACKS)
@example([np.nan, 1.0, 0.0], 1.0, 1.5)  # whole steps of work, and a slack that ends within one
def test_one_piece_is_as_good_as_the_best_window_of_each_start(values, length, slack):
    found = one_piece(values, length, slack)
    told = list(one_by_one(values, length, slack))
    assert len(found.cost) == len(told)
    for i, (history, start, deadline) in enumerate(told):
        best = best_window(history, length, start, deadline)
        if best is None:
            assert np.isnan(found.cost[i])
            continue
        cost = float(integrals(history, best.begin_s, min(best.end_s, len(values))))
        assert found.cost[i] == pytest.approx(cost, abs=1e-4)
        begin = start + found.wait[i]
        assert begin + length <= deadline + 1e-6
        own = float(integrals(history, begin, min(begin + length, len(values))))
        assert own == pytest.approx(cost, abs=1e-4)


@given(VALUES, LENGTHS, SLACKS)
def test_pieces_are_as_good_as_the_cheapest_of_each_start(values, length, slack):
    found = in_pieces(values, length, slack)
    for i, (history, start, deadline) in enumerate(one_by_one(values, length, slack)):
        best = cheapest_stretches(history, length, start, deadline)
        cost = sum(float(integrals(history, one.begin_s, one.end_s)) for one in best)
        assert found[i] == pytest.approx(cost, abs=1e-3) if best else np.isnan(found[i])


@given(VALUES, LENGTHS, st.integers(0, 8))
def test_a_window_that_is_kept_sorted_is_as_one_that_is_partitioned(values, length, more):
    slack = more + np.ceil(length) - length
    plain = in_pieces(values, length, slack)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "LONG", 0)
        assert in_pieces(values, length, slack) == pytest.approx(plain, abs=1e-6, nan_ok=True)


@given(VALUES, LENGTHS)
def test_who_waits_never_pays_more_and_who_pauses_less(values, length):
    now = at_once(values, length)
    for slack in (0.0, 1.5, 4.0, np.inf):
        whole, pieces = one_piece(values, length, slack).cost, in_pieces(values, length, slack)
        known = np.isfinite(now)
        assert (whole[known] <= now[known] + 1e-9).all()
        known = np.isfinite(whole)
        assert (pieces[known] <= whole[known] + 1e-6).all()


@pytest.mark.parametrize(
    ("values", "length", "slack", "costs", "waits"),
    [
        pytest.param([3, 1, 2], 1, 1, [1, 1, 2], [1, 0, 0], id="one step later"),
        pytest.param([5, 5, 5], 1, 2, [5, 5, 5], [0, 0, 0], id="of equals the earliest"),
        pytest.param([4, 2, 2], 2, 0, [6, 4], [0, 0], id="no slack"),
        pytest.param([9, 1, 1, 9], 1.5, 9, [1.5, 1.5, 5.5], [1, 0, 0], id="a length that is no whole number"),
        pytest.param([9, 9, 1], 1.5, 1.5, [5.5, 5.5], [1.5, 0.5], id="it ends on the last edge"),
        pytest.param([3, np.nan, 1], 1, 2, [1, 1, 1], [2, 1, 0], id="a gap is never the best"),
        pytest.param([np.nan], 1, 0, [np.nan], [np.nan], id="nothing known"),
        pytest.param([1.0], 2, 3, [], [], id="longer than the history"),
        pytest.param([7, 6, 5, 4], 1, np.inf, [4, 4, 4, 4], [3, 2, 1, 0], id="until the end"),
    ],
)
def test_known_cases(values, length, slack, costs, waits):
    found = one_piece(np.array(values, float), length, slack)
    assert found.cost == pytest.approx(costs, nan_ok=True)
    assert found.wait == pytest.approx(waits, nan_ok=True)


@pytest.mark.parametrize("slack", [30.0, np.inf])
@pytest.mark.parametrize("seed", range(3))
def test_of_equals_a_year_long_the_first_is_taken(seed, slack):
    """Every six hours are alike, so nobody waits for six; rounding of sums must not choose."""
    values = np.tile(400 * np.random.default_rng(seed).random(6), 1460)
    assert one_piece(values, 1.5, slack).wait.max() < 6


def test_many_zones_are_as_each_alone():
    values = hours()[:300, :4].copy()
    values[7, 2] = np.nan
    together = one_piece(values, 5, 24), in_pieces(values, 5, 24)
    for zone in range(4):
        alone = one_piece(values[:, zone], 5, 24)
        assert together[0].cost[:, zone] == pytest.approx(alone.cost, nan_ok=True)
        assert together[0].wait[:, zone] == pytest.approx(alone.wait, nan_ok=True)
        assert together[1][:, zone] == pytest.approx(in_pieces(values[:, zone], 5, 24), nan_ok=True)


@pytest.mark.slow
def test_a_year_of_123_zones_takes_a_second_and_a_half():
    """Processor time; on a machine that is shared, too."""
    values = hours()
    begin = time.process_time()
    one_piece(values, 24, 24)
    pieces = time.process_time()
    in_pieces(values, 24, 24)
    assert pieces - begin < 1.5
    assert time.process_time() - pieces < 1.5
