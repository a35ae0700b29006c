"""Worth waiting or not, and the sentence that says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.foresight.verdict import is_worth, verdict
from wattermark.values.plan import Saving, Spread


def saving(p10, p50, p90, worse=0.05, *, planned=None, quantity="carbon"):
    spread = Spread(p10 / 100, p50 / 100, p90 / 100)
    promised = p50 if planned is None else planned
    return Saving(quantity=quantity, planned=promised / 100, spread=spread, worse_chance=worse)


@pytest.mark.parametrize(
    ("told", "least", "worth", "says"),
    [
        pytest.param(
            saving(12, 23, 31, 0.03), None, True,
            "Worth waiting: it ends 14 h later and saves 23 % of the carbon (P10 to P90: 12 % to 31 %); "
            "3 of 100 such plans end worse than starting now.",
            id="sure",
        ),
        pytest.param(
            saving(-6, 2, 9, 0.27, planned=4), None, False,
            "Not worth waiting: the forecast promises 4 % of the carbon, which is not sure "
            "(P10 to P90: -6 % to 9 %); 27 of 100 such plans end worse than starting now.",
            id="a fourth of them would end worse",
        ),
        pytest.param(
            saving(0.1, 0.3, 0.5, 0.02), None, False,
            "Not worth waiting: the forecast promises 0.3 % of the carbon, hardly more than nothing "
            "(P10 to P90: 0.1 % to 0.5 %).",
            id="sure, and next to nothing",
        ),
        pytest.param(
            saving(-4, 0.2, 7, 0.45, planned=5), None, False,
            "Not worth waiting: the forecast promises 5 % of the carbon, which such forecasts hardly keep "
            "(P10 to P90: -4 % to 7 %); 45 of 100 such plans end worse than starting now.",
            id="a promise that is never kept",
        ),
        pytest.param(
            saving(3, 8, 12), 0.05, False,
            "Not worth waiting: the forecast promises 8 % of the carbon, but 5 % was asked for "
            "and is not sure (P10 to P90: 3 % to 12 %).",
            id="less than was asked for",
        ),
        pytest.param(
            saving(5.5, 8, 12), 0.05, True,
            "Worth waiting: it ends 14 h later and saves 8 % of the carbon (P10 to P90: 5.5 % to 12 %); "
            "5 of 100 such plans end worse than starting now.",
            id="more than was asked for",
        ),
        pytest.param(
            saving(0, 0, 0, 0.0), None, False,
            "Not worth waiting: by the forecast no other hours save carbon.",
            id="all hours alike",
        ),
        pytest.param(
            saving(6, 9, 12, 0.2), None, False,
            "Not worth waiting: the forecast promises 9 % of the carbon, which is not sure "
            "(P10 to P90: 6 % to 12 %); 20 of 100 such plans end worse than starting now.",
            id="past plans that looked as safe were not",
        ),
    ],
)  # fmt: skip
def test_the_verdict(told, least, worth, says):
    found = verdict([told], waits_s=14 * 3600, least_saving=least)
    assert found.worth_it is worth
    assert found.sentence == says


@pytest.mark.parametrize(
    ("waits_s", "says"),
    [
        pytest.param(0, "Worth a change of plans: it saves 20 %", id="as early as now, elsewhere"),
        pytest.param(1800, "it ends 30 min later", id="minutes"),
        pytest.param(9000, "it ends 2.5 h later", id="hours"),
        pytest.param(200000, "it ends 56 h later", id="days"),
    ],
)
def test_how_much_later_is_told_as_people_say_it(waits_s, says):
    assert says in verdict([saving(10, 20, 30)], waits_s=waits_s).sentence


def test_what_goes_the_other_way_is_told():
    water, cost = saving(-20, -12, -3, 0.98, quantity="water"), saving(1, 3, 5, quantity="cost")
    found = verdict([saving(10, 20, 30), water, cost], waits_s=3600)
    assert found.worth_it
    assert found.sentence.endswith("It takes 12 % more water.")


def test_where_nobody_knows_how_forecasts_err_nothing_is_worth_it():
    unknown = Saving(quantity="carbon", planned=0.3, spread=None, worse_chance=None)
    found = verdict([unknown], waits_s=3600)
    assert not found.worth_it
    assert found.sentence.endswith("and nobody knows how such forecasts err.")


def test_a_verdict_needs_something_to_judge():
    with pytest.raises(ValueError, match="needs a saving"):
        verdict([], waits_s=0)


@given(st.floats(-50, 50), st.floats(0, 50), st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3))
def test_who_asks_for_more_is_told_to_wait_no_more_often(p10, wide, worse, least, more):
    one = saving(p10, p10 + wide, p10 + 2 * wide, worse)
    assert is_worth(one, least) or not is_worth(one, least + more)
