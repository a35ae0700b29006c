"""From weather to the water of cooling: tables of cases, and what must hold at any weather."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.wet_bulb import (
    CYCLES_WATERWISE,
    ceiling_l_per_kwh,
    cooling_share,
    hourly_wue_l_per_kwh,
    humidity_percent,
    tower_wue_l_per_kwh,
    wet_bulb_c,
)

NAN = np.nan


@pytest.mark.parametrize(
    ("air", "humidity", "wet"),
    [
        pytest.param(20, 50, 13.7, id="the paper's own example"),
        pytest.param(30, 100, 30.0, id="saturated: never above the air"),
        pytest.param(25, -3, NAN, id="no humidity"),
        pytest.param(25, 300, NAN, id="nor this"),
        pytest.param(25, 102, 25.0, id="a sensor that says a little over 100"),
        pytest.param(NAN, 50, NAN, id="not known"),
    ],
)
def test_the_wet_bulb(air, humidity, wet):
    assert float(wet_bulb_c(air, humidity)) == pytest.approx(wet, abs=0.06, nan_ok=True)


def test_air_that_is_drier_than_the_fit_goes_is_as_of_its_end():
    assert wet_bulb_c(25, 1) == wet_bulb_c(25, 5)


def saturation_hpa(temperature_c):
    """Goff and Gratch, as the WMO has it: another way to the same."""
    ratio = 373.16 / (temperature_c + 273.15)
    power = -7.90298 * (ratio - 1) + 5.02808 * np.log10(ratio)
    power += -1.3816e-7 * (10 ** (11.344 * (1 - 1 / ratio)) - 1)
    power += 8.1328e-3 * (10 ** (-3.49149 * (ratio - 1)) - 1)
    return 1013.246 * 10**power


def by_psychrometer(air_c, humidity):
    """The wet bulb at which a ventilated psychrometer shows that humidity, by halving."""
    low, high = -60.0, air_c
    for _ in range(60):
        wet = (low + high) / 2
        vapour = saturation_hpa(wet) - 6.53e-4 * (1 + 9.44e-4 * wet) * 1013.25 * (air_c - wet)
        low, high = (wet, high) if vapour < humidity / 100 * saturation_hpa(air_c) else (low, wet)
    return wet


@pytest.mark.parametrize("air", [0, 10, 20, 30, 40])
@pytest.mark.parametrize("humidity", [20, 40, 60, 80, 99])
def test_it_is_as_near_to_physics_as_its_paper_says(air, humidity):
    assert -1.0 < float(wet_bulb_c(air, humidity)) - by_psychrometer(air, humidity) < 0.75


@given(st.floats(0, 50), st.floats(20, 100), st.floats(0, 20))
def test_more_humid_is_never_cooler(air, humidity, more):
    assert wet_bulb_c(air, min(100.0, humidity + more)) >= wet_bulb_c(air, humidity) - 0.02
    assert wet_bulb_c(air, humidity) <= air


@pytest.mark.parametrize(
    ("air", "dew", "humidity"),
    [
        pytest.param(20, 20, 100.0, id="fog"),
        pytest.param(20, 9.27, 50.0, id="half"),
        pytest.param(35, 5, 15.5, id="dry"),
        pytest.param(10, 12, 100.0, id="a dew point above the air: two sensors"),
        pytest.param(NAN, 12, NAN, id="not known"),
    ],
)
def test_humidity_from_the_dew_point(air, dew, humidity):
    assert float(humidity_percent(air, dew)) == pytest.approx(humidity, abs=0.15, nan_ok=True)


@pytest.mark.parametrize(
    ("wet", "cycles", "wue"),
    [
        pytest.param(0, 6, 1.0, id="cool"),
        pytest.param(10, 6, 3.1, id="mild"),
        pytest.param(25, 6, 5.6, id="warm"),
        pytest.param(25, CYCLES_WATERWISE, 7.0, id="fewer cycles let out more"),
        pytest.param(-20, 6, 0.05, id="the cold takes little"),
        pytest.param(NAN, 6, NAN, id="not known"),
    ],
)
def test_the_polynomial_of_a_tower(wet, cycles, wue):
    assert float(tower_wue_l_per_kwh(wet, cycles)) == pytest.approx(wue, abs=0.06, nan_ok=True)


@pytest.mark.parametrize("cycles", [1.0, 0.0, -3.0, NAN])
def test_water_that_never_goes_round_is_refused(cycles):
    with pytest.raises(ValueError, match="above 1"):
        tower_wue_l_per_kwh(10, cycles)


def test_the_share_of_the_towers():
    assert cooling_share([-10, 5, 12.5, 20, 30, NAN]).tolist() == pytest.approx(
        [0, 0, 0.5, 1, 1, NAN], nan_ok=True
    )


def test_the_ceiling():
    assert ceiling_l_per_kwh() == pytest.approx(1.47, abs=0.001)
    assert ceiling_l_per_kwh(5.0) == pytest.approx(1.47 * 1.25, abs=0.001)
    assert ceiling_l_per_kwh(heat_per_it_energy=1.1) == pytest.approx(1.1 * 1.47, abs=0.001)


@pytest.mark.parametrize(
    ("shape", "yearly", "mean", "ceiling", "hours"),
    [
        pytest.param([0, 1, 2], 0.4, 1.0, None, [0, 0.4, 0.8], id="in proportion"),
        pytest.param([0, 1, 2], 0.4, 0.5, 1.47, [0, 0.8, 1.47], id="no more than evaporates"),
        pytest.param([0, 1, 2], 1.8, 1.0, 1.47, [0, 1.8, 1.8], id="unless all the year does"),
        pytest.param([0, 0, NAN], 0.4, 0.0, None, [0.4, 0.4, NAN], id="never warm: all hours alike"),
        pytest.param([NAN, 1], 0.4, 1.0, None, [NAN, 0.4], id="an hour without weather is a gap"),
    ],
)
def test_hours_of_a_year(shape, yearly, mean, ceiling, hours):
    found = hourly_wue_l_per_kwh(shape, yearly, mean, ceiling)
    assert found.tolist() == pytest.approx(hours, nan_ok=True)


@given(st.lists(st.floats(-20, 35), min_size=1, max_size=50), st.floats(0.01, 2))
def test_over_the_year_it_is_what_the_site_tells(wet_bulbs, yearly):
    shape = cooling_share(wet_bulbs)
    assert hourly_wue_l_per_kwh(shape, yearly, shape.mean()).mean() == pytest.approx(yearly)
