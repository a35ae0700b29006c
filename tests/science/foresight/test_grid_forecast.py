"""A forecast from a history: what it finds, what it does without, and that it never looks ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattermark.science.foresight.days import days_of
from wattermark.science.foresight.grid_forecast import FEW_DAYS, NO_HISTORY, forecast, past_forecasts
from wattermark.science.schedule.steps import Steps

from .real import DAY_S, HOUR_S, steps

HORIZON_S = 96 * HOUR_S
MONDAY_S = 1635724800.0  # 2021-11-01, UTC
DST_DAYS_S = 1635033600.0  # 2021-10-24: a week before Europe's clocks go back


def daily(days, step_s=HOUR_S, *, level=300.0, swing=100.0, begin_s=MONDAY_S, weekend=0.0):
    """A clean daily cycle, with another level at weekends."""
    edges = begin_s + np.arange(round(days * DAY_S / step_s) + 1) * step_s
    middle = (edges[:-1] + edges[1:]) / 2
    off = (np.floor(middle / DAY_S) + 3) % 7 >= 5
    return Steps(edges, level + swing * np.sin(2 * np.pi * middle / DAY_S) - weekend * off)


def expected(told, step_s=HOUR_S, **made):
    """What the same cycle holds in the steps of a forecast."""
    days = round((told.steps.edges_s[-1] - told.steps.edges_s[0]) / DAY_S)
    return daily(days, step_s, begin_s=told.steps.edges_s[0], **made).values


@pytest.mark.parametrize(
    ("days", "step_s"),
    [
        pytest.param(2, HOUR_S, id="two days"),
        pytest.param(40, HOUR_S, id="forty days"),
        pytest.param(400, HOUR_S, id="more than a year"),
        pytest.param(30, 1800.0, id="half hours"),
        pytest.param(30, 900.0, id="quarters"),
        pytest.param(10, 300.0, id="five minutes"),
        pytest.param(30, 3 * HOUR_S, id="three hours"),
        pytest.param(30.25, HOUR_S, id="not a whole number of days"),
    ],
)
def test_a_clean_daily_cycle_is_forecast_exactly(days, step_s):
    history = daily(days, step_s)
    told = forecast(history, history.edges_s[-1], HORIZON_S)
    assert told.steps.edges_s[-1] - told.steps.edges_s[0] == HORIZON_S
    assert told.steps.values == pytest.approx(expected(told, step_s), rel=1e-6)
    assert told.error is None or told.error < 1e-6


@pytest.mark.parametrize(
    ("end_s", "weekday"),
    [
        pytest.param(MONDAY_S, 6, id="what ends on Monday at midnight was Sunday"),
        pytest.param(MONDAY_S + 6 * HOUR_S, 6, id="mostly Sunday"),
        pytest.param(MONDAY_S + 18 * HOUR_S, 0, id="mostly Monday"),
        pytest.param(MONDAY_S + 5 * DAY_S, 4, id="Friday"),
    ],
)
def test_a_row_is_the_weekday_that_most_of_it_is(end_s, weekday):
    days = days_of(daily(30, begin_s=MONDAY_S - 20 * DAY_S), end_s)
    assert days.weekday(np.array([len(days.values) - 1])) == [weekday]
    assert days.weekday(np.array([len(days.values)])) == [(weekday + 1) % 7]


def test_weekends_are_learnt():
    history = daily(200, weekend=80.0)
    told = forecast(history, history.edges_s[-1], 7 * DAY_S)
    assert told.steps.values == pytest.approx(expected(told, weekend=80.0), rel=0.05)
    assert told.error < 0.05


@pytest.mark.parametrize(
    ("level", "swing"),
    [
        pytest.param(0.0, 0.0, id="nothing at all"),
        pytest.param(250.0, 0.0, id="always the same"),
        pytest.param(0.0, 50.0, id="half of it below zero"),
        pytest.param(50.0, 50.0, id="zero once a day"),
        pytest.param(-80.0, 20.0, id="all below zero"),
    ],
)
def test_zero_and_less_are_values_like_others(level, swing):
    history = daily(30, level=level, swing=swing)
    told = forecast(history, history.edges_s[-1], HORIZON_S)
    assert told.steps.values == pytest.approx(expected(told, level=level, swing=swing), abs=1e-4)


def test_days_on_which_clocks_change_are_days_like_others():
    """All is UTC: the week over which Europe's clocks go back has 168 hours."""
    history = daily(30, begin_s=DST_DAYS_S - 28 * DAY_S)
    told = forecast(history, DST_DAYS_S + 2 * DAY_S, 14 * DAY_S)
    assert told.steps.values == pytest.approx(expected(told), rel=1e-6)


@pytest.mark.parametrize(
    ("values", "flags", "first"),
    [
        pytest.param([200.0], (FEW_DAYS,), 200.0, id="one hour"),
        pytest.param([100.0, 300.0] * 12, (FEW_DAYS,), 100.0, id="one day"),
        pytest.param([100.0, 300.0] * 24, (FEW_DAYS,), 100.0, id="two days"),
        pytest.param([100.0, 300.0] * 24 * 20, (), 100.0, id="twenty days"),
    ],
)
def test_of_a_short_history_it_takes_what_there_is(values, flags, first):
    history = steps(values, MONDAY_S)
    told = forecast(history, history.edges_s[-1], HORIZON_S)
    assert told.flags == flags
    assert told.steps.values[0] == pytest.approx(first)
    assert len(told.steps.values) == 96


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(steps([np.nan] * 48, MONDAY_S), id="only gaps"),
        pytest.param(steps([100.0] * 48, MONDAY_S + 50 * DAY_S), id="it all lies ahead"),
    ],
)
def test_of_no_history_nothing_is_forecast(history):
    told = forecast(history, MONDAY_S + 10 * DAY_S, HORIZON_S)
    assert told.flags == (NO_HISTORY,)
    assert np.isnan(told.steps.values).all()
    assert (told.error, told.past.many) == (None, 0)


def test_a_stale_history_is_forecast_from_where_it_ends():
    history = daily(30)
    now_s = history.edges_s[-1] + 30 * HOUR_S
    told = forecast(history, now_s, HORIZON_S)
    assert told.steps.edges_s[0] == history.edges_s[-1]
    assert told.steps.edges_s[-1] >= now_s + HORIZON_S
    assert told.steps.values == pytest.approx(expected(told), rel=1e-6)


@given(st.sets(st.integers(0, 30 * 24 - 1), max_size=200), st.integers(0, 600))
@settings(max_examples=25, deadline=None)
def test_gaps_are_bridged_and_not_learnt(holes, from_hour):
    """Single hours, and a day and a half in one piece."""
    history = daily(30)
    values = history.values.copy()
    values[list(holes)] = np.nan
    values[from_hour : from_hour + 36] = np.nan
    if np.isnan(values).all():
        return
    told = forecast(Steps(history.edges_s, values), history.edges_s[-1], HORIZON_S)
    assert told.steps.values == pytest.approx(expected(told), rel=0.02)
    assert not np.isnan(told.past.forecast).any()


def noisy(days, seed=1):
    clean = daily(days)
    noise = np.cumsum(np.random.default_rng(seed).normal(0, 4, len(clean.values)))
    return Steps(clean.edges_s, np.clip(clean.values + noise, 40, 900))


@given(st.integers(5, 58), st.floats(0.5, 3))
@settings(max_examples=15, deadline=None)
def test_no_past_forecast_changes_when_what_comes_after_it_does(day, times):
    history = noisy(60)
    at_s = MONDAY_S + day * DAY_S
    later = history.edges_s[:-1] >= at_s
    other = Steps(history.edges_s, np.where(later, history.values * times, history.values))
    one, two = (past_forecasts(h, history.edges_s[-1], HORIZON_S) for h in (history, other))
    before = one.issued_s <= at_s
    assert one.forecast[before] == pytest.approx(two.forecast[before], rel=1e-12)


def test_its_own_error_is_that_of_a_back_test():
    history = noisy(120)
    told = forecast(history, history.edges_s[-1], HORIZON_S)
    assert told.past.many >= 80
    assert told.error_by_day[0] < told.error_by_day[3]
    came = told.past.actual
    assert told.error == pytest.approx(np.abs(told.past.forecast - came).sum() / came.sum())


def test_what_was_forecast_lies_beside_what_came():
    history = noisy(40)
    past = past_forecasts(history, history.edges_s[-1], 30 * HOUR_S)
    assert past.forecast.shape == past.actual.shape == (past.many, 30)
    for issued_s, came in zip(past.issued_s, past.actual, strict=True):
        first = int((issued_s - MONDAY_S) / HOUR_S)
        assert came == pytest.approx(history.values[first : first + 30])


@pytest.mark.parametrize("step_s", [HOUR_S, 300.0])
def test_it_takes_well_under_a_tenth_of_a_second(step_s):
    """Processor time, the second of two: the first one loads what is needed."""
    import time

    history = daily(365 if step_s == HOUR_S else 60, step_s)
    forecast(history, history.edges_s[-1], HORIZON_S)
    begin = time.process_time()
    forecast(history, history.edges_s[-1], HORIZON_S)
    assert time.process_time() - begin < (0.3 if step_s == HOUR_S else 1.5)
