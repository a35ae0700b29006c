"""From our names of places to what a provider calls them: a table for each, ``tables/PROVIDER.csv``.

Its columns are ``key`` (ours: a region of a cloud, or a grid), ``zone`` (theirs), ``name`` and ``source``.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from functools import cache

TABLES = os.path.join(os.path.dirname(__file__), "tables")
BY_COUNTRY = ("electricity_maps",)
"""Those whose zones are two-letter codes of countries, where their table has none of the place."""
BY_REGION = ("carbon_aware_sdk",)
"""Those whose zones are a cloud's own names of its regions."""
BY_COORDINATES = ("watttime", "open_meteo")
"""Those that find a place by where it is, and need no zone."""
BY_CITY = ("open_meteo",)
"""Those of them for whom a grid may be where the city is that stands for it."""


def zone_of(provider: str, *, region: str, grid: str, country: str = "") -> str | None:
    """What a provider calls a place; empty where it needs no name, None where nobody knows.

    Parameters
    ----------
    provider : str
        As in the settings.
    region : str
        Of a cloud, as ``aws:eu-west-1``; empty if it is none.
    grid : str
        The place's own: ``DEU``, ``US-CAMX``.
    country : str
        Of two letters.
    """
    if provider in BY_COORDINATES:
        return ""
    if provider in BY_REGION:
        return region.partition(":")[2] or None
    known = zones(provider)
    found = known.get(region) or known.get(grid)
    return found or (country or None if provider in BY_COUNTRY else None)


@cache
def zones(provider: str) -> Mapping[str, str]:
    """All zones of a provider that has a table, by our names."""
    try:
        with open(os.path.join(TABLES, f"{provider}.csv"), encoding="utf-8", newline="") as file:
            return {row["key"]: row["zone"] for row in csv.DictReader(file)}
    except FileNotFoundError:
        return {}
