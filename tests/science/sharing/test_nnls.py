"""Nothing below zero: the same answers as scipy's, and what must hold of any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import nnls as scipys

from wattermark.science.sharing.nnls import nnls


def problem(seed):
    """A matrix whose columns differ in size by up to eight decades, and values that pull some below zero."""
    made = np.random.default_rng(seed)
    rows, columns = int(made.integers(4, 60)), int(made.integers(1, 10))
    matrix = made.random((rows, columns)) * 10.0 ** made.uniform(-4, 4, columns)
    truth = np.where(made.random(columns) < 0.4, -1.0, 1.0) * made.random(columns) / matrix.mean(0)
    return matrix, matrix @ truth + 0.05 * made.standard_normal(rows)


@pytest.mark.parametrize("seed", range(200))
def test_it_is_as_good_as_scipys(seed):
    matrix, values = problem(seed)
    ours = nnls(matrix.T @ matrix, matrix.T @ values)
    size = np.linalg.norm(matrix, axis=0)
    theirs = scipys(matrix / size, values)[0] / size
    assert (ours >= 0).all()
    left, least = (np.linalg.norm(matrix @ one - values) for one in (ours, theirs))
    assert left <= least * (1 + 1e-6) + 1e-9
    if len(values) > 2 * len(ours):
        assert ours * size == pytest.approx(theirs * size, rel=1e-4, abs=1e-6)


@given(arrays(float, (8, 4), elements=st.floats(0, 100)), arrays(float, 8, elements=st.floats(-100, 100)))
def test_at_the_answer_no_step_that_is_allowed_makes_it_better(matrix, values):
    found = nnls(matrix.T @ matrix, matrix.T @ values)
    slope = matrix.T @ (values - matrix @ found)
    size = np.maximum(np.linalg.norm(matrix, axis=0) * max(np.linalg.norm(values), 1.0), 1e-9)
    assert (found >= 0).all()
    assert (slope / size < 1e-5).all()
    assert (np.abs(slope / size)[found > 1e-6] < 1e-5).all()


def test_a_column_that_is_nowhere_stays_at_zero():
    gram = np.diag([4.0, 0.0])
    assert nnls(gram, np.array([8.0, 0.0])).tolist() == [2.0, 0.0]
