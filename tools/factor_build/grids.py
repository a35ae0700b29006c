"""Grids: carbon intensity and water of electricity by country, state, province and subregion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .common import (
    BuildError,
    Cell,
    Row,
    gsd_bound,
    join_flags,
    log_range,
    make_row,
    need_float,
    read_facts,
    to_float,
    weighted_percentile,
)
from .raw import CANADA, CHINA, OWID, US_STATES, RawFolder
from .water import FUELS, GridWater, WaterModel, hydro_class

COLUMNS = (
    *("key", "kind", "name", "iso2", "iso3", "parent", "aware_key"),
    *("ci_low", "ci", "ci_high", "ci_basis", "ci_source", "ci_direct"),
    *("thermal_low", "thermal", "thermal_high", "hydro_low", "hydro", "hydro_high", "withdrawal_thermal"),
    *("flag", "year", "basis", "source"),
)
HISTORY_COLUMNS = (
    *("key", "ci", "ci_basis", "gen_twh"),
    *(f"{fuel}_pct" for fuel in FUELS),
    *("flag", "year", "basis", "source"),
)

WATER_SOURCES = ("macknick", "gcam", "ours")  # have no part in a grid's carbon
FIRST_YEAR = 2019
WORLD_YEAR = 2024
OLD_BEFORE = 2023

# Same source, same year: 10 %. Between sources, or where the data are doubtful: 39 % (geometric).
GSD_SOUND = 1.10
GSD_DOUBTFUL = 1.39
# A grid that borrows the water factor of its country has another mix than the country.
GSD_BORROWED_WATER = 1.5

LB_PER_MWH = 0.45359237  # g/kWh
US_LB_PER_MWH = 770.884  # eGRID2023 rev2, national CO2e output rate
HYDRO_MEDIAN_CI = 24.0  # IPCC AR5 median, in place of a reported zero

_OWID_SHARES = {
    **{fuel: f"{fuel}_share_elec" for fuel in ("coal", "gas", "oil", "nuclear", "hydro", "wind", "solar")},
    "bioenergy": "biofuel_share_elec",
    "other_renewable": "other_renewables_share_elec",
}
_CANADA_CODES = {
    "alberta": "CA-AB",
    "british columbia": "CA-BC",
    "manitoba": "CA-MB",
    "new brunswick": "CA-NB",
    "newfoundland and labrador": "CA-NL",
    "northwest territories": "CA-NT",
    "nova scotia": "CA-NS",
    "nunavut": "CA-NU",
    "ontario": "CA-ON",
    "prince edward island": "CA-PE",
    "quebec": "CA-QC",
    "saskatchewan": "CA-SK",
    "yukon": "CA-YT",
}
_CANADA_FUELS = {
    "gas": "naturalGas",
    "nuclear": "nuclear",
    "oil": "petroleum",
    "bioenergy": "biomass",
    "coal": "coal",
    "solar": "solar",
    "wind": "wind",
    "hydro": "hydro",
}
_CARBON_TECHNOLOGY = {
    "coal": "coal",
    "gas": "gas_cc",
    "oil": "oil",
    "nuclear": "nuclear",
    "hydro": "hydro",
    "wind": "wind_onshore",
    "solar": "solar_pv_utility",
    "bioenergy": "bioenergy",
}


@dataclass(frozen=True)
class CountryYear:
    """Generation mix and life-cycle carbon intensity of one country in one year."""

    iso3: str
    name: str
    year: int
    gen_twh: float | None
    ci: float | None
    shares: dict[str, float | None]
    flag: str

    def mix(self) -> dict[str, float]:
        """Return the shares as fractions; an unknown share counts as none."""
        return {fuel: (share or 0.0) / 100 for fuel, share in self.shares.items()}


@dataclass(frozen=True)
class CarbonRange:
    """Carbon intensity in g CO2e/kWh with its 5-95 % range."""

    low: float
    best: float
    high: float


def _rounded(text: str, digits: int) -> float | None:
    return round(float(text), digits) if text else None


def _read_shares(row: Row) -> dict[str, float | None]:
    """Read the shares; "other renewables" of the source contains bioenergy, which is taken out here."""
    shares = {fuel: _rounded(row[column], 2) for fuel, column in _OWID_SHARES.items()}
    other = to_float(row[_OWID_SHARES["other_renewable"]])
    if other is not None:
        bio = to_float(row[_OWID_SHARES["bioenergy"]]) or 0.0
        shares["other_renewable"] = round(max(other - bio, 0.0), 2)
    return shares


def _data_flags(ci: float | None, shares: dict[str, float | None]) -> str:
    """Name what is doubtful about a country-year."""
    total = sum(share for share in shares.values() if share is not None)
    return join_flags(
        "ci_zero_replaced" if ci == 0 else "",
        "ci_placeholder" if ci == 1000 else "",
        "ci_missing" if ci is None else "",
        f"shares_sum_{total:.0f}" if abs(total - 100) > 2 else "",
        "ci_high_for_gas" if (ci or 0) > 800 and (shares["gas"] or 0) > 95 else "",
    )


def read_countries(raw: RawFolder) -> list[CountryYear]:
    """Read the country-years of the Our World in Data file, sorted by country and year."""
    result = []
    for row in raw.csv(OWID):
        year = int(row["year"])
        ci = _rounded(row["carbon_intensity_elec"], 2)
        if not row["iso_code"] or year < FIRST_YEAR or (ci is None and not row["coal_share_elec"]):
            continue
        shares = _read_shares(row)
        flag = _data_flags(ci, shares)
        if ci == 0:
            ci = HYDRO_MEDIAN_CI
        gen = _rounded(row["electricity_generation"], 3)
        result.append(CountryYear(row["iso_code"], row["country"], year, gen, ci, shares, flag))
    return sorted(result, key=lambda item: (item.iso3, item.year))


def _mean(items: Iterable[tuple[float, float]]) -> float:
    """Return the weighted mean of (value, weight) pairs."""
    pairs = list(items)
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)


def _world_year(countries: list[CountryYear], year: int) -> CountryYear:
    """Weight the countries of one year by generation."""
    known = [c for c in countries if c.year == year and c.ci is not None and c.gen_twh is not None]
    ci = _mean((c.ci or 0.0, c.gen_twh or 0.0) for c in known)
    shares: dict[str, float | None] = {}
    for fuel in FUELS:
        shares[fuel] = round(_mean((c.shares[fuel] or 0.0, c.gen_twh or 0.0) for c in known), 2)
    total = sum(c.gen_twh or 0.0 for c in known)
    flag = f"partial_{len(known)}_countries" if len(known) < 180 else ""
    return CountryYear(
        "WORLD", "World (generation-weighted)", year, round(total, 1), round(ci, 1), shares, flag
    )


def build_history(raw: RawFolder) -> list[Row]:
    """Build ``grid_history.csv``: country-years and the world."""
    countries = read_countries(raw)
    years = sorted({country.year for country in countries})
    rows = []
    for item in [*countries, *(_world_year(countries, year) for year in years)]:
        values: dict[str, Cell] = {f"{fuel}_pct": item.shares[fuel] for fuel in FUELS}
        values |= {"key": item.iso3, "ci": item.ci, "ci_basis": "lifecycle", "gen_twh": item.gen_twh}
        values |= {"flag": item.flag, "year": item.year, "basis": "generation", "source": "ember_owid"}
        rows.append(make_row(HISTORY_COLUMNS, values))
    return rows


def _spread(best: float, gsd: float, factor: tuple[float, float, float] | None = None) -> CarbonRange:
    """Set the range around `best`; `factor` is the (low, best, high) of a conversion that went into it."""
    below, above = [gsd_bound(gsd)], [gsd_bound(gsd)]
    if factor is not None:
        below.append(factor[1] / factor[0])
        above.append(factor[2] / factor[1])
    low, high = log_range(best, below, above)
    return CarbonRange(low, best, high)


def _widened(part: tuple[float, float, float]) -> tuple[float, float, float]:
    """Widen a water range for a grid that borrows the factor of its country; a low end of zero stays."""
    low, best, high = part
    if best <= 0:
        return part
    bound = gsd_bound(GSD_BORROWED_WATER)
    below = log_range(best, [best / low, bound], [])[0] if low > 0 else 0.0
    return below, best, log_range(best, [], [max(high, best) / best, bound])[1]


def _borrowed(water: GridWater) -> GridWater:
    return replace(water, thermal=_widened(water.thermal), hydro=_widened(water.hydro))


def _water_cells(water: GridWater | None) -> dict[str, Cell]:
    if water is None:
        return {}
    cells: dict[str, Cell] = {"withdrawal_thermal": water.withdrawal}
    for name, part in (("thermal", water.thermal), ("hydro", water.hydro)):
        cells |= {f"{name}_low": part[0], name: part[1], f"{name}_high": part[2]}
    return cells


def _direct_to_lifecycle() -> tuple[float, float, float]:
    for row in read_facts("defaults"):
        if row["name"] == "ci_direct_to_lifecycle":
            return float(row["low"]), float(row["best"]), float(row["high"])
    raise BuildError("defaults: no ci_direct_to_lifecycle")


class GridBuilder:
    """Builds ``grids.csv``.

    Parameters
    ----------
    raw
        The raw folder.
    aware_keys
        Keys of the scarcity table; a grid names the finest one that fits it.
    """

    def __init__(self, raw: RawFolder, aware_keys: set[str]) -> None:
        self._raw = raw
        self._aware_keys = aware_keys
        self._model = WaterModel()
        self._facts = {row["iso3"]: row for row in read_facts("countries")}
        self._history = read_countries(raw)
        self._latest = {item.iso3: item for item in self._history if item.ci is not None}
        self._water = {iso3: self._country_water(item) for iso3, item in self._latest.items()}
        self._factor = _direct_to_lifecycle()
        self._us_ratio = self._find_us_ratio()

    def build(self) -> list[Row]:
        """Build all rows, wide areas first."""
        return [
            self._world(),
            *self._countries(),
            *self._egrid(),
            *self._states(),
            *self._canada(),
            *self._china(),
        ]

    def _aware(self, *keys: str) -> str:
        return next((key for key in keys if key in self._aware_keys), "")

    def _row(
        self, key: str, kind: str, name: str, carbon: CarbonRange, water: GridWater | None, **rest: Cell
    ) -> Row:
        values: dict[str, Cell] = {"key": key, "kind": kind, "name": name, "basis": "generation", **rest}
        values["ci_source"] = "+".join(id for id in str(rest["source"]).split("+") if id not in WATER_SOURCES)
        values |= {"ci_low": carbon.low, "ci": carbon.best, "ci_high": carbon.high}
        return make_row(COLUMNS, values | _water_cells(water))

    def _country_water(self, item: CountryYear) -> GridWater | None:
        mix = item.mix()
        if sum(mix.values()) < 0.5:
            return None
        fact = self._facts[item.iso3]
        return self._model.grid_water(mix, fact["cooling_region"], hydro_class(fact))

    def _us_rates(self) -> dict[str, tuple[str, float]]:
        """Read the state rates: key -> (name, direct g CO2e/kWh)."""
        rates = {}
        for name, item in self._raw.json(US_STATES).items():
            code = item.get("regionCode", "") if isinstance(item, dict) else ""
            if len(code) == 2 and "emissions" in item:
                rates[f"US-{code}"] = (name.title(), item["emissions"] * LB_PER_MWH)
        return rates

    def _find_us_ratio(self) -> float:
        """Return life-cycle over direct intensity of the USA in 2023: Ember over the eGRID national rate."""
        usa = next(item for item in self._history if item.iso3 == "USA" and item.year == 2023)
        return need_float(str(usa.ci or ""), "USA 2023") / (US_LB_PER_MWH * LB_PER_MWH)

    def _countries(self) -> list[Row]:
        rows = []
        for iso3, item in sorted(self._latest.items()):
            doubtful = bool(item.flag) or item.year < OLD_BEFORE
            water = self._water[iso3]
            flag = join_flags(
                item.flag,
                "old_data" if item.year < OLD_BEFORE else "",
                "" if water else "water_missing",
                "" if iso3 in self._aware_keys else "scarcity_missing",
            )
            rows.append(
                self._row(
                    iso3,
                    "country",
                    item.name,
                    _spread(item.ci or 0.0, GSD_DOUBTFUL if doubtful else GSD_SOUND),
                    water,
                    iso2=self._facts[iso3]["iso2"],
                    iso3=iso3,
                    parent="WORLD",
                    aware_key=self._aware(iso3),
                    ci_basis="lifecycle",
                    flag=flag,
                    year=item.year,
                    source="ember_owid+macknick+gcam+ours" if water else "ember_owid",
                )
            )
        return rows

    def _world(self) -> Row:
        """Weight countries by generation; the range of the intensity is the spread over the world's kWh."""
        world = _world_year(self._history, WORLD_YEAR)
        now = [c for c in self._history if c.year == WORLD_YEAR and c.gen_twh]
        spread = [(c.ci, c.gen_twh or 0.0) for c in now if c.ci is not None]
        carbon = CarbonRange(
            weighted_percentile(spread, 0.05),
            need_float(str(world.ci or ""), "world"),
            weighted_percentile(spread, 0.95),
        )
        pairs = [(self._water.get(c.iso3), c.gen_twh or 0.0) for c in now]
        known = [(water, weight) for water, weight in pairs if water is not None]

        def mean(pick: Callable[[GridWater], float]) -> float:
            return _mean((pick(water), weight) for water, weight in known)

        water = GridWater(
            (mean(lambda w: w.thermal[0]), mean(lambda w: w.thermal[1]), mean(lambda w: w.thermal[2])),
            (mean(lambda w: w.hydro[0]), mean(lambda w: w.hydro[1]), mean(lambda w: w.hydro[2])),
            mean(lambda w: w.withdrawal),
        )
        return self._row(
            "WORLD",
            "world",
            world.name,
            carbon,
            water,
            aware_key=self._aware("WORLD"),
            ci_basis="lifecycle",
            year=WORLD_YEAR,
            source="ember_owid+macknick+gcam+ours",
        )

    def _us_row(
        self, key: str, kind: str, name: str, direct: float, water: GridWater | None, **rest: Cell
    ) -> Row:
        low, _, high = self._factor
        return self._row(
            key,
            kind,
            name,
            _spread(round(direct * self._us_ratio, 1), GSD_SOUND, (low, self._us_ratio, high)),
            water,
            iso2="US",
            iso3="USA",
            parent="USA",
            ci_basis="lifecycle_estimated",
            ci_direct=round(direct, 1),
            year=2023,
            **rest,
        )

    def _us_average_water(self) -> GridWater:
        water = self._water["USA"]
        if water is None:
            raise BuildError("no water factor for the USA")
        return _borrowed(water)

    def _egrid(self) -> list[Row]:
        rows = []
        for fact in read_facts("us_egrid"):
            key = f"US-{fact['subregion']}"
            mix = {
                name[:-4]: float(fact[name]) / 100 for name in fact if name.endswith("_pct") and fact[name]
            }
            own = bool(mix)
            water = self._model.grid_water(mix, "USA", "usa") if own else self._us_average_water()
            rows.append(
                self._us_row(
                    key,
                    "us_egrid",
                    fact["name"],
                    float(fact["co2e_lb_per_mwh"]) * LB_PER_MWH,
                    water,
                    aware_key=self._aware(key, "USA"),
                    flag=join_flags(
                        "" if own else "water_from_USA",
                        "scarcity_mean_of_states" if " " in fact["states"] else "",
                    ),
                    source="egrid+ember_owid+macknick+gcam+ours",
                )
            )
        return rows

    def _states(self) -> list[Row]:
        return [
            self._us_row(
                key,
                "us_state",
                name,
                direct,
                self._us_average_water(),
                aware_key=self._aware(key, "USA"),
                flag="water_from_USA",
                source="egrid+codecarbon+ember_owid+macknick+gcam+ours",
            )
            for key, (name, direct) in sorted(self._us_rates().items())
        ]

    def _canada(self) -> list[Row]:
        """Weight IPCC medians by the provincial mix; trade between provinces is not in it."""
        medians = {row["technology"]: float(row["best"]) for row in read_facts("carbon_technology")}
        rows = []
        for name, item in self._raw.json(CANADA).items():
            key = _CANADA_CODES[name]
            total = item["tidal"] + sum(item[column] for column in _CANADA_FUELS.values())
            mix = {fuel: item[column] / total for fuel, column in _CANADA_FUELS.items()}
            ci = sum(share * medians[_CARBON_TECHNOLOGY[fuel]] for fuel, share in mix.items())
            rows.append(
                self._row(
                    key,
                    "ca_province",
                    name.title().replace(" And ", " and "),
                    _spread(round(ci, 1), GSD_DOUBTFUL),
                    self._model.grid_water(mix, "Canada", "cold"),
                    iso2="CA",
                    iso3="CAN",
                    parent="CAN",
                    aware_key=self._aware(key, "CAN"),
                    ci_basis="lifecycle_estimated",
                    flag="no_imports",
                    year=2023,
                    source="cer+codecarbon+ipcc+macknick+gcam+ours",
                )
            )
        return sorted(rows, key=lambda row: row["key"])

    def _china(self) -> list[Row]:
        """Scale direct CO2 to life-cycle; the water factor is that of the country."""
        water = self._water["CHN"]
        rows = []
        for key, item in sorted(self._raw.json(CHINA)["data"].items()):
            direct = float(item["emission_factor"])
            rows.append(
                self._row(
                    key,
                    "cn_province",
                    item["description"],
                    _spread(direct * self._factor[1], GSD_SOUND, self._factor),
                    _borrowed(water) if water else None,
                    iso2="CN",
                    iso3="CHN",
                    parent="CHN",
                    aware_key=self._aware(key, "CHN"),
                    ci_basis="lifecycle_estimated",
                    ci_direct=direct,
                    flag="direct_co2_only;water_from_CHN",
                    year=int(item["year"]),
                    source="mee+codecarbon+ember_owid+macknick+gcam+ours",
                )
            )
        return rows
