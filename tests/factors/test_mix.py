"""What a kWh of each fuel costs, with its papers; hour by hour and over a year it must be the same factor."""

import pytest

from wattermark.errors import FactorNotFound, UsageError
from wattermark.factors.mix import (
    COOLED,
    carbon_factors,
    hydro_water_factors,
    mix_factors,
    thermal_water_factors,
)
from wattermark.factors.places import resolve
from wattermark.factors.table import rows_by, table
from wattermark.science.mix import per_kwh
from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import UNIT, Signal

BURNT = {Fuel.COAL, Fuel.GAS}
NAMES = {
    "coal": Fuel.COAL, "gas": Fuel.GAS, "oil": Fuel.OIL, "nuclear": Fuel.NUCLEAR, "hydro": Fuel.HYDRO,
    "wind": Fuel.WIND, "solar": Fuel.SOLAR, "bioenergy": Fuel.BIOENERGY, "other_renewable": Fuel.GEOTHERMAL,
}  # fmt: skip


def best(factors):
    return {fuel: one.value.best for fuel, one in factors.items()}


# -- carbon ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "fuel", "value"),
    [
        pytest.param("lifecycle", Fuel.COAL, 820, id="coal"),
        pytest.param("lifecycle", Fuel.GAS, 490, id="gas"),
        pytest.param("lifecycle", Fuel.WIND_OFFSHORE, 12, id="wind at sea"),
        pytest.param("direct", Fuel.COAL, 760, id="coal that burns"),
        pytest.param("direct", Fuel.NUCLEAR, 0, id="nothing burns"),
    ],
)
def test_carbon_of_a_fuel_is_of_one_basis(basis, fuel, value):
    factor = carbon_factors(basis)[fuel]
    assert (factor.value.best, factor.basis, factor.unit) == (value, basis, UNIT[Signal.CARBON])


def test_no_basis_is_mixed_with_another():
    for basis in ("lifecycle", "direct"):
        assert {one.basis for one in carbon_factors(basis).values()} == {basis}


def test_direct_is_never_more_than_the_whole_life():
    whole, direct = best(carbon_factors("lifecycle")), best(carbon_factors("direct"))
    assert all(direct[fuel] <= whole[fuel] for fuel in direct)
    assert {fuel for fuel, value in direct.items() if value} == BURNT


def test_what_has_no_paper_has_no_factor():
    assert not {Fuel.OTHER, Fuel.WASTE, Fuel.STORAGE, Fuel.IMPORTS} & set(carbon_factors("lifecycle"))
    assert not {Fuel.OIL, Fuel.BIOENERGY} & set(carbon_factors("direct"))


def test_an_unknown_basis_is_refused():
    with pytest.raises(UsageError, match="'marginal' is not known"):
        carbon_factors("marginal")


# -- water -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "fuel", "thermal", "hydro"),
    [
        pytest.param("FRA", Fuel.HYDRO, 0.0, 20.0, id="reservoirs of a temperate country"),
        pytest.param("NOR", Fuel.HYDRO, 0.0, 8.0, id="cold reservoirs"),
        pytest.param("US-CAMX", Fuel.HYDRO, 0.0, 17.0, id="a part of a country has its country's"),
        pytest.param("FRA", Fuel.WIND, 0.0, 0.0, id="wind takes none"),
        pytest.param("FRA", Fuel.SOLAR, 0.02, 0.0, id="panels are washed"),
    ],
)
def test_the_two_families_stand_apart(grid, fuel, thermal, hydro):
    assert best(thermal_water_factors(grid))[fuel] == pytest.approx(thermal)
    assert best(hydro_water_factors(grid))[fuel] == pytest.approx(hydro)


def test_a_nuclear_plant_at_the_sea_takes_no_fresh_water():
    assert best(thermal_water_factors("JPN"))[Fuel.NUCLEAR] == 0.0
    assert best(thermal_water_factors("FRA"))[Fuel.NUCLEAR] > 1.5


@pytest.mark.parametrize("grid", ["FRA", "US-ERCT", "CN-BJ", "CA-QC"])
def test_both_families_know_the_same_fuels(grid):
    thermal, hydro = thermal_water_factors(grid), hydro_water_factors(grid)
    assert set(thermal) == set(hydro) == {*COOLED, Fuel.HYDRO}
    assert {one.unit for one in (*thermal.values(), *hydro.values())} == {UNIT[Signal.WATER_THERMAL]}


def test_of_the_world_nobody_knows_how_plants_are_cooled():
    with pytest.raises(FactorNotFound, match="how plants are cooled in WORLD"):
        thermal_water_factors("WORLD")


@pytest.mark.parametrize(
    ("signal", "factors"),
    [
        (Signal.CARBON, carbon_factors("lifecycle")),
        (Signal.WATER_THERMAL, thermal_water_factors("FRA")),
        (Signal.WATER_HYDRO, hydro_water_factors("FRA")),
    ],
)
def test_each_signal_has_its_factors(signal, factors):
    assert mix_factors("FRA", signal) == factors


@pytest.mark.parametrize("signal", [Signal.WUE, Signal.PRICE, Signal.CARBON_MARGINAL])
def test_a_mix_tells_no_other_signal(signal):
    with pytest.raises(UsageError, match=f"does not tell {signal}"):
        mix_factors("FRA", signal)


# -- hour by hour is the year ----------------------------------------------------------


def countries():
    """Grids of a country, with its mix of the year that they are of."""
    years = {(row["key"], row["year"]): row for row in table("grid_history")}
    for grid in table("grids"):
        row = years.get((grid["key"], grid["year"]))
        if grid["kind"] == "country" and row and grid["thermal"] and not grid["flag"]:
            yield grid, {fuel: float(row[f"{name}_pct"] or 0) for name, fuel in NAMES.items()}


def mean(shares, factors):
    mix = Mix(
        place="", source="", edges_s=(0.0, 1.0), power_mw={fuel: (one,) for fuel, one in shares.items()}
    )
    return per_kwh(mix, best(factors)).values[0]


def test_the_mix_of_a_year_has_the_water_of_the_year():
    """Both come of the same facts, by way of the builder and by way of the mix."""
    found = list(countries())
    assert len(found) > 100
    for grid, shares in found:
        total = sum(shares.values()) / 100
        for signal, column in ((Signal.WATER_THERMAL, "thermal"), (Signal.WATER_HYDRO, "hydro")):
            ours = mean(shares, mix_factors(grid["key"], signal)) * total
            assert ours == pytest.approx(float(grid[column]), rel=2e-3, abs=1e-4), (grid["key"], signal)


def test_the_mix_of_a_year_has_about_the_carbon_of_the_year():
    """The year has another's factors, somewhat higher: half of all countries lie within -13 % to 1 %."""
    ratios = sorted(
        mean(shares, carbon_factors("lifecycle")) / float(grid["ci"]) for grid, shares in countries()
    )
    middle = ratios[len(ratios) // 4 : -(len(ratios) // 4)]
    assert 0.86 < middle[0] < middle[-1] < 1.02, (middle[0], middle[-1])


def test_every_country_has_a_cooling_region_of_the_table():
    regions = {row["region"] for row in table("mix_water")}
    assert {row["cooling_region"] for row in table("cooling_regions")} <= regions
    assert {row["key"] for row in table("grids") if row["kind"] == "country"} <= set(
        rows_by("cooling_regions", "iso3")
    )


def test_every_place_of_a_cloud_has_all_factors():
    for row in table("cloud_regions"):
        grid = resolve(f"{row['provider']}:{row['region']}").grid
        assert mix_factors(grid, Signal.WATER_THERMAL) and mix_factors(grid, Signal.WATER_HYDRO)
