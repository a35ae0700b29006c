"""Load, wind and sun are foretold; the plants that answer to the rest follow it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattermark.errors import NoPlan
from wattermark.science.mix_ahead import continued
from wattermark.values.mix import Fuel, Mix

DAYS, AHEAD = 14, 48
HOURS = 24 * DAYS
CLOCK = np.arange(HOURS + AHEAD)
DAILY = 10.0 * np.sin(2 * np.pi * CLOCK / 24)
WIND = 30.0 + 20.0 * np.sin(2 * np.pi * CLOCK / 61)
LOAD = 200.0 + 3 * DAILY


def mix(first, last, load=LOAD, step=1, **power):
    at = slice(first, last)
    return Mix(
        place="X", source="told", edges_s=tuple(3600.0 * i for i in range(first, last + 1)),
        power_mw={Fuel(name): told(values[at]) for name, values in power.items()},
        load_mw=() if load is None else told(load[at]), forecast_from_s=3600.0 * first if first else None,
    )  # fmt: skip


def told(values):
    return tuple(None if one is None or np.isnan(one) else float(one) for one in values)


def foretold(ahead=("wind",), load=LOAD, **power):
    was = mix(0, HOURS, load, **power)
    return continued(was, mix(HOURS, HOURS + AHEAD, load, **{name: power[name] for name in ahead}))


def of(found, fuel):
    return np.array([np.nan if one is None else one for one in found.power_mw[fuel]])


@pytest.mark.parametrize(
    ("gas", "within"),
    [
        pytest.param(LOAD - WIND, 1e-6, id="all of the rest"),
        pytest.param(0.3 * (LOAD - WIND) + 7.0, 1e-6, id="a part of the rest"),
        pytest.param(50.0 + DAILY, 1e-6, id="its own hours, whatever the rest"),
        pytest.param(0.5 * (LOAD - WIND) + DAILY, 1e-6, id="both"),
        pytest.param(np.full(HOURS + AHEAD, 40.0), 1e-6, id="always the same"),
    ],
)
def test_a_plant_that_follows_is_foretold(gas, within):
    found = foretold(wind=WIND, gas=gas)
    assert of(found, Fuel.GAS) == pytest.approx(gas[HOURS:], abs=within)
    assert of(found, Fuel.WIND) == pytest.approx(WIND[HOURS:])


def test_what_was_off_in_the_last_day_fades():
    """A plant that fell out yesterday is out today, and not for ever."""
    gas = np.full(HOURS + AHEAD, 100.0)
    gas[HOURS - 24 : HOURS] = 0.0
    found = of(foretold(wind=np.full_like(WIND, 30.0), gas=gas), Fuel.GAS)
    usual = 100.0 * 6 / 7
    assert found[[0, 24]] == pytest.approx([0.0, usual * 0.2], abs=1e-6)
    assert (np.diff(found) > 0).all() and found[-1] < usual


def test_no_plant_takes_but_imports_may():
    falls = np.where(CLOCK < HOURS, 1.0, 0.0) * (LOAD - WIND) - 150.0
    plants = foretold(wind=WIND, gas=np.maximum(falls, 0.0), imports=falls)
    assert of(plants, Fuel.GAS).min() >= 0.0
    assert of(plants, Fuel.IMPORTS).min() < 0.0


def test_storage_is_left_out_and_the_rest_is_told():
    found = foretold(wind=WIND, gas=LOAD - WIND, storage=DAILY)
    assert set(found.power_mw) == {Fuel.WIND, Fuel.GAS}
    assert found.forecast_from_s == 3600.0 * HOURS
    assert found.load_mw == told(LOAD[HOURS:])
    assert any(flag.startswith("regressed: plants by residual load, on 14 days") for flag in found.flags)


def test_what_weather_makes_and_nobody_foretells_follows_its_hours():
    sun = np.maximum(DAILY, 0.0)
    found = foretold(("wind",), wind=WIND, solar=sun, gas=LOAD - WIND - sun)
    assert of(found, Fuel.SOLAR) == pytest.approx(sun[HOURS:])
    assert of(found, Fuel.GAS) == pytest.approx((LOAD - WIND - sun)[HOURS:], abs=1e-6)


def test_without_a_load_plants_follow_the_weather_alone():
    found = foretold(load=None, wind=WIND, gas=100.0 - 0.5 * WIND)
    assert of(found, Fuel.GAS) == pytest.approx(100.0 - 0.5 * WIND[HOURS:], abs=1e-6)


def test_a_gap_in_what_is_foretold_is_a_gap_in_what_follows():
    load = LOAD.copy()
    load[HOURS + 3] = np.nan
    found = of(foretold(wind=WIND, gas=LOAD - WIND, load=load), Fuel.GAS)
    assert np.isnan(found[3]) and np.isfinite(np.delete(found, 3)).all()


def test_gaps_in_what_was_are_not_filled_with_nothing():
    gas = LOAD - WIND
    holes = gas.copy()
    holes[5:HOURS:17] = np.nan
    assert of(foretold(wind=WIND, gas=holes), Fuel.GAS) == pytest.approx(gas[HOURS:], abs=1.0)


def test_a_fuel_that_was_never_told_is_not_made_up():
    assert set(foretold(wind=WIND, gas=LOAD - WIND, coal=np.full_like(LOAD, np.nan)).power_mw) == {
        Fuel.WIND, Fuel.GAS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("was", "ahead", "says"),
    [
        pytest.param(
            mix(0, 6 * 24, wind=WIND),
            mix(144, 150, wind=WIND),
            "6.0 days of plants are too few",
            id="six days",
        ),
        pytest.param(
            mix(0, HOURS, None, wind=WIND), mix(HOURS, HOURS + 1, wind=WIND), "future alone", id="no load was"
        ),
        pytest.param(
            mix(0, HOURS, wind=WIND),
            mix(HOURS, HOURS + 1, None, wind=WIND),
            "future alone",
            id="no load will be",
        ),
    ],
)
def test_what_cannot_be_continued_is_refused(was, ahead, says):
    with pytest.raises(NoPlan, match=says):
        continued(was, ahead)


@settings(max_examples=30)
@given(st.floats(0.1, 50.0), st.integers(0, 2**31))
def test_more_of_all_is_more_of_all(scale, seed):
    noise = np.abs(np.sin(seed + CLOCK**1.5)) * 20
    one = of(foretold(wind=WIND, gas=noise + LOAD - WIND), Fuel.GAS)
    more = of(foretold(wind=scale * WIND, gas=scale * (noise + LOAD - WIND), load=scale * LOAD), Fuel.GAS)
    assert more == pytest.approx(scale * one, rel=1e-6, abs=1e-6)
