"""What should be happening at a moment, and what is left of a job."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.schedule.acting import (
    LEAP_S,
    SWITCH_GAIN,
    act_at,
    at_once,
    holds,
    is_better,
    leapt,
    left_in,
    left_of,
)
from wattermark.values.plan import Option, PlannedJob, Stretch

JOB = PlannedJob(it_energy_j=1000.0, duration_s=100.0, earliest_s=0.0, deadline_s=1000.0, restart_s=5.0)


def stretches(*pairs):
    return tuple(Stretch(begin_s=begin, end_s=end) for begin, end in pairs)


TWO = stretches((10, 20), (30, 40))


@pytest.mark.parametrize(
    ("now_s", "runs", "until_s"),
    [
        pytest.param(0, False, 10, id="not yet"),
        pytest.param(10, True, 20, id="at the very begin"),
        pytest.param(19.9, True, 20, id="running"),
        pytest.param(20, False, 30, id="at the very end of a stretch"),
        pytest.param(29, False, 30, id="paused"),
        pytest.param(30, True, inf, id="in the last stretch it runs to its own end"),
        pytest.param(99, True, inf, id="longer than was thought: it runs on"),
    ],
)
def test_what_should_be_happening(now_s, runs, until_s):
    act = act_at(TWO, now_s)
    assert (act.runs, act.until_s) == (runs, until_s)


def test_a_plan_without_an_end_waits_and_runs():
    open_end = stretches((10, inf))
    assert act_at(open_end, 5).until_s == 10
    assert act_at(open_end, 11).runs


lengths = st.lists(st.floats(0.5, 100), min_size=2, max_size=12).filter(lambda found: len(found) % 2 == 0)


@given(lengths, st.floats(-10, 2000))
def test_whoever_looks_again_when_told_sees_each_change(gaps, now_s):
    """From any moment on, the moments to look again lead through what is left of the plan, and on."""
    edges = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    plan = stretches(*zip(edges[::2], edges[1::2], strict=True))
    ran_s = 0.0
    while (act := act_at(plan, now_s)).until_s < inf:
        assert act.until_s > now_s
        ran_s += act.until_s - now_s if act.runs else 0.0
        now_s = act.until_s
    last = left_in(plan, now_s)
    assert act.runs and sum(one.duration_s for one in last) <= plan[-1].duration_s + 1e-9
    assert ran_s <= sum(one.duration_s for one in plan) + 1e-6


@pytest.mark.parametrize(
    ("ran_s", "restarts", "left_s"),
    [
        pytest.param(0.0, 0, 100.0, id="nothing is done"),
        pytest.param(40.0, 0, 60.0, id="a part is done"),
        pytest.param(40.0, 2, 70.0, id="two restarts did no work"),
        pytest.param(3.0, 1, 100.0, id="not even the restart is done"),
        pytest.param(100.0, 0, None, id="as long as was thought"),
        pytest.param(150.0, 1, None, id="longer"),
    ],
)
def test_what_is_left_of_a_job(ran_s, restarts, left_s):
    left = left_of(JOB, ran_s, restarts, 50.0)
    assert (left.duration_s if left else None) == left_s
    if left is not None:
        assert left.power_w == pytest.approx(JOB.power_w)
        assert (left.earliest_s, left.deadline_s) == (50.0, 1000.0)


@pytest.mark.parametrize(
    ("now_s", "left"),
    [
        (0, TWO), (15, stretches((15, 20), (30, 40))), (20, stretches((30, 40))), (25, stretches((30, 40))),
        (35, stretches((35, 40))), (41, ()),
    ],
)  # fmt: skip
def test_what_is_left_of_a_plan(now_s, left):
    assert left_in(TWO, now_s) == left


def test_a_job_holds_in_its_plan_but_for_what_clocks_may_lack():
    assert holds(TWO, left_of(JOB, 80, 0, 0), slack_s=0)
    assert not holds(TWO, left_of(JOB, 79, 0, 0), slack_s=0)
    assert holds(TWO, left_of(JOB, 79, 0, 0), slack_s=1)
    assert holds(at_once(JOB, 7), JOB, slack_s=0)


@pytest.mark.parametrize(
    ("clock_s", "steady_s", "seen"),
    [
        pytest.param(5.0, 5.0, False, id="both go on alike"),
        pytest.param(5.0 + LEAP_S, 5.0, False, id="nearly"),
        pytest.param(7200.0, 5.0, True, id="the machine slept"),
        pytest.param(-3600.0, 5.0, True, id="the clock was set back"),
        pytest.param(7200.0, 7200.0, False, id="we were stopped for long, and nothing was set"),
    ],
)
def test_a_leap_of_the_clock(clock_s, steady_s, seen):
    assert leapt(clock_s, steady_s) is seen


def option(carbon_g):
    return Option(place="x", stretches=TWO, facility_energy_j=1.0, carbon_g=carbon_g)


@pytest.mark.parametrize(
    ("fresh_g", "kept_g", "better"),
    [
        pytest.param(50, 80, True, id="much better"),
        pytest.param(80, 80, False, id="the same"),
        pytest.param(90, 80, False, id="worse"),
        pytest.param(80 - 99 * SWITCH_GAIN, 80, False, id="better by less than the margin"),
        pytest.param(80 - 101 * SWITCH_GAIN, 80, True, id="better by more"),
    ],
)
def test_only_a_gain_over_the_margin_changes_a_plan(fresh_g, kept_g, better):
    assert is_better(option(fresh_g), option(kept_g), option(100), {"carbon": 1.0}) is better


def test_a_kept_plan_whose_cost_is_not_known_is_given_up():
    assert is_better(option(90), option(80), option(100), {"cost": 1.0})
