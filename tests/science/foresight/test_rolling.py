"""A plan that is made anew whenever a forecast comes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.foresight.rolling import Issue, Task, planned, replanned
from wattermark.values.plan import Stretch

from .real import HOUR_S, steps

HOURS = st.lists(st.integers(1, 500), min_size=12, max_size=12)


def task(hours=2, within=6, interruptible=True, earliest=0):
    return Task(
        duration_s=hours * HOUR_S, earliest_s=earliest * HOUR_S,
        deadline_s=within * HOUR_S, interruptible=interruptible,
    )  # fmt: skip


def issue(hour, *values):
    return Issue(hour * HOUR_S, steps(values, begin_s=hour * HOUR_S))


def hours(stretches):
    return [(one.begin_s / HOUR_S, one.end_s / HOUR_S) for one in stretches]


@pytest.mark.parametrize(
    ("job", "issues", "ran"),
    [
        pytest.param(
            task(), [issue(0, 9, 1, 9, 9, 2, 9)], [(1, 2), (4, 5)], id="one forecast: the plan that stays"
        ),
        pytest.param(
            task(), [issue(0, 9, 1, 9, 9, 2, 9), issue(3, 9, 9, 1)], [(1, 2), (5, 6)],
            id="what is left moves to where it is cheaper now",
        ),
        pytest.param(
            task(), [issue(0, 1, 1, 9, 9, 9, 9), issue(3, 1, 1, 1)], [(0, 2)], id="done before the news"
        ),
        pytest.param(
            task(), [issue(0, 9, 9, 9, 9, 1, 1), issue(3, 1, 9, 9)], [(3, 5)],
            id="of equals the earliest; the one forecast for hour 4 was 1 and is 9",
        ),
        pytest.param(
            task(interruptible=False), [issue(0, 9, 1, 1, 9, 9, 9), issue(2, 9, 0, 0, 9)], [(1, 3)],
            id="one piece that has begun runs on",
        ),
        pytest.param(
            task(interruptible=False), [issue(0, 9, 9, 9, 9, 1, 1), issue(2, 1, 1, 9, 9)], [(2, 4)],
            id="one piece that has not begun is free",
        ),
        pytest.param(
            task(hours=1.5), [issue(0, 9, 8, 8, 1, 2, 9), issue(3, 9, 1, 2)], [(4, 5.5)],
            id="lengths are real numbers",
        ),
        pytest.param(
            task(), [issue(0, 9, 1, 9, 9, 2, 9), issue(3, np.nan, np.nan, np.nan)], [(1, 2), (4, 5)],
            id="a forecast of gaps changes nothing",
        ),
        pytest.param(task(hours=9), [issue(0, 1, 1, 1, 1, 1, 1)], [], id="a job that does not fit"),
        pytest.param(
            task(earliest=2), [issue(0, 1, 1, 9, 9, 2, 2), issue(3, 9, 2, 2)], [(4, 6)],
            id="it may not start yet",
        ),
    ],
)  # fmt: skip
def test_what_runs_when(job, issues, ran):
    assert hours(replanned(issues, job)) == ran


def test_a_penalty_keeps_a_plan_from_following_noise():
    """The news is 1 better than the plan so far."""
    news = [issue(0, 9, 9, 9, 9, 5, 9), issue(2, 9, 9, 5, 4)]
    assert hours(replanned(news, task(hours=1))) == [(5, 6)]
    assert hours(replanned(news, task(hours=1), penalty=2.0)) == [(4, 5)]
    assert hours(replanned(news, task(hours=1), penalty=0.5)) == [(5, 6)]


@given(HOURS, HOURS, st.booleans(), st.integers(1, 11), st.integers(1, 5))
def test_it_does_all_of_the_job_in_time_and_never_at_once(first, second, interruptible, at, length):
    job = task(hours=length, within=12, interruptible=interruptible)
    ran = replanned([issue(0, *first), issue(at, *second[at:])], job)
    assert sum(one.duration_s for one in ran) == pytest.approx(length * HOUR_S)
    assert ran[0].begin_s >= 0 and ran[-1].end_s <= job.deadline_s
    assert all(a.end_s <= b.begin_s for a, b in pairwise(ran))
    assert interruptible or len(ran) == 1


@given(HOURS, st.lists(st.integers(1, 11), min_size=1, max_size=4, unique=True), st.integers(1, 6))
def test_news_that_say_the_same_change_nothing(values, moments, length):
    """The true hours are told at each issue: planned anew, it costs what the best plan costs."""
    job = task(hours=length, within=12)
    issues = [issue(0, *values), *(issue(at, *values[at:]) for at in sorted(moments))]

    def cost(ran):
        return sum(values[int(h)] for one in ran for h in np.arange(one.begin_s, one.end_s, HOUR_S) / HOUR_S)

    assert cost(replanned(issues, job)) == cost(planned(steps(values), job))


def test_where_it_finds_no_place_there_is_no_plan():
    assert planned(steps([1, 2]), task(hours=3, within=2, interruptible=False)) == ()
    assert planned(steps([3, 1, 2]), task(hours=1, within=3)) == (Stretch(begin_s=HOUR_S, end_s=2 * HOUR_S),)
