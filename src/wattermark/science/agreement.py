"""Two meters of one part: one is counted, the other is held against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.metered import Track
from wattermark.science.timeline import Timeline
from wattermark.values.factors import Factor
from wattermark.values.kinds import Kind
from wattermark.values.range import Range
from wattermark.values.records import Channel, overlap

AGREE = 0.01
"""Two looks at one register differ by less, as a part of the energy. [1]"""
APART_S = 0.1
"""The two looks of one beat, and the last refreshes before them, lie closer together. [s]"""
QUANTUM_J = 1.0
"""No register counts in larger steps. [J]"""


@dataclass(frozen=True, slots=True)
class Checked:
    """Each part told by one meter; doubts by the part's name, and what must be said."""

    tracks: tuple[Track, ...]
    doubts: dict[str, Factor]
    flags: tuple[str, ...]


def checked(tracks: Iterable[Track]) -> Checked:
    """Hold second meters of a part against the first ones, and leave them out.

    A first meter that told nothing, or stood still while the second one counted, gives way to it. Where both
    tell an energy, and these differ by more than two looks at one register can, the interval of the part
    reaches from the one to the other: nobody knows which is right.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What all meters saw. [J]
    """
    everything = list(tracks)
    firsts = list(_firsts(everything))
    told: list[Track] = []
    doubts: dict[str, Factor] = {}
    flags = []
    for channel, track in firsts:
        second = next((other for one, other in everything if _is_second(one, channel)), None)
        if second is None:
            told.append((channel, track))
        elif track is None or (track.total_j == 0 and second.total_j > QUANTUM_J):
            told.append((channel, second))
            flags.append(
                f"disagree: {channel.name}: its first meter told nothing that can be believed; "
                "the second one is counted"
            )
        else:
            told.append((channel, track))
            energies_j = _apart_j(track, second)
            if energies_j is not None:
                doubts[channel.name] = _doubt(channel.name, *energies_j)
                flags.append(
                    f"disagree: {channel.name}: its two meters tell {energies_j[0]:.4g} J and "
                    f"{energies_j[1]:.4g} J of the same time; the interval reaches from one to the other"
                )
    return Checked(tuple(told), doubts, tuple(flags))


def _firsts(tracks: Iterable[Track]) -> Iterator[Track]:
    """Without what another one is counted for, or shows before."""
    everything = list(tracks)
    counted = [channel.covers for channel, _ in everything if channel.counted]
    shown: set[str] = set()
    for channel, track in everything:
        again = channel.covers in shown or any(overlap(channel.covers, other) for other in counted)
        if channel.counted or not again:
            yield channel, track
        if channel.covers:
            shown.add(channel.covers)


def _is_second(one: Channel, first: Channel) -> bool:
    return (
        one is not first
        and bool(one.covers)
        and one.covers == first.covers
        and one.kind is first.kind is Kind.COUNTER
        and not one.counted
    )


def _apart_j(first: Timeline, second: Timeline) -> tuple[float, float] | None:
    """What both tell of the time that both saw, where these cannot be one register; else None. [J]"""
    common_s = np.intersect1d(_looks_s(first), _looks_s(second))
    if len(common_s) < 2:
        return None
    begin_s, end_s = float(common_s[0]), float(common_s[-1])
    if not (_whole(first, begin_s, end_s) and _whole(second, begin_s, end_s)):
        return None
    one_j, two_j = (float(np.diff(track.until_j([begin_s, end_s]))[0]) for track in (first, second))
    most_j = QUANTUM_J + max(one_j, two_j) * (AGREE + APART_S / (end_s - begin_s))
    return (one_j, two_j) if abs(one_j - two_j) > most_j else None


def _looks_s(track: Timeline) -> NDArray[np.float64]:
    """When it was looked at: the ends of all that was seen. [s]"""
    return np.union1d(track.edge_s[:-1][track.known], track.edge_s[1:][track.known])


def _whole(track: Timeline, begin_s: float, end_s: float) -> bool:
    inside = (track.edge_s[:-1] >= begin_s) & (track.edge_s[1:] <= end_s)
    return bool(track.known[inside].all())


def _doubt(name: str, one_j: float, two_j: float) -> Factor:
    more = two_j / one_j - 1 if one_j else 0.0
    return Factor(
        name=f"doubt of {name}",
        value=Range(min(more, 0.0), 0.0, max(more, 0.0)),
        unit="1",
        key="this run",
        year=0,
        basis="two meters",
        source="run",
        note=f"how much more than the first meter another one of the same part told ({more:+.3g})",
    )
