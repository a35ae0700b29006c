"""What a plan saves on paths that may come, and how a record of past plans moves what is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.foresight.chances import (
    Part,
    Record,
    energy_of,
    record_of,
    saving_of,
    spread_of,
    time_in,
    told,
)
from wattermark.science.foresight.errors import Errors, errors_of
from wattermark.values.plan import PlannedJob, Stretch

from .real import DAY_S, HOUR_S, steps

PLAIN = Record(low=-1.0, mid=0.0, high=1.0)
HOURS = st.lists(st.floats(1, 900), min_size=8, max_size=8)


def stretch(begin, end):
    return Stretch(begin_s=begin * HOUR_S, end_s=end * HOUR_S)


def errors(*relative, source="own"):
    rows = np.array(relative, np.float64)
    leads = np.arange(rows.shape[1] + 1) * HOUR_S
    return Errors(leads_s=leads, relative=rows, source=source, days=len(rows), variability=np.empty(0))


def of(forecast, plan, now, *relative, record=PLAIN):
    return spread_of(
        steps(forecast), [stretch(*plan)], [stretch(*now)],
        issued_s=0.0, errors=errors(*relative), record=record,
    )  # fmt: skip


def test_without_errors_the_saving_is_what_was_planned():
    saving = of([400, 400, 100, 100], (2, 4), (0, 2), [0, 0, 0, 0])
    assert saving.planned == pytest.approx(0.75)
    assert (saving.spread.p10, saving.spread.p50, saving.spread.p90) == pytest.approx((0.75,) * 3)
    assert saving.worse_chance == 0.0


def test_each_path_prices_both_ways_to_run():
    """The second hour comes at half, at the same and at three times of what was said."""
    saving = of([200, 100], (1, 2), (0, 1), [0, -0.5], [0, 0], [0, 2.0])
    assert saving.planned == pytest.approx(0.5)
    assert saving.spread.p50 == pytest.approx(0.5)
    assert saving.spread.p10 == pytest.approx(-0.3)
    assert saving.spread.p90 == pytest.approx(0.7)
    assert saving.worse_chance == pytest.approx(1.5 / 4)


def test_an_error_of_all_hours_changes_no_share():
    saving = of([200, 100], (1, 2), (0, 1), [0.5, 0.5], [-0.9, -0.9])
    assert saving.spread.p10 == pytest.approx(saving.spread.p90) == pytest.approx(0.5)


def test_to_start_now_saves_nothing_for_sure():
    saving = of([100, 200], (0, 1), (0, 1), [0.3, -0.3], [-0.5, 0.9])
    assert (saving.planned, saving.worse_chance) == (0.0, 0.0)
    assert (saving.spread.p10, saving.spread.p90) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("now", "plan", "planned"),
    [
        pytest.param([0.0], [50.0], 0.0, id="nothing can be saved of nothing"),
        pytest.param([-100.0], [-200.0], 1.0, id="below zero, and further below"),
        pytest.param([100.0], [-50.0], 1.5, id="the plan ends below zero"),
        pytest.param([-100.0], [100.0], -2.0, id="and the other way round"),
    ],
)
def test_shares_of_zero_and_less(now, plan, planned):
    assert of(now + plan, (1, 2), (0, 1), [0, 0]).planned == pytest.approx(planned)


def test_parts_add_up_and_what_is_fixed_too():
    """On-site and off-site water, and what moving the data takes."""
    flat = errors([0.0, 0.0])
    joules = np.array([0.0, 10.0]), np.array([10.0, 0.0])

    def part(values, energy_j):
        return Part(rate=steps(values), energy_j=energy_j, errors=flat, issued_s=0.0)

    saving = saving_of(
        "water",
        [part([3, 1], joules[0]), part([np.nan, 2], joules[0])],
        [part([3, 1], joules[1]), part([5, np.nan], joules[1])],
        plan_fixed=10.0, record=PLAIN,
    )  # fmt: skip
    assert saving.planned == pytest.approx(1 - (10 + 20 + 10) / (30 + 50))
    assert saving.quantity == "water"


def test_places_apart_do_not_err_together():
    """At one place errors cancel; between two they add up."""
    wide = errors(*([off, off] for off in np.linspace(-0.5, 0.5, 101)))

    def part(values, hour, apart):
        energy_j = np.eye(2)[hour]
        return Part(rate=steps(values), energy_j=energy_j, errors=wide, issued_s=0.0, apart=apart)

    def width(apart):
        saving = saving_of("carbon", [part([9, 50], 1, apart)], [part([100, 9], 0, 0)], record=PLAIN)
        return saving.spread.p90 - saving.spread.p10

    assert width(0) == pytest.approx(0.0, abs=1e-9)
    assert width(1) > 0.4
    assert width(2) > 0.4


def test_what_a_job_holds_while_it_pauses_is_drawn_too():
    job = PlannedJob(
        it_energy_j=7200.0 * 100, duration_s=7200.0, earliest_s=0, deadline_s=1e5, held_power_w=10.0
    )
    found = energy_of(job, [stretch(0.5, 1), stretch(3, 4.5)], steps([1] * 5))
    assert found == pytest.approx([180000, 36000, 36000, 360000, 180000])


@given(st.lists(st.floats(0, 10), min_size=2, max_size=8, unique=True))
def test_time_in_stretches_is_neither_lost_nor_made(edges):
    edges = sorted(edges)[: len(edges) // 2 * 2]
    pieces = [stretch(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    total = sum(one.duration_s for one in pieces)
    assert time_in(steps([1.0] * 10), pieces).sum() == pytest.approx(total, abs=1e-6)


@given(HOURS, st.lists(HOURS, min_size=1, max_size=30))
def test_percentiles_rise_and_chances_are_chances(forecast, came):
    past = errors_of(
        np.array(came), np.tile(forecast, (len(came), 1)), np.arange(9) * HOUR_S,
        issued_s=np.arange(len(came)) * DAY_S,
    )  # fmt: skip
    saving = spread_of(
        steps(forecast), [stretch(5, 8)], [stretch(0, 3)], issued_s=0.0, errors=past, record=PLAIN
    )
    assert saving.spread.p10 <= saving.spread.p50 <= saving.spread.p90
    assert 0 <= saving.worse_chance <= 1


# -- the record ------------------------------------------------------------------------

DRAWN = np.linspace(-1, 1, 201)  # P10 -0.8, P50 0, P90 0.8


def test_a_plan_like_its_paths_leaves_the_band_as_it_is_but_for_what_is_not_known():
    realised = np.linspace(-1, 1, 200)
    record = record_of([DRAWN] * 200, realised, days=1e6)
    assert (record.low, record.mid, record.high) == pytest.approx((-1, 0, 1), abs=0.02)
    assert record.plans == 200


def test_hours_that_were_chosen_turn_out_dearer():
    """The winner's curse: all of the past lies a third of a band below."""
    record = record_of([DRAWN] * 200, np.linspace(-1, 1, 200) - 0.4, days=1e6)
    saving = told("carbon", 0.1, DRAWN + 0.5, record)
    assert saving.spread.p50 == pytest.approx(0.5 - 0.4, abs=0.06)
    assert saving.spread.p10 == pytest.approx(0.5 - 0.8 - 0.4, abs=0.08)


@pytest.mark.parametrize(
    ("days", "at_least", "at_most"),
    [
        pytest.param(1e6, 0.99, 1.02, id="years of it"),
        pytest.param(180, 1.04, 1.12, id="half a year"),
        pytest.param(30, 1.2, 1.5, id="a month is the weather of a few weeks"),
        pytest.param(5, 1.4, 3.0, id="a week"),
    ],
)
def test_a_short_record_makes_a_wide_band(days, at_least, at_most):
    record = record_of([DRAWN] * 100, np.linspace(-1, 1, 100), days=days)
    assert at_least <= record.high - record.mid <= at_most


def test_an_old_record_is_trusted_less_to_a_limit():
    record = Record(low=-1.2, mid=-0.2, high=1.8)
    widths = [record.aged(days).high - record.aged(days).low for days in (0, 20, 45, 400)]
    assert widths[0] == pytest.approx(3.0)
    assert widths[0] < widths[1] < widths[2] == pytest.approx(widths[3])
    assert record.aged(20).mid == record.mid


def test_no_plans_of_ones_own_leave_the_usual():
    record = record_of([], [], days=0)
    assert record.plans == 0
    assert record.low < -1 < 1 < record.high
    assert record.chance(0.02) == 0.02


def test_what_looked_safe_and_was_not_is_remembered():
    """A hundred plans that looked as if none could end worse: eight did."""
    safe = DRAWN * 0.1 + 0.5
    realised = np.where(np.arange(100) < 8, -0.01, 0.5)
    record = record_of([safe] * 100, realised, days=1e6)
    assert max(record.chances) < 0.01
    assert record.chance(0.01) == pytest.approx((8 + 0.5) / 110)
    assert record.chance(0.9) == 0.9


def test_starting_now_is_no_plan_of_the_record():
    assert record_of([np.zeros(50)] * 30, np.zeros(30), days=30).plans == 0
