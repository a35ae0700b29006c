"""Water of electricity generation: technology factors times cooling shares times the generation mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .common import Cell, Row, make_row, need_float, read_facts, to_float

TECHNOLOGY_COLUMNS = ("technology", "cooling", "low", "best", "high", "unit", "year", "basis", "source")
FUEL_COLUMNS = ("region", "fuel", *("low", "best", "high"), "unit", "year", "basis", "source")
REGION_COLUMNS = ("iso3", "cooling_region", "hydro_class", "year", "basis", "source")
SHARE_COLUMNS = (
    *("region", "plant", "once_through_fresh", "once_through_sea", "tower", "pond", "dry"),
    *("year", "basis", "source"),
)

# Share of gas power from combined-cycle plants; the rest is steam. Own choice, the same everywhere.
COMBINED_CYCLE_SHARE = 0.8

LEVELS = ("low", "best", "high")

# Sea water counts as no fresh water, so once-through at sea is left out.
_COOLING = {"once_through_fresh": "once_through", "tower": "tower", "pond": "pond", "dry": "dry"}

# Fuels of plants with a cooling system: (technology, row of the cooling shares, weight).
_COOLED = {
    "coal": (("coal", "coal", 1.0),),
    "gas": (("gas_cc", "cc", COMBINED_CYCLE_SHARE), ("gas_steam", "steam", 1 - COMBINED_CYCLE_SHARE)),
    "oil": (("oil", "steam", 1.0),),
    "other_fossil": (("oil", "steam", 1.0),),
    "bioenergy": (("bioenergy", "steam", 1.0),),
    "nuclear": (("nuclear", "nuclear", 1.0),),
}
_UNCOOLED = {"solar": "solar_pv", "wind": "wind", "other_renewable": "geothermal"}

FUELS = ("coal", "gas", "oil", "nuclear", "hydro", "wind", "solar", "bioenergy", "other_renewable")


@dataclass(frozen=True)
class GridWater:
    """Water per kWh generated, in L/kWh: consumption as (low, best, high), withdrawal as a median."""

    thermal: tuple[float, float, float]
    hydro: tuple[float, float, float]
    withdrawal: float


class WaterModel:
    """Computes the water factor of a generation mix from the tables in ``tools/facts``."""

    def __init__(self) -> None:
        self._factors: dict[tuple[str, str, str], dict[str, float | None]] = {}
        for row in read_facts("water_technology"):
            key = (row["basis"], row["technology"], row["cooling"])
            self._factors[key] = {level: to_float(row[level]) for level in LEVELS}
        self._shares = {
            (row["region"], row["plant"]): {name: float(row[name]) for name in _COOLING}
            for row in read_facts("cooling_shares")
        }

    def _factor(self, basis: str, technology: str, cooling: str, level: str) -> float:
        value = self._factors[basis, technology, cooling][level]
        return need_float("" if value is None else str(value), f"{basis} {technology} {cooling} {level}")

    def regions(self) -> list[str]:
        """Return the cooling regions in order."""
        return sorted({region for region, _ in self._shares})

    def fuel(self, fuel: str, region: str, basis: str, level: str) -> float:
        """Return the fresh water of one fuel in one cooling region."""
        if fuel in _UNCOOLED:
            return self._factor(basis, _UNCOOLED[fuel], "any", level)
        total = 0.0
        for technology, plant, weight in _COOLED[fuel]:
            shares = self._shares[region, plant]
            for name, cooling in _COOLING.items():
                total += weight * shares[name] * self._factor(basis, technology, cooling, level)
        return total

    def _thermal(self, mix: Mapping[str, float], region: str, basis: str, level: str) -> float:
        fuels = [(fuel, share) for fuel, share in mix.items() if fuel != "hydro"]
        return sum(share * self.fuel(fuel, region, basis, level) for fuel, share in fuels)

    def grid_water(self, mix: Mapping[str, float], region: str, hydro_class: str) -> GridWater:
        """Compute the factor of a mix.

        Parameters
        ----------
        mix
            Share of each fuel in generation, 0 to 1.
        region
            Cooling region, a row of the cooling shares.
        hydro_class
            Evaporation class of reservoirs: cold, temperate, hot_arid or usa.
        """
        hydro = mix.get("hydro", 0.0)
        low, best, high = (self._thermal(mix, region, "consumption", level) for level in LEVELS)
        hydro_low, hydro_best, hydro_high = (
            hydro * self._factor("consumption", "hydro", f"class_{hydro_class}", level) for level in LEVELS
        )
        return GridWater(
            (low, best, high),
            (hydro_low, hydro_best, hydro_high),
            self._thermal(mix, region, "withdrawal", "best"),
        )


def build_fuels() -> list[Row]:
    """Build ``mix_water.csv``: the fresh water that a kWh of each fuel takes, by cooling region."""
    model = WaterModel()
    named = {**{fuel: fuel for fuel in FUELS}, "geothermal": "other_renewable"}
    del named["hydro"], named["other_renewable"]
    rows = []
    for region in model.regions():
        for name, fuel in named.items():
            water = {level: model.fuel(fuel, region, "consumption", level) for level in LEVELS}
            values: dict[str, Cell] = {"region": region, "fuel": name, "unit": "L/kWh", "year": 2015}
            values |= {"basis": "consumption", "source": "macknick+gcam+ours", **water}
            rows.append(make_row(FUEL_COLUMNS, values))
    return rows


def build_regions() -> list[Row]:
    """Build ``cooling_regions.csv``: which cooling and which reservoirs a country is taken to have."""
    return [
        make_row(
            REGION_COLUMNS,
            {
                "iso3": fact["iso3"],
                "cooling_region": fact["cooling_region"],
                "hydro_class": hydro_class(fact),
                "year": fact["year"],
                "basis": "class",
                "source": "gcam+ours",
            },
        )
        for fact in read_facts("countries")
    ]


def hydro_class(fact: Row) -> str:
    """Return how a country's reservoirs lose water; those of the USA were measured."""
    return "usa" if fact["iso3"] == "USA" else fact["hydro_class"]


def build_technology() -> list[Row]:
    """Build ``water_technology.csv``."""
    rows = []
    for fact in read_facts("water_technology"):
        values = {column: fact[column] for column in TECHNOLOGY_COLUMNS if column not in LEVELS}
        numbers = {level: to_float(f"{float(fact[level]):.4g}" if fact[level] else "") for level in LEVELS}
        rows.append(make_row(TECHNOLOGY_COLUMNS, {**values, **numbers}))
    return rows


def build_shares() -> list[Row]:
    """Build ``cooling_shares.csv``."""
    return [make_row(SHARE_COLUMNS, dict(fact)) for fact in read_facts("cooling_shares")]
