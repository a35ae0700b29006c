"""What a joule costs at each hour, and what a way to run comes to."""

import pytest

from science.schedule.made import HOUR, KWH, job, rates
from wattermark.science.schedule.rates import option_of
from wattermark.values.plan import Stretch


def run(*hours):
    return [Stretch(begin_s=begin * HOUR, end_s=end * HOUR) for begin, end in hours]


@pytest.mark.parametrize(
    ("told", "hours", "expected"),
    [
        pytest.param({"carbon": [100, 300]}, (0, 1), {"carbon_g": 100}, id="one hour"),
        pytest.param({"carbon": [100, 300]}, (0.5, 1.5), {"carbon_g": 200}, id="half of two"),
        pytest.param({"carbon": [100], "pue": 1.5}, (0, 1), {"carbon_g": 150}, id="the PUE once"),
        pytest.param(
            {"carbon": [1], "wue": [2], "water_thermal": [3], "water_hydro": [5], "pue": 2.0},
            (0, 1),
            {"water_onsite_l": 2, "water_offsite_thermal_l": 6, "water_offsite_hydro_l": 10},
            id="WUE on IT energy, the grid's water on the facility's",
        ),
        pytest.param({"carbon": [1], "price": [0.2], "pue": 1.5}, (0, 1), {"cost_usd": 0.3}, id="money"),
        pytest.param(
            {"carbon": [1, 1], "water_thermal": [3, None]},
            (1, 2),
            {"carbon_g": 1, "water_offsite_thermal_l": None, "cost_usd": None},
            id="a gap in what it meets, and what nobody tells, are not known",
        ),
        pytest.param({"carbon": [-20]}, (0, 1), {"carbon_g": -20}, id="a negative rate is one"),
    ],
)
def test_an_hour_of_one_kilowatt(told, hours, expected):
    option = option_of(rates(**told), job(hours=1, kwh=1), run(hours))
    assert {name: getattr(option, name) for name in expected} == pytest.approx(expected)


def test_a_gap_in_the_intensity_is_no_time_to_run():
    with pytest.raises(ValueError, match="not known"):
        option_of(rates(carbon=[1, None]), job(), run((1, 2)))


def test_what_one_signal_does_not_reach_is_not_known():
    """The price ends an hour before the carbon does: its last value does not go on."""
    known = rates(carbon=[1, 1, 1], price=[0.2, 0.1])
    costs = [option_of(known, job(), run((hour, hour + 1))).cost_usd for hour in range(3)]
    assert costs == [pytest.approx(0.2), pytest.approx(0.1), None]


def test_pausing_on_a_held_device_costs_its_idle_power():
    held = job(hours=2, kwh=2, held_power_w=100.0)
    option = option_of(rates(carbon=[100, 1000, 100]), held, run((0, 1), (2, 3)))
    assert option.carbon_g == pytest.approx(100 + 100 + 0.1 * 1000)
    assert option.facility_energy_j == pytest.approx(2.1 * KWH)
    assert option.pauses == 1


def test_a_place_without_an_intensity_has_no_rates():
    with pytest.raises(KeyError):
        rates(price=[1])
