"""What making the hardware took: carbon and water of accelerators and of the machine around them."""

from __future__ import annotations

import re
from dataclasses import replace

from wattermark.factors.table import Row, factor, named, number, rows_by, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range

TYPICAL = "a100-sxm-80"
HOST_TOLD_AT_W, HOST_BASE_W, HOST_PER_TDP = 700.0, 30.0, 0.17
"""Ours: boards, fans and processors grow with what they carry, from a floor that a small card has as well."""
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
    if row:
        return _embodied(row, row["id"])
    carbon, water = _embodied(_typical(), f"{UNKNOWN} ({device or 'no name'})")
    return _guessed(carbon), _guessed(water)


def tdp_factor(device: str, name: str) -> Factor | None:
    """Thermal design power of an accelerator by its driver's name for it; None where no row fits. [W]"""
    row = accelerator(device)
    if row is None:
        return None
    tdp_w = Range.exact(number(row, "tdp_w"))
    return Factor(
        name=name,
        value=tdp_w,
        unit="W",
        key=row["id"],
        year=int(row["year"]),
        basis="tdp",
        source=row["source"],
    )


def sheet_factors(accelerator_id: str) -> tuple[Factor, Factor]:
    """Embodied carbon [kg] and water [L] of an accelerator of our table, by its id."""
    row = rows_by("accelerators", "id")[accelerator_id]
    return _embodied(row, row["id"])


def _typical() -> Row:
    return rows_by("accelerators", "id")[TYPICAL]


def _embodied(row: Row, key: str) -> tuple[Factor, Factor]:
    kg = ("embodied_kg_low", "embodied_kg", "embodied_kg_high")
    litres = ("embodied_water_l_low", "embodied_water_l", "embodied_water_l_high")
    return (
        factor(row, "embodied_device_carbon", key=key, unit="kg", columns=kg),
        factor(row, "embodied_device_water", key=key, unit="L", columns=litres),
    )


def _guessed(factor: Factor) -> Factor:
    value = factor.value
    return replace(factor, value=Range(value.low / 3, value.best, value.high * 2), basis="guessed")


def host_power_factor(tdp_w: float) -> Factor:
    """Mean power of the machine around an accelerator, for one of them: more around larger ones. [W]

    Parameters
    ----------
    tdp_w : float
        Of the accelerator; the table tells it for one of ``HOST_TOLD_AT_W``. [W]
    """
    told = named("defaults", "host_power_per_gpu_w")
    scale = (HOST_BASE_W + HOST_PER_TDP * tdp_w) / (HOST_BASE_W + HOST_PER_TDP * HOST_TOLD_AT_W)
    value = told.value
    scaled = Range(value.low * scale, value.best * scale, value.high * scale)
    return replace(told, value=scaled, key=f"around {tdp_w:g} W")


def host_factors(*, accelerators: bool) -> tuple[Factor, Factor]:
    """Embodied carbon [kg] and water [L] of the machine: for each accelerator, else for each logical CPU."""
    unit = "accelerator" if accelerators else "logical_cpu"
    carbon, water = named("embodied", f"host_per_{unit}"), named("embodied", f"host_water_per_{unit}")
    return (
        replace(carbon, name="embodied_host_carbon", key=f"per {unit.replace('_', ' ')}"),
        replace(water, name="embodied_host_water", key=f"per {unit.replace('_', ' ')}"),
    )
