"""What a choice saves, how sure that is, and which way is worth it."""

import numpy as np
import pytest

from science.schedule.made import HOUR, job, outlook
from wattermark.science.foresight.chances import SHAPE_RECORD
from wattermark.science.foresight.errors import errors_of_spread
from wattermark.science.foresight.expected import AS_DRAWN, Doubt
from wattermark.science.schedule.choice import choose
from wattermark.science.schedule.rates import rates_of
from wattermark.science.schedule.verdict import Known, judged
from wattermark.science.schedule.weights import check_weights
from wattermark.values.series import Signal

HOURS = 24
DRY = {"wue": [1] * HOURS, "water_thermal": [1] * HOURS, "water_hydro": [0] * HOURS}


def hours_may_err(spread=0.4, record=SHAPE_RECORD, source="hours"):
    errors = errors_of_spread(spread, 0.3, HOURS * HOUR, source=source)
    return Doubt(errors=errors, record=record, issued_s=0.0)


def level_may_err(spread=0.5):
    errors = errors_of_spread(spread, 1 - 1e-9, HOURS * HOUR, source="level")
    return Doubt(errors=errors, record=AS_DRAWN, issued_s=0.0)


def plan(*places, weights=None, doubts=None, grids=("", "", ""), **told):
    """Of places by what they tell and their PUE."""
    outlooks = [outlook(str(i), pue, **signals) for i, (pue, signals) in enumerate(places)]
    doubts = doubts or {Signal.CARBON: hours_may_err()}
    known = [Known(rates_of(one), doubts, grid) for one, grid in zip(outlooks, grids, strict=False)]
    planned, weighed = job(**{"hours": 4, "within": HOURS, **told}), check_weights(weights or {"carbon": 1})
    choice = choose([one.rates for one in known], planned, weighed)
    return judged(planned, choice, known, outlooks, weights=weighed, made_s=0.0)


def test_the_pue_of_two_sites_may_be_off_and_that_of_one_says_nothing():
    flat = {"carbon": [300] * HOURS}
    outlooks = [outlook("0", 1.5, **flat), outlook("1", 1.2, **flat)]
    level = np.linspace(-0.1, 0.1, 21)
    doubts = {Signal.CARBON: hours_may_err()}
    known = [Known(rates_of(one), doubts, "DEU", level) for one in outlooks]
    planned, weighed = job(hours=4, within=HOURS), check_weights({"carbon": 1})
    choice = choose([one.rates for one in known], planned, weighed)
    found = judged(planned, choice, known, outlooks, weights=weighed, made_s=0.0).savings[0]
    drawn = 1 - 0.8 * np.repeat(1 + level, 21) / np.tile(1 + level, 21)
    wide = np.quantile(drawn, 0.9) - np.quantile(drawn, 0.1)
    assert found.spread.p90 - found.spread.p10 == pytest.approx(wide, rel=0.2)
    alone = judged(
        planned,
        choose([known[0].rates], planned, weighed),
        known[:1],
        outlooks[:1],
        weights=weighed,
        made_s=0.0,
    ).savings[0]
    assert alone.spread.p90 == pytest.approx(alone.spread.p10)


DIP = [300] * 10 + [290] * 4 + [300] * 10
"""Ten hours from now it is hardly better, and errors are larger than that."""


def test_places_of_one_grid_err_together():
    flat = {"carbon": [300] * HOURS}
    same = plan((1.5, flat), (1.2, flat), grids=("DEU", "DEU"))
    assert same.worth_it
    spread = same.savings[0].spread
    assert (spread.p10, spread.p90) == pytest.approx((0.2, 0.2))
    others = plan((1.5, flat), (1.2, flat), grids=("DEU", "FRA"))
    assert others.savings[0].spread.p90 - others.savings[0].spread.p10 > 0.1


def test_cooling_of_two_sites_on_one_grid_errs_by_itself():
    wet, dry = {"carbon": [300] * HOURS, **DRY}, {"carbon": [300] * HOURS, **DRY, "wue": [0.8] * HOURS}
    doubts = {Signal.WUE: level_may_err()}
    found = plan((1.2, wet), (1.2, dry), grids=("DEU", "DEU"), weights={"water": 1}, doubts=doubts)
    spread = found.savings[0].spread
    assert spread.p10 < found.savings[0].planned < spread.p90


def test_where_the_best_hours_are_not_sure_another_place_at_once_may_be():
    found = plan((1.5, {"carbon": DIP}), (1.2, {"carbon": DIP}), grids=("DEU", "DEU"))
    assert found.worth_it
    assert (found.best.place, found.best.begin_s) == ("1", 0.0)
    assert found.considered == found.best
    assert found.verdict.startswith("Worth a change of plans")


def test_at_one_place_the_best_is_looked_at_and_no_other():
    found = plan((1.5, {"carbon": DIP}))
    assert not found.worth_it
    assert found.considered.begin_s == 10 * HOUR
    assert found.best == found.now


def test_another_place_waits_for_its_data():
    told = {"move_gb": 3600 / 8, "move_gbit_per_s": 1.0}  # an hour on the way
    found = plan((1.5, {"carbon": DIP}), (1.2, {"carbon": DIP}), grids=("DEU", "DEU"), **told)
    assert found.best.place == "1"
    assert found.best.begin_s == HOUR


def test_water_is_as_sure_as_its_factors_say_whatever_plans_by_hours_came_to():
    """The record of carbon's hours says nothing of an interval of a year."""
    here, there = {"carbon": [300] * HOURS, **DRY}, {"carbon": [100] * HOURS, **DRY, "wue": [3] * HOURS}
    doubts = {Signal.CARBON: hours_may_err(), Signal.WUE: level_may_err()}
    found = plan((1.0, here), (1.0, there), grids=("DEU", "FRA"), doubts=doubts)
    (water,) = [one for one in found.savings if one.quantity == "water"]
    level = level_may_err().errors.relative[:, 0]
    drawn = 1 - (3 * (1 + np.repeat(level, 100)) + 1) / (1 + np.tile(level, 100) + 1)
    assert water.spread.p50 == pytest.approx(np.median(drawn), abs=0.15)
    assert water.spread.p10 == pytest.approx(np.quantile(drawn, 0.1), abs=0.4)
