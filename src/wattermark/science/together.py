"""Footprints of one run to one: of several machines at the same time, and of its parts in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add

from wattermark.values.footprint import Component, Footprint, SpanEnergy
from wattermark.values.kinds import Quality
from wattermark.values.range import Range

_OF_MACHINE = (
    "gap",
    "not-seen",
    "modelled",
    "cpu-unknown",
    "fault",
    "note",
    "clock-step",
    "mirrored",
    "short",
    "disagree",
    "counter-doubted",
    "whole-node",
    "whole",
    "load-unknown",
    "spool-damaged",
    "beats-lost",
)
"""Words of flags that are of one machine."""
_WORST = (Quality.MISSING, Quality.MODELLED, Quality.MEASURED)


def at_once(machines: Sequence[tuple[str, Footprint]]) -> Footprint:
    """One footprint of several machines that worked together.

    Parameters
    ----------
    machines : sequence of (str, Footprint)
        The name of each, and what it took; all with the same spans, in the same order. One at least.

    Returns
    -------
    Footprint
        Every quantity is the sum; the time is that of the longest.

    Raises
    ------
    IncompatibleFootprints
        If they are not on the same basis.
    """
    if len(machines) == 1:
        return machines[0][1]
    named = [_named(name, found) for name, found in machines]
    spans = zip(*(found.spans for found in named), strict=False)
    return replace(
        _sum(named),
        duration_s=max(found.duration_s for found in named),
        spans=tuple(_one_span(parts) for parts in spans),
    )


def in_turn(parts: Sequence[tuple[float, Footprint]]) -> Footprint:
    """One footprint of a run that was taken up again.

    Parameters
    ----------
    parts : sequence of (float, Footprint)
        When each began [s], and what it took. One at least, the earliest first.

    Returns
    -------
    Footprint
        Every quantity is the sum, and the time that of the parts without what lies between them.

    Raises
    ------
    IncompatibleFootprints
        If they are not on the same basis.
    """
    if len(parts) == 1:
        return parts[0][1]
    whole = _sum([found for _, found in parts])
    spans: list[SpanEnergy] = []
    for begin_s, found in parts:
        spans += _after(found.spans, begin_s - parts[0][0], len(spans))
    return replace(whole, components=tuple(_by_name(whole.components)), spans=tuple(spans))


def _sum(footprints: Sequence[Footprint]) -> Footprint:
    """All of them, though one may lack hardware that another has: then that is told."""
    held = tuple(sorted({part for found in footprints for part in found.boundary.parts}))
    alike = [replace(found, boundary=replace(found.boundary, parts=held)) for found in footprints]
    largest = max(footprints, key=lambda found: found.it_energy_j.best if found.it_energy_j else 0.0)
    flags = [] if all(found.boundary.parts == held for found in footprints) else [_differ(footprints)]
    whole = reduce(add, alike)
    return replace(whole, drivers=largest.drivers, flags=(*whole.flags, *flags))


def _differ(footprints: Iterable[Footprint]) -> str:
    kinds = dict.fromkeys(", ".join(found.boundary.parts) or "nothing" for found in footprints)
    return f"parts-differ: not all of the run saw the same hardware: {'; '.join(kinds)}"


def _named(name: str, found: Footprint) -> Footprint:
    """Components and flags say which machine they are of."""
    return replace(
        found,
        components=tuple(replace(one, name=f"{name}: {one.name}") for one in found.components),
        flags=tuple(_of_machine(flag, name) for flag in found.flags),
    )


def _of_machine(flag: str, name: str) -> str:
    word, _, text = flag.partition(": ")
    return f"{word}: {name}: {text}" if word in _OF_MACHINE else flag


def _one_span(parts: Sequence[SpanEnergy]) -> SpanEnergy:
    """A span on all machines; unknown where one of them did not see it."""
    return replace(
        parts[0],
        it_energy_j=_total(part.it_energy_j for part in parts),
        carbon_operational_g=_total(part.carbon_operational_g for part in parts),
        water_operational_l=_total(part.water_operational_l for part in parts),
        note="; ".join(dict.fromkeys(part.note for part in parts if part.note)),
    )


def _total(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _after(spans: Iterable[SpanEnergy], begin_s: float, known: int) -> Iterator[SpanEnergy]:
    """Spans of a later part: numbered on, and by the time since the first began."""
    for span in spans:
        yield replace(
            span,
            begin_s=span.begin_s + begin_s,
            number=span.number + known,
            parent=None if span.parent is None else span.parent + known,
        )


def _by_name(components: Iterable[Component]) -> Iterator[Component]:
    """Each part of the machine once."""
    found: dict[str, list[Component]] = {}
    for one in components:
        found.setdefault(one.name, []).append(one)
    for same in found.values():
        yield same[0] if len(same) == 1 else _joined(same)


def _joined(same: Sequence[Component]) -> Component:
    known = [one.energy_j for one in same if one.energy_j is not None]
    energy_j = reduce(Range.plus, known) if len(known) == len(same) else None
    return replace(
        same[0],
        quality=min((one.quality for one in same), key=_WORST.index),
        energy_j=energy_j,
        machine_energy_j=_total(one.machine_energy_j for one in same),
        others_energy_j=_total(one.others_energy_j for one in same),
        idle_energy_j=_total(one.idle_energy_j for one in same),
        unseen_s=sum(one.unseen_s for one in same),
    )
