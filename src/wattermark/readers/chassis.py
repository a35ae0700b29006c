"""Where the power of a machine is told in a Redfish tree, and what is told there.

References: DMTF DSP0268 Redfish Data Model Specification: Chassis (ChassisType, Links.ContainedBy),
EnvironmentMetrics (PowerWatts, EnergykWh), PowerSubsystem, PowerSupplyMetrics (InputPowerWatts,
EnergykWh) and, deprecated, Power (PowerControl[].PowerConsumedWatts).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Document = Mapping[str, Any]
Get = Callable[[str], Any]
"""From a path to the document that lies there."""

ROOT = "/redfish/v1/Chassis"
MOST_MEMBERS = 64
MOST_W, MOST_KWH = 20_000, 10**8
"""More than a node draws, and than it took in all its life."""
MW_PER_W, MJ_PER_KWH = 1_000, 3_600_000_000
HOLDS_NODES = frozenset(
    ("Rack", "RackGroup", "Row", "Pod", "Enclosure", "Shelf", "ImmersionTank", "PowerStrip", "HeatExchanger")
)
PARTS = frozenset(("Card", "Module", "Component", "Cartridge", "IPBasedDrive", "StorageEnclosure"))
NODES = frozenset(("Blade", "Sled"))
"""Kinds of chassis: those that hold several machines, parts of one, and those that are one each."""


@dataclass(frozen=True, slots=True)
class Told:
    """Energy and power of a machine; None for what is not told. [mJ], [mW]"""

    energy_mj: int | None = None
    power_mw: int | None = None


Source = Callable[[Get], Told]
"""Asks for what one chassis takes now."""


def document(body: bytes) -> Any:
    """A JSON object, its numbers in the digits that were sent.

    Parameters
    ----------
    body : bytes
        What was answered.

    Raises
    ------
    ValueError
        If it is none, as HTML is not.
    """
    told = json.loads(body, parse_float=Decimal, parse_constant=lambda word: None)
    if not isinstance(told, dict):
        raise ValueError("no object where one is expected")
    return told


def sources(get: Get, named: str = "") -> list[Source]:
    """Where to ask for the power of the machine: at one chassis, or at several that add up.

    Parameters
    ----------
    get : callable
        From a path to the document there.
    named : str
        The Id of the chassis to take; by default the outermost ones that are no rack.

    Raises
    ------
    ValueError
        If none tells any, or several machines are told of.
    """
    known = dict(_chassis(get))
    told = {path: _source(get, one) for path, one in known.items() if _is_asked(one, named)}
    telling = {path: source for path, source in told.items() if source is not None}
    if not telling:
        raise ValueError(f"no chassis {named!r} tells its power" if named else "no chassis tells its power")
    return list(telling.values()) if named else _outermost(telling, known)


def _is_asked(chassis: Document, named: str) -> bool:
    """The one that is named; else no part of a machine, and none that holds several."""
    return chassis.get("Id") == named if named else _type(chassis) not in HOLDS_NODES | PARTS


def _chassis(get: Get) -> Iterator[tuple[str, Document]]:
    for path in _members(get, ROOT):
        yield path, get(path)


def _members(get: Get, collection: str) -> list[str]:
    members = get(collection).get("Members")
    if not isinstance(members, list):
        raise ValueError("a collection has no members")
    return [path for one in members[:MOST_MEMBERS] if (path := _link(one))]


def _link(link: Any) -> str:
    """The path that a link names; empty if it names none within the tree."""
    path = link.get("@odata.id") if isinstance(link, dict) else None
    return path if isinstance(path, str) and path.startswith("/redfish/v1/") else ""


def _outermost(telling: Mapping[str, Source], known: Mapping[str, Document]) -> list[Source]:
    """Of the chassis that tell: those that lie in no other one of them.

    Raises
    ------
    ValueError
        If several of these are a machine each.
    """
    outer = [path for path in telling if not any(one in telling for one in _around(path, known))]
    if not outer:
        raise ValueError("its chassis lie in each other")
    if len(outer) > 1 and any(_type(known[path]) in NODES for path in outer):
        names = ", ".join(str(known[path].get("Id"))[:40] for path in outer[:8])
        raise ValueError(f"it tells of several machines: {names}")
    return [telling[path] for path in outer]


def _around(path: str, known: Mapping[str, Document]) -> Iterator[str]:
    """Paths of the chassis that hold one, the nearest first."""
    met = {path}
    while True:
        links = known.get(path, {}).get("Links")
        path = _link(links.get("ContainedBy")) if isinstance(links, dict) else ""
        if not path or path in met:
            return
        yield path
        met.add(path)


def _type(chassis: Document) -> str:
    return str(chassis.get("ChassisType"))


def _source(get: Get, chassis: Document) -> Source | None:
    """The first place of a chassis that tells anything now."""
    for name, ask in _ASKED.items():
        path = _link(chassis.get(name))
        try:
            if path and (source := ask(get, path))(get) != Told():
                return source
        except (OSError, ValueError):
            continue
    return None


def _environment(_get: Get, path: str) -> Source:
    def ask(get: Get) -> Told:
        told = get(path)
        return Told(_energy_mj(_reading(told, "EnergykWh")), _power_mw(_reading(told, "PowerWatts")))

    return ask


def _supplies(get: Get, path: str) -> Source:
    """Of all power supplies together: one that does not tell makes a gap."""
    supplies = _members(get, _link(get(path).get("PowerSupplies")))
    asked = [metrics for one in supplies if (metrics := _link(get(one).get("Metrics")))]
    if not asked:
        raise ValueError("no power supply tells anything")

    def ask(get: Get) -> Told:
        told = [get(one) for one in asked]
        return added(
            [
                Told(
                    _energy_mj(_reading(one, "EnergykWh")),
                    _power_mw(_reading(one, "InputPowerWatts"), least_w=-1),
                )
                for one in told
            ]
        )

    return ask


def _control(_get: Get, path: str) -> Source:
    """The first entry is the chassis; further ones are its processors and memory."""

    def ask(get: Get) -> Told:
        controls = get(path).get("PowerControl")
        first = controls[0] if isinstance(controls, list) and controls else {}
        watts = first.get("PowerConsumedWatts") if isinstance(first, dict) else None
        return Told(power_mw=_power_mw(watts))

    return ask


_ASKED: Mapping[str, Callable[[Get, str], Source]] = {
    "EnvironmentMetrics": _environment,
    "PowerSubsystem": _supplies,
    "Power": _control,
}
"""Where a chassis tells, the best first."""


def added(told: Sequence[Told]) -> Told:
    """Several together; None where one of them is None, or all take nothing.

    Parameters
    ----------
    told : sequence of Told
        One at least.
    """
    energies, powers = [one.energy_mj for one in told], [one.power_mw for one in told]
    return Told(_sum(energies), _sum(powers) or None)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _reading(told: Document, name: str) -> Any:
    excerpt = told.get(name)
    return excerpt.get("Reading") if isinstance(excerpt, dict) else None


def _power_mw(watts: Any, *, least_w: int = 0) -> int | None:
    """No machine that runs this takes nothing; a power supply in reserve may."""
    number = _number(watts, MOST_W)
    return None if number is None or number <= least_w else int(number * MW_PER_W)


def _energy_mj(kwh: Any) -> int | None:
    number = _number(kwh, MOST_KWH)
    return None if number is None else int(number * MJ_PER_KWH)


def _number(told: Any, most: int) -> Decimal | None:
    """A number as one is expected; no text, no truth value, nothing below zero, nothing absurd."""
    if isinstance(told, bool) or not isinstance(told, int | Decimal):
        return None
    return Decimal(told) if 0 <= told <= most else None
