"""Fronts: what they hold and leave out, ties, unknowns; their knee and their volume."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.schedule.pareto import front, hypervolume, knee, levelled

NAN = np.nan


@pytest.mark.parametrize(
    ("points", "on"),
    [
        pytest.param([(1, 1)], [0], id="one point"),
        pytest.param([], [], id="none"),
        pytest.param([(1, 3), (2, 2), (3, 1)], [0, 1, 2], id="all of them"),
        pytest.param([(3, 1), (2, 2), (1, 3)], [2, 1, 0], id="by rising first quantity"),
        pytest.param([(1, 1), (2, 2), (1, 2)], [0], id="the best of all"),
        pytest.param([(1, 2), (1, 2), (2, 1)], [0, 2], id="of twice the same the first"),
        pytest.param([(1, 2), (1, 1)], [1], id="a tie in one, better in the other"),
        pytest.param([(1, NAN), (2, 2)], [1], id="an unknown is on no front"),
        pytest.param([(1, NAN), (2, NAN)], [0], id="what nobody knows does not count"),
        pytest.param([(NAN, NAN)], [], id="nothing is known"),
        pytest.param([(1, 1, 3), (1, 3, 1), (3, 1, 1), (3, 3, 3)], [0, 1, 2], id="three quantities"),
        pytest.param([(2, 2, 2), (2, 2, 2), (2, 2, 1)], [2], id="three, with ties"),
        pytest.param([(1, 9, 9, 9), (2, 1, 1, 1), (2, 2, 2, 2)], [0, 1], id="four"),
        pytest.param([(3,), (1,), (1,)], [1], id="one quantity"),
    ],
)
def test_the_front(points, on):
    assert front(points).tolist() == on


@pytest.mark.parametrize(
    ("points", "on"),
    [
        pytest.param([(1, 219 * (1 + 3e-16)), (2, 219)], [0], id="rounding is no gain"),
        pytest.param([(1, 219), (2, 219 - 1e-3)], [0, 1], id="little is some"),
        pytest.param([(1, -5), (2, -5 - 1e-15)], [0], id="below nothing"),
        pytest.param([(0, 0), (0, 0)], [0], id="nothing at all"),
        pytest.param([(1, NAN), (2, NAN)], [0], id="not known"),
        pytest.param([], [], id="none"),
    ],
)
def test_what_differs_by_rounding_alone_is_equal(points, on):
    assert front(levelled(points)).tolist() == on


def dominates(one, other):
    return (one <= other).all() and (one < other).any()


POINTS = st.integers(1, 4).flatmap(
    lambda d: st.lists(st.lists(st.integers(0, 6), min_size=d, max_size=d), min_size=1, max_size=60)
)


@given(POINTS)
def test_none_on_it_is_dominated_and_all_others_are(points):
    values = np.array(points, float)
    on = front(values)
    for i in on:
        assert not any(dominates(values[j], values[i]) for j in range(len(values)))
    for i in set(range(len(values))) - set(on.tolist()):
        assert any(dominates(values[j], values[i]) or (values[j] == values[i]).all() for j in on)


@given(POINTS, st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_what_is_best_by_any_weights_is_on_it(points, weights):
    values = np.array(points, float)
    sums = values @ np.array(weights[: values.shape[1]])
    best = np.flatnonzero(sums <= sums.min() + 1e-12)
    on = values[front(values)]
    assert any((values[i] == row).all() for i in best for row in on)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_many_points_are_as_by_comparing_all(d):
    values = np.round(np.random.default_rng(d).random((1500, d)), 2)
    worse = (values[:, None] >= values[None]).all(axis=2) & (values[:, None] > values[None]).any(axis=2)
    free = np.flatnonzero(~worse.any(axis=1))
    assert {tuple(row) for row in values[free]} == {tuple(row) for row in values[front(values)]}
    assert len(front(values)) == len(np.unique(values[free], axis=0))


@pytest.mark.parametrize(
    ("points", "index"),
    [
        pytest.param([(1, 1)], 0, id="one point"),
        pytest.param([(0, 10), (1, 1), (10, 0)], 1, id="a corner"),
        pytest.param([(0, 1000), (1, 100), (10, 0)], 1, id="whatever the units"),
        pytest.param([(0, 2), (1, 1), (2, 0)], 0, id="a straight front has none: its first end"),
        pytest.param([(0, 10), (9, 9), (10, 0)], 0, id="nothing lies below the chord"),
        pytest.param([(0, 5), (3, 5)], 0, id="a quantity that is the same everywhere"),
        pytest.param([(0, 9, 9), (9, 0, 9), (9, 9, 0), (1, 1, 1)], 3, id="three quantities"),
        pytest.param([(0, 10, NAN), (1, 1, NAN), (10, 0, NAN)], 1, id="one that nobody knows"),
    ],
)
def test_the_knee(points, index):
    assert knee(points) == index


@pytest.mark.parametrize(
    ("points", "reference", "volume"),
    [
        pytest.param([(1, 1)], (3, 4), 6.0, id="one rectangle"),
        pytest.param([(1, 2), (2, 1)], (3, 3), 3.0, id="two that overlap"),
        pytest.param([(1, 2), (2, 1), (2, 2)], (3, 3), 3.0, id="what is dominated adds nothing"),
        pytest.param([(5, 1), (NAN, 1)], (3, 3), 0.0, id="beyond the reference, or unknown"),
        pytest.param([], (3, 3), 0.0, id="none"),
        pytest.param([(1, 1, 1)], (2, 3, 4), 6.0, id="a box"),
        pytest.param([(0, 0, 1), (0, 1, 0), (1, 0, 0)], (2, 2, 2), 7.0, id="three boxes"),
        pytest.param([(0, 0, 0, 0)], (1, 2, 3, 4), 24.0, id="four"),
        pytest.param([(2,), (1,)], (4,), 3.0, id="a length"),
    ],
)
def test_the_volume(points, reference, volume):
    assert hypervolume(points, reference) == pytest.approx(volume)


@given(POINTS.filter(lambda points: len(points) <= 12))
def test_the_volume_is_the_number_of_cells_that_are_dominated(points):
    values = np.array(points, float)
    d = values.shape[1]
    cells = np.stack(np.meshgrid(*[np.arange(7)] * d, indexing="ij"), axis=-1).reshape(-1, d)
    counted = (values[:, None] <= cells[None]).all(axis=2).any(axis=0).sum()
    assert hypervolume(values, [7.0] * d) == pytest.approx(counted)
