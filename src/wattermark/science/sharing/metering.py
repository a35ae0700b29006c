"""What meters, or engines themselves, saw of a server between moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wattermark.science.metered import Track
from wattermark.science.sharing.columns import Floats
from wattermark.science.sharing.rounds import shown_at
from wattermark.values.kinds import Kind, Part
from wattermark.values.served import EngineLook
from wattermark.values.units import S_PER_NS

EDGE, EDGE_S = 0.02, 0.05
"""A window is seen where no more of it is not [1], and where the meters began and ended so near to it. [s]"""


def meters_among(tracks: Sequence[Track], wanted: Sequence[str] = ()) -> tuple[list[Track], str]:
    """The meters of the server's energy among those of its machine, and how they are called together.

    Accelerators where there are any, as the engine's work is there; else all parts that are counted.

    Parameters
    ----------
    tracks : sequence of (Channel, Timeline or None)
        Each part once.
    wanted : sequence of str
        Names of channels, as ``gpu/0``; all that fit the rule above by default.
    """
    counted = [
        (channel, track)
        for channel, track in tracks
        if channel.counted and channel.kind is not Kind.GAUGE and channel.part is not Part.PLATFORM
    ]
    if wanted:
        found = [(channel, track) for channel, track in counted if channel.name in wanted]
    else:
        gpus = [(channel, track) for channel, track in counted if channel.part is Part.GPU]
        found = gpus or [(channel, track) for channel, track in counted if track is not None]
    return found, ", ".join(channel.name for channel, _ in found)


def energy_between(tracks: Sequence[Track], edge_ns: NDArray[np.int64], begin_ns: int) -> Floats:
    """What meters saw together between moments, shape (n,); nan where any of them has a gap. [J]

    Parameters
    ----------
    tracks : sequence of (Channel, Timeline or None)
        Each part once.
    edge_ns : ndarray, shape (n + 1,)
        On the steady clock. [ns]
    begin_ns : int
        Where the tracks begin on it. [ns]
    """
    edge_s = np.asarray((edge_ns - begin_ns) * S_PER_NS, np.float64)
    total = np.zeros(max(len(edge_s) - 1, 0)) if tracks else np.full(max(len(edge_s) - 1, 0), np.nan)
    for channel, track in tracks:
        if track is None:
            return np.full(len(total), np.nan)
        unseen = np.concatenate([[0.0], np.cumsum(np.where(track.known, 0.0, np.diff(track.edge_s)))])
        gap_s = np.diff(np.interp(edge_s, track.edge_s, unseen))
        inside = (edge_s[:-1] >= track.edge_s[0] - EDGE_S) & (edge_s[1:] <= track.edge_s[-1] + EDGE_S)
        seen = (gap_s <= EDGE * np.diff(edge_s)) & inside
        total += np.where(seen, channel.share * np.diff(track.until_j(edge_s)), np.nan)
    return total


def any_seen(energy_j: Floats) -> bool:
    """Whether anything is known of any window.

    Parameters
    ----------
    energy_j : ndarray, shape (n,)
        nan is a gap. [J]
    """
    return bool(np.isfinite(energy_j).any())


def energy_told(looks: Sequence[EngineLook], edge_ns: NDArray[np.int64]) -> Floats:
    """What engines say of their own energy, shape (n,); nan where one of them does not. [J]

    Parameters
    ----------
    looks : sequence of EngineLook
        Those without an energy are passed over.
    edge_ns : ndarray, shape (n + 1,)
        [ns]
    """
    told: dict[str, dict[int, EngineLook]] = {}
    for look in looks:
        if look.energy_j is not None:
            told.setdefault(look.upstream, {})[look.mono_ns] = look
    if not told:
        return np.full(max(len(edge_ns) - 1, 0), np.nan)
    each = [np.diff(shown_at(its, edge_ns, "energy_j")) for its in told.values()]
    return np.asarray(np.sum([np.where(one < 0, np.nan, one) for one in each], axis=0), np.float64)
