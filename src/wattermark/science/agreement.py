"""Two meters of one part: one is counted, the other is held against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattermark.science.metered import Track
from wattermark.science.timeline import Timeline
from wattermark.values.factors import Factor, of_this_run
from wattermark.values.kinds import Kind
from wattermark.values.range import Range
from wattermark.values.records import Channel, overlap

AGREE = 0.01
"""Two looks at one register differ by less, as a part of the energy. [1]"""
APART_S = 0.1
"""The two looks of one beat lie closer together, but for the refreshes of the meters. [s]"""
QUANTUM_J = 1.0
"""No register counts in larger steps. [J]"""
WORTH_MORE = 0.005
"""How much more of the run a second meter saw that is counted instead. [1]"""


@dataclass(frozen=True, slots=True)
class Checked:
    """Each part told by one meter; doubts by the part's name, and what must be said."""

    tracks: tuple[Track, ...]
    doubts: dict[str, Factor]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Which meter tells a part, and what is to be said of the other."""

    channel: Channel
    track: Timeline | None
    flag: str = ""
    doubt: Factor | None = None


def checked(tracks: Iterable[Track]) -> Checked:
    """Hold second meters of a part against the first ones, and leave them out.

    A first meter that told nothing, stood still, or saw less of the run, gives way to it. Where both tell an
    energy, and these differ by more than two looks at one register can, the interval of the part reaches from
    the one to the other: nobody knows which is right.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What all meters saw. [J]
    """
    everything = list(tracks)
    firsts = list(_firsts(everything))
    verdicts = [_verdict(channel, track, _second(channel, everything)) for channel, track in firsts]
    return Checked(
        tuple((one.channel, one.track) for one in verdicts),
        {one.channel.name: one.doubt for one in verdicts if one.doubt is not None},
        tuple(f"disagree: {one.channel.name}: {one.flag}" for one in verdicts if one.flag),
    )


def _verdict(channel: Channel, first: Timeline | None, other: tuple[Channel, Timeline] | None) -> _Verdict:
    if other is None:
        return _Verdict(channel, first)
    second, later = other[1], replace(channel, refresh_s=other[0].refresh_s)  # as late as who told it
    if first is None:
        return _Verdict(
            later, second, "its first meter told nothing to be believed; the second one is counted"
        )
    energies_j = _apart_j(first, second, APART_S + channel.refresh_s + other[0].refresh_s)
    if energies_j is not None and energies_j[0] == 0:
        return _Verdict(
            later, second, "its first meter stood still; the second one, which did not, is counted"
        )
    if second.seen_s - first.seen_s > WORTH_MORE * (first.seen_s + first.unseen_s):
        flag = "its first meter has gaps that the second has not, and that one is counted"
        return _disputed(_Verdict(later, second, flag), energies_j and energies_j[::-1])
    return _disputed(_Verdict(channel, first), energies_j)


def _disputed(verdict: _Verdict, energies_j: tuple[float, float] | None) -> _Verdict:
    """What is to be said where the meter that is counted and the other one tell different energies. [J]"""
    if energies_j is None:
        return verdict
    told = " and ".join(f"{energy_j:.4g} J" for energy_j in energies_j)
    flag = f"its two meters tell {told} of the same time; the interval reaches from one to the other"
    flags = [one for one in (verdict.flag, flag) if one]
    return replace(verdict, flag="; ".join(flags), doubt=_doubt(verdict.channel.name, *energies_j))


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


def _second(first: Channel, tracks: Iterable[Track]) -> tuple[Channel, Timeline] | None:
    """What another counter of the very same part saw."""
    if not first.covers or first.kind is not Kind.COUNTER:
        return None
    others = (
        (channel, track)
        for channel, track in tracks
        if track is not None
        and channel is not first
        and not channel.counted
        and (channel.covers, channel.kind) == (first.covers, first.kind)
    )
    return next(others, None)


def _apart_j(first: Timeline, second: Timeline, apart_s: float) -> tuple[float, float] | None:
    """What both tell of the time that both saw, where these cannot be one register; else None. [J]"""
    both = _seen_by_both(first, second)
    if len(both) == 0:
        return None
    one_j, two_j = (_between_j(track, both[:, 0], both[:, 1]) for track in (first, second))
    late_j = max(_at_ends_j(track, both, apart_s) for track in (first, second))
    most_j = QUANTUM_J * len(both) + max(one_j, two_j) * AGREE + late_j
    return (one_j, two_j) if abs(one_j - two_j) > most_j else None


def _seen_by_both(first: Timeline, second: Timeline) -> NDArray[np.float64]:
    """Stretches without a gap of either, from a look of both to another one; shape (stretches, 2). [s]"""
    common_s = np.intersect1d(_looks_s(first), _looks_s(second))
    whole = _whole(first, common_s) & _whole(second, common_s)
    turns = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]])))
    return common_s[turns].reshape(-1, 2)


def _between_j(track: Timeline, begin_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> float:
    return float((track.until_j(end_s) - track.until_j(begin_s)).sum())


def _at_ends_j(track: Timeline, stretches: NDArray[np.float64], apart_s: float) -> float:
    """What a meter that is behind has too much at the beginning of stretches, or lacks at their end. [J]"""
    begin_s, end_s = stretches.T
    return max(_between_j(track, begin_s, begin_s + apart_s), _between_j(track, end_s - apart_s, end_s))


def _looks_s(track: Timeline) -> NDArray[np.float64]:
    """When it was looked at: the ends of all that was seen. [s]"""
    return np.union1d(track.edge_s[:-1][track.known], track.edge_s[1:][track.known])


def _whole(track: Timeline, look_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Between which successive looks nothing was missed, shape (looks - 1,)."""
    missed = np.concatenate([[0], np.cumsum(~track.known)])
    whole: NDArray[np.bool_] = np.diff(missed[np.searchsorted(track.edge_s, look_s)]) == 0
    return whole


def _doubt(name: str, one_j: float, two_j: float) -> Factor:
    more = two_j / one_j - 1
    return of_this_run(
        f"doubt of {name}",
        Range(min(more, 0.0), 0.0, max(more, 0.0)),
        basis="two meters",
        note=f"how much more than its meter another one of the same part told ({more:+.3g})",
    )
