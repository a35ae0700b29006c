"""What a kWh of each fuel costs: carbon by one basis, water of thermal plants and of reservoirs apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from wattermark.errors import FactorNotFound, UsageError
from wattermark.factors.table import Row, factor, rows_by, table
from wattermark.values.factors import Factor
from wattermark.values.mix import Fuel
from wattermark.values.series import Signal

LIFECYCLE, DIRECT = "lifecycle", "direct"
TECHNOLOGY: Final[Mapping[str, Mapping[Fuel, str]]] = {
    LIFECYCLE: {
        Fuel.COAL: "coal",
        Fuel.GAS: "gas_cc",
        Fuel.OIL: "oil",
        Fuel.NUCLEAR: "nuclear",
        Fuel.HYDRO: "hydro",
        Fuel.WIND: "wind_onshore",
        Fuel.WIND_OFFSHORE: "wind_offshore",
        Fuel.SOLAR: "solar_pv_utility",
        Fuel.BIOENERGY: "bioenergy",
        Fuel.GEOTHERMAL: "geothermal",
        Fuel.OCEAN: "ocean",
    },
    DIRECT: {
        Fuel.COAL: "coal_direct",
        Fuel.GAS: "gas_direct",
        Fuel.NUCLEAR: "nuclear_direct",
        Fuel.HYDRO: "hydro_direct",
        Fuel.WIND: "wind_direct",
        Fuel.WIND_OFFSHORE: "wind_direct",
        Fuel.SOLAR: "solar_direct",
        Fuel.GEOTHERMAL: "geothermal_direct",
        Fuel.OCEAN: "ocean_direct",
    },
}
"""Oil and bioenergy have no direct factor with a paper, waste and what has no name have none at all."""
COOLED: Final[Mapping[Fuel, str]] = {
    Fuel.COAL: "coal",
    Fuel.GAS: "gas",
    Fuel.OIL: "oil",
    Fuel.NUCLEAR: "nuclear",
    Fuel.WIND: "wind",
    Fuel.WIND_OFFSHORE: "wind",
    Fuel.SOLAR: "solar",
    Fuel.BIOENERGY: "bioenergy",
    Fuel.GEOTHERMAL: "geothermal",
}
CELLS = ("low", "best", "high")


def carbon_factors(basis: str = LIFECYCLE) -> dict[Fuel, Factor]:
    """Carbon of each fuel that has a factor of that basis; the same wherever the plant stands. [g/kWh]

    Raises
    ------
    UsageError
        If there is no such basis.
    """
    if basis not in TECHNOLOGY:
        raise UsageError(f"the carbon basis {basis!r} is not known", fix=f"Say {LIFECYCLE} or {DIRECT}")
    rows = {row["technology"]: row for row in table("carbon_technology") if row["basis"] == basis}
    return {
        fuel: factor(rows[name], "carbon_intensity", key=name, columns=CELLS, unit="g/kWh")
        for fuel, name in TECHNOLOGY[basis].items()
    }


def thermal_water_factors(grid: str) -> dict[Fuel, Factor]:
    """Fresh water that plants take for cooling, by fuel; reservoirs have none of it. [L/kWh]

    Raises
    ------
    FactorNotFound
        If nobody knows how plants are cooled there.
    """
    region = _country(grid)["cooling_region"]
    rows = {row["fuel"]: row for row in table("mix_water") if row["region"] == region}
    cooled = {
        fuel: factor(rows[name], "water_thermal", key=f"{name} {region}", columns=CELLS, unit="L/kWh")
        for fuel, name in COOLED.items()
    }
    return {**cooled, Fuel.HYDRO: _none_of_it(cooled[Fuel.WIND], "hydro")}


def hydro_water_factors(grid: str) -> dict[Fuel, Factor]:
    """Water that reservoirs lose, by fuel; plants without one have none of it. [L/kWh]

    Raises
    ------
    FactorNotFound
        If nobody knows what reservoirs lose there.
    """
    name = f"class_{_country(grid)['hydro_class']}"
    (row,) = (one for one in table("water_technology") if one["cooling"] == name)
    hydro = factor(row, "water_hydro", key=name, columns=CELLS, unit="L/kWh")
    others = {fuel: _none_of_it(hydro, fuel) for fuel in COOLED}
    return {**others, Fuel.HYDRO: hydro}


def mix_factors(grid: str, signal: Signal, basis: str = LIFECYCLE) -> dict[Fuel, Factor]:
    """The factors that turn a mix into a signal.

    Parameters
    ----------
    grid : str
        Of a place.
    signal : Signal
        Carbon, or one of the two families of water.
    basis : str
        Of carbon.

    Raises
    ------
    UsageError
        If a mix does not tell that signal.
    FactorNotFound
        If nobody knows the water of that grid.
    """
    if signal is Signal.CARBON:
        return carbon_factors(basis)
    if signal is Signal.WATER_THERMAL:
        return thermal_water_factors(grid)
    if signal is Signal.WATER_HYDRO:
        return hydro_water_factors(grid)
    raise UsageError(f"a generation mix does not tell {signal}", fix="Ask for carbon or water")


def _country(grid: str) -> Row:
    """How plants are cooled, and rivers dammed, in the country of a grid."""
    row = rows_by("grids", "key")[grid]
    countries = rows_by("cooling_regions", "iso3")
    if row["iso3"] not in countries:
        raise FactorNotFound(f"how plants are cooled in {grid} is not known", fix="Name a country, or a part")
    return countries[row["iso3"]]


def _none_of_it(like: Factor, key: str) -> Factor:
    """A fuel that has no part in a family of water."""
    return replace(like, value=type(like.value).exact(0.0), key=key, basis="none", source="ours")
