"""Errors of forecasts as whole paths."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.foresight.errors import (
    ENOUGH_PATHS,
    MOST_PATHS,
    base,
    errors_of,
    errors_of_spread,
    filled,
    paths,
    variability,
)

from .real import DAY_S, HOUR_S, steps

LEADS = np.arange(5) * HOUR_S


def of(actual, forecast, source="own"):
    issued_s = np.arange(len(forecast)) * DAY_S
    return errors_of(np.asarray(actual), np.asarray(forecast), LEADS, issued_s=issued_s, source=source)


def test_an_error_is_told_over_the_forecast():
    errors = of([[110.0, 180.0, 400.0, 0.0]], [[100.0, 200.0, 400.0, 50.0]])
    assert errors.relative[0] == pytest.approx([0.1, -0.1, 0.0, -1.0])


@pytest.mark.parametrize(
    ("forecast", "over"),
    [
        pytest.param([100.0, 100.0], [100.0, 100.0], id="a forecast of some size"),
        pytest.param([0.0, 200.0], [10.0, 200.0], id="nothing is forecast: a tenth of the mean"),
        pytest.param([-100.0, 100.0], [100.0, 100.0], id="below zero: its size"),
        pytest.param([np.nan, 0.0, 100.0], [np.nan, 5.0, 100.0], id="a gap stays one"),
    ],
)
def test_what_an_error_is_told_over(forecast, over):
    assert base(np.array(forecast)) == pytest.approx(np.array(over), nan_ok=True)


def test_an_issue_of_gaps_is_left_out_and_a_few_are_bridged():
    said = np.full((2, 40), 100.0)
    came = np.full((2, 40), 110.0)
    came[0, 3] = np.nan
    came[1, :20] = np.nan
    errors = errors_of(came, said, np.arange(41) * HOUR_S, issued_s=[0.0, DAY_S])
    assert errors.relative == pytest.approx(np.full((1, 40), 0.1))


def test_a_path_is_a_past_error_on_todays_forecast():
    errors = of([[110.0, 90.0, 100.0, 120.0], [100.0, 100.0, 50.0, 100.0]], np.full((2, 4), 100.0))
    today = steps([10.0, 20.0, np.nan, 40.0], begin_s=7 * DAY_S)
    found = paths(today, 7 * DAY_S, errors)
    assert found == pytest.approx(np.array([[11, 18, np.nan, 48], [10, 20, np.nan, 40]]), nan_ok=True)


def test_beyond_the_last_lead_the_last_day_is_taken_again_and_the_past_is_sure():
    relative = np.linspace(0.1, 0.57, 48)
    errors = errors_of(
        100 * (1 + relative[None]), np.full((1, 48), 100.0), np.arange(49) * HOUR_S, issued_s=[0]
    )
    found = paths(steps(np.full(75, 100.0), begin_s=-3 * HOUR_S), 0.0, errors)[0] / 100 - 1
    assert found[:3] == pytest.approx(0.0)
    assert found[3:51] == pytest.approx(relative)
    assert found[51:75] == pytest.approx(relative[24:])


@pytest.mark.parametrize("step_s", [300.0, 1800.0, HOUR_S, 2 * HOUR_S])
def test_steps_of_any_length_take_the_error_of_their_lead(step_s):
    errors = of([[110.0, 110.0, 90.0, 90.0]], np.full((1, 4), 100.0))
    found = paths(steps(np.full(int(4 * HOUR_S / step_s), 100.0), step_s=step_s), 0.0, errors)[0]
    half = len(found) // 2
    assert found[:half] == pytest.approx(110.0)
    assert found[half:] == pytest.approx(90.0)


def test_many_issues_are_thinned_evenly():
    forecast = np.full((1000, 4), 100.0)
    actual = forecast + np.arange(1000)[:, None] / 10
    errors = of(actual, forecast)
    assert errors.many == MOST_PATHS
    assert errors.relative.mean() == pytest.approx((actual / forecast - 1).mean(), rel=0.01)


def test_what_is_scaled_up_never_falls_below_nothing():
    """Errors of a calm grid, on a forecast that varies a hundred times as much."""
    calm = replace(of([[50.0, 150.0, 100.0, 20.0]], [[100.0] * 4]), variability=np.array([0.005]))
    found = paths(steps([50.0, 200.0, 50.0, 200.0]), 0.0, calm)
    assert (found >= 0).all()
    assert found[0, 2] == pytest.approx(50.0)
    assert found[0, 3] < found[0, 0] < 50.0 < found[0, 1]


def test_others_fill_up_what_is_too_few():
    own = of(np.full((3, 4), 110.0), np.full((3, 4), 100.0))
    others = of(np.full((60, 4), 80.0), np.full((60, 4), 100.0), source="theirs")
    assert filled(own, others).many == ENOUGH_PATHS
    assert filled(own, others).source == "own+theirs"
    assert filled(of(np.empty((0, 4)), np.empty((0, 4))), others) is others
    assert filled(others, own) is others


@given(st.floats(0.01, 0.6), st.floats(0.05, 0.95))
def test_a_shapes_errors_have_the_spread_and_the_likeness_that_were_told(spread, alike):
    errors = errors_of_spread(spread, alike, 96 * HOUR_S, source="shape", many=400)
    log = np.log1p(errors.relative)
    assert errors.relative.mean(axis=0) == pytest.approx(np.zeros(96), abs=0.25 * spread + 0.01)
    assert log.std(axis=0) == pytest.approx(np.full(96, np.sqrt(np.log1p(spread**2))), rel=0.25)
    found = np.mean([np.corrcoef(log[:, i], log[:, i + 24])[0, 1] for i in range(0, 72, 6)])
    assert found == pytest.approx(alike, abs=0.12)


def test_they_are_the_same_in_every_process():
    one, two = (errors_of_spread(0.2, 0.5, 24 * HOUR_S, source="shape") for _ in range(2))
    assert np.array_equal(one.relative, two.relative)
    assert one.relative[:2, 5] == pytest.approx([0.316525, -0.231114], abs=1e-6)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param([100.0, 100.0], 0.0, id="always the same"),
        pytest.param([50.0, 150.0], 0.5, id="half its mean"),
        pytest.param([50.0, np.nan, 150.0], 0.5, id="gaps aside"),
    ],
)
def test_how_much_a_forecast_varies(values, told):
    assert float(variability(values)) == pytest.approx(told)
