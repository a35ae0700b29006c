"""What must hold on real forecasts: 24 hours of running within 96, 181 issues, nine grids."""

from functools import cache

import numpy as np
import pytest

from wattermark.science.foresight.grid_forecast import forecast, past_forecasts
from wattermark.science.foresight.scores import error_by_day, mape
from wattermark.science.foresight.trial import trial

from .real import DAY_S, HOUR_S, WITHIN_S, ZONES, data, history, issues

SAVINGS = {  # oracle, static, planned anew; the last three issues have fewer that follow
    "AUS_QLD": (23.9, 23.0, 23.1),
    "BPAT": (13.3, 9.5, 10.0),
    "CISO": (29.2, 16.6, 26.4),
    "DE": (24.9, 20.2, 22.3),
    "ES": (22.5, 15.3, 16.8),
    "FPL": (6.5, 3.5, 4.1),
    "ISNE": (9.6, 3.0, 5.1),
    "NYISO": (9.8, 5.4, 5.9),
    "PL": (9.3, 6.9, 8.0),
}
PUBLISHED_MAPE = {
    **{"AUS_QLD": 5.25, "BPAT": 9.00, "CISO": 15.64, "DE": 12.39, "ES": 17.56},
    **{"FPL": 3.29, "ISNE": 8.95, "NYISO": 9.46, "PL": 4.24},
}


@cache
def tried(zone, interruptible=True):
    return trial(issues(zone), job_s=DAY_S, within_s=WITHIN_S, interruptible=interruptible)


@cache
def ours(zone):
    end_s = data()["begin_s"] + 184 * DAY_S
    return past_forecasts(history(zone), end_s, WITHIN_S, most_days=181)


def pooled(share, how="forward"):
    """The mean of a share over the plans that it is told of, in percent."""
    told = [getattr(tried(zone), how) for zone in ZONES]
    many = [one.worth * one.plans if share == "worth_worse" else one.plans for one in told]
    return 100 * np.average([getattr(one, share) or 0.0 for one in told], weights=many)


@pytest.mark.parametrize("zone", ZONES)
def test_the_published_savings_are_found_again(zone):
    found = tried(zone)
    assert found.jobs == 181
    savings = [100 * one.saving for one in (found.oracle, found.static, found.replanned)]
    assert savings == pytest.approx(SAVINGS[zone], abs=0.06)


def test_planning_anew_each_day_beats_the_plan_that_stays():
    """In every zone but at most one; here in all."""
    assert [zone for zone in ZONES if tried(zone).replanned.saving <= tried(zone).static.saving] == []


@pytest.mark.slow
def test_planning_anew_hardly_helps_a_job_of_one_piece():
    gains = [tried(zone, False).replanned.saving - tried(zone, False).static.saving for zone in ZONES]
    assert abs(np.mean(gains)) < 0.01


def test_the_band_holds_what_it_says():
    """Of what came, judged by what was known at the issue: 75 to 85 %."""
    assert 75 <= pooled("covered") <= 85


@pytest.mark.parametrize("how", ["halved", "crossed"])
def test_it_holds_by_other_ways_to_judge(how):
    assert 75 <= pooled("covered", how) <= 85
    assert pooled("worth_worse", how) <= 10


def test_of_plans_that_are_worth_waiting_few_end_worse():
    """At most a tenth; and two in five plans are called so, with two thirds of all that can be saved."""
    assert pooled("worth_worse") <= 10
    assert pooled("worth") >= 35
    kept = [tried(zone).forward.kept * tried(zone).static.saving for zone in ZONES]
    assert sum(kept) / sum(tried(zone).static.saving for zone in ZONES) >= 0.5


def test_where_a_fifth_of_all_plans_end_worse_it_says_so():
    spain = tried("ES")
    assert 0.15 <= spain.static.worse <= 0.22
    assert spain.forward.worth <= 0.35
    assert spain.forward.worth_worse <= 0.1


@pytest.mark.parametrize("zone", ZONES)
def test_the_published_forecast_is_as_good_as_was_published(zone):
    assert 100 * tried(zone).mape == pytest.approx(PUBLISHED_MAPE[zone], abs=0.02)


@pytest.mark.slow
def test_our_forecast_needs_no_weather_to_come_near_it():
    """96 h, the mean over zones: at most 10.1 %; the published one has 9.5 % in these nine zones."""
    errors = {zone: 100 * mape(ours(zone).actual, ours(zone).forecast) for zone in ZONES}
    assert np.mean(list(errors.values())) <= 10.1
    assert all(ours(zone).many >= 178 for zone in ZONES)  # three days where there is no past


@pytest.mark.slow
def test_no_issue_knows_what_comes_after_it():
    """A forecast stays what it was when all later hours become a hundred times as large."""
    hours = history("DE")
    now_s = data()["begin_s"] + 50 * DAY_S
    later = hours.edges_s[:-1] >= now_s
    other = type(hours)(hours.edges_s, np.where(later, hours.values * 100, hours.values))
    told, again = (forecast(one, now_s, WITHIN_S) for one in (hours, other))
    assert len(told.steps.values) == WITHIN_S / HOUR_S
    assert np.array_equal(told.steps.values, again.steps.values)
    assert told.error_by_day == again.error_by_day
    at = int(np.flatnonzero(ours("DE").issued_s == now_s)[0])
    assert error_by_day(ours("DE").actual[at:], ours("DE").forecast[at:], np.arange(97) * HOUR_S)[3] > 0
