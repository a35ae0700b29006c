"""Forecasts: what the first steps tell of the rest, on curves of every kind, and how often that holds."""

import numpy as np
import pytest
from forecast_curves import KINDS, made
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.forecast import (
    as_wide_as_both,
    later,
    remaining,
    warm_up_steps,
    what_is_left,
    whole_over_done,
)
from wattermark.values.range import Range

STEPS = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("steps", "warm_up"),
    [
        pytest.param([5.0], 0, id="one step says nothing of itself"),
        pytest.param([3.0, 1.0], 1, id="the first of two"),
        pytest.param([1.0, 1.01], 0, id="two alike"),
        pytest.param([3.0, 1.0, 1.0, 1.02, 0.99], 1, id="a step that compiles"),
        pytest.param([9.0, 3.0, 1.0, 1.0, 1.02, 0.99], 2, id="two of them"),
        pytest.param([0.2, 1.0, 1.0, 1.02, 0.99], 1, id="a short one"),
        pytest.param([1.0, 1.0, 1.0, 3.0, 1.0], 0, id="a slow one in the middle is no warm-up"),
        pytest.param([1.0] * 10, 0, id="no noise"),
        pytest.param([1.0, 1.3, 0.7, 1.2, 0.8, 1.1, 0.9], 0, id="much noise"),
    ],
)
def test_the_warm_up_is_recognised(steps, warm_up):
    assert warm_up_steps(steps) == warm_up


def test_nothing_is_left_where_all_is_done():
    assert what_is_left([1.0, 2.0], 0) == Range.exact(0.0)


@given(STEPS, st.integers(1, 10_000), st.floats(0.1, 10))
def test_a_forecast_goes_by_its_unit(steps, left, factor):
    one, other = what_is_left(steps, left), what_is_left([factor * step for step in steps], left)
    assert other.best == pytest.approx(one.best * factor)
    assert other.high == pytest.approx(one.high * factor)


@given(STEPS, st.integers(1, 1000), st.integers(1, 1000))
def test_more_steps_are_never_less(steps, left, more):
    one, other = what_is_left(steps, left), what_is_left(steps, left + more)
    assert other.best >= one.best and other.high >= one.high


def test_more_that_is_done_makes_it_surer():
    rng = np.random.default_rng(1)
    steps = 1 + 0.05 * rng.normal(size=400)
    widths = [what_is_left(steps[:n], 400 - n).high / (400 - n) - 1 for n in (3, 30, 200)]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_band_holds_what_comes(kind):
    """From the third step to half of a training, 600 trainings a kind: 88 % at least, a drift 80 %."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(600):
        steps = made(kind, rng)
        done = int(rng.integers(3, len(steps) // 2 + 1))
        found = what_is_left(steps[:done], len(steps) - done)
        held.append(found.low <= steps[done:].sum() <= found.high)
    assert np.mean(held) >= (0.8 if kind == "drift" else 0.88)


def test_a_first_step_of_three_times_the_others_is_no_part_of_what_is_foretold():
    """A warm-up of 3 x, 5 % of noise: nine in ten bands hold, and later ones are narrower and nearer."""
    rng, count = np.random.default_rng(0), 60
    held, width, error = [], {5: [], 30: []}, {5: [], 30: []}
    for _ in range(600):
        steps = np.maximum(1 + 0.05 * rng.normal(size=count), 0.01)
        steps[0] *= 3
        for done in (5, 30):
            found, came = what_is_left(steps[:done], count - done), steps[done:].sum()
            held.append(found.low <= came <= found.high)
            width[done].append((found.high - found.low) / found.best)
            error[done].append(abs(found.best / came - 1))
    assert np.mean(held) >= 0.9
    assert np.mean(width[30]) < np.mean(width[5]) < 0.25
    assert np.mean(error[30]) < np.mean(error[5]) < 0.03


def test_a_step_under_way_counts():
    assert remaining(Range(8.0, 10.0, 12.0), 3.0) == Range(5.0, 7.0, 9.0)
    assert remaining(Range(1.0, 2.0, 5.0), 3.0) == Range(0.0, 0.0, 2.0)
    assert later(Range(5.0, 7.0, 9.0), 100.0) == Range(105.0, 107.0, 109.0)
    assert whole_over_done(10.0, Range(5.0, 10.0, 20.0)) == Range(1.5, 2.0, 3.0)


def test_two_doubts_are_less_than_their_product():
    both = as_wide_as_both(Range(5.0, 10.0, 20.0), Range(1.0, 2.0, 4.0))
    assert both.best == 20.0
    assert both.high == pytest.approx(20 * 2 ** np.sqrt(2)) and both.low == pytest.approx(
        20 / 2 ** np.sqrt(2)
    )
    assert as_wide_as_both(Range.exact(0.0), Range(1.0, 2.0, 3.0)) == Range.exact(0.0)
    assert as_wide_as_both(Range(0.0, 10.0, 20.0), Range.exact(2.0)).low == pytest.approx(0.02)
