"""A quantity that knows how sure it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.values.range import Range

ENDS = st.tuples(*[st.floats(-1e9, 1e9)] * 3).map(sorted)


@given(ENDS)
def test_what_is_in_order_is_a_range(ends):
    assert (Range(*ends).low, Range(*ends).best, Range(*ends).high) == tuple(ends)
    assert Range(*ends).is_exact is (ends[0] == ends[2])


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param((2, 1, 3), id="best below low"),
        pytest.param((1, 4, 3), id="best above high"),
        pytest.param((1, math.nan, 3), id="nobody knows the best"),
        pytest.param((math.nan, 1, 3), id="nobody knows the low"),
        pytest.param((1, 2, math.inf), id="no end"),
        pytest.param((-math.inf, 2, 3), id="no beginning"),
    ],
)
def test_what_is_none_is_refused(ends):
    with pytest.raises(ValueError, match="low <= best <= high"):
        Range(*ends)


@given(ENDS, ENDS)
def test_adding_adds_the_ends_in_either_order(one, other):
    total = Range(*one).plus(Range(*other))
    assert total == Range(*other).plus(Range(*one))
    assert total.high - total.low == pytest.approx(one[2] - one[0] + other[2] - other[0], abs=1e-5)


def test_an_exact_value_adds_no_width():
    assert Range(1, 2, 3).plus(Range.exact(5)) == Range(6, 7, 8)
