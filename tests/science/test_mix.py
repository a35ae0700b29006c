"""A generation mix becomes carbon and water: a mean of the plants that ran, what is in none is told."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.mix import generated_mw, per_kwh, series_of_mix, shares
from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import Signal

FACTORS = {Fuel.COAL: 820.0, Fuel.GAS: 490.0, Fuel.WIND: 11.0, Fuel.HYDRO: 24.0}


def mix(load=(), flags=(), **power):
    steps = len(next(iter(power.values())))
    return Mix(
        place="X", source="told", edges_s=tuple(3600.0 * i for i in range(steps + 1)),
        power_mw={Fuel(name.replace("_", "-")): tuple(values) for name, values in power.items()},
        load_mw=tuple(load), flags=tuple(flags),
    )  # fmt: skip


def values(told):
    return [None if math.isnan(value) else value for value in told.values]


# -- what a kWh costs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        pytest.param({"coal": [5.0]}, [820.0], id="one fuel has that fuel's factor"),
        pytest.param({"coal": [1.0], "wind": [3.0]}, [(820 + 33) / 4], id="a mean by power"),
        pytest.param({"coal": [1.0, 0.0], "wind": [0.0, 1.0]}, [820.0, 11.0], id="each step for itself"),
        pytest.param({"coal": [0.0], "wind": [0.0]}, [None], id="nothing made: nothing said"),
        pytest.param({"coal": [None], "wind": [None]}, [None], id="nothing told"),
        pytest.param({"other": [5.0]}, [None], id="only what has no factor"),
        pytest.param({"storage": [5.0]}, [None], id="storage makes nothing"),
        pytest.param({"coal": [1.0], "storage": [9.0]}, [820.0], id="storage that gives is in no mean"),
        pytest.param({"coal": [1.0], "storage": [-9.0]}, [820.0], id="storage that takes is in no mean"),
        pytest.param({"coal": [1.0], "imports": [9.0]}, [820.0], id="imports were made elsewhere"),
        pytest.param({"coal": [1.0], "wind": [-3.0]}, [820.0], id="a plant that takes makes nothing"),
        pytest.param({"coal": [8.0], "other": [2.0]}, [820.0], id="some without a factor: of the rest"),
        pytest.param({"coal": [65.0], "other": [35.0]}, [820.0], id="as much as may be without a factor"),
        pytest.param({"coal": [64.0], "other": [36.0]}, [None], id="too much without a factor: a gap"),
        pytest.param(
            {"coal": [50.0, None], "wind": [50.0, 50.0]}, [415.5, None], id="a large fuel not told: a gap"
        ),
        pytest.param(
            {"coal": [99.0, 99.0], "wind": [1.0, None]}, [811.91, 820.0], id="a tiny fuel not told: the rest"
        ),
        pytest.param({"coal": [10.0, None], "wind": [None, None]}, [820.0, None], id="a fuel never told"),
    ],
)
def test_a_kwh_costs_the_mean_of_what_ran(power, expected):
    told = values(per_kwh(mix(**power), FACTORS))
    assert told == [None if one is None else pytest.approx(one) for one in expected]


@pytest.mark.parametrize(
    ("power", "says"),
    [
        pytest.param({"coal": [1.0], "wind": [1.0]}, [], id="nothing to say"),
        pytest.param(
            {"coal": [90.0], "other": [10.0]}, ["no-factor: other are 10.0% of the mix"], id="much unknown"
        ),
        pytest.param({"coal": [98.0], "other": [2.0]}, [], id="little unknown in dirty power says nothing"),
        pytest.param(
            {"hydro": [98.0], "other": [2.0]}, ["were they coal, it would be 66% more"],
            id="little unknown in clean power could be most of it",
        ),
        pytest.param(
            {"coal": [50.0, None], "wind": [50.0, 50.0]}, ["not-told: coal in 1 of 2 steps"], id="a hole"
        ),
    ],
)  # fmt: skip
def test_what_is_in_no_mean_is_told(power, says):
    told = per_kwh(mix(**power), FACTORS).flags
    assert len(told) == len(says)
    assert all(one in flag for one, flag in zip(says, told, strict=True))


def test_little_that_is_unknown_says_how_much_it_could_be():
    (flag,) = per_kwh(mix(hydro=[98.0], other=[2.0]), FACTORS).flags
    mean = 0.98 * 24 + 0.02 * 820
    assert f"{mean / 24 - 1:.0%} more" in flag


@pytest.mark.parametrize(
    ("power", "says"),
    [
        pytest.param({"coal": [1.0]}, "generation: of the plants of this place", id="nobody told imports"),
        pytest.param({"coal": [1.0], "imports": [0.5]}, "imports: up to 50% of what was made", id="imports"),
        pytest.param({"coal": [1.0], "storage": [0.2]}, "storage: up to 20% of what was made", id="storage"),
        pytest.param({"coal": [1.0], "wind": [-0.1]}, "negative: wind took up to 10%", id="own use"),
    ],
)
def test_a_series_tells_what_was_left_out(power, says):
    told = series_of_mix(mix(**power), Signal.CARBON, FACTORS, basis="lifecycle")
    assert any(says in flag for flag in told.flags), told.flags


@pytest.mark.parametrize(
    "power",
    [
        pytest.param({"coal": [1.0], "imports": [0.04]}, id="few imports"),
        pytest.param({"coal": [1.0], "imports": [-0.9]}, id="exports, however many"),
        pytest.param({"coal": [1.0], "imports": [0.0], "storage": [-0.9]}, id="pumping"),
    ],
)
def test_a_series_is_silent_where_nothing_matters(power):
    assert series_of_mix(mix(**power), Signal.CARBON, FACTORS, basis="lifecycle").flags == ()


def test_a_series_is_the_mix_s_in_all_else():
    asked = mix(coal=[1.0, None], wind=[1.0, None], flags=["told late"])
    told = series_of_mix(asked, Signal.CARBON, FACTORS, basis="lifecycle")
    assert (told.signal, told.place, told.source, told.basis) == (Signal.CARBON, "X", "told", "lifecycle")
    assert (told.edges_s, told.values) == (asked.edges_s, (415.5, None))
    assert "told late" in told.flags


def test_families_of_water_add_up_to_all_of_it():
    asked = mix(coal=[3.0], hydro=[1.0])
    thermal, hydro = {Fuel.COAL: 2.0, Fuel.HYDRO: 0.0}, {Fuel.COAL: 0.0, Fuel.HYDRO: 17.0}
    both = {fuel: thermal[fuel] + hydro[fuel] for fuel in thermal}
    apart = [per_kwh(asked, one).values[0] for one in (thermal, hydro)]
    assert apart == pytest.approx([1.5, 4.25])
    assert sum(apart) == pytest.approx(per_kwh(asked, both).values[0])


# -- what must always hold -------------------------------------------------------------

MADE = [Fuel.COAL, Fuel.GAS, Fuel.WIND, Fuel.HYDRO]
power = st.lists(st.floats(-1e3, 1e5), min_size=3, max_size=3)
mixes = st.dictionaries(st.sampled_from([one.value for one in MADE]), power, min_size=1).map(
    lambda told: mix(**told)
)


@given(mixes)
def test_a_mean_lies_between_the_factors_that_ran(asked):
    told = per_kwh(asked, FACTORS).values
    made = generated_mw(asked)
    for i, value in enumerate(told):
        ran = [FACTORS[fuel] for fuel in made if made[fuel][i] > 0]
        assert math.isnan(value) if not ran else min(ran) - 1e-9 <= value <= max(ran) + 1e-9


@given(mixes, st.floats(1e-3, 1e3))
def test_more_of_the_same_is_the_same(asked, scale):
    more = mix(**{fuel.value: [scale * one for one in told] for fuel, told in asked.power_mw.items()})
    assert per_kwh(more, FACTORS).values == pytest.approx(per_kwh(asked, FACTORS).values, nan_ok=True)


@given(mixes, st.floats(-5, 5), st.floats(-100, 100))
def test_factors_that_move_alike_move_the_mean_so(asked, scale, shift):
    moved = per_kwh(asked, {fuel: scale * one + shift for fuel, one in FACTORS.items()}).values
    expected = scale * per_kwh(asked, FACTORS).values + shift
    assert moved == pytest.approx(expected, nan_ok=True, rel=1e-6, abs=1e-6)


@given(mixes)
def test_shares_are_parts_of_one(asked):
    parts = np.array(list(shares(asked).values()))
    made = sum(generated_mw(asked).values()) > 0
    assert np.nansum(parts, axis=0)[made] == pytest.approx(np.ones(made.sum()))
    assert (parts[:, made] >= 0).all()
    assert np.isnan(parts[:, ~made]).all()


@given(mixes, st.sampled_from([Fuel.STORAGE, Fuel.IMPORTS]), power)
def test_what_makes_nothing_moves_nothing(asked, fuel, told):
    with_it = mix(**{one.value: values for one, values in asked.power_mw.items()}, **{fuel.value: told})
    assert per_kwh(with_it, FACTORS).values == pytest.approx(per_kwh(asked, FACTORS).values, nan_ok=True)
