"""Energy counters beside the power of the same hardware: one that cannot be true is not believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wattermark.science.metered import Track
from wattermark.science.timeline import Timeline
from wattermark.values.kinds import Kind
from wattermark.values.records import Channel

AGREE = 2.0
UNSEEN = 0.1  # of the time that a counter saw: more gaps than a reset makes
SETTLE_S = 10.0
"""A power meter lags by about a second, and a slow one by its renewal; in that a GPU may go from idle to ten
times that. [s / s]"""


def heard(tracks: Iterable[Track]) -> tuple[list[Track], list[str]]:
    """Tracks of what is to be accounted, and what must be said of counters that are not believed.

    A power that is not added, and covers what another one adds, is its witness: it makes no part of
    its own. (``agreement`` holds two counters against each other.) Where a counter tells nothing, or
    cannot be true beside the power of the same hardware, the power takes its place.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What all meters saw. [J]
    """
    everything = list(tracks)
    added = {channel.covers for channel, _ in everything if channel.counted and channel.covers}
    powers = {
        channel.covers: (channel, track)
        for channel, track in everything
        if _is_witness(channel, added) and track is not None
    }
    told: list[Track] = []
    flags: list[str] = []
    for channel, track in everything:
        if _is_witness(channel, added):
            continue
        power = powers.get(channel.covers) if channel.counted and channel.kind is Kind.COUNTER else None
        why = _doubt(track, power[1], power[0].refresh_s) if power else ""
        if power and why:
            flags.append(
                f"counter-doubted: {channel.name}: its energy counter {why}; its power is taken instead"
            )
            told.append((_in_place_of(channel, power[0]), power[1]))
        else:
            told.append((channel, track))
    return told, flags


def mean_powers_w(one: Timeline, other: Timeline) -> tuple[float, float] | None:
    """Mean power by each of two meters of one thing, over the time that both saw. [W]

    Parameters
    ----------
    one, other : Timeline
        [J]

    Returns
    -------
    tuple of float, or None
        None if they never saw it at the same time.
    """
    edge_s = np.union1d(one.edge_s, other.edge_s)
    middle_s = (edge_s[:-1] + edge_s[1:]) / 2
    both = _known_at(one, middle_s) & _known_at(other, middle_s)
    seen_s = float(np.diff(edge_s)[both].sum())
    if seen_s <= 0:
        return None
    first_w, second_w = (float(np.diff(t.until_j(edge_s))[both].sum()) / seen_s for t in (one, other))
    return first_w, second_w


def agree(counted_w: float, power_w: float, seen_s: float, refresh_s: float = 0.0) -> bool:
    """Whether a counter can be true beside a power meter: within a factor that is wide in a short run.

    Parameters
    ----------
    counted_w, power_w : float
        Mean power by the counter and by the meter. [W]
    seen_s : float
        How long both were seen. [s]
    refresh_s : float
        How often the power is renewed. [s]

    References
    ----------
    .. [1] ROCm/amdsmi issues 22, 38 and 115: counters that stand still, tell a thousandth, or fall.

    Examples
    --------
    >>> agree(300, 310, 60), agree(0, 310, 60), agree(300, 40, 1)
    (True, False, True)
    """
    most = AGREE + SETTLE_S * (1 + refresh_s) / seen_s
    return power_w <= 0 or power_w / most <= counted_w <= power_w * most


def _is_witness(channel: Channel, added: set[str]) -> bool:
    return not channel.counted and channel.kind is Kind.POWER and channel.covers in added


def _doubt(counted: Timeline | None, power: Timeline | None, refresh_s: float) -> str:
    """Why a counter is not believed; nothing where it is."""
    if power is None:
        return ""
    if counted is None:
        return "tells nothing that can be believed"
    if counted.unseen_s > max(power.unseen_s, UNSEEN * counted.seen_s):
        return f"tells nothing that can be believed of {counted.unseen_s:.3g} s, and its power does"
    means = mean_powers_w(counted, power)
    if means is None or agree(*means, seen_s=counted.seen_s, refresh_s=refresh_s):
        return ""
    return f"says {means[0]:.3g} W on average, where its power is {means[1]:.3g} W"


def _in_place_of(counter: Channel, power: Channel) -> Channel:
    """The power, as the part that the counter was."""
    return replace(
        power, name=counter.name, counted=True, share=counter.share, device=counter.device, uuid=counter.uuid,
        note=counter.note, embedded=counter.embedded,
    )  # fmt: skip


def _known_at(track: Timeline, time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    interval = np.clip(np.searchsorted(track.edge_s, time_s, side="right") - 1, 0, len(track.known) - 1)
    inside = (time_s >= track.edge_s[0]) & (time_s <= track.edge_s[-1])
    known: NDArray[np.bool_] = track.known[interval] & inside
    return known
