"""A series that ends too early: how far what continues it may be trusted."""

import math

import numpy as np
import pytest

from wattermark.factors.shapes_of_grids import usual_errors
from wattermark.science.foresight.chances import USUAL_RECORD
from wattermark.science.foresight.errors import paths
from wattermark.science.foresight.expected import LEAST_PAST, continued
from wattermark.science.foresight.trial import record
from wattermark.science.schedule.steps import steps_of
from wattermark.values.plan import PlannedJob
from wattermark.values.series import Series, Signal

HOUR, DAY = 3600.0, 86400.0
NOW_S = 20_000 * DAY


def hours(first_h, last_h, **told):
    """A day's cycle under a weather that changes from day to day."""
    values = tuple(
        300 + 80 * math.cos(2 * math.pi * h / 24) + 60 * math.sin(2.3 * (h // 24) ** 2)
        for h in range(first_h, last_h)
    )
    edges = tuple(NOW_S + h * HOUR for h in range(first_h, last_h + 1))
    return Series(signal=Signal.CARBON, place="deu", source="mine.csv", edges_s=edges, values=values, **told)


def job(**more):
    return PlannedJob(
        it_energy_j=3.6e6,
        duration_s=8 * HOUR,
        earliest_s=NOW_S,
        deadline_s=NOW_S + 48 * HOUR,
        **more,
    )


@pytest.mark.parametrize(
    ("until_h", "told", "sure_h"),
    [
        pytest.param(0, {}, 0, id="all of it was"),
        pytest.param(24, {}, 0, id="it reaches into tomorrow, and does not say that this is a forecast"),
        pytest.param(24, {"forecast_from_s": NOW_S + 6 * HOUR}, 6, id="it says from when on it is one"),
        pytest.param(24, {"forecast_from_s": NOW_S - 3 * HOUR}, 0, id="a forecast of some hours ago"),
    ],
)
def test_hours_that_others_foretold_err_too(until_h, told, sure_h):
    series = hours(-24, until_h, **told)
    found, doubt = continued(series, [hours(-28 * 24, 0)], NOW_S, NOW_S + 48 * HOUR, usual_errors())
    steps = steps_of(found)
    spread = np.ptp(paths(steps, doubt.issued_s, doubt.errors), axis=0)
    ahead = steps.edges_s[:-1] >= NOW_S + sure_h * HOUR
    assert (spread[ahead] > 0).all()
    if sure_h:
        assert (spread[steps.edges_s[1:] <= NOW_S + sure_h * HOUR] == 0).all()


def test_plans_are_held_against_how_such_plans_of_this_history_have_fared():
    series = hours(-24, 0)
    _, doubt = continued(series, [hours(-80 * 24, 0)], NOW_S, NOW_S + 48 * HOUR, usual_errors())
    assert doubt.past is not None
    assert doubt.past.many >= LEAST_PAST
    own = record(doubt.past, job_s=8 * HOUR, within_s=48 * HOUR, interruptible=True)
    assert doubt.record_for(job(interruptible=True)).mid == own.mid
    assert own.plans > 0
    assert doubt.record_for(job()).mid != own.mid, "one piece fares otherwise"


def test_a_history_of_a_month_leaves_the_usual_record():
    series = hours(-24, 0)
    _, doubt = continued(series, [hours(-28 * 24, 0)], NOW_S, NOW_S + 48 * HOUR, usual_errors())
    assert doubt.record_for(job()) == USUAL_RECORD
