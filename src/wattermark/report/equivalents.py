"""A footprint in everyday things; off unless asked for, as they make small numbers look exact."""

from __future__ import annotations

from collections.abc import Iterator

from wattermark.report.numbers import digits
from wattermark.values.footprint import Footprint

THINGS = (
    ("it_energy_j", 36_000.0, "hours of a 10 W lamp", "by definition"),
    ("carbon_g", 108.0, "km in the average new car of the EU", "EEA, new cars registered in 2022"),
    ("water_l", 0.25, "glasses of water", "250 mL each"),
)
"""Quantity, how much of it one thing takes (in the quantity's unit), the thing, and its source."""

WORDS = {"it_energy_j": "energy", "carbon_g": "carbon", "water_l": "water"}


def equivalents(footprint: Footprint) -> tuple[str, ...]:
    """One sentence for each quantity that is known."""
    return tuple(_told(footprint))


def _told(footprint: Footprint) -> Iterator[str]:
    for name, one, thing, source in THINGS:
        value = footprint.quantities()[name]
        if value is not None:
            about = digits(value.best / one)
            between = f"{digits(value.low / one)} - {digits(value.high / one)}"
            yield f"{WORDS[name]}: about {about} {thing} ({between}; {source})"
