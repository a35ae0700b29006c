"""What was saved, by the hours as they were."""

import pytest

from science.schedule.made import HOUR, KWH, job, rates
from wattermark.science.schedule.audit import claims_on, why_no_claim
from wattermark.values.audit import Spent
from wattermark.values.plan import Heard
from wattermark.values.series import Signal


def spent(*hours, paused=()):
    """One kWh in each of these hours, a tenth while it paused."""
    return [
        Spent(
            begin_s=h * HOUR,
            end_s=(h + 1) * HOUR,
            it_energy_j=KWH * (0.1 if h in paused else 1),
            paused=h in paused,
        )
        for h in hours
    ]


def claims(took, planned=None, places=(), **signals):
    home = rates("home", **signals)
    return {
        claim.quantity: claim
        for claim in claims_on(
            took,
            job(within=4, interruptible=True),
            ran=home,
            home=home,
            places=places or (home,),
            planned=planned or {},
        )
    }


def test_waiting_for_a_better_hour():
    carbon = claims(spent(2), {"carbon": 0.6}, carbon=[400, 300, 200, 100])["carbon"]
    assert (carbon.start_now, carbon.realised, carbon.oracle) == pytest.approx((400, 200, 100))
    assert (carbon.saving, carbon.planned_saving, carbon.oracle_saving) == pytest.approx((0.5, 0.6, 0.75))


def test_a_pause_costs_what_it_drew_and_a_start_at_once_would_not_have_had_it():
    carbon = claims(spent(0, 1, 2, paused=[1]), carbon=[400, 900, 100, 500])["carbon"]
    assert carbon.realised == pytest.approx(400 + 90 + 100)
    assert carbon.start_now == pytest.approx(400 + 900)
    assert carbon.oracle == pytest.approx(100 + 400)


@pytest.mark.parametrize(
    ("price", "saving"),
    [
        pytest.param([-10, 0, -20, 0], 1.0, id="more was earned"),
        pytest.param([-10, 0, 10, 0], -2.0, id="it was paid for where it would have been earned"),
        pytest.param([10, 0, -10, 0], 2.0, id="it was earned where it would have been paid for"),
    ],
)
def test_prices_below_zero(price, saving):
    found = claims(spent(2), carbon=[1, 1, 1, 1], price=price)["cost"]
    assert found.saving == pytest.approx(saving)
    assert (found.oracle_saving or 0) >= found.saving


def test_a_gap_leaves_it_open():
    carbon = claims(spent(1), carbon=[400, None, 200, 100])["carbon"]
    assert carbon.realised is None
    assert carbon.saving is None


def test_the_oracle_knows_all_places():
    away = rates("away", carbon=[1, 1, 1, 1])
    assert claims(spent(2), places=[away], carbon=[400, 300, 200, 100])["carbon"].oracle == pytest.approx(1)


def heard(**told):
    return Heard(
        **{
            "signal": Signal.CARBON,
            "place": "x",
            "source": "s",
            "basis": "",
            "begin_s": 0,
            "end_s": 4 * HOUR,
            **told,
        }
    )


@pytest.mark.parametrize(
    ("signals", "by", "says"),
    [
        pytest.param({"carbon": [4, 3, 2, 1]}, heard(), "", id="saved, and by all that is known"),
        pytest.param({"carbon": [1, 3, 2, 4]}, heard(), "", id="a loss is claimed as well"),
        pytest.param({"carbon": [4, 3, None, 1]}, heard(), "is not known", id="a gap"),
        pytest.param(
            {"carbon": [4, 3, 2, 1]}, heard(told=False, source="usual year"), "nobody told", id="usual hours"
        ),
        pytest.param({"carbon": [4, 3, 2, 1]}, heard(end_s=30 * HOUR), "forecasts", id="not over yet"),
        pytest.param(
            {"carbon": [4, 3, 2, 1], "carbon_marginal": [1, 2, 3, 4]},
            heard(),
            "disagree",
            id="opposite signs",
        ),
        pytest.param({"carbon": [4, 3, 2, 1], "carbon_marginal": [5, 2, 4, 4]}, heard(), "", id="both saved"),
    ],
)
def test_when_nothing_is_claimed(signals, by, says):
    found = why_no_claim(claims(spent(2), **signals).values(), [by], now_s=24 * HOUR)
    assert (says in found) if says else not found
