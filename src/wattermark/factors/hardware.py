"""What making the hardware took: carbon and water of accelerators and of the machine around them."""

from __future__ import annotations

import re
from dataclasses import replace

from wattermark.factors.table import Row, factor, named, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range

TYPICAL = "a100-sxm-80"
UNKNOWN = "unknown"


def accelerator(device: str) -> Row | None:
    """The row of an accelerator by the name that its driver gives.

    A row may hold several names. They are compared by whole words, as ``nvidia a10`` also stands
    in ``nvidia a10g``; the longest that fits wins.
    """
    text = device.lower()
    fits = [
        (len(match), row)
        for row in table("accelerators")
        for match in row["match"].split(";")
        if match and re.search(rf"(?<![a-z0-9]){re.escape(match)}(?![a-z0-9])", text)
    ]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def device_factors(device: str) -> tuple[Factor, Factor]:
    """Embodied carbon [kg] and water [L] of one accelerator.

    One that no row fits is taken for a typical one, with a third and twice of it as its interval.
    """
    row = accelerator(device)
    known = row or next(one for one in table("accelerators") if one["id"] == TYPICAL)
    key = known["id"] if row else f"{UNKNOWN} ({device or 'no name'})"
    carbon = factor(
        known,
        "embodied_device_carbon",
        key=key,
        unit="kg",
        columns=("embodied_kg_low", "embodied_kg", "embodied_kg_high"),
    )
    water = factor(
        known,
        "embodied_device_water",
        key=key,
        unit="L",
        columns=("embodied_water_l_low", "embodied_water_l", "embodied_water_l_high"),
    )
    return (carbon, water) if row else (_guessed(carbon), _guessed(water))


def _guessed(factor: Factor) -> Factor:
    value = factor.value
    return replace(factor, value=Range(value.low / 3, value.best, value.high * 2), basis="guessed")


def host_factors(*, accelerators: bool) -> tuple[Factor, Factor]:
    """Embodied carbon [kg] and water [L] of the machine: for each accelerator, else for each logical CPU."""
    unit = "accelerator" if accelerators else "logical_cpu"
    carbon, water = named("embodied", f"host_per_{unit}"), named("embodied", f"host_water_per_{unit}")
    return (
        replace(carbon, name="embodied_host_carbon", key=f"per {unit.replace('_', ' ')}"),
        replace(water, name="embodied_host_water", key=f"per {unit.replace('_', ' ')}"),
    )
