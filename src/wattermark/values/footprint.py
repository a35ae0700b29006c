"""What a run cost, how sure that is, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from wattermark.errors import WattermarkError
from wattermark.values.factors import Factor, Place
from wattermark.values.kinds import Quality, Scope
from wattermark.values.range import Range

SCHEMA: Final = 1

QUANTITIES: Final = (
    "it_energy_j",
    "facility_energy_j",
    "carbon_operational_g",
    "carbon_embodied_g",
    "carbon_g",
    "carbon_market_g",
    "water_onsite_l",
    "water_offsite_thermal_l",
    "water_offsite_hydro_l",
    "water_embodied_l",
    "water_l",
    "water_scarcity_m3eq",
)


class IncompatibleFootprints(WattermarkError):
    """Two footprints that do not measure the same thing."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """What a footprint holds: whose energy, which parts, and on which carbon basis."""

    scope: Scope
    parts: tuple[str, ...]
    ci_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the machine. ``energy_j`` is the run's; the rest of the machine's stands beside it."""

    name: str
    kind: str
    quality: Quality
    energy_j: Range | None
    machine_energy_j: float | None = None
    others_energy_j: float | None = None
    idle_energy_j: float | None = None
    unseen_s: float = 0.0
    counted: bool = True
    device: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A factor that makes an interval wide, and its share of the variance."""

    quantity: str
    factor: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEnergy:
    """The energy of one span, and what using it took. None where no meter saw it.

    ``of`` is how many spans of this name the program said that there will be.
    """

    name: str
    label: str
    number: int
    parent: int | None
    begin_s: float
    duration_s: float
    it_energy_j: float | None
    carbon_operational_g: float | None
    water_operational_l: float | None
    note: str = ""
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """All quantities of a run, each a range or None where it is not known.

    Every field that is a quantity ends in its unit: J, g CO2e, L, m3 world equivalent.
    """

    it_energy_j: Range | None
    facility_energy_j: Range | None
    carbon_operational_g: Range | None
    carbon_embodied_g: Range | None
    carbon_g: Range | None
    carbon_market_g: Range | None
    water_onsite_l: Range | None
    water_offsite_thermal_l: Range | None
    water_offsite_hydro_l: Range | None
    water_embodied_l: Range | None
    water_l: Range | None
    water_scarcity_m3eq: Range | None
    duration_s: float
    boundary: Boundary
    components: tuple[Component, ...]
    place: Place
    factors: tuple[Factor, ...]
    drivers: tuple[Driver, ...]
    flags: tuple[str, ...] = ()
    spans: tuple[SpanEnergy, ...] = ()
    schema: int = SCHEMA

    def quantities(self) -> Mapping[str, Range | None]:
        """Every quantity by its name."""
        return {name: getattr(self, name) for name in QUANTITIES}

    def __add__(self, other: Footprint) -> Footprint:
        """Add two footprints of one boundary; the ends add, as one factor may move both.

        Raises
        ------
        IncompatibleFootprints
            If they do not hold the same parts on the same basis.
        """
        if self.boundary != other.boundary:
            raise IncompatibleFootprints(
                f"a footprint of {_say(self.boundary)} and one of {_say(other.boundary)} do not add up",
                fix="Account both runs with the same scope and the same place",
            )
        sums: dict[str, Any] = {
            name: _plus(mine, other.quantities()[name]) for name, mine in self.quantities().items()
        }
        return replace(
            self,
            **sums,
            duration_s=self.duration_s + other.duration_s,
            components=self.components + other.components,
            factors=tuple(dict.fromkeys(self.factors + other.factors)),
            flags=tuple(dict.fromkeys(self.flags + other.flags + _places(self.place, other.place))),
            drivers=(),
            spans=(),
        )


def _places(one: Place, other: Place) -> tuple[str, ...]:
    if one.resolved == other.resolved:
        return ()
    return (f"several-places: {one.resolved} and {other.resolved} are added; the first is shown",)


def _plus(one: Range | None, other: Range | None) -> Range | None:
    """A sum with something unknown in it is unknown."""
    return None if one is None or other is None else one.plus(other)


def _say(boundary: Boundary) -> str:
    return f"{', '.join(boundary.parts) or 'nothing'} ({boundary.scope}, {boundary.ci_basis})"
