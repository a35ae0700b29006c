"""What a queued job needs, how far it is, and what may be done with it."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.schedule.queued import (
    asked_power_w,
    energy_over_j,
    late_s,
    latest_start_s,
    must_run,
    outlives_pause,
    power_of_w,
    ran_s,
    stopped_s,
    whole_of,
)
from wattermark.values.factors import Factor
from wattermark.values.plan import PlannedJob
from wattermark.values.queued import QueueJob, QueueState
from wattermark.values.range import Range


def job(state=QueueState.RUNNING, **told):
    return QueueJob(job_id="7", state=state, word=state.name, **told)


def left(duration_s, deadline_s):
    return PlannedJob(it_energy_j=1.0, duration_s=duration_s, earliest_s=0.0, deadline_s=deadline_s)


def factor(name, value):
    return Factor(
        name=name, value=Range.exact(value), unit="W", key="k", year=2026, basis="-", source="the test"
    )


@pytest.mark.parametrize(
    ("gpus", "power_w"), [(0, 16 * 3.5), (2, 2 * (300 + 50))], ids=["CPUs", "GPUs with hosts"]
)
def test_power_of_what_is_asked_for(gpus, power_w):
    found = asked_power_w(
        cpus=16,
        gpus=gpus,
        cpu=factor("cpu", 3.5),
        gpu_powers={"gpu": lambda values: 0.75 * values["tdp"], "host": lambda values: values["host"]},
        gpu_factors=(factor("tdp", 400.0), factor("host", 50.0)),
    )
    assert found == power_w


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_power_and_energy_are_each_others_way_back(power_w, duration_s):
    assert power_of_w(energy_over_j(power_w, duration_s), duration_s) == pytest.approx(power_w)


def test_a_run_of_no_time_has_no_power():
    assert power_of_w(5.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        pytest.param(("PENDING", "ENDED"), QueueState.PENDING, id="some wait"),
        pytest.param(("PENDING", "RUNNING", "ENDED"), QueueState.RUNNING, id="one runs"),
        pytest.param(("SUSPENDED", "PENDING"), QueueState.SUSPENDED, id="one is suspended"),
        pytest.param(("ENDED", "ENDED"), QueueState.ENDED, id="all have ended"),
        pytest.param(("UNKNOWN", "ENDED"), QueueState.UNKNOWN, id="one that nobody understands"),
    ],
)
def test_an_array_as_one_job(states, whole):
    tasks = [job(QueueState[name], begin_s=10.0 + i, end_s=20.0 + i) for i, name in enumerate(states)]
    found = whole_of(tasks)
    assert (found.state, found.begin_s) == (whole, 10.0)
    assert found.end_s == (20.0 + len(states) - 1 if whole is QueueState.ENDED else None)


@pytest.mark.parametrize(
    ("told", "ran"),
    [
        pytest.param({"used_s": 100.0}, 70.0, id="its own time, less what it was stopped"),
        pytest.param({"used_s": 10.0}, 0.0, id="never below nothing"),
        pytest.param({"used_s": None}, 0.0, id="not told"),
        pytest.param({"used_s": 100.0, "state": QueueState.PENDING}, 0.0, id="of a life before"),
    ],
)
def test_how_long_it_has_worked(told, ran):
    assert ran_s(job(**told), 30.0, 5.0) == ran + 5.0


def test_a_stop_that_lasts_counts_until_now():
    assert stopped_s([(10.0, 15.0), (20.0, None)], 26.0) == 11.0


def test_a_job_must_run_where_a_pause_would_cost_its_deadline():
    assert latest_start_s(left(10.0, 100.0)) == 90.0
    assert [must_run(left(10.0, 100.0), now_s) for now_s in (89.0, 90.0)] == [False, True]
    assert must_run(None, 0.0)


@pytest.mark.parametrize(
    ("limit_s", "lives"), [(None, True), (inf, True), (160.0, True), (159.0, False)], ids=str
)
def test_whether_its_time_limit_bears_a_stop(limit_s, lives):
    assert outlives_pause(job(used_s=50.0, limit_s=limit_s), left(80.0, inf), 30.0) is lives


@pytest.mark.parametrize(
    ("told", "late"),
    [
        pytest.param({"begin_s": 130.0}, 0.0, id="in time, as schedulers are"),
        pytest.param({"begin_s": 400.0}, 300.0, id="began late"),
        pytest.param({"begin_s": 900.0, "state": QueueState.PENDING}, 500.0, id="still waits"),
        pytest.param(
            {"begin_s": None, "state": QueueState.PENDING}, 500.0, id="waits, nobody knows until when"
        ),
        pytest.param({"begin_s": 90.0}, 0.0, id="began before"),
    ],
)
def test_how_late_it_is(told, late):
    assert late_s(job(**told), 100.0, 600.0) == late
