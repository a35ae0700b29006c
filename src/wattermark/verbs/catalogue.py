"""What the tables know: places, factors and their papers."""

from __future__ import annotations

from collections.abc import Iterable

from wattermark.factors.places import all_places
from wattermark.factors.table import named, papers, table
from wattermark.values.factors import Factor, Place
from wattermark.verbs.account import MODEL_FACTORS
from wattermark.verbs.place import check_place, factors_at, parse_when, place_recorded


def find_places(word: str) -> list[dict[str, str | float | None]]:
    """Places whose key, name or country holds a word, with their grid's carbon and water."""
    grids = {row["key"]: row for row in table("grids")}
    found: list[dict[str, str | float | None]] = []
    for row in all_places():
        is_region = "region" in row
        grid = grids[row["grid"]] if is_region else row
        place = f"{row['provider']}:{row['region']}" if is_region else row["key"]
        name = row["city"] if is_region else row["name"]
        if word.lower() in f"{place} {name} {row['iso3']} {row.get('iso2', '')}".lower():
            found.append(
                {
                    "place": place,
                    "kind": "cloud region" if is_region else row["kind"].replace("_", " "),
                    "name": name,
                    "grid": grid["key"],
                    "intensity_g_per_kwh": _number(grid["ci"]),
                    "water_thermal_l_per_kwh": _number(grid["thermal"]),
                    "water_hydro_l_per_kwh": _number(grid["hydro"]),
                }
            )
    return found


def _number(text: str) -> float | None:
    return float(text) if text else None


def factors_of(place: str | None, at: str | None) -> tuple[Place, list[Factor]]:
    """The factors of a place, and those that every run takes."""
    here = check_place(place) if place else place_recorded(None, "")
    when = parse_when(at) if at else None
    return here, [*factors_at(here, when=when), *(named("defaults", name) for name in MODEL_FACTORS)]


def source_titles(factors: Iterable[Factor]) -> dict[str, str]:
    """The papers of some factors: title, publisher, version, licence."""
    wanted = dict.fromkeys(id_ for factor in factors for id_ in factor.source.split("+"))
    return {
        id_: "; ".join((one.title, one.publisher, one.version, one.licence, one.url))
        for id_, one in papers(wanted).items()
    }
