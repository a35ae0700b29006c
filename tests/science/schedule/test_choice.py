"""From places and hours to a way to run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.schedule.made import HOUR, job, rates
from wattermark.errors import NoPlan, UsageError
from wattermark.science.schedule.choice import choose
from wattermark.science.schedule.weights import CARBON_ONLY, check_weights, score_of

WATER = {"wue": [0] * 4, "water_hydro": [0] * 4}


@pytest.mark.parametrize(
    ("places", "told", "weights", "where", "when"),
    [
        pytest.param([{"carbon": [3, 1, 2, 4]}], {}, {"carbon": 1}, "0", [1], id="the best hour"),
        pytest.param([{"carbon": [2, 2, 2, 2]}], {}, {"carbon": 1}, "0", [0], id="of equals, now"),
        pytest.param(
            [{"carbon": [3, 2, 2, 4]}, {"carbon": [3, 1, 3, 3]}],
            {},
            {"carbon": 1},
            "1",
            [1],
            id="another place",
        ),
        pytest.param(
            [{"carbon": [1, 1]}, {"carbon": [1, 1]}], {}, {"carbon": 1}, "0", [0], id="of equal places, home"
        ),
        pytest.param(
            [{"carbon": [5, 1, 5, 2]}],
            {"hours": 2, "interruptible": True},
            {"carbon": 1},
            "0",
            [1, 3],
            id="in two pieces",
        ),
        pytest.param([{"carbon": [3, 3, None, 1]}], {}, {"carbon": 1}, "0", [3], id="behind a gap"),
        pytest.param([{"carbon": [3, None, None, 3]}], {}, {"carbon": 1}, "0", [0], id="a gap is never best"),
        pytest.param(
            [{"carbon": [2, 1, 2, 2], "water_thermal": [1, 9, 1, 1], **WATER}],
            {},
            {"carbon": 1, "water": 1},
            "0",
            [0],
            id="water outweighs a little carbon",
        ),
        pytest.param(
            [{"carbon": [2, 1, 2, 2], "water_thermal": [1, 9, 1, 1], **WATER}],
            {},
            {"carbon": 1},
            "0",
            [1],
            id="unless nobody asks for it",
        ),
        pytest.param([{"carbon": [0, 1, 2, 0]}], {}, {"carbon": 1}, "0", [0], id="nothing is less than none"),
        pytest.param(
            [{"carbon": [1, 1, 1], "price": [-10, 5, -20]}],
            {},
            {"cost": 1},
            "0",
            [2],
            id="now one is paid for it, and later more",
        ),
        pytest.param(
            [{"carbon": [1, 1, 1], "price": [-10, 5, -1]}],
            {},
            {"cost": 1},
            "0",
            [0],
            id="now one is paid most",
        ),
        pytest.param(
            [{"carbon": [4, 1, 4], "price": [-10, -10, 5]}],
            {},
            {"carbon": 1, "cost": 1},
            "0",
            [1],
            id="paid for it, and cleaner",
        ),
        pytest.param(
            [{"carbon": [2, 2], "price": [1, 1]}, {"carbon": [1, 1]}],
            {},
            {"carbon": 1, "cost": 1},
            "0",
            [0],
            id="a place without a price is left out",
        ),
    ],
)
def test_where_and_when(places, told, weights, where, when):
    known = [rates(str(i), **signals) for i, signals in enumerate(places)]
    best = choose(known, job(within=len(places[0]["carbon"]), **told), check_weights(weights)).best
    assert best.place == where
    assert [stretch.begin_s / HOUR for stretch in best.stretches] == when


def test_what_is_beyond_the_horizon_is_told_and_not_guessed():
    choice = choose([rates(carbon=[3, 2])], job(within=10), CARBON_ONLY)
    assert choice.best.begin_s == HOUR
    assert "nothing is known of the last 8 h" in choice.flags[0]


def test_who_is_left_out_is_told():
    choice = choose([rates("a", carbon=[3, 2]), rates("b", carbon=[None, None])], job(within=2), CARBON_ONLY)
    assert any("left-out: b" in flag for flag in choice.flags)


@pytest.mark.parametrize(
    ("signals", "weights", "says"),
    [
        pytest.param({"carbon": [None, 1]}, {"carbon": 1}, "start now", id="now is not known"),
        pytest.param({"carbon": [1, 1]}, {"water": 1}, "water of starting now", id="nobody tells the water"),
        pytest.param(
            {"carbon": [1, 1], "price": [0, 1]}, {"carbon": 1, "cost": 1}, "zero", id="of two, one is nothing"
        ),
    ],
)
def test_without_a_now_there_is_no_plan(signals, weights, says):
    with pytest.raises(NoPlan, match=says):
        choose([rates(**signals)], job(within=2), check_weights(weights))


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        pytest.param({"carbn": 1}, "Did you mean carbon", id="a slip"),
        pytest.param({"carbon": -1}, "0 and above", id="below zero"),
        pytest.param({"carbon": math.nan}, "0 and above", id="no number"),
        pytest.param({"carbon": 0, "water": 0}, "all weights are zero", id="nothing weighed"),
        pytest.param({}, "all weights are zero", id="none"),
        pytest.param({"water": 1, "water-thermal": 1}, "holds the other", id="water twice"),
    ],
)
def test_weights_that_cannot_be_meant(weights, says):
    with pytest.raises(UsageError, match=says):
        check_weights(weights)


@given(
    st.lists(st.lists(st.floats(1, 1000) | st.none(), min_size=6, max_size=6), min_size=1, max_size=3),
    st.integers(1, 3),
    st.booleans(),
)
def test_the_best_is_never_worse_than_now(hours, length, interruptible):
    """And it runs as long as the job, before its deadline, and in no gap."""
    hours[0][:length] = [500.0] * length
    planned = job(hours=length, within=6, interruptible=interruptible)
    choice = choose([rates(str(i), carbon=one) for i, one in enumerate(hours)], planned, CARBON_ONLY)
    best = choice.best
    assert score_of(best, choice.now, CARBON_ONLY) <= 1 + 1e-9
    assert sum(one.duration_s for one in best.stretches) == pytest.approx(planned.duration_s)
    assert planned.earliest_s <= best.begin_s < best.finish_s <= planned.deadline_s
