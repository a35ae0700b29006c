"""Policies on every start of a history, against the planners of one job."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.rehearsal.histories import BEGIN_S, hours, steps, zones
from wattermark.errors import UsageError
from wattermark.science.rehearsal.backtest import backtest, chosen_policies
from wattermark.science.rehearsal.regular import grid_s, regular
from wattermark.science.rehearsal.rehearse import POLICIES
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.steps import Steps, integrals
from wattermark.science.schedule.window import best_window
from wattermark.values.backtest import Rehearsal

HOUR, MINUTE = 3600.0, 60.0


def run(history, job, *policies, names=("X",)):
    given_ = dict.fromkeys(names, history) if isinstance(history, Steps) else history
    return backtest("made", given_, job, policies=policies or chosen_policies(job), flags={})


def hourly(*values):
    edges = BEGIN_S + HOUR * np.arange(len(values) + 1)
    return Steps(edges, np.array([np.nan if v is None else v for v in values], float))


def policies_of(found):
    return {one.policy: one for one in found.places[0].policies}


@given(
    steps(most=20, values=st.one_of(st.integers(1, 9).map(float), st.just(np.nan))),
    st.integers(1, 20), st.integers(0, 20), st.sampled_from([5, 15, 60]), st.booleans(),
)  # fmt: skip
def test_the_best_of_all_starts_is_that_of_each(history, tens, more, every, to_the_end):
    """Mixed steps, gaps, lengths of tens of minutes; starts within their deadline or until the end."""
    duration, slack = tens * 10 * MINUTE, more * 10 * MINUTE
    span = history.edges_s[-1] - history.edges_s[0]
    job = Rehearsal(
        duration_s=duration, within_s=duration + slack, every_s=every * MINUTE, to_the_end=to_the_end
    )
    if span < (duration if to_the_end else duration + slack):
        with pytest.raises(UsageError, match="hours long"):
            run(history, job)
        return
    found = run(history, job, "best-start", "best-pauses")
    costs = {"now": [], "best-start": [], "best-pauses": []}
    last_s = history.edges_s[-1] - (duration if to_the_end else duration + slack)
    starts = np.arange(BEGIN_S, last_s + 1e-3, every * MINUTE)
    if to_the_end and duration + slack < span:
        starts = starts[starts < last_s - 1e-3]
    for start in starts:
        bounds = (duration, start, min(start + duration + slack, history.edges_s[-1]))
        now = float(integrals(history, start, start + duration)) / duration
        if np.isnan(now):
            continue
        best, pieces = best_window(history, *bounds), cheapest_stretches(history, *bounds)
        costs["now"].append(now)
        costs["best-start"].append(float(integrals(history, best.begin_s, best.end_s)) / duration)
        whole = sum(float(integrals(history, one.begin_s, one.end_s)) for one in pieces)
        costs["best-pauses"].append(whole / duration)
    (place,) = found.places
    assert (place.starts, place.left_out) == (len(costs["now"]), len(starts) - len(costs["now"]))
    if costs["now"]:
        assert place.now_g_per_kwh == pytest.approx(np.mean(costs["now"]))
        for one in place.policies:
            assert one.intensity_g_per_kwh == pytest.approx(np.mean(costs[one.policy])), one.policy


@given(
    st.lists(st.integers(1, 9).map(float), min_size=30, max_size=60),
    st.sampled_from([1.0, 2.0, 2.5, 5.0]), st.integers(0, 12), st.booleans(), st.booleans(),
)  # fmt: skip
def test_no_policy_beats_who_knows_all_and_none_ends_after_the_deadline(values, length, slack, pausing, end):
    within = length + slack + (np.ceil(length) - length)
    job = Rehearsal(
        duration_s=length * HOUR, within_s=within * HOUR, interruptible=pausing, to_the_end=end,
        expected_s=2 * HOUR,
    )  # fmt: skip
    told = policies_of(run(hourly(*values), job))
    best = told["best-pauses" if pausing else "best-start"].intensity_g_per_kwh
    for name, one in told.items():
        if name in ("next-workday", "semi-weekly"):
            continue  # another deadline
        assert one.intensity_g_per_kwh >= best - 1e-9, name
        assert one.wait_s <= job.slack_s + 1e-6, name
        assert one.percentiles == tuple(sorted(one.percentiles))


@pytest.mark.parametrize(
    ("values", "job", "policy", "told"),
    [
        pytest.param(
            [4, 1, 4, 2, 4, 4], dict(duration_s=2, within_s=5, every_s=9, interruptible=True),
            "best-pauses", (1.5, 2, 1), id="it pauses once and ends two hours later",
        ),
        pytest.param(
            [4, 1, 4, 2, 4, 4],
            dict(duration_s=2, within_s=5, every_s=9, interruptible=True, restart_s=0.5),
            "best-pauses", (2.0, 2, 1), id="half an hour of running again, at its hour's intensity",
        ),
        pytest.param(
            [9, 9, 1, 9, 9, 9], dict(duration_s=2, within_s=5, every_s=9, expected_s=1),
            "lowest-window", (5.0, 2, 0), id="an expected hour finds an hour, and the job takes two",
        ),
        pytest.param(
            [9, 9, 9, 9, 1], dict(duration_s=2, within_s=9, every_s=9, to_the_end=True),
            "lowest-slot", (5.0, 3, 0), id="the end of the history forgives no length",
        ),
        pytest.param(
            [5, 4, 3], dict(duration_s=1.5, within_s=3, every_s=9, interruptible=True),
            "best-pauses", ((3 + 2) / 1.5, 1, 0), id="of the dearest hour a half",
        ),
    ],
)  # fmt: skip
def test_known_cases(values, job, policy, told):
    cost, ends_later, pauses = told
    timed = {name: value * HOUR if name.endswith("_s") else value for name, value in job.items()}
    found = policies_of(run(hourly(*values), Rehearsal(**timed), policy))[policy]
    assert found.intensity_g_per_kwh == pytest.approx(cost)
    assert (found.wait_s, found.pauses) == (ends_later * HOUR, pauses)


def test_places_together_are_their_mean_at_each_start():
    """One place saves half, the other nothing; where one has a gap, that start is not known of both."""
    job = Rehearsal(duration_s=HOUR, within_s=2 * HOUR, every_s=2 * HOUR)
    found = run({"A": hourly(4, 2, 4, 2, None, 2), "B": hourly(*[4] * 6)}, job, "best-start")
    assert found.together.starts == 2
    assert found.together.policies[0].saving == pytest.approx(0.25)
    assert [place.starts for place in found.places] == [2, 3]


def test_all_policies_have_a_name_and_the_usual_are_those_that_can_be_followed():
    plain = Rehearsal(duration_s=HOUR, within_s=2 * HOUR)
    assert "k-min" not in chosen_policies(plain)
    assert "best-pauses" in chosen_policies(Rehearsal(duration_s=1, within_s=2, interruptible=True))
    assert chosen_policies(plain, ["k-min", "k-min"]) == ("k-min",)
    assert set(chosen_policies(plain)) < set(POLICIES)


@pytest.mark.parametrize(
    ("minutes", "lengths", "step"),
    [
        ([60, 60], (), 60),
        ([60, 15, 30], (), 15),
        ([60, 60], (90,), 30),
        ([60], (61,), 1),
        ([30], (0.5,), 0.5),
    ],
)
def test_the_longest_step_that_all_share(minutes, lengths, step):
    edges = BEGIN_S + MINUTE * np.concatenate(([0], np.cumsum(minutes)))
    history = Steps(edges, np.ones(len(minutes)))
    assert grid_s([history], *(length * MINUTE for length in lengths)) == step * MINUTE


def test_a_day_of_daylight_saving_is_23_hours_of_utc():
    history = hourly(*range(1, 24))
    found = regular(history, 1800.0, BEGIN_S, BEGIN_S + 23 * HOUR)
    assert found.values.tolist() == [value for value in range(1, 24) for _ in range(2)]


def test_the_germans_of_2022_by_the_week():
    """Let's Wait Awhile's deadlines: twice a week leaves more time than the next workday, and saves more."""
    history = hourly(*hours()[:, zones().index("DE")])
    job = Rehearsal(duration_s=24 * HOUR, within_s=48 * HOUR, every_s=24 * HOUR, offset_s=HOUR)
    told = policies_of(run(history, job, "next-workday", "semi-weekly"))
    assert 0 < told["next-workday"].saving < told["semi-weekly"].saving
    assert told["next-workday"].worse == 0
    unbounded = Rehearsal(duration_s=24 * HOUR, within_s=inf, every_s=24 * HOUR, to_the_end=True)
    assert (
        policies_of(run(history, unbounded, "best-start"))["best-start"].saving > told["semi-weekly"].saving
    )
