"""Rows of requests: what they took together is what their runs took."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.served.build import COST, SMALL, Outcome, asked, events, schedules
from wattermark.science.served.bearers import RunShare, whole_requests, with_idle
from wattermark.science.served.bearers import joined as joined_machines
from wattermark.science.served.charge import charge
from wattermark.science.served.events import columns_of, one_after_another
from wattermark.science.served.rows import hours_of, idle_of, rows_of, total_of
from wattermark.science.sharing.pools import joined, pooled
from wattermark.science.sharing.windows import Shared
from wattermark.values.footprint import QUANTITIES
from wattermark.values.policy import ActiveIdle, Idle
from wattermark.values.range import Range

BEGAN_S = 7200.0
NAMES = ("a", "b", "c")


def requests(served, dynamic_j, active_idle_j=None, known=None, by="tenant"):
    """Each with its own energy, whatever was shared."""
    m = len(served)
    gap = np.zeros(m) if known is None else np.where(known, 0.0, np.nan)
    active_idle_j = np.zeros(m) if active_idle_j is None else np.array(active_idle_j, float)
    return whole(events(served, by=by), np.array(dynamic_j, float) + gap, active_idle_j + gap)


def whole(of, dynamic_j, active_idle_j, provisioned_idle_j=(0.0,), began_s=BEGAN_S):
    of = one_after_another([of], [began_s])
    join = joined(of.request, of.begin_s)
    ledgers = {"dynamic_j": dynamic_j, "active_idle_j": active_idle_j}
    shared = Shared(
        **ledgers,
        provisioned_idle_j=np.array(provisioned_idle_j),
        metered=np.ones(len(of)),
        again_j=np.zeros(len(of)),
    )
    shared = pooled([shared], [np.arange(len(of))], join)
    return whole_requests(of, join, dynamic_j=shared.dynamic_j, active_idle_j=shared.active_idle_j)


def run_of(of, idle_j=(0.0,), scale=2.0):
    """A run whose footprint has so many units of each quantity for a joule that was shared."""
    share = RunShare(
        quantities={}, requests=of, idle_s=np.full(len(idle_j), BEGAN_S), idle_j=np.array(idle_j)
    )
    whole = share.total_j * scale
    known = {name: Range(whole * 0.9, whole, whole * 1.2) for name in QUANTITIES}
    return replace(share, quantities={**known, "carbon_market_g": None})


@settings(deadline=None, max_examples=60)
@given(first=schedules(), second=schedules(), idle=st.sampled_from(Idle))
def test_rows_and_idle_capacity_add_up_to_the_footprints(first, second, idle):
    runs = []
    for edge_s, energy_j, of in (first, second):
        found = charge(
            edge_s,
            energy_j,
            columns_of(of),
            [COST, SMALL],
            idle_fraction=0.1,
            active_idle=ActiveIdle.WEIGHT,
        ).shared
        requests_of = whole(of, found.dynamic_j, found.active_idle_j, began_s=0.0)
        runs.append(with_idle(run_of(requests_of, found.provisioned_idle_j), idle))
    rows = rows_of(runs, NAMES, quality="measured", ledgers=True)
    apart = idle_of(runs, quality="measured")
    total = total_of(runs, quality="measured", ledgers=True)
    every = [*rows, *([apart] if apart else [])]
    for name in ("it_energy_j", "carbon_g", "water_l"):
        for end in range(3):
            summed = sum(value.ends[end] for row in every if (value := row.quantities[name]))
            in_all = sum(run.quantities[name].ends[end] for run in runs)
            assert summed == pytest.approx(in_all, rel=1e-9, abs=1e-9)
            if in_all:
                assert total.quantities[name].ends[end] == pytest.approx(in_all)
    assert sum(row.tally.requests for row in rows) == total.tally.requests == len(first[2]) + len(second[2])
    assert all(row.quantities["carbon_market_g"] is None for row in rows)


def test_idle_capacity_by_tokens_or_by_time():
    of = requests(
        [
            asked(0, 1, input_tokens=10, output_tokens=20, tenant="a"),
            asked(0, 3, output_tokens=10, tenant="b"),
        ],
        [100, 100],
    )
    run = run_of(of, [40.0, 80.0])
    assert with_idle(run, Idle.APART) is run
    assert with_idle(run, Idle.TOKENS).requests.given_idle_j.tolist() == pytest.approx([90, 30])
    assert with_idle(run, Idle.TIME).requests.given_idle_j.tolist() == pytest.approx([30, 90])
    assert idle_of([with_idle(run, Idle.TIME)], quality="measured") is None
    assert with_idle(run, Idle.TIME).total_j == pytest.approx(run.total_j)


def test_idle_capacity_stays_apart_where_nobody_told_tokens():
    run = run_of(requests([asked(0, 1), asked(0, 3)], [100, 100]), [50.0])
    assert with_idle(run, Idle.TOKENS) is run


def test_events_of_one_request_are_one():
    """Of a server that splits reading from writing, each pool tells what it knows."""
    of = requests(
        [
            asked(0, 1, input_tokens=500, output_tokens=1, request="r1", tenant="a"),
            asked(1, 9, input_tokens=500, output_tokens=80, request="r1", tenant="a"),
            asked(2, 3, input_tokens=7, output_tokens=7, tenant="a"),
        ],
        [30, 70, 5],
        [3, 7, 0],
    )
    (row,) = rows_of([run_of(of, scale=1.0)], ("a",), quality="measured", ledgers=True)
    assert (row.tally.requests, row.tally.input_tokens, row.tally.output_tokens) == (2, 507, 87)
    assert row.spread.p99_j == pytest.approx(110, rel=0.02)
    assert row.ledgers.dynamic_j == pytest.approx(105)


def test_each_way_to_end_has_a_row_of_its_own():
    of = requests(
        [
            asked(0, 1, output_tokens=5),
            asked(0, 1, outcome=Outcome.LEFT),
            asked(0, 1, outcome=Outcome.TIMEOUT),
        ],
        [10, 20, 30],
        by="model",
    )
    rows = rows_of([run_of(of)], ("m",), quality="measured", ledgers=True)
    assert [row.outcome for row in rows] == [Outcome.OK, Outcome.TIMEOUT, Outcome.LEFT]


def test_figures_for_tokens_leave_out_who_told_none():
    of = requests([asked(0, 1, input_tokens=10, output_tokens=40), asked(0, 1)], [100, 300], by="model")
    (row,) = rows_of([run_of(of, scale=1.0)], ("m",), quality="measured", ledgers=True)
    assert row.per["request"]["it_energy_j"].best == pytest.approx(200)
    assert row.per["1000 tokens"]["it_energy_j"].best == pytest.approx(100 / 50 * 1000)
    assert row.per["1000 output tokens"]["it_energy_j"].best == pytest.approx(100 / 40 * 1000)
    assert (row.tally.untold, row.tally.known) == (1, 2)


def test_what_is_not_known_is_none_and_never_zero():
    of = requests([asked(0, 1, output_tokens=4), asked(0, 1, output_tokens=4)], [0, 0], known=[False, False])
    (row,) = rows_of([run_of(of)], ("",), quality="measured", ledgers=True)
    assert row.quantities == dict.fromkeys(QUANTITIES)
    assert (row.per, row.spread, row.ledgers, row.quality) == ({}, None, None, "unknown")


def test_hours_hold_requests_by_their_beginning_and_idle_capacity_by_its_own_time():
    of = requests(
        [asked(10, 20, tenant="a"), asked(3590, 3700, tenant="b"), asked(3605, 3610, tenant="a")], [1, 2, 4]
    )
    run = replace(run_of(of), idle_s=np.array([BEGAN_S, BEGAN_S + 3600]), idle_j=np.array([8.0, 16.0]))
    assert [(hour.begin_s, dict(hour.by_row_j), hour.idle_j) for hour in hours_of([run], ("a", "b"))] == [
        (7200.0, {"a": 1.0, "b": 2.0}, 8.0),
        (10800.0, {"a": 4.0}, 16.0),
    ]


def test_hours_hold_requests_of_all_runs():
    runs = [run_of(requests([asked(10, 20, tenant="a")], [energy_j])) for energy_j in (1, 4)]
    (hour,) = hours_of(runs, ("a",))
    assert dict(hour.by_row_j) == {"a": 5.0}


def test_machines_of_one_run_are_joined():
    one = requests([asked(0, 1, output_tokens=4, tenant="a")], [10])
    both = joined_machines([one, one])
    assert len(both) == 2 and both.tokens["output_tokens"].tolist() == [4, 4]
