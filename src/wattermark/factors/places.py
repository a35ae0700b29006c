"""From what a user calls a place to its grid, its cooling and its water."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from wattermark.errors import FactorNotFound, UsageError, nearest
from wattermark.factors.table import Index, Row, factor, named, number, rows_by, table
from wattermark.values.factors import Factor, Place
from wattermark.values.range import Range

WORLD = "WORLD"
ALIASES = {
    "uk": "GBR",
    "england": "GBR",
    "great britain": "GBR",
    "america": "USA",
    "us": "USA",
    "korea": "KOR",
}
GUESSED = "place-guessed: from the system's time zone; give --place"
MOST_OFFERED, LEAST_LETTERS = 4, 4
NOT_OF_THEN = "no value of"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class When:
    """A year, and the month where one was asked for."""

    year: int
    month: int | None = None


def resolve(asked: str | None, *, guess: bool = False) -> Place:
    """What a name of a place stands for.

    Parameters
    ----------
    asked : str or None
        ``provider:region``, a grid subregion (``US-CAMX``), a state or province (``US-VA``,
        ``CA-QC``), a country by code or name. None is the whole world, flagged.
    guess : bool
        Whether the name itself was guessed.

    Raises
    ------
    UsageError
        If there is no such place; it names the nearest ones.
    """
    if asked is None:
        return _grid_place(None, _grids()[WORLD], steps=("no place is known", WORLD), unknown=True)
    name = asked.strip()
    region = _region(name)
    if region is not None:
        return _region_place(name, region, guess=guess)
    rows = _grid_rows(name)
    if not rows:
        raise UsageError(f"the place {asked!r} is not known", fix=_nearest(name))
    row, *others = rows
    place = _grid_place(
        name, row, steps=(f"{name!r}", *_chain(row)), guess=guess, unknown=row["key"] == WORLD
    )
    also = ", ".join(other["key"] for other in others)
    return (
        replace(place, flags=(*place.flags, f"place-ambiguous: {name!r} could be {also}, too"))
        if also
        else place
    )


def site_factors(place: Place, *, when: When | None = None) -> dict[str, Factor]:
    """The factors of a place: PUE, WUE, carbon and water of its electricity, scarcity.

    Raises
    ------
    FactorNotFound
        Never for PUE, WUE and carbon; for water where neither the grid nor a wider one has it.
    """
    grid = _grids()[place.grid]
    found = [
        *_cooling(place),
        _intensity(grid, when),
        _water(grid, "water_thermal", "thermal"),
        _water(grid, "water_hydro", "hydro"),
        _scarcity(place.scarcity_site, "scarcity_site", when),
        _scarcity(place.scarcity_grid, "scarcity_grid", when),
    ]
    return {one.name: one for one in found}


def given(name: str, value: float, unit: str, year: int) -> Factor:
    """A factor that the user gave: exact, and said to be theirs."""
    return Factor(
        name=name, value=Range.exact(value), unit=unit, key="given", year=year, basis="given", source="user"
    )


def country_of(place: Place) -> str:
    """The two letters of the country that a place is, or is a province of without a grid of its own; else
    empty."""
    row = _grids()[place.grid]
    return row["iso2"] if row["kind"] in ("country", "cn_province") else ""


def coordinates(place: Place, *, of_grid: bool = True) -> tuple[float, float] | None:
    """Latitude and longitude of a place, in degrees.

    A region of a cloud has its own. ``of_grid`` takes a grid to be where most of its data centres or people
    are: near enough for the weather. None for the whole world, and where nobody knows.
    """
    provider, _, region = place.region.partition(":")
    row = _regions()[provider, region] if place.region else None
    if row is not None and row["lat"] and row["lon"]:
        return number(row, "lat"), number(row, "lon")
    city = {one["key"]: one for one in table("coordinates")}.get(place.grid) if of_grid else None
    return None if city is None else (number(city, "latitude"), number(city, "longitude"))


def all_places() -> Iterator[Row]:
    """Every place that ``resolve`` knows: grids, then cloud regions."""
    yield from table("grids")
    yield from table("cloud_regions")


def _grids() -> Index[str, Row]:
    return rows_by("grids", "key")


@cache
def _names() -> dict[str, tuple[Row, ...]]:
    """Every way to write a grid, in lower case; codes before names, as a code is meant as such."""
    codes: dict[str, tuple[Row, ...]] = Index("grids", ())
    names: dict[str, tuple[Row, ...]] = {}
    for row in table("grids"):
        own = [row["iso2"], row["iso3"]] if row["kind"] == "country" else []
        for text in filter(None, (row["key"], *own)):
            codes.setdefault(text.lower(), (row,))
        names[row["name"].lower()] = (*names.get(row["name"].lower(), ()), row)
    aliases = {alias: codes[key.lower()] for alias, key in ALIASES.items()}
    return {**names, **aliases, **codes}


@cache
def _regions() -> dict[tuple[str, str], Row]:
    return {(row["provider"], row["region"]): row for row in table("cloud_regions")}


def _region(name: str) -> Row | None:
    provider, colon, region = name.lower().partition(":")
    if colon:
        found = _regions().get((provider, region))
        if found is None:
            raise UsageError(f"the cloud region {name!r} is not known", fix=_nearest(name))
        return found
    several = [row for (_, one), row in _regions().items() if one == name.lower()]
    if len(several) > 1:
        owners = ", ".join(f"{row['provider']}:{row['region']}" for row in several)
        raise UsageError(f"several clouds have a region {name!r}", fix=f"Say which: {owners}")
    return several[0] if several and name.lower() not in _names() else None


def _grid_rows(name: str) -> tuple[Row, ...]:
    """Grids of that name, countries first."""
    found = _names().get(name.lower()) or _names().get(name.lower().replace("_", "-")) or ()
    return tuple(sorted(found, key=lambda row: row["kind"] != "country"))


def _nearest(name: str) -> str:
    known = [*_names(), *(f"{provider}:{region}" for provider, region in _regions())]
    # a name is told as its table writes it
    written = (_names()[one][0]["key"] if one in _names() else one for one in nearest(name.lower(), known))
    near = [*_holding(name.lower()), *written][:MOST_OFFERED]
    return (
        f"Did you mean {' or '.join(dict.fromkeys(near))}? See: wattermark places"
        if near
        else "See: wattermark places"
    )


def _holding(word: str) -> list[str]:
    """Places whose city or name holds a word: ``paris``, not only ``fra``."""
    if len(word) < LEAST_LETTERS:
        return []
    regions = (key for key, row in _regions().items() if word in row["city"].lower())
    grids = (row["key"] for row in table("grids") if word in row["name"].lower())
    return [*(f"{provider}:{region}" for provider, region in regions), *grids]


def _chain(row: Row) -> Iterator[str]:
    """A grid and what it lies in, with the kind of each."""
    yield f"{row['kind'].replace('_', ' ')} {row['key']} ({row['name']})"


def _grid_place(
    asked: str | None, row: Row, *, steps: tuple[str, ...], guess: bool = False, unknown: bool = False
) -> Place:
    flags = []
    if unknown:
        flags.append("place-unknown: world averages with a wide interval; give --place")
    if guess:
        flags.append(GUESSED)
    return Place(
        asked=asked,
        resolved=row["key"],
        name=row["name"],
        steps=steps,
        grid=row["key"],
        scarcity_site=row["aware_key"] or WORLD,
        scarcity_grid=row["aware_key"] or WORLD,
        guess=guess,
        unknown=unknown,
        flags=tuple(flags),
    )


def _region_place(name: str, row: Row, *, guess: bool) -> Place:
    key = f"{row['provider']}:{row['region']}"
    grid = _grids()[row["grid"]]
    return Place(
        asked=name,
        resolved=key,
        name=row["city"],
        steps=(f"{name!r}", f"cloud region {key} ({row['city']})", *_chain(grid)),
        grid=row["grid"],
        scarcity_site=row["site_aware_key"] or WORLD,
        scarcity_grid=grid["aware_key"] or WORLD,
        region=key,
        guess=guess,
        flags=(GUESSED,) if guess else (),
    )


def _cooling(place: Place) -> Iterator[Factor]:
    """PUE and WUE: of the region where the provider tells them, else our defaults."""
    if not place.region:
        default = named("defaults", "pue_default")
        yield replace(default, name="pue", key="default")
        yield replace(named("defaults", "wue_default"), name="wue", key="default")
        return
    provider, _, region = place.region.partition(":")
    row = _regions()[provider, region]
    yield factor(
        row,
        "pue",
        key=place.region,
        columns=("pue_low", "pue", "pue_high"),
        unit="1",
        basis=row["pue_scope"],
        least=1.0,
    )
    yield factor(
        row,
        "wue",
        key=place.region,
        columns=("wue_low", "wue", "wue_high"),
        unit="L/kWh",
        basis=row["wue_basis"],
        note=f"scope: {row['wue_scope']}",
    )


def _intensity(grid: Row, when: When | None) -> Factor:
    now = factor(
        grid,
        "carbon_intensity",
        key=grid["key"],
        columns=("ci_low", "ci", "ci_high"),
        unit="g/kWh",
        basis=grid["ci_basis"],
        source=grid["ci_source"],
        note=grid["flag"],
    )
    if when is None or when.year >= now.year:
        return now
    return _past_intensity(now, when.year) or replace(
        now, note=f"{NOT_OF_THEN} {when.year} is known; this one is of {now.year}"
    )


def _past_intensity(now: Factor, year: int) -> Factor | None:
    """The value of an earlier year, with the relative width of today's."""
    for row in table("grid_history"):
        if row["key"] == now.key and int(row["year"]) == year and row["ci"]:
            best = number(row, "ci")
            scale = best / now.value.best
            value = Range(now.value.low * scale, best, now.value.high * scale)
            return replace(now, value=value, year=year, source=row["source"], basis=row["ci_basis"])
    return None


def _water(grid: Row, name: str, column: str) -> Factor:
    """Water of the electricity; of the wider grid where this one has none."""
    columns = (f"{column}_low", column, f"{column}_high")
    try:
        return factor(grid, name, key=grid["key"], columns=columns, unit="L/kWh", basis="consumption")
    except FactorNotFound:
        if not grid["parent"]:
            raise
        return _water(_grids()[grid["parent"]], name, column)


def _scarcities() -> Index[str, Row]:
    return rows_by("scarcity", "key")


def _scarcity(key: str, name: str, when: When | None) -> Factor:
    row = _scarcities().get(key) or _scarcities()[WORLD]
    year = factor(
        row,
        name,
        key=row["key"],
        columns=("low", "annual", "high"),
        unit="m3eq/m3",
        note=f"AWARE, {row['kind'].replace('_', ' ')} level",
    )
    if when is None or when.month is None or not row[MONTHS[when.month - 1]]:
        return year
    best = number(row, MONTHS[when.month - 1])
    value = Range(min(year.value.low, best), best, max(year.value.high, best))
    return replace(year, value=value, key=f"{row['key']}/{MONTHS[when.month - 1]}")
