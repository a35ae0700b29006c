"""All terms of a run to one footprint. Nothing here looks a factor up; the caller brings them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wattermark.science.carbon import operational_carbon_g
from wattermark.science.embodied import life_share
from wattermark.science.energy import facility_energy
from wattermark.science.node import disagreement
from wattermark.science.parts import Parts
from wattermark.science.running import Running
from wattermark.science.stretches import best_values, counted, seen_until_j
from wattermark.science.terms import Energy, Term
from wattermark.science.uncertainty import Evaluate, Values, drivers, intervals
from wattermark.science.water import offsite_water_l, onsite_water_l, scarcity_m3eq
from wattermark.values.boundary import ItEnergy, Number
from wattermark.values.factors import Factor, Place
from wattermark.values.footprint import QUANTITIES, Boundary, Component, Footprint, SpanEnergy
from wattermark.values.range import Range
from wattermark.values.units import G_PER_KG, S_PER_NS

if TYPE_CHECKING:
    from wattermark.values.records import SpanMark

DRIVEN = ("it_energy_j", "carbon_g", "water_l")
"""The quantities whose interval is explained."""
PART = "part "
"""Before the number of a term, where its energy stands among the quantities."""
WATER_PARTS = ("onsite", "offsite_thermal", "offsite_hydro", "embodied")


@dataclass(frozen=True, slots=True)
class Device:
    """Hardware that was held: names of its embodied factors, and for how long. [s]

    The time is a number, or follows from the factors where it was not measured.
    """

    carbon: str
    water: str
    used_s: float | Energy


def footprint(
    parts: Parts,
    factors: Iterable[Factor],
    devices: Iterable[Device],
    *,
    place: Place,
    flags: Iterable[str] = (),
    spans: Iterable[SpanEnergy] = (),
) -> Footprint:
    """Join what was seen with where it was.

    Parameters
    ----------
    parts : Parts
        The energy of each part of the machine.
    factors : iterable of Factor
        All that the formulas name; names differ.
    devices : iterable of Device
        Hardware whose making is shared.
    place : Place
        Goes with the numbers.
    flags : iterable of str
        What else must be said.
    spans : iterable of SpanEnergy
        Stretches of the run, accounted before.
    """
    return footprint_and(parts, factors, devices, {}, place=place, flags=flags, spans=spans)[0]


def footprint_and(
    parts: Parts,
    factors: Iterable[Factor],
    devices: Iterable[Device],
    also: Mapping[str, Energy],
    *,
    place: Place,
    flags: Iterable[str] = (),
    spans: Iterable[SpanEnergy] = (),
) -> tuple[Footprint, dict[str, Range]]:
    """A footprint, and other functions of the same factors, from the same draws.

    Parameters
    ----------
    parts, factors, devices, place, flags, spans
        As of ``footprint``.
    also : mapping
        By name: what else is asked.
    """
    held = tuple(devices)
    needed = _needed([*factors, *parts.gaps], parts, held)
    added = counted(parts)
    whole = formula(added, held) if added else _nothing
    runs = {f"{PART}{i}": term.run for i, term in enumerate(parts.terms) if term.run is not None}
    more = {**also, **runs}
    ranges = intervals(lambda v: {**whole(v), **{name: one(v) for name, one in more.items()}}, needed)
    quantities: dict[str, Any] = {name: ranges.get(name) for name in QUANTITIES}
    basis = next((f.basis for f in needed if f.name == "carbon_intensity"), "-")
    components = _components(parts.terms, ranges, needed)
    found = Footprint(
        **quantities,
        duration_s=parts.duration_s,
        boundary=Boundary(parts.scope, tuple(sorted({term.kind for term in added})), basis),
        components=components,
        place=place,
        factors=tuple(needed),
        drivers=drivers(whole, needed, DRIVEN) if added else (),
        flags=(*place.flags, *parts.flags, *disagreement(components, parts.wall), *flags, *_said(quantities)),
        spans=tuple(spans),
    )
    return found, {name: ranges[name] for name in also}


def _nothing(_: Values) -> dict[str, Number]:
    """Of a run of which no meter told anything."""
    return {}


def best_only(parts: Parts, factors: Iterable[Factor], devices: Iterable[Device]) -> Running:
    """The same at the best values, without intervals.

    Parameters
    ----------
    parts, factors, devices
        As of ``footprint``.
    """
    added = counted(parts)
    if not added:
        return Running(parts.duration_s)
    found = formula(added, devices)(best_values(parts, factors))
    return Running(
        elapsed_s=parts.duration_s,
        it_energy_j=float(found["it_energy_j"]),
        carbon_g=float(found["carbon_g"]),
        water_l=float(found["water_l"]),
    )


def formula(terms: Iterable[Term], devices: Iterable[Device]) -> Evaluate:
    """The whole calculation as one function of the factors' values.

    Parameters
    ----------
    terms : iterable of Term
        The parts that count. [J]
    devices : iterable of Device
        Hardware whose making is shared.

    Returns
    -------
    callable
        From the value of each factor to all quantities: [J], [g CO2e], [L], [m3 world equivalent].
    """
    added, held = tuple(terms), tuple(devices)

    def whole(values: Values) -> dict[str, Number]:
        it = ItEnergy(_total(term.run(values) for term in added if term.run is not None))
        found = {**operational(it, values), **_embodied(held, values)}
        found["carbon_g"] = found["carbon_operational_g"] + found["carbon_embodied_g"]
        found["water_l"] = _total(found[f"water_{part}_l"] for part in WATER_PARTS)
        return found

    return whole


def operational(it: ItEnergy, values: Values) -> dict[str, Number]:
    """All that follows from IT energy at a place: facility energy, carbon and water of using it.

    Parameters
    ----------
    it : ItEnergy
        [J]
    values : mapping
        By name: ``pue`` [1], ``wue``, ``water_thermal``, ``water_hydro`` [L/kWh], ``carbon_intensity``
        and, where it is known, ``market_intensity`` [g CO2e/kWh], ``scarcity_site`` and
        ``scarcity_grid`` [m3eq/m3].

    Returns
    -------
    dict
        Quantities by their names, each in the unit that ends its name.
    """
    facility = facility_energy(it, values["pue"])
    onsite_l = onsite_water_l(it, values["wue"])
    thermal_l = offsite_water_l(facility, values["water_thermal"])
    hydro_l = offsite_water_l(facility, values["water_hydro"])
    found = {
        "it_energy_j": it.joules,
        "facility_energy_j": facility.joules,
        "carbon_operational_g": operational_carbon_g(facility, values["carbon_intensity"]),
        "water_onsite_l": onsite_l,
        "water_offsite_thermal_l": thermal_l,
        "water_offsite_hydro_l": hydro_l,
        "water_scarcity_m3eq": scarcity_m3eq(
            onsite_l, thermal_l + hydro_l,
            site_factor=values["scarcity_site"], grid_factor=values["scarcity_grid"],
        ),
    }  # fmt: skip
    if "market_intensity" in values:
        found["carbon_market_g"] = operational_carbon_g(facility, values["market_intensity"])
    return found


def _embodied(devices: Iterable[Device], values: Values) -> dict[str, Number]:
    carbon_g: Number = 0.0
    water_l: Number = 0.0
    for device in devices:
        share = life_share(
            device.used_s(values) if callable(device.used_s) else device.used_s,
            lifetime_years=values["server_lifetime_years"],
            utilisation=values["accelerator_utilisation"],
        )
        carbon_g = carbon_g + share * values[device.carbon] * G_PER_KG
        water_l = water_l + share * values[device.water]
    return {"carbon_embodied_g": carbon_g, "water_embodied_l": water_l}


def spans_of(
    marks: Iterable[SpanMark], parts: Parts, factors: Iterable[Factor], *, begin_ns: int, end_ns: int
) -> tuple[SpanEnergy, ...]:
    """The energy, carbon and water of each span, at the best values.

    A metered part gives a span what its counter rose in it, in the same proportion as it gave
    the run; a modelled one by time, and so the rest of the machine, gaps filled: it is what was left
    of one meter by others, which do not have the same gaps. Sums of spans that follow each other are the sum.

    Parameters
    ----------
    marks : iterable of SpanMark
        Where spans begin and end. [ns]
    parts, factors
        As of ``footprint``.
    begin_ns, end_ns : int
        The window of the run. [ns]
    """
    best = best_values(parts, factors)
    return tuple(_span(mark, parts, best, begin_ns, min(mark.end_ns or end_ns, end_ns)) for mark in marks)


def _span(mark: SpanMark, parts: Parts, best: Values, begin_ns: int, end_ns: int) -> SpanEnergy:
    begin_s = max(0.0, (mark.begin_ns - begin_ns) * S_PER_NS)
    end_s = max(begin_s, (end_ns - begin_ns) * S_PER_NS)
    shares = [(term.name, _share_of(term, parts, best, begin_s, end_s)) for term in counted(parts)]
    seen = [share for _, share in shares if share is not None]
    unseen = [name for name, share in shares if share is None]
    energy_j = float(sum(seen)) if seen else None
    found = operational(ItEnergy(energy_j), best) if energy_j is not None else {}
    return SpanEnergy(
        name=mark.name,
        label=mark.label,
        number=mark.number,
        parent=mark.parent,
        begin_s=begin_s,
        duration_s=end_s - begin_s,
        it_energy_j=energy_j,
        carbon_operational_g=float(found["carbon_operational_g"]) if found else None,
        water_operational_l=float(_total(found[f"water_{part}_l"] for part in WATER_PARTS[:-1]))
        if found
        else None,
        note="; ".join(_remarks(mark, unseen)),
        of=mark.of,
    )


def _remarks(mark: SpanMark, unseen: Iterable[str]) -> Iterator[str]:
    if mark.end_ns is None:
        yield "still open when the run ended"
    for name in unseen:
        yield f"{name} was not seen in it"


def _share_of(term: Term, parts: Parts, best: Values, begin_s: float, end_s: float) -> float | None:
    if term.track is not None and not term.track.seen_between(begin_s, end_s):
        return None
    return float(np.diff(seen_until_j(term, parts, best, [begin_s, end_s]))[0])


def _total(parts: Iterable[Number]) -> Number:
    total: Number = 0.0
    for part in parts:
        total = total + part
    return total


def _components(
    terms: Iterable[Term], ranges: Mapping[str, Range], factors: list[Factor]
) -> tuple[Component, ...]:
    best: Values = {factor.name: factor.value.best for factor in factors}
    return tuple(_component(term, ranges.get(f"{PART}{i}"), best) for i, term in enumerate(terms))


def _component(term: Term, energy_j: Range | None, best: Values) -> Component:
    return Component(
        name=term.name,
        kind=term.kind,
        quality=term.quality,
        energy_j=energy_j,
        machine_energy_j=float(term.machine(best)) if term.machine else None,
        others_energy_j=float(term.others(best)) if term.others else None,
        idle_energy_j=float(term.idle(best)) if term.idle else None,
        unseen_s=term.unseen_s,
        counted=term.counted,
        device=term.device,
        how=term.how,
    )


class _Asked(dict[str, Number]):
    """Remembers which factors a formula asks for."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Number:
        self.names.add(name)
        return super().__getitem__(name)


def _needed(factors: Iterable[Factor], parts: Parts, devices: tuple[Device, ...]) -> list[Factor]:
    """Only the factors that the formulas really use."""
    known = list(factors)
    asked = _Asked({factor.name: factor.value.best for factor in known})
    terms = [term for term in parts.terms if term.run is not None]
    if not terms:
        return []
    formula(terms, devices)(asked)
    for term in terms:
        for energy in (term.machine, term.others, term.idle):
            if energy is not None:
                energy(asked)
    used = asked.names | ({"market_intensity"} & set(asked))
    return [factor for factor in known if factor.name in used]


def _said(ranges: Mapping[str, Range | None]) -> list[str]:
    flags = []
    if ranges["it_energy_j"] is None:
        flags.append("nothing-seen: no meter told any energy and none could be modelled")
    if ranges["carbon_market_g"] is None:
        flags.append("market-unknown: give --market-intensity for the carbon of your contracted supply")
    return flags
