"""Water scarcity: AWARE 2.0 characterisation factors for non-agricultural use."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from .common import MONTHS, BuildError, Row, make_row, read_facts, weighted_percentile
from .raw import AWARE, RawFolder

COLUMNS = ("key", "kind", "name", "low", "annual", "high", *MONTHS, "year", "basis", "source")

# The source has Gaza and the West Bank under one country code; the first row is taken.
_NAMES = {"PSE": "Palestine (row of Gaza)"}

# The bounds of the AWARE scale.
FLOOR, CEILING = 0.1, 100.0


@dataclass(frozen=True)
class Place:
    """Factors of one place, in m3 world-equivalent per m3."""

    key: str
    kind: str
    name: str
    annual: float
    months: tuple[float | None, ...]


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _is_given(value: Any) -> bool:
    return value not in (None, "", "NotDefined")


def _place(row: dict[str, Any], key: str, kind: str, name: Any) -> Place | None:
    annual = _number(row["Annual"])
    if annual is None:
        return None
    return Place(
        key,
        kind,
        _NAMES.get(key, str(name)),
        annual,
        tuple(_number(row[month.capitalize()]) for month in MONTHS),
    )


def _read_places(raw: RawFolder) -> dict[str, Place]:
    """Read countries (borders of GLAM first, then territories that only ecoinvent has) and subdivisions."""
    rows = raw.sheet(AWARE, "CFs_nonagri")
    territories = {row["iso2"]: row["iso3"] for row in read_facts("aware_territories")}
    places: dict[str, Place] = {}
    seen: set[str] = set()

    def add(row: dict[str, Any], key: str, kind: str, name: Any) -> None:
        if key in seen:
            return
        seen.add(key)
        place = _place(row, key, kind, name)
        if place is not None:
            places[key] = place

    for row in rows:
        iso3 = row["GLAM_ISO3"]
        if _is_given(iso3):
            if str(iso3).isupper():  # keys such as xJK are disputed areas without a country code
                add(row, str(iso3), "country", row["GLAM_country_name"])
        elif row["ecoinvent_collection"] == "states" and _is_given(row["ecoinvent_shortname"]):
            add(row, str(row["ecoinvent_shortname"]), "subdivision", row["ecoinvent_country_name"])
    for row in rows:
        iso3 = territories.get(str(row["ecoinvent_shortname"]))
        if row["ecoinvent_collection"] == "countries" and iso3:
            add(row, iso3, "country", row["ecoinvent_country_name"])
    return places


def _read_world(raw: RawFolder) -> Place:
    for row in raw.sheet(AWARE, "CFs_add_nonagri"):
        if row["Region"] == "GLO":
            months = tuple(_number(row[month.capitalize()]) for month in MONTHS)
            return Place("WORLD", "world", "World", float(row["annual"]), months)
    raise BuildError("AWARE: no global row")


def _bounded(value: float) -> float:
    return min(max(value, FLOOR), CEILING)


def _country_range(place: Place, parts: list[Place]) -> tuple[float, float]:
    """Take the spread over the subdivisions of a country, or a factor of 1.5 where none are given."""
    if parts:
        values = [part.annual for part in parts] + [place.annual]
        return min(values), max(values)
    return _bounded(place.annual / 1.5), _bounded(place.annual * 1.5)


def _part_range(place: Place) -> tuple[float, float]:
    """Take a factor of two: basins inside a state differ from its mean."""
    return _bounded(place.annual / 2), _bounded(place.annual * 2)


def _mean_place(key: str, name: str, states: list[Place]) -> Place:
    months: list[float | None] = []
    for index in range(len(MONTHS)):
        values = [state.months[index] for state in states]
        known = [value for value in values if value is not None]
        months.append(fmean(known) if known else None)
    return Place(key, "us_egrid", name, fmean(state.annual for state in states), tuple(months))


def _row(place: Place, low: float, high: float, source: str = "aware2") -> Row:
    values = dict(zip(MONTHS, place.months, strict=True))
    return make_row(
        COLUMNS,
        {
            "key": place.key,
            "kind": place.kind,
            "name": place.name,
            "low": min(low, place.annual),
            "annual": place.annual,
            "high": max(high, place.annual),
            **values,
            "year": 2024,
            "basis": "nonagri",
            "source": source,
        },
    )


def _egrid_rows(places: dict[str, Place]) -> list[Row]:
    """Give every eGRID subregion the unweighted mean of the states it mostly lies in."""
    rows = []
    for grid in read_facts("us_egrid"):
        states = [places[key] for key in grid["states"].split()]
        place = _mean_place(f"US-{grid['subregion']}", grid["name"], states)
        if len(states) == 1:
            low, high = _part_range(states[0])
        else:
            low, high = min(state.annual for state in states), max(state.annual for state in states)
        rows.append(_row(place, low, high, "aware2+ours"))
    return rows


def build_scarcity(raw: RawFolder) -> list[Row]:
    """Build ``scarcity.csv``: countries, subdivisions, eGRID subregions, the world."""
    places = _read_places(raw)
    parts: dict[str, list[Place]] = {}
    for place in places.values():
        if place.kind == "subdivision":
            parts.setdefault(place.key.split("-")[0], []).append(place)
    iso2 = {row["iso3"]: row["iso2"] for row in read_facts("countries")}
    rows = []
    for key in sorted(places, key=lambda item: (places[item].kind, item)):
        place = places[key]
        if place.kind == "country":
            low, high = _country_range(place, parts.get(iso2.get(key, ""), []))
        else:
            low, high = _part_range(place)
        rows.append(_row(place, low, high))
    rows += _egrid_rows(places)
    countries = [(place.annual, 1.0) for place in places.values() if place.kind == "country"]
    rows.append(
        _row(_read_world(raw), weighted_percentile(countries, 0.1), weighted_percentile(countries, 0.9))
    )
    return rows
