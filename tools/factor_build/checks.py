"""Checks on the built tables; every one that fails stops the build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .common import BuildError, Row

Tables = Mapping[str, Sequence[Row]]

_IDS = {
    "sources": ("id",),
    "grids": ("key",),
    "grid_history": ("key", "year"),
    "scarcity": ("key",),
    "cloud_regions": ("provider", "region"),
    "provider_pue_wue": ("provider", "scope", "year", "pue", "wue_l_per_kwh"),
    "google_region_carbon": ("region", "year"),
    "water_technology": ("technology", "cooling", "basis"),
    "cooling_shares": ("region", "plant"),
    "mix_water": ("region", "fuel"),
    "cooling_regions": ("iso3",),
    "coordinates": ("key",),
    "carbon_technology": ("technology", "basis"),
    "accelerators": ("id",),
    "cpu_tdp": ("name",),
    "embodied": ("name",),
    "wue_by_cooling": ("size", "cooling"),
    "defaults": ("name",),
}
_RANGES = {
    "grids": (
        ("ci_low", "ci", "ci_high"),
        ("thermal_low", "thermal", "thermal_high"),
        ("hydro_low", "hydro", "hydro_high"),
    ),
    "scarcity": (("low", "annual", "high"),),
    "cloud_regions": (("pue_low", "pue", "pue_high"), ("wue_low", "wue", "wue_high")),
    "water_technology": (("low", "best", "high"),),
    "mix_water": (("low", "best", "high"),),
    "carbon_technology": (("low", "best", "high"),),
    "accelerators": (
        ("embodied_kg_low", "embodied_kg", "embodied_kg_high"),
        ("embodied_water_l_low", "embodied_water_l", "embodied_water_l_high"),
    ),
    "embodied": (("low", "best", "high"),),
    "wue_by_cooling": (("pue_low", "pue", "pue_high"), ("wue_low", "wue", "wue_high")),
    "defaults": (("low", "best", "high"),),
}
LEAST_CI, MOST_CI = 5.0, 1200.0
MOST_WATER = 40.0  # L/kWh, central
_MIX_TOLERANCE = (98.0, 102.0)


def check_tables(tables: Tables) -> None:
    """Run every check and raise one error that names all failures."""
    problems = [problem for check in _CHECKS for problem in check(tables)]
    if problems:
        raise BuildError("checks failed:\n" + "\n".join(f"  {problem}" for problem in problems))


def _ids_are_unique(tables: Tables) -> Iterator[str]:
    for table, columns in _IDS.items():
        seen: set[tuple[str, ...]] = set()
        for row in tables[table]:
            key = tuple(row[column] for column in columns)
            if key in seen:
                yield f"{table}: {key} twice"
            seen.add(key)


def _rows_have_provenance(tables: Tables) -> Iterator[str]:
    known = {row["id"] for row in tables["sources"] if row["ship"] in ("yes", "facts")}
    for table, rows in tables.items():
        if table == "sources":
            continue
        for row in rows:
            if not row["basis"] or not row["year"].isdigit():
                yield f"{table}: no basis or year in {row}"
            for source in row["source"].split("+"):
                if source not in known:
                    yield f"{table}: source {source!r} is not in sources"


def _ranges_are_ordered(tables: Tables) -> Iterator[str]:
    for table, ranges in _RANGES.items():
        for row in tables[table]:
            for columns in ranges:
                values = [float(row[column]) for column in columns if row[column]]
                if values != sorted(values):
                    yield f"{table}: {columns} out of order in {row}"


def _carbon_is_plausible(tables: Tables) -> Iterator[str]:
    for table in ("grids", "grid_history"):
        for row in tables[table]:
            doubted = "ci_high_for_gas" in row["flag"]  # Turkmenistan: old gas plants, 1306 in the source
            if row["ci"] and not (LEAST_CI < float(row["ci"]) < MOST_CI or doubted):
                yield f"{table}: ci {row['ci']} of {row['key']}"
            if not row["ci"] and "ci_missing" not in row["flag"]:
                yield f"{table}: {row['key']} has no ci and no flag"


def _water_is_plausible(tables: Tables) -> Iterator[str]:
    for row in tables["grids"]:
        if not row["thermal"]:
            if "water_missing" not in row["flag"]:
                yield f"grids: {row['key']} has no water and no flag"
        elif not 0 <= float(row["thermal"]) + float(row["hydro"]) < MOST_WATER:
            yield f"grids: water of {row['key']}"


def _mixes_sum_to_all(tables: Tables) -> Iterator[str]:
    low, high = _MIX_TOLERANCE
    for row in tables["grid_history"]:
        total = sum(float(row[column]) for column in row if column.endswith("_pct") and row[column])
        # slack for the rounding of the sum: the flag is set beyond two percent
        if not low - 0.01 <= total <= high + 0.01 and "shares_sum" not in row["flag"]:
            yield f"grid_history: shares of {row['key']} {row['year']} sum to {total}"
    for row in tables["cooling_shares"]:
        total = sum(
            float(row[column])
            for column in ("once_through_fresh", "once_through_sea", "tower", "pond", "dry")
        )
        if not 0.98 <= total <= 1.02:
            yield f"cooling_shares: {row['region']} {row['plant']} sum to {total}"


def _references_exist(tables: Tables) -> Iterator[str]:
    grids = {row["key"] for row in tables["grids"]}
    aware = {row["key"] for row in tables["scarcity"]}
    for row in tables["grids"]:
        if row["parent"] not in grids and row["key"] != "WORLD":
            yield f"grids: parent {row['parent']!r} of {row['key']}"
        if row["aware_key"] and row["aware_key"] not in aware:
            yield f"grids: aware key {row['aware_key']!r} of {row['key']}"
    for row in tables["cloud_regions"]:
        if row["grid"] not in grids:
            yield f"cloud_regions: grid {row['grid']!r} of {row['region']}"
        if row["site_aware_key"] not in aware:
            yield f"cloud_regions: aware key {row['site_aware_key']!r} of {row['region']}"


_CHECKS = (
    _ids_are_unique,
    _rows_have_provenance,
    _ranges_are_ordered,
    _carbon_is_plausible,
    _water_is_plausible,
    _mixes_sum_to_all,
    _references_exist,
)
