"""A yearly factor with the hours of its year."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.foresight.chances import SHAPE_RECORD, spread_of
from wattermark.science.foresight.rolling import Task, planned
from wattermark.science.foresight.shape import UNKNOWN_SPREAD, shape_errors, shaped
from wattermark.science.foresight.verdict import verdict
from wattermark.values.plan import Stretch
from wattermark.values.year_shape import YearShape

from .real import DAY_S, HOUR_S

FLAT = YearShape(key="")
NIGHT = [1.5 if h < 6 else 0.9 if h < 18 else 0.8 for h in range(24)]


def shape(weekend=1.0, summer=1.0):
    """Dear nights; another level from May to September."""
    season = [summer if 4 <= month <= 8 else 1.0 for month in range(12)]
    return YearShape(
        key="X",
        hours=tuple(tuple(level * hour for hour in NIGHT) for level in season),
        weekend=(weekend,) * 12,
        spread=(0.1,) * 12,
        alike=0.5,
        source="test",
    )


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def hourly(begin, hours):
    return at(begin) + np.arange(hours + 1) * HOUR_S


@pytest.mark.parametrize(
    ("when", "made", "over_mean"),
    [
        pytest.param("2026-01-15 03:00", shape(), 1.5, id="night"),
        pytest.param("2026-01-15 12:00", shape(), 0.9, id="noon"),
        pytest.param("2026-07-15 12:00", shape(summer=0.5), 0.45, id="noon in summer"),
        pytest.param("2026-04-30 23:30", shape(summer=0.5), 0.6, id="halfway between April and May"),
        pytest.param("2026-01-15 12:00", shape(weekend=0.86), 0.9 / 0.96, id="a Thursday"),
        pytest.param("2026-01-17 12:00", shape(weekend=0.86), 0.9 * 0.86 / 0.96, id="a Saturday"),
        pytest.param("2026-01-15 12:00", FLAT, 1.0, id="no shape"),
    ],
)
def test_a_moment_of_the_year(when, made, over_mean):
    edges = [at(when), at(when) + 600]
    assert shaped(400.0, made, edges).values == pytest.approx([400 * over_mean], rel=0.01)


def test_the_mean_of_a_week_stays():
    told = shaped(400.0, shape(weekend=0.7), hourly("2026-01-12", 168))
    assert told.values.mean() == pytest.approx(400 * np.mean(NIGHT))


@given(st.integers(0, 365 * 24), st.sampled_from([300.0, 900.0, 1800.0, 5400.0]))
def test_steps_of_any_length_hold_the_same(hour, step_s):
    begin_s = at("2026-01-01") + hour * HOUR_S
    edges = begin_s + np.arange(int(9 * HOUR_S / step_s) + 1) * step_s
    fine, coarse = (shaped(1.0, shape(0.8, 0.6), one) for one in (edges, begin_s + np.arange(10) * HOUR_S))
    assert (fine.values * fine.lengths_s).sum() == pytest.approx((coarse.values * HOUR_S).sum())


def saving(made, begin="2026-01-15 00:00"):
    edges = hourly(begin, 48)
    steps = shaped(400.0, made, edges)
    task = Task(duration_s=6 * HOUR_S, earliest_s=edges[0], deadline_s=edges[-1], interruptible=True)
    now = (Stretch(begin_s=edges[0], end_s=edges[0] + 6 * HOUR_S),)
    errors = shape_errors(made, edges[0], 2 * DAY_S)
    return spread_of(
        steps, planned(steps, task), now, issued_s=edges[0], errors=errors, record=SHAPE_RECORD
    )  # fmt: skip


def test_a_clear_cycle_is_worth_waiting_for():
    found = saving(shape())
    assert found.planned == pytest.approx(1 - 0.8 / 1.5)
    assert found.spread.p10 < found.planned < found.spread.p90
    assert verdict([found], waits_s=18 * HOUR_S).worth_it


def test_a_flat_year_saves_nothing():
    found = saving(FLAT)
    assert (found.planned, found.spread.p10, found.spread.p90) == (0, 0, 0)
    assert not verdict([found], waits_s=0).worth_it


def test_what_no_shape_is_known_of_has_a_usual_spread():
    assert shape_errors(FLAT, 0.0, DAY_S).relative.std() == pytest.approx(UNKNOWN_SPREAD, rel=0.15)
    assert shape_errors(shape(), 0.0, DAY_S).relative.std() == pytest.approx(0.1, rel=0.15)
