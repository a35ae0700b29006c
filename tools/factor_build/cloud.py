"""Cloud regions: where they are, and the PUE and WUE their providers publish."""

from __future__ import annotations

from dataclasses import dataclass

from .common import Cell, Row, make_row, need_float, read_facts, to_float
from .raw import GOOGLE, RawFolder

COLUMNS = (
    *("provider", "region", "iso3", "subdivision", "city", "lat", "lon", "grid"),
    *("pue_low", "pue", "pue_high", "pue_scope", "wue_low", "wue", "wue_high", "wue_scope", "wue_basis"),
    *("site_aware_key", "ci_direct_google", "cfe_google", "note", "year", "basis", "source"),
)
PROVIDER_COLUMNS = ("provider", "scope", "year", "pue", "wue_l_per_kwh", "basis", "source", "note")
GOOGLE_COLUMNS = ("region", "location", "cfe", "ci", "year", "basis", "source")

_AWS_AREAS = {
    "area:north_america": "USA CAN MEX",
    "area:europe": "IRL GBR FRA DEU CHE SWE ITA ESP",
    "area:apac_ex_china": "IND SGP AUS IDN MYS NZL THA JPN KOR HKG TWN",
}
_AZURE_AREAS = {
    "area:americas": "USA CAN MEX BRA CHL",
    "area:apac": "IND SGP AUS IDN MYS NZL JPN KOR HKG TWN CHN",
}
_EUROPE = "AUT BEL CHE CZE DEU DNK ESP FIN FRA GBR GRC IRL ITA NLD NOR POL PRT SWE"

# Withdrawal over consumption of a tower at five cycles of concentration is 1.25.
CONSUMED_SHARE_OF_WITHDRAWAL = 0.8
# A mean that is published for cooler countries says little about a hot or dry one.
BORROWED_WUE_HIGH = 2.0
LEAST_PUE = 1.02


@dataclass(frozen=True)
class Found:
    """A published value, how wide the area is that it stands for, and who published it."""

    value: float
    year: int
    scope: str
    basis: str
    source: str


def _area(provider: str, iso3: str) -> str:
    """Name the area whose mean the provider publishes for a country."""
    areas = {"aws": _AWS_AREAS, "azure": _AZURE_AREAS}.get(provider, {})
    for name, countries in areas.items():
        if iso3 in countries.split():
            return name
    return "area:emea" if provider == "azure" else ""


class Disclosures:
    """Looks up what the providers publish, the newest value of the narrowest area first."""

    def __init__(self) -> None:
        self._rows = sorted(read_facts("provider_pue_wue"), key=lambda row: int(row["year"]))

    def _newest(self, provider: str, scope: str, column: str, label: str) -> Found | None:
        for row in reversed(self._rows):
            if (row["provider"], row["scope"]) == (provider, scope) and row[column]:
                return Found(float(row[column]), int(row["year"]), label, row["basis"], row["source"])
        return None

    def find(self, provider: str, region: str, iso3: str, column: str) -> Found:
        """Find the value for a region: its own, its area's, its provider's, else that of the US fleet."""
        scopes = [(region, "region"), (_area(provider, iso3), "area"), ("global", "provider_global")]
        if provider == "azure" and column == "wue_l_per_kwh":
            scopes = scopes[1:]  # the last per-region values are of 2022; see stale_wue
        for scope, label in scopes:
            found = self._newest(provider, scope, column, label)
            if found is not None:
                return found
        generic = self._newest("generic", "US_all", column, "generic_US_LBNL")
        if generic is None:
            raise KeyError(f"no {column} for {provider} {region}")
        return generic

    def stale_wue(self, provider: str, region: str) -> float | None:
        """Return the last Azure value of a region (2022), which serves as a high bound only."""
        found = self._newest(provider, region, "wue_l_per_kwh", "region") if provider == "azure" else None
        return found.value if found else None


def _pue_range(found: Found) -> tuple[float, float]:
    """Vary the overhead: less for a value of the region itself than for one of a wider area."""
    down, up = (0.7, 1.5) if found.scope == "region" else (0.5, 2.0)
    over = found.value - 1
    return max(LEAST_PUE, 1 + over * down), 1 + over * up


def _is_borrowed(found: Found, provider: str, iso3: str) -> bool:
    """Tell whether a mean stands for a country that has little or no part in it.

    That is the mean of Azure EMEA outside Europe, and the AWS fleet mean outside the areas AWS publishes.
    """
    if provider == "azure":
        return found.scope == "area" and _area(provider, iso3) == "area:emea" and iso3 not in _EUROPE.split()
    return provider == "aws" and found.scope == "provider_global"


def _wue_range(found: Found, row: Row, stale: float | None) -> tuple[float, float]:
    """Vary the water: 30 % for a value of the region, a factor of ten down and three up otherwise."""
    if found.scope == "region":
        low, high = found.value * 0.7, found.value * 1.3
    else:
        low, high = found.value * 0.1, found.value * 3
    if found.scope.startswith("generic"):
        default = next(item for item in read_facts("defaults") if item["name"] == "wue_default")
        low, high = min(low, float(default["low"])), max(high, float(default["high"]))
    if _is_borrowed(found, row["provider"], row["iso3"]):
        high = max(high, BORROWED_WUE_HIGH)
    if found.basis.startswith("withdrawal"):
        low *= CONSUMED_SHARE_OF_WITHDRAWAL
    return low, max(high, stale or 0.0)


def _wue_basis(provider: str, found: Found) -> str:
    """Name the basis; what Azure publishes is taken as withdrawal."""
    return "withdrawal" if provider == "azure" else found.basis


def _google_2025() -> dict[str, Row]:
    return {row["region"]: row for row in read_facts("google_2025")}


def _region_row(row: Row, disclosures: Disclosures, aware_keys: set[str], google: dict[str, Row]) -> Row:
    place = (row["provider"], row["region"], row["iso3"])
    pue = disclosures.find(*place, "pue")
    wue = disclosures.find(*place, "wue_l_per_kwh")
    pue_low, pue_high = _pue_range(pue)
    wue_low, wue_high = _wue_range(wue, row, disclosures.stale_wue(row["provider"], row["region"]))
    neighbour = google.get(row["google_proxy"])
    own = google.get(row["region"]) if row["provider"] == "gcp" else None
    keys = [key for key in (row["subdivision"], row["iso3"]) if key in aware_keys]
    sources = [
        row["source"],
        *pue.source.split("+"),
        *wue.source.split("+"),
        *(["google"] if neighbour else []),
    ]
    copied = ("provider", "region", "iso3", "subdivision", "city", "lat", "lon", "grid", "note")
    values: dict[str, Cell] = {column: row[column] for column in copied}
    values |= {"pue_low": pue_low, "pue": pue.value, "pue_high": pue_high, "pue_scope": pue.scope}
    values |= {"wue_low": wue_low, "wue": wue.value, "wue_high": wue_high, "wue_scope": wue.scope}
    values |= {"wue_basis": _wue_basis(row["provider"], wue), "site_aware_key": keys[0] if keys else ""}
    values |= {
        "ci_direct_google": need_float(neighbour["ci"], row["region"]) if neighbour else None,
        "cfe_google": to_float(own["cfe"]) if own else None,
        "year": min(pue.year, wue.year),
        "basis": "generic" if wue.scope.startswith("generic") else "published",
        "source": "+".join(dict.fromkeys(sources)),
    }
    return make_row(COLUMNS, values)


def build_regions(aware_keys: set[str]) -> list[Row]:
    """Build ``cloud_regions.csv``."""
    disclosures, google = Disclosures(), _google_2025()
    return [_region_row(row, disclosures, aware_keys, google) for row in read_facts("cloud_regions")]


def build_disclosures() -> list[Row]:
    """Build ``provider_pue_wue.csv``."""
    return [make_row(PROVIDER_COLUMNS, dict(row)) for row in read_facts("provider_pue_wue")]


def build_google(raw: RawFolder) -> list[Row]:
    """Build ``google_region_carbon.csv``; the series changes from life-cycle to direct in 2021."""
    values: list[dict[str, Cell]] = []
    for year, item in GOOGLE.items():
        for region, location, cfe, ci in raw.csv_lines(item):
            values.append(
                {"region": region, "location": location, "cfe": to_float(cfe), "ci": float(ci), "year": year}
            )
    values.extend(
        {
            "region": row["region"],
            "location": row["location"],
            "cfe": to_float(row["cfe"]),
            "ci": float(row["ci"]),
            "year": int(row["year"]),
        }
        for row in read_facts("google_2025")
    )
    for item_values in values:
        direct = int(str(item_values["year"])) >= 2021
        item_values |= {"basis": "operational_direct" if direct else "lifecycle", "source": "google"}
    rows = [make_row(GOOGLE_COLUMNS, item_values) for item_values in values]
    return sorted(rows, key=lambda row: (row["region"], row["year"]))
