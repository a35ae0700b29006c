"""Footprints of one run to one: of several machines at the same time, and of its parts in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add

from wattermark.values.footprint import Boundary, Component, Footprint, SpanEnergy
from wattermark.values.kinds import Quality, Scope
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
_LIFECYCLE = ("lifecycle", "lifecycle_estimated")
"""Bases that are both life-cycle, the less sure one last."""
NO_BASIS = "-"
"""Of a footprint without energy."""
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
    """All of them, though one may lack hardware of another, or be of another scope: then that is told."""
    boundaries = [found.boundary for found in footprints]
    pairs = zip(footprints, _joined_boundaries(boundaries), strict=True)
    alike = [replace(found, boundary=boundary) for found, boundary in pairs]
    largest = max(footprints, key=lambda found: found.it_energy_j.best if found.it_energy_j else 0.0)
    whole = reduce(add, alike)
    return replace(whole, drivers=largest.drivers, flags=(*whole.flags, *_differ(boundaries)))


def _joined_boundaries(boundaries: Sequence[Boundary]) -> Iterator[Boundary]:
    """What holds for all of them; a direct intensity and a life-cycle one stay apart, and do not add."""
    held = tuple(sorted({part for one in boundaries for part in one.parts}))
    scope = Scope.MACHINE if any(one.scope is Scope.MACHINE for one in boundaries) else boundaries[0].scope
    known = {one.ci_basis for one in boundaries} - {NO_BASIS}
    joint = _LIFECYCLE[-1] if known == set(_LIFECYCLE) else known.pop() if len(known) == 1 else ""
    for one in boundaries:
        yield Boundary(scope, held, joint or one.ci_basis)


def _differ(boundaries: Sequence[Boundary]) -> Iterator[str]:
    if len({one.parts for one in boundaries}) > 1:
        kinds = dict.fromkeys(", ".join(one.parts) or "nothing" for one in boundaries)
        yield f"parts-differ: not all of the run saw the same hardware: {'; '.join(kinds)}"
    if len({one.scope for one in boundaries}) > 1:
        yield (
            "scopes-differ: some of the run is charged with its own share, and some with all of its machine; "
            "'show --scope machine' charges all of it alike"
        )


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
