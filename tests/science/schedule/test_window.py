"""The best window and the cheapest pieces, against everything else that could be tried."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.rehearsal.histories import BEGIN_S, steps
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.steps import Steps, integrals, onto
from wattermark.science.schedule.window import best_window

HOUR = 3600.0
JOBS = {
    "history": steps(),
    "duration": st.floats(30.0, 5 * HOUR),
    "earliest": st.floats(-HOUR, 3 * HOUR),
    "window": st.floats(0.0, 12 * HOUR),
}


def cost(history, stretches):
    return sum(float(integrals(history, one.begin_s, one.end_s)) for one in stretches)


def made(*values, minutes=60):
    edges = BEGIN_S + 60.0 * minutes * np.arange(len(values) + 1)
    return Steps(edges, np.array([np.nan if v is None else v for v in values], float))


@given(**JOBS)
def test_no_start_is_better_than_the_best(history, duration, earliest, window):
    """Starts at every minute and at random ones, besides; the best lies between its bounds, off gaps."""
    earliest_s, deadline_s = BEGIN_S + earliest, BEGIN_S + earliest + window
    found = best_window(history, duration, earliest_s, deadline_s)
    starts = np.arange(earliest_s, deadline_s - duration + 1e-3, 60.0)
    costs = integrals(history, starts, starts + duration)
    if found is None:
        assert np.isnan(costs).all()
        return
    assert earliest_s <= found.begin_s
    assert found.end_s <= deadline_s + 1e-5
    own = float(integrals(history, found.begin_s, min(found.end_s, history.edges_s[-1])))
    assert not (costs < own - 1e-4).any()


@given(**{**JOBS, "history": steps(values=st.sampled_from([1.0, 2.0, 3.0]))})
def test_of_equals_the_earliest_is_taken(history, duration, earliest, window):
    earliest_s, deadline_s = BEGIN_S + earliest, BEGIN_S + earliest + window
    found = best_window(history, duration, earliest_s, deadline_s)
    if found is not None:
        starts = np.arange(earliest_s, found.begin_s - 1e-3, 60.0)
        own = float(integrals(history, found.begin_s, min(found.end_s, history.edges_s[-1])))
        assert not (integrals(history, starts, starts + duration) <= own).any()


@given(**JOBS)
def test_pieces_cost_least_and_never_lie_in_a_gap(history, duration, earliest, window):
    """Against the cheapest seconds, one by one: a job of so many of the least of them costs no less."""
    earliest_s, deadline_s = BEGIN_S + earliest, BEGIN_S + earliest + window
    found = cheapest_stretches(history, duration, earliest_s, deadline_s)
    begins = np.clip(history.edges_s[:-1], earliest_s, deadline_s)
    ends = np.clip(history.edges_s[1:], earliest_s, deadline_s)
    usable = np.where(np.isfinite(history.values), ends - begins, 0.0)
    if not found:
        assert usable.sum() < duration
        return
    assert sum(one.duration_s for one in found) == pytest.approx(duration, abs=1e-4)
    assert earliest_s <= found[0].begin_s
    assert found[-1].end_s <= deadline_s + 1e-5
    assert all(a.end_s < b.begin_s for a, b in pairwise(found))
    order = np.argsort(np.where(usable > 0, history.values, np.inf), kind="stable")
    before = np.cumsum(usable[order]) - usable[order]
    least = np.clip(duration - before, 0, usable[order]) * np.nan_to_num(history.values[order])
    assert cost(history, found) == pytest.approx(least.sum(), rel=1e-9, abs=1e-2)


@given(**JOBS)
def test_pausing_costs_no_more_than_one_piece(history, duration, earliest, window):
    bounds = (duration, BEGIN_S + earliest, BEGIN_S + earliest + window)
    whole, pieces = best_window(history, *bounds), cheapest_stretches(history, *bounds)
    if whole is not None and whole.end_s <= history.edges_s[-1]:
        assert pieces
        assert cost(history, pieces) <= cost(history, [whole]) + 1e-3


@pytest.mark.parametrize(
    ("history", "duration", "window", "begin", "pieces"),
    [
        pytest.param(made(9, 9, 1, 9), 1.0, (0, 4), 2.0, [(2, 3)], id="the cheap hour"),
        pytest.param(
            made(9, 1, 1, 9),
            2.5,
            (0, 4),
            0.5,
            [(0.5, 3)],
            id="Carbon Aware SDK, CATS: starts off the data's steps",
        ),
        pytest.param(made(5, 1, 9, 1, 2), 2.5, (0, 5), 2.5, [(1, 2), (3, 4.5)], id="in part, by a neighbour"),
        pytest.param(made(1, 5, 1, 9), 2.5, (0, 3), 0.0, [(0, 1.5), (2, 3)], id="in part, the earlier half"),
        pytest.param(made(3, 3, 3, 3), 1.0, (0.25, 4), 0.25, [(0.25, 1.25)], id="all equal: at once"),
        pytest.param(made(2, 1, None, 1, 2), 1.5, (0, 5), 0.5, [(1, 2), (3, 3.5)], id="around a gap"),
        pytest.param(made(None, None), 1.0, (0, 2), None, [], id="nothing but a gap"),
        pytest.param(made(1, 2), 3.0, (0, 3), None, [], id="longer than the history"),
        pytest.param(made(1, 2), 2.0, (0, 1.5), None, [], id="a deadline before its length"),
        pytest.param(made(4, 3, 2), 3.0, (0, 3), 0.0, [(0, 3)], id="it just fits"),
        pytest.param(made(4, 3, 2, 1), 1.0, (-5, 9), 3.0, [(3, 4)], id="a window beyond both ends"),
        pytest.param(
            made(25, 20, 30, minutes=30), 0.5, (0, 1.5), 0.5, [(0.5, 1)], id="CATS: averages, not points"
        ),
        pytest.param(made(1, 1, 1, 1, minutes=15), 0.1, (0.9, 1.0), 0.9, [(0.9, 1.0)], id="a short last bit"),
    ],
)
def test_known_cases(history, duration, window, begin, pieces):
    at = [BEGIN_S + HOUR * h for h in window]
    found = best_window(history, duration * HOUR, *at)
    assert (found and (found.begin_s - BEGIN_S) / HOUR) == (begin if begin is None else pytest.approx(begin))
    told = [
        ((one.begin_s - BEGIN_S) / HOUR, (one.end_s - BEGIN_S) / HOUR)
        for one in cheapest_stretches(history, duration * HOUR, *at)
    ]
    assert told == [pytest.approx(piece) for piece in pieces]


@pytest.mark.parametrize("seed", range(4))
def test_of_equal_windows_of_a_long_history_the_earliest_is_taken(seed):
    """Sums of a year round in their seventh digit after the point; that must not choose."""
    history = made(*np.tile(400 * np.random.default_rng(seed).random(6), 1460))
    found = best_window(history, 1.5 * HOUR, BEGIN_S, history.edges_s[-1])
    assert found.begin_s - BEGIN_S < 6 * HOUR


def test_the_mean_over_edges_of_any_length():
    """An hour of quarters, a half hour and five minutes, each weighed by how long it is."""
    history = made(100, 200, 300, 400, 500, 600, 700, minutes=15)
    means = onto(history, BEGIN_S + 60.0 * np.array([0, 60, 90, 95]))
    assert means.values == pytest.approx([250, 550, 700])


def test_no_piece_is_left_over_by_rounding():
    """Thirds have no last digit: four steps between moments are not quite four times a step."""
    edges = BEGIN_S + np.arange(10) * 1000 / 3
    history = Steps(edges, np.array([1, 9, 1, 9, 1, 9, 1, 9, 2.0]))
    assert len(cheapest_stretches(history, 4000 / 3, edges[0], edges[-1])) == 4


@pytest.mark.parametrize("thirds", range(1, 40))
def test_a_job_that_takes_all_there_is_fits(thirds):
    """Moments since 1970 have digits left for a quarter of a microsecond only."""
    begin, duration = BEGIN_S + thirds / 3, 3600.0 * thirds / 7
    history = Steps(np.array([begin, begin + duration]), np.array([5.0]))
    found = best_window(history, duration, begin, begin + duration)
    assert found.begin_s == begin
    assert cheapest_stretches(history, duration, begin, begin + duration)
