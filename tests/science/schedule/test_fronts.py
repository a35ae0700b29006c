"""Ways that may lie on a front: every start that matters, pauses that some weights prefer, and the rest."""

import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from wattermark.errors import MissingExtra
from wattermark.science.schedule.fronts import supported, weighted, windows
from wattermark.science.schedule.one import cost_of, stretches_of
from wattermark.science.schedule.pareto import front
from wattermark.science.schedule.steps import Steps, integrals
from wattermark.science.schedule.whole_front import whole_front
from wattermark.values.plan import PlannedJob

HOUR_S = 3600.0
NAN = np.nan
JOB = PlannedJob(it_energy_j=1e6, duration_s=2.5 * HOUR_S, earliest_s=900.0, deadline_s=20 * HOUR_S)
MAY_PAUSE = replace(JOB, interruptible=True, duration_s=7 * HOUR_S, earliest_s=0.0)


def hours(values, step_s=HOUR_S):
    return Steps(step_s * np.arange(len(values) + 1), np.asarray(values, float))


def two(seed, n=20):
    rng = np.random.default_rng(seed)
    return hours(rng.uniform(1, 9, n)), hours(rng.uniform(0.1, 2, 2 * n), HOUR_S / 2)


@pytest.mark.parametrize("seed", range(5))
def test_no_start_in_between_beats_the_windows(seed):
    """A start of every minute: the windows' front is nowhere behind it in the least of any weights."""
    rates = two(seed)
    found = np.array([way.costs for way in windows(rates, JOB)])
    minutes = np.arange(JOB.earliest_s, JOB.deadline_s - JOB.duration_s, 60.0)
    every = np.array([integrals(rate, minutes, minutes + JOB.duration_s) for rate in rates]).T
    for share in np.linspace(0, 1, 11):
        weights = np.array([share, 5 * (1 - share)])
        assert (found @ weights).min() <= (every @ weights).min() * (1 + 1e-12)


def test_windows_reach_into_no_gap():
    carbon, water = hours([1, 2, NAN, 4, 5, 6.0]), hours([1, 1, 1, 1, 1, NAN])
    found = windows((carbon, water), replace(JOB, duration_s=2 * HOUR_S, earliest_s=0.0))
    assert [way.stretches[0].begin_s / HOUR_S for way in found] == [0, 3]
    assert windows((carbon, water), replace(JOB, duration_s=9 * HOUR_S)) == ()


def test_no_window_ends_after_the_deadline():
    early = replace(JOB, deadline_s=9.25 * HOUR_S)
    ends_s = [way.stretches[0].end_s for way in windows(two(0), early)]
    assert max(ends_s) == early.deadline_s


def test_no_window_ends_after_what_is_known():
    rate = hours([5, 4, 3, 2, 1.0])
    ends_s = [way.stretches[0].end_s for way in windows((rate,), JOB)]
    assert max(ends_s) == 5 * HOUR_S


@pytest.mark.parametrize("seed", range(3))
def test_any_weights_are_best_served_by_a_supported_way(seed):
    rates = two(seed)
    found = np.array([way.costs for way in supported(rates, None, MAY_PAUSE)])
    assert len(found) > 5 and front(found).tolist() == list(range(len(found)))
    for share in np.linspace(0.001, 0.999, 60):
        weights = [share, 5 * (1 - share)]
        best = cost_of(
            stretches_of(weighted(rates, weights), None, MAY_PAUSE), weighted(rates, weights), None
        )
        assert (found @ weights).min() == pytest.approx(best, rel=1e-8)


def test_with_overheads_they_keep_the_rules():
    rates, held = two(4), (hours([0.5] * 20), hours([0.1] * 20))
    found = supported(rates, held, replace(MAY_PAUSE, restart_s=600.0, most_pauses=2))
    assert len(found) > 1 and all(len(way.stretches) <= 3 for way in found)
    for way in found:
        assert way.costs == pytest.approx(
            [cost_of(way.stretches, r, h) for r, h in zip(rates, held, strict=True)]
        )


@pytest.mark.parametrize(
    ("rates", "count"),
    [
        pytest.param((hours([1, 2, 3] * 7), hours([1, 2, 3] * 7)), 1, id="they agree: one point"),
        pytest.param((hours([1.0] * 21), hours([2.0] * 21)), 1, id="all hours are equal"),
        pytest.param((hours([NAN] * 21), hours([2.0] * 21)), 0, id="one is not known"),
    ],
)
def test_where_there_is_no_front(rates, count):
    assert len(supported(rates, None, MAY_PAUSE)) == count


def test_few_are_spread_over_the_front():
    rates = two(1)
    few, all_ = (np.array([w.costs for w in supported(rates, None, MAY_PAUSE, most)]) for most in (6, 500))
    assert len(few) <= 7 < len(all_)
    assert few[0] == pytest.approx(all_[0]) and few[-1] == pytest.approx(all_[-1])


def test_three_quantities_are_looked_at_from_many_sides():
    rates = (*two(2), hours(np.arange(20.0)))
    found = np.array([way.costs for way in supported(rates, None, MAY_PAUSE, 60)])
    assert len(found) > 8 and front(found).tolist() == list(range(len(found)))
    for quantity, rate in enumerate(rates):
        least = cost_of(stretches_of(rate, None, MAY_PAUSE), rate, None)
        assert found[:, quantity].min() == pytest.approx(least)


# -- whole cells -----------------------------------------------------------------------


def every_front(costs, work):
    sums = np.array([costs[list(cells)].sum(axis=0) for cells in combinations(range(len(costs)), work)])
    return sums[front(sums)]


@pytest.mark.parametrize("seed", range(8))
def test_whole_cells_find_the_whole_front(seed):
    """Against all choices of cells; in whole numbers, so that no two points lie nearer than can be told."""
    rng = np.random.default_rng(seed)
    n, work = int(rng.integers(5, 11)), int(rng.integers(1, 5))
    costs = rng.integers(0, 40, (n, 2)).astype(float)
    found = np.array([costs[list(cells)].sum(axis=0) for cells in whole_front(costs, work)])
    assert found.tolist() == every_front(costs, work).tolist()


def test_they_find_what_no_weights_find():
    costs = np.array([[0, 10], [4, 7], [10, 0], [5, 6.5]])  # the two in the middle lie above the chord
    assert whole_front(costs, 1) == ((0,), (1,), (3,), (2,))


def test_of_equals_in_one_the_best_in_the_other_is_found():
    costs = np.array([[0, 10], [1, 5], [1, 4], [1, 3], [2, 0]])
    assert whole_front(costs, 1, most=2) == ((0,), (3,), (4,))


def test_some_of_them_are_spread_between_the_ends():
    costs = np.random.default_rng(1).random((24, 2))
    found = np.array([costs[list(cells)].sum(axis=0) for cells in whole_front(costs, 6, most=5)])
    exact = every_front(costs[:12], 3)
    assert 3 <= len(found) <= 6 and len(exact) > 2
    assert found[0, 0] == pytest.approx(np.sort(costs[:, 0])[:6].sum())
    assert found[-1, 1] == pytest.approx(np.sort(costs[:, 1])[:6].sum())


@pytest.mark.parametrize(
    ("costs", "work", "cells"),
    [
        pytest.param([[1, 1], [NAN, 0], [2, 2]], 2, ((0, 2),), id="an unknown cell is not run in"),
        pytest.param([[1, 1]], 2, (), id="more work than cells"),
        pytest.param([[1, 1]], 0, (), id="no work"),
        pytest.param([[0, 0], [0, 0]], 1, None, id="nothing costs anything"),
    ],
)
def test_ends(costs, work, cells):
    found = whole_front(costs, work)
    assert found == cells if cells is not None else len(found) == 1


def test_without_the_solver_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(MissingExtra, match=r"wattermark\[plan\]"):
        whole_front([[1, 2], [2, 1]], 1)
