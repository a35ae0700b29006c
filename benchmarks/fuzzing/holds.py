"""What must hold of every footprint, whatever it was made of."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from wattermark.report.document import run_document
from wattermark.report.sheet import sheet
from wattermark.values.footprint import Component, Footprint
from wattermark.values.kinds import Kind, Part, Quality
from wattermark.values.records import Channel, Recorded
from wattermark.values.units import S_PER_NS

ABOVE = 2.0  # a meter's gain, and a gap that is filled, may lift a part so far above its most


class Broken(Exception):
    """A thing that must hold and does not."""


def check_footprint(recorded: Recorded, footprint: Footprint) -> None:
    """Whether it can be told, its numbers can be, and nothing unknown stands there as a zero.

    Raises
    ------
    Broken
        If one does not hold.
    """
    try:
        json.dumps(run_document(recorded, footprint), allow_nan=False)
    except ValueError as error:
        raise Broken(f"the document is no JSON: {error}") from error
    sheet(recorded, footprint)
    for name, value in footprint.quantities().items():
        if value is not None and not (0 <= value.low <= value.best <= value.high < math.inf):
            raise Broken(f"{name} is {value}")
    channels = {channel.name: (channel, shown) for channel, shown in _shown(recorded)}
    for component in footprint.components:
        _check(component, footprint, channels)


def _check(
    component: Component, footprint: Footprint, channels: dict[str, tuple[Channel, list[int | None]]]
) -> None:
    told = any(component.name in flag for flag in footprint.flags)
    energy = component.energy_j
    if energy is None:
        if component.kind != "other" and not told:
            raise Broken(f"{component.name} is unknown, and no flag says so")
        return
    if component.name not in channels or component.quality is not Quality.MEASURED:
        return
    channel, shown = channels[component.name]
    if energy.best == 0 and not told and _moved(channel, shown) and _whole(component):
        raise Broken(f"{component.name} is zero in silence, though its meter showed {shown[:6]}")
    most_j = channel.power_max_w * (footprint.duration_s + channel.refresh_s)
    if energy.best > ABOVE * most_j:
        raise Broken(f"{component.name} took {energy.best:g} J; it cannot take more than {most_j:g} J")


def _whole(component: Component) -> bool:
    """Whether nothing of it was charged to others: the run's share of a part may be nothing."""
    return not component.machine_energy_j


def _moved(channel: Channel, shown: list[int | None]) -> bool:
    """Whether a meter said that something was drawn."""
    numbers = [number for number in shown if number is not None]
    if channel.kind is Kind.POWER:
        return any(number > 0 for number in numbers[:-1])
    return len(set(numbers)) > 1 or len(numbers) < 2


def _shown(recorded: Recorded) -> Iterator[tuple[Channel, list[int | None]]]:
    """What each meter of energy showed inside the run."""
    for log in recorded.logs.values():
        inside = [
            values
            for at_ns, values in zip(log.mono_ns, log.values, strict=True)
            if recorded.begin_mono_ns <= at_ns <= recorded.end_mono_ns
        ]
        for i, channel in enumerate(log.channels):
            if channel.part is not Part.LOAD:
                yield channel, [values[i] for values in inside]


def energy_of(footprint: Footprint, name: str) -> float | None:
    """The best energy of a measured part. [J]"""
    found = [c for c in footprint.components if c.name == name and c.quality is Quality.MEASURED]
    return found[0].energy_j.best if found and found[0].energy_j is not None else None


def duration_s(recorded: Recorded) -> float:
    """From the first look to the last. [s]"""
    return (recorded.end_mono_ns - recorded.begin_mono_ns) * S_PER_NS
