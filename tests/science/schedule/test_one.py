"""One job, whatever it may do: the method that is exact for it, on steps of any length."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattermark.science.schedule.grid import grid_of
from wattermark.science.schedule.one import cost_of, stretches_of
from wattermark.science.schedule.steps import Steps
from wattermark.science.schedule.window import best_window
from wattermark.values.plan import PlannedJob

HOUR_S = 3600.0
JOB = PlannedJob(it_energy_j=1e6, duration_s=3 * HOUR_S, earliest_s=0.0, deadline_s=6 * HOUR_S)
MAY_PAUSE = replace(JOB, interruptible=True)
UP_AND_DOWN = [1.0, 5, 1, 5, 1, 5]


def hours(values, step_s=HOUR_S, begin_s=0.0):
    return Steps(begin_s + step_s * np.arange(len(values) + 1), np.asarray(values, float))


def of_hours(stretches):
    return [(one.begin_s / HOUR_S, one.end_s / HOUR_S) for one in stretches]


@pytest.mark.parametrize(
    ("job", "held", "told"),
    [
        pytest.param(JOB, None, [(0, 3)], id="one piece"),
        pytest.param(MAY_PAUSE, None, [(0, 1), (2, 3), (4, 5)], id="free pauses"),
        pytest.param(MAY_PAUSE, 3.0, [(0, 3)], id="held devices draw too much"),
        pytest.param(MAY_PAUSE, 1.0, [(0, 1), (2, 3), (4, 5)], id="held devices draw little"),
        pytest.param(replace(MAY_PAUSE, restart_s=HOUR_S), None, [(0, 3)], id="an hour is run again"),
        pytest.param(replace(MAY_PAUSE, most_pauses=0), None, [(0, 3)], id="no pause is allowed"),
        pytest.param(replace(MAY_PAUSE, least_run_s=2 * HOUR_S), None, [(0, 3)], id="runs are long"),
        pytest.param(
            replace(MAY_PAUSE, most_pauses=5, deadline_s=4.5 * HOUR_S),
            None,
            [(0, 1), (2, 3), (3.5, 4.5)],
            id="a deadline before the hour is over",
        ),
        pytest.param(replace(MAY_PAUSE, deadline_s=2.5 * HOUR_S), None, [], id="no time for it"),
        pytest.param(replace(MAY_PAUSE, earliest_s=9 * HOUR_S), None, [], id="nothing is known then"),
    ],
)
def test_each_job_gets_its_method(job, held, told):
    held_rate = None if held is None else hours([held] * 6)
    assert of_hours(stretches_of(hours(UP_AND_DOWN), held_rate, job)) == told


def test_a_restart_is_run_and_paid():
    """Ten minutes again at each start: two of them are run in the dear hours, and still pay."""
    job = replace(MAY_PAUSE, restart_s=600.0)
    told = stretches_of(hours(UP_AND_DOWN), None, job)
    assert sum(one.duration_s for one in told) == pytest.approx(job.duration_s + 2 * 600.0)
    assert cost_of(told, hours(UP_AND_DOWN), None) == pytest.approx(3 * HOUR_S + 2 * 600.0 * 5)


def test_what_is_no_whole_number_of_cells_is_cut_off_where_it_costs_most():
    job = replace(MAY_PAUSE, duration_s=2.5 * HOUR_S + 7.25, restart_s=1.5)
    rate = hours([1.0, 9, 2, 9, 3, 9])
    told = stretches_of(rate, None, job)
    assert sum(one.duration_s for one in told) == pytest.approx(job.duration_s + 2 * 1.5)
    assert cost_of(told, rate, None) == pytest.approx(HOUR_S * (1 + 2 + 0.5 * 3) + 7.25 * 3 + 2 * 1.5 * 3)


def test_where_cells_do_not_fit_one_piece_does():
    """Ten minutes of slack and an odd now: no cell is left to pause in, and the job still has a place."""
    job = replace(MAY_PAUSE, duration_s=3 * HOUR_S - 260.0, earliest_s=100.0, restart_s=60.0)
    told = stretches_of(hours([1.0, 9, 1]), None, replace(job, deadline_s=3 * HOUR_S - 100.0))
    assert len(told) == 1 and told[0].duration_s == pytest.approx(job.duration_s)


def test_what_is_too_much_is_not_cut_off_towards_a_pause_that_is_paid():
    job = replace(MAY_PAUSE, duration_s=2 * HOUR_S - 200.0, deadline_s=3 * HOUR_S)
    told = stretches_of(hours([2.2, 9, 2]), hours([0.5] * 3), job)
    assert [(one.begin_s, one.end_s) for one in told] == [(200.0, HOUR_S), (2 * HOUR_S, 3 * HOUR_S)]


def test_no_run_is_too_short_by_rounding():
    """Two cheap stretches of 1,200 s hold two runs of 1,199 s, but not in a job of 2,101 s."""
    rate = hours([1.0] * 4 + [2.0] * 4 + [1.0] * 4, 300.0)
    job = replace(MAY_PAUSE, duration_s=2101.0, least_run_s=1199.0, deadline_s=3600.0)
    assert len(stretches_of(rate, None, job)) == 1
    assert len(stretches_of(rate, None, replace(job, least_run_s=900.0))) == 2


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(0.01, 10)), min_size=4, max_size=40),
    duration_s=st.floats(60, 20_000),
    restart_s=st.sampled_from([0.0, 45.0, 700.5]),
    least_run_s=st.sampled_from([0.0, 1000.0, 4000.0]),
    most_pauses=st.sampled_from([None, 1, 3]),
    earliest_s=st.floats(-1000, 5000),
    held=st.sampled_from([None, 0.2, 2.0]),
    early_s=st.sampled_from([77.7, 2000.0]),
    step_s=st.sampled_from([300.0, 900.0, 1800.0, 3600.0]),
)
def test_every_plan_keeps_the_rules(
    *, values, duration_s, restart_s, least_run_s, most_pauses, earliest_s, held, early_s, step_s
):
    """Any length, any now, any gaps: long enough, in time, on known hours, never dearer than one piece."""
    rate = hours([np.nan if value is None else value for value in values], step_s)
    held_rate = None if held is None else hours([held] * len(values), step_s)
    job = PlannedJob(
        it_energy_j=1e6, duration_s=duration_s, earliest_s=earliest_s, interruptible=True,
        deadline_s=len(values) * step_s - early_s, restart_s=restart_s, least_run_s=least_run_s,
        most_pauses=most_pauses,
    )  # fmt: skip
    told = stretches_of(rate, held_rate, job)
    piece = best_window(rate, duration_s, job.earliest_s, job.deadline_s)
    if not told:
        assert piece is None
        return
    pauses = len(told) - 1
    assert most_pauses is None or pauses <= most_pauses
    assert sum(one.duration_s for one in told) == pytest.approx(duration_s + pauses * restart_s, abs=1e-5)
    assert told[0].begin_s >= job.earliest_s - 1e-6 and told[-1].end_s <= job.deadline_s + 1e-6
    assert all(one.duration_s >= min(least_run_s, duration_s) - 1e-6 for one in told)
    assert all(later.begin_s > one.end_s for one, later in pairwise(told))
    cost = cost_of(told, rate, held_rate)
    assert np.isfinite(cost)
    assert piece is None or cost <= cost_of((piece,), rate, held_rate) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("step_s", "job", "cell_s", "exact"),
    [
        pytest.param(3600.0, JOB, 3600.0, True, id="all are hours"),
        pytest.param(3600.0, replace(JOB, restart_s=600.0), 600.0, True, id="ten minutes divide them"),
        pytest.param(1800.0, replace(JOB, duration_s=5000.123), 300.0, False, id="any length: five minutes"),
        pytest.param(420.0, replace(JOB, duration_s=5000.123), 210.0, False, id="half of an odd step"),
        pytest.param(60.0, JOB, 300.0, False, id="steps of a minute: their means"),
    ],
)
def test_the_cell_is_the_longest_that_divides_all(step_s, job, cell_s, exact):
    grid = grid_of(hours([1.0] * int(6 * HOUR_S / step_s), step_s), job)
    assert (grid.cell_s, grid.exact) == (cell_s, exact)


def test_a_year_of_five_minutes_gets_coarser_cells():
    year = hours(np.ones(12 * 8760), 300.0)
    job = replace(MAY_PAUSE, duration_s=336 * HOUR_S, deadline_s=8760 * HOUR_S)
    grid = grid_of(year, job)
    assert not grid.exact
    assert 8760 * HOUR_S / grid.cell_s * job.duration_s / grid.cell_s <= 20_000_000


def test_where_the_time_has_no_inner_edge_there_are_cells_yet():
    grid = grid_of(hours([1.0]), replace(JOB, duration_s=1234.5, earliest_s=100.0, deadline_s=3000.0))
    assert grid.edges_s[0] == 100.0 and grid.cell_s <= 300.0
