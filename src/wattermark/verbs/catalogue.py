"""What the tables know: places, models, accelerators, factors and their papers."""

from __future__ import annotations

from collections.abc import Iterable

from wattermark.factors.kinds import all_models
from wattermark.factors.places import all_places
from wattermark.factors.serving import has_measurements
from wattermark.factors.table import Row, named, papers, table
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


def find_models(word: str) -> list[dict[str, str | float | None]]:
    """Models whose name, publisher or kind holds a word. A closed model's size is not known."""
    found: list[dict[str, str | float | None]] = []
    for kind, model, row in all_models():
        vendor = next(row[column] for column in ("vendor", "provider", "family") if column in row)
        if word.lower() in f"{model} {row['match']} {vendor} {kind}".lower():
            found.append(
                {
                    "model": model,
                    "vendor": vendor,
                    "kind": kind,
                    "params": _number(row.get("params", "")),
                    "active_params": _number(row.get("active_params", row.get("params", ""))),
                    "precision": row.get("precision"),
                    "source": row["source"],
                }
            )
    return found


def find_accelerators(word: str) -> list[dict[str, str | float | None]]:
    """Accelerators whose name or maker holds a word, with their data sheets."""
    return [
        {
            "accelerator": row["id"],
            "vendor": row["vendor"],
            "tdp_w": _number(row["tdp_w"]),
            "memory_gb": _number(row["memory_gb"]),
            "bandwidth_tb_per_s": _number(row["bandwidth_tb_s"]),
            "peak_16bit_tflops": _number(row["peak_16bit_tflops"]),
            "peak_8bit_tflops": _number(row["peak_8bit_tflops"]),
            "inference": _known_by(row),
            "source": row["speed_source"] or row["source"],
        }
        for row in table("accelerators")
        if word.lower() in f"{row['id']} {row['match']} {row['alias']} {row['vendor']}".lower()
    ]


def _known_by(row: Row) -> str | None:
    if not (row["peak_16bit_tflops"] and row["bandwidth_tb_s"] and row["memory_gb"]):
        return None
    return "measured" if has_measurements(row["id"]) else "data sheet"


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
