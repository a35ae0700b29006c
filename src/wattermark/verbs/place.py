"""Where did it run? The place of a run, and the factors that go with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from wattermark.errors import UsageError
from wattermark.factors.places import When, given, resolve, site_factors
from wattermark.values.factors import Factor, Place


def check_place(asked: str) -> Place:
    """The place of that name.

    Raises
    ------
    UsageError
        If there is none.
    """
    return resolve(asked)


def place_recorded(asked: str | None, found: str) -> Place:
    """The place of a recorded run; one that no table knows is the world, and flagged."""
    try:
        return resolve(asked, guess="time zone" in found)
    except UsageError as error:
        world = resolve(None)
        return replace(world, asked=asked, flags=(f"place-unknown: {error}; taken for the world",))


def factors_at(
    place: Place,
    *,
    pue: float | None = None,
    wue: float | None = None,
    market_intensity: float | None = None,
    intensity: float | None = None,
    grid_water: float | None = None,
    when: When | None = None,
) -> list[Factor]:
    """The factors of a place, with what the user gave in front of the tables.

    Who gives the water of the grid gives all of it: it stands under thermal plants.
    """
    factors = site_factors(place, when=when)
    year = datetime.now(UTC).year
    theirs = {
        "pue": (pue, "1"),
        "wue": (wue, "L/kWh"),
        "market_intensity": (market_intensity, "g/kWh"),
        "carbon_intensity": (intensity, "g/kWh"),
        "water_thermal": (grid_water, "L/kWh"),
        "water_hydro": (None if grid_water is None else 0.0, "L/kWh"),
    }
    for name, (value, unit) in theirs.items():
        if value is not None:
            factors[name] = given(name, value, unit, year)
    return list(factors.values())


def parse_when(text: str) -> When:
    """A year, a month or a day, as ``2024``, ``2024-07`` or any ISO 8601 moment.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    if text.isascii() and text.isdecimal() and len(text) == len("2024"):
        return When(int(text))
    full = f"{text}-01" if len(text) == len("2024-07") else text
    try:
        moment = datetime.fromisoformat(full)
    except ValueError as error:
        raise UsageError(f"{text!r} is no moment", fix="Write 2024, 2024-07 or 2024-07-31T12:00") from error
    return When(moment.year, moment.month)
