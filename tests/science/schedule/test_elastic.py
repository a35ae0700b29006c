"""Faster or slower: the envelope, and the cheapest levels against a linear program over all of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from wattermark.science.schedule.elastic import OFF, Level, cheapest_levels, cost_of_pieces, envelope
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.steps import Steps

HOUR_S = 3600.0
NAN = np.nan


def levels_of(*points):
    return [Level(name=f"{i}", throughput=t, power_w=p) for i, (t, p) in enumerate(points, start=1)]


def hours(values):
    return Steps(HOUR_S * np.arange(len(values) + 1), np.asarray(values, float))


def work_of(pieces):
    return sum((piece.end_s - piece.begin_s) * piece.level.throughput for piece in pieces)


def told(pieces):
    return [(piece.begin_s / HOUR_S, piece.end_s / HOUR_S, piece.level.name) for piece in pieces]


@pytest.mark.parametrize(
    ("points", "names"),
    [
        pytest.param([(1, 100)], "1", id="one speed"),
        pytest.param([(1, 100), (1.8, 200), (2.4, 300)], "123", id="each replica gains less"),
        pytest.param([(1, 100), (2, 200), (3, 300)], "3", id="in line: between off and the last is as good"),
        pytest.param([(1, 100), (3, 200)], "2", id="the slow one wastes"),
        pytest.param([(1, 100), (1.1, 300), (2, 320)], "13", id="one in the middle wastes"),
        pytest.param([(2, 200), (1, 60), (3, 500)], "213", id="in any order"),
        pytest.param([(2, 200), (2, 150)], "2", id="as fast for less"),
        pytest.param([(2, 150), (2, 150)], "2", id="twice the same"),
        pytest.param([(2, 150), (1.5, 160)], "1", id="slower for more"),
        pytest.param([(0, 50), (1, 100)], "2", id="no work is off"),
    ],
)
def test_the_envelope(points, names):
    assert "".join(level.name for level in envelope(levels_of(*points))[1:]) == names


TWO = levels_of((1, 100), (1.5, 200))


@pytest.mark.parametrize(
    ("price", "levels", "work_h", "pieces"),
    [
        pytest.param([1, 1, 1], TWO, 2, [(0, 2, "1")], id="of equal hours the first, slowly"),
        pytest.param([1, 9, 1], TWO, 3, [(0, 1, "2"), (2, 3, "2")], id="fast in the cheap hours"),
        pytest.param([1, 1.5, 1], TWO, 3, [(0, 3, "1")], id="slowly in all"),
        pytest.param([1, 3, 9], TWO, 1.25, [(0, 0.5, "2"), (0.5, 1, "1")], id="a part of an hour faster"),
        pytest.param([9, 9, 1], TWO, 2.25, [(0, 0.75, "1"), (2, 3, "2")], id="a part of an hour at all"),
        pytest.param([9, 3, 1], TWO, 2.25, [(1.25, 2, "1"), (2, 3, "2")], id="next to its neighbour"),
        pytest.param([1, NAN, 1], TWO, 3, [(0, 1, "2"), (2, 3, "2")], id="off in a gap"),
        pytest.param([1, NAN, 1], TWO, 3.1, [], id="more than it can do"),
        pytest.param([-5, 1], TWO, 1, [(0, 1, "1")], id="below zero it draws no more than it needs"),
        pytest.param([1, 1], levels_of((1, 100), (3, 200)), 3, [(0, 1, "2")], id="the slow one wastes"),
    ],
)
def test_what_runs_when(price, levels, work_h, pieces):
    found = cheapest_levels(hours(price), levels, work_h * HOUR_S, 0.0, len(price) * HOUR_S)
    assert told(found) == [(pytest.approx(b), pytest.approx(e), name) for b, e, name in pieces]


def linear(price, lengths, levels, work):
    """The least cost over all shares of all levels in all steps."""
    power = np.array([level.power_w for level in levels])
    speed = np.array([level.throughput for level in levels])
    costs = (price * lengths)[:, None] * power
    done = lengths[:, None] * speed
    at_most_one = np.kron(np.eye(len(price)), np.ones(len(levels)))
    return linprog(
        costs.ravel(), A_ub=at_most_one, b_ub=np.ones(len(price)), A_eq=done.reshape(1, -1), b_eq=[work]
    )


@pytest.mark.slow
def test_it_equals_the_linear_program():
    """200 cases: steps of any length, levels that waste, one or many."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        n, m = int(rng.integers(1, 15)), int(rng.integers(1, 7))
        edges = np.concatenate(([0.0], np.cumsum(rng.uniform(0.2, 2, n))))
        price = Steps(edges, rng.uniform(0, 5, n))
        levels = levels_of(*zip(rng.uniform(0.5, 4, m), rng.uniform(1, 9, m), strict=True))
        most = max(level.throughput for level in levels) * edges[-1]
        work = float(rng.uniform(0.05, 1.0)) * most
        pieces = cheapest_levels(price, levels, work, 0.0, float(edges[-1]))
        assert work_of(pieces) == pytest.approx(work)
        exact = linear(price.values, price.lengths_s, levels, work)
        assert cost_of_pieces(pieces, price) == pytest.approx(exact.fun)


@given(
    prices=st.lists(st.floats(0.1, 9), min_size=2, max_size=30),
    share=st.floats(0.01, 1.0),
    speed=st.floats(0.1, 5),
)
def test_with_one_speed_it_is_the_cheapest_steps(prices, share, speed):
    price, duration_s = hours(prices), share * len(prices) * HOUR_S
    level = Level(name="only", throughput=speed, power_w=7.0)
    pieces = cheapest_levels(price, [level], speed * duration_s, 0.0, len(prices) * HOUR_S)
    stretches = cheapest_stretches(price, duration_s, 0.0, len(prices) * HOUR_S)
    cost = sum(cost_of_pieces([piece], price) for piece in pieces)
    assert sum(p.end_s - p.begin_s for p in pieces) == pytest.approx(sum(s.duration_s for s in stretches))
    same = [(s.begin_s, s.end_s) for s in stretches]
    costs = [np.interp(e, *_sums(price)) - np.interp(b, *_sums(price)) for b, e in same]
    assert cost == pytest.approx(7.0 * sum(costs))


def _sums(price):
    return price.edges_s, np.concatenate(([0.0], np.cumsum(price.values * price.lengths_s)))


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(1, 900)), min_size=1, max_size=12))
def test_up_the_envelope_work_gets_dearer(points):
    ladder = envelope(levels_of(*points))
    prices = [(b.power_w - a.power_w) / (b.throughput - a.throughput) for a, b in pairwise(ladder)]
    assert all(later > earlier for earlier, later in pairwise(prices))
    assert ladder[0] == OFF and ladder[-1].throughput == max(t for t, _ in points)


def test_a_level_that_draws_no_more_than_off_is_never_run_in_a_gap():
    off, idle = Level(name="off", throughput=0.0, power_w=50.0), Level(name="1", throughput=1.0, power_w=50.0)
    pieces = cheapest_levels(hours([NAN, 3, 1]), [off, idle], 1.5 * HOUR_S, 0.0, 3 * HOUR_S)
    assert told(pieces) == [(1, 2.5, "1")]
