"""Windows charged to requests: everything that the meter saw, once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.served.build import COST, SMALL, Outcome, Route, asked, events, schedules
from wattermark.science.served.charge import charge
from wattermark.science.served.events import columns_of
from wattermark.science.sharing.impute import impute
from wattermark.values.policy import ActiveIdle

TEN = np.arange(11.0)


def charged(edge_s, energy_j, of, active_idle=ActiveIdle.WEIGHT):
    return charge(edge_s, energy_j, columns_of(of), [COST, SMALL], idle_fraction=0.1, active_idle=active_idle)


def total_j(found):
    ledgers = found.shared.dynamic_j, found.shared.active_idle_j, found.shared.provisioned_idle_j
    return sum(map(np.nansum, ledgers))


@settings(deadline=None, max_examples=300)
@given(schedule=schedules(), active_idle=st.sampled_from(ActiveIdle))
def test_all_that_the_meter_saw_is_charged_once(schedule, active_idle):
    edge_s, energy_j, of = schedule
    found = charged(edge_s, energy_j, of, active_idle)
    assert total_j(found) == pytest.approx(energy_j.sum(), rel=1e-9, abs=1e-9)
    for ledger in (found.shared.dynamic_j, found.shared.active_idle_j, found.shared.provisioned_idle_j):
        assert not (ledger < -1e-9).any()


def test_who_told_that_it_had_no_tokens_breaks_no_sum():
    """It weighs nothing by the work, and something by the time that it ran."""
    of = events([asked(0, 3, input_tokens=0, output_tokens=0), asked(5, 8, input_tokens=9, output_tokens=9)])
    found = charged(TEN, np.full(10, 100.0), of, ActiveIdle.EQUAL)
    assert total_j(found) == pytest.approx(1000)


@settings(deadline=None, max_examples=100)
@given(schedule=schedules())
def test_what_no_model_saw_bears_nothing(schedule):
    edge_s, energy_j, of = schedule
    found = charged(edge_s, energy_j, of)
    assert not np.nan_to_num(found.shared.request_j)[~of.worked].any()


def test_requests_alike_bear_alike():
    of = events([asked(2, 6, input_tokens=100, output_tokens=50) for _ in range(3)])
    found = charged(TEN, np.where((TEN[:-1] >= 2) & (TEN[:-1] < 6), 400.0, 100.0), of)
    assert found.shared.dynamic_j.tolist() == pytest.approx([400, 400, 400])


def test_rest_while_somebody_runs_by_weight_or_each_alike():
    of = events(
        [
            asked(4, 8, input_tokens=1000, output_tokens=400, first_s=4.5),
            asked(4, 8, input_tokens=10, output_tokens=4, first_s=4.5),
        ]
    )
    energy_j = np.where((TEN[:-1] >= 4) & (TEN[:-1] < 8), 500.0, 100.0)
    by_weight = charged(TEN, energy_j, of)
    equal = charged(TEN, energy_j, of, ActiveIdle.EQUAL)
    assert by_weight.shared.active_idle_j.sum() == pytest.approx(400)
    assert by_weight.shared.active_idle_j[0] > 5 * by_weight.shared.active_idle_j[1]
    assert equal.shared.active_idle_j.tolist() == pytest.approx([200, 200])
    assert equal.shared.dynamic_j.tolist() == pytest.approx(by_weight.shared.dynamic_j.tolist())


def test_capacity_that_nobody_used_is_in_the_open():
    of = events([asked(2, 5, input_tokens=10, output_tokens=10)])
    found = charged(TEN, np.where((TEN[:-1] >= 2) & (TEN[:-1] < 5), 400.0, 100.0), of)
    assert found.shared.provisioned_idle_j.tolist() == pytest.approx(
        [100, 100, 0, 0, 0, 100, 100, 100, 100, 100]
    )
    assert (found.idle.power_w, found.idle.measured) == (pytest.approx(100), True)
    assert found.shared.active_idle_j.sum() == pytest.approx(300)


@pytest.mark.parametrize(
    ("more", "read", "written"),
    [
        pytest.param({"input_tokens": 30, "output_tokens": 7, "cached_tokens": 10}, 20, 7, id="told"),
        pytest.param({"output_tokens": 7}, 100, 7, id="the input of the others"),
        pytest.param({"input_tokens": 30}, 30, 40, id="at the pace of the others"),
        pytest.param({"input_tokens": 30, "chunks": 12}, 30, 12, id="by the pieces of the answer"),
        pytest.param({"outcome": Outcome.LEFT}, 40, 40, id="who left is charged for the time"),
        pytest.param({"outcome": Outcome.REFUSED}, 0, 0, id="refused"),
        pytest.param({"outcome": Outcome.UNREACHED}, 0, 0, id="unreached"),
        pytest.param(
            {"input_tokens": 30, "route": Route.EMBEDDINGS}, 30, 0, id="an embedding writes nothing"
        ),
        pytest.param(
            {"input_tokens": 5, "output_tokens": 1, "cached_tokens": 9}, 0, 1, id="more cached than read"
        ),
        pytest.param({"model": "strange"}, 40, 40, id="a model that never told"),
    ],
)
def test_what_was_not_told_is_as_of_the_others(more, read, written):
    """Another one of the model read 100 tokens, and wrote 20 a second."""
    of = events([asked(0, 5, input_tokens=100, output_tokens=100), asked(1, 3, **more)])
    found = impute(columns_of(of)).requests
    assert (found.read_tokens[1], found.written_tokens[1]) == (pytest.approx(read), pytest.approx(written))


def test_requests_that_told_nothing_at_all_share_by_the_time_that_they_ran():
    of = events([asked(2, 4), asked(2, 6)])
    found = charged(TEN, np.where((TEN[:-1] >= 2) & (TEN[:-1] < 6), 400.0, 100.0), of)
    assert found.shared.dynamic_j.tolist() == pytest.approx([300, 900], rel=1e-4)
