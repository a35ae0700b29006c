"""What a wrong number probably is: factors that unit and PUE mistakes leave behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, log
from typing import Final

from wattermark.values.claims import Claim

AFTER_PUE: Final = ("facility_energy_j", "carbon_g", "water_offsite_l")
LB_PER_KG: Final = 2.204623
_SIXES: Final = {
    "g": "g, kg and t are 1000 apart",
    "j": "Wh, kWh and MWh are 1000 apart",
    "l": "L and m3 are 1000 apart",
}
_UNITS: Final[Mapping[str, tuple[tuple[float, str], ...]]] = {
    "g": (
        (LB_PER_KG, "pounds are printed as kilograms"),
        (1 / LB_PER_KG, "kilograms are printed as pounds"),
    ),
    "l": (
        (1 / 3.785412, "gallons are printed as litres"),
        (3.785412, "litres are printed as gallons"),
    ),
    "j": (
        (3.6, "megajoules are printed as kilowatt-hours"),
        (1 / 3.6, "kilowatt-hours are printed as megajoules"),
        (3600.0, "joules are printed as watt-hours"),
        (1 / 3600.0, "watt-hours are printed as joules"),
    ),
    "s": ((24.0, "hours are printed as days"), (1 / 24.0, "days are printed as hours")),
}
_MOST_MISFIT: Final = 0.5
"""Of a factor, on a logarithmic scale: what is printed may be so far from what the factor alone makes."""
_UNIT_MISFIT: Final = 0.05
_NARROW: Final = 3.0
"""How many times as large as the span of the bounds a factor is that says something, at least ..."""
_NARROWEST: Final = 100.0
"""... and the widest span that says anything."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake in words, and how many times what is right it leaves. [1]"""

    factor: float
    says: str


def likely_cause(
    ratio: float, between: tuple[float, float], blamed: str, claims: Mapping[str, Claim]
) -> Slip | None:
    """The mistake that leaves such a ratio of printed to expected; nothing if none is recognised.

    Parameters
    ----------
    ratio : float
        Printed over expected. [1]
    between : pair of float
        What the ratio may be, with the rounding of all that went into it. [1]
    blamed : str
        The quantity.
    claims : mapping of str to Claim
        By quantity: the PUE and the number of devices are looked for.
    """
    if ratio <= 0 or not isfinite(ratio):
        return None
    fits = [
        (abs(log(factor / ratio)), order, Slip(factor, says))
        for order, (factor, says) in enumerate(_factors(blamed, claims))
        if between[0] <= factor <= between[1]
        and abs(log(factor / ratio)) <= _most_misfit(blamed, factor)  # rounding alone explains nothing
    ]
    return min(fits, key=lambda fit: fit[:2])[2] if fits else None


def _most_misfit(blamed: str, factor: float) -> float:
    """A unit is exact; a power of ten is told from others even where few digits are printed."""
    exact = any(factor == one for one, _ in _UNITS.get(_base(blamed), ()))
    return min(_UNIT_MISFIT, _MOST_MISFIT * abs(log(factor))) if exact else _MOST_MISFIT * abs(log(factor))


def brought_home(
    value: float, bounds: tuple[float, float], blamed: str, claims: Mapping[str, Claim]
) -> Slip | None:
    """The smallest power of ten, or else the number of devices, that brings a value between its bounds.

    Bounds that are nearly as far apart as the factor is large say nothing about it.

    Parameters
    ----------
    value : float
        As printed, outside of the bounds.
    bounds : pair of float
        What it may be, in the same unit.
    blamed : str
        The quantity.
    claims : mapping of str to Claim
        By quantity: the number of devices is looked for.
    """
    low, high = bounds
    for factor, says in (*_tens(blamed), *_of_devices(blamed, claims)):
        narrow = min(max(factor, 1 / factor) / _NARROW, _NARROWEST)
        if low <= value / factor <= high <= narrow * low:
            return Slip(factor, says)
    return None


def thousands(blamed: str, factor: float) -> str:
    """Off by a power of ten, in words.

    Parameters
    ----------
    blamed : str
        The quantity.
    factor : float
        A power of ten, or its inverse. [1]
    """
    size = max(factor, 1 / factor)
    note = _SIXES.get(_base(blamed), "") if round(log(size) / log(1000), 6) % 1 == 0 else ""
    return f"off by a factor of {size:.0f}" + (f" ({note})" if note else "")


def _base(quantity: str) -> str:
    return quantity.partition("/")[0].rpartition("_")[2]


def _factors(blamed: str, claims: Mapping[str, Claim]) -> Iterator[tuple[float, str]]:
    if "pue" in claims:
        yield from _of_pue(blamed, claims)
    yield from _of_devices(blamed, claims)
    yield from _tens(blamed)
    yield from _UNITS.get(_base(blamed), ())


def _of_devices(blamed: str, claims: Mapping[str, Claim]) -> Iterator[tuple[float, str]]:
    if "devices" in claims and claims["devices"].value > 1 and "/" not in blamed:
        count = claims["devices"].value
        yield 1 / count, f"it is that of one device, and there are {claims['devices'].text}"
        yield count, "the number of devices was multiplied twice"


def _tens(blamed: str) -> Iterator[tuple[float, str]]:
    for power in range(1, 10):
        yield 10.0**power, thousands(blamed, 10.0**power)
        yield 10.0**-power, thousands(blamed, 10.0**-power)


def _of_pue(blamed: str, claims: Mapping[str, Claim]) -> Iterator[tuple[float, str]]:
    pue = claims["pue"]
    if pue.value <= 1 or "/" in blamed:
        return
    if blamed in AFTER_PUE:
        before = claims.get("it_energy_j") if blamed == "facility_energy_j" else None
        equals = f"it equals {before.printed} / {pue.text}: " if before else ""
        yield 1 / pue.value**2, f"{equals}the PUE was divided, not multiplied"
        yield 1 / pue.value, "the PUE was left out"
        yield pue.value, "the PUE was applied twice"
    elif blamed in ("it_energy_j", "water_onsite_l"):
        yield pue.value, "the PUE is in it already"
