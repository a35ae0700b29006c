"""Data that move, devices that are held, and the front of all ways to run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.schedule.made import HOUR, job, rates
from wattermark.science.schedule.choice import choose, front_of
from wattermark.science.schedule.ways import site, way
from wattermark.science.schedule.weights import CARBON_ONLY, amount

AWAY = {"carbon": [10, 10, 10, 10]}


def test_data_take_time_energy_and_money_before_the_job_starts_elsewhere():
    home, away = (
        rates("home", carbon=[100] * 4, price=[0.5] * 4),
        rates("away", carbon=[10] * 4, price=[0.1] * 4),
    )
    moving = job(within=4, move_gb=450, move_kwh_per_gb=0.01, move_usd_per_gb=0.02)  # an hour at 1 Gbit/s
    found = way(site(away, home, moving), away.per_j["carbon_g"])
    assert found.begin_s == HOUR
    assert found.carbon_g == pytest.approx(10 + 4.5 * (100 + 10) / 2)
    assert found.cost_usd == pytest.approx(0.1 + 4.5 * 0.3 + 9)


@pytest.mark.parametrize(
    ("move_gb", "where"),
    [(0, "away"), (100, "away"), (1000, "home")],
    ids=["none", "few data", "data that cost more than they save"],
)
def test_moving_must_pay(move_gb, where):
    home, away = rates("home", carbon=[100] * 4), rates("away", **AWAY)
    moving = job(within=4, move_gb=move_gb, move_kwh_per_gb=0.01)
    assert choose([home, away], moving, CARBON_ONLY).best.place == where


def test_data_that_come_too_late_leave_a_place_out():
    home, away = rates("home", carbon=[100] * 4), rates("away", **AWAY)
    choice = choose([home, away], job(within=4, move_gb=2000), CARBON_ONLY)
    assert choice.best.place == "home"
    assert any("left-out: away" in flag for flag in choice.flags)


@pytest.mark.parametrize(
    ("held_power_w", "pieces"), [(0, 2), (900, 1)], ids=["a free pause", "a device that is held draws on"]
)
def test_pausing_must_pay(held_power_w, pieces):
    planned = job(hours=2, kwh=2, within=5, interruptible=True, held_power_w=held_power_w)
    best = choose([rates(carbon=[200, 100, 120, 90, 200])], planned, CARBON_ONLY).best
    assert len(best.stretches) == pieces


DRY = {"wue": [0] * 3, "water_hydro": [0] * 3}


def test_the_front_has_what_is_least_in_each_thing():
    known = [rates("a", carbon=[30, 20, 10], water_thermal=[1, 2, 3], **DRY)]
    planned = job(within=3)
    choice = choose(known, planned, CARBON_ONLY)
    ways, at = front_of(known, planned, choice)
    assert [round(one.carbon_g) for one in ways] == [10, 20, 30]
    assert 0 <= at < len(ways)


hours = st.lists(st.floats(1, 900), min_size=5, max_size=5)


@given(hours, hours, hours, st.booleans())
def test_no_way_of_the_front_beats_another(carbon, water, other, interruptible):
    more = {"wue": [0.1] * 5, "water_hydro": [0] * 5}
    known = [
        rates("a", carbon=carbon, water_thermal=water, **more),
        rates("b", carbon=other, water_thermal=carbon, **more),
    ]
    planned = job(hours=2, kwh=2, within=5, interruptible=interruptible)
    choice = choose(known, planned, CARBON_ONLY)
    ways, _ = front_of(known, planned, choice)
    points = [(one.carbon_g, amount(one, "water"), one.finish_s) for one in ways]
    for p in points:
        assert not any(all(a <= b for a, b in zip(q, p, strict=True)) and q != p for q in points)
    assert min(point[0] for point in points) <= choice.best.carbon_g * (1 + 1e-9)
