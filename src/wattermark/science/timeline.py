"""The energy of one channel along the run: intervals that were seen, and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.counters import counts_between, not_dips
from wattermark.science.integrate import hold_last_j
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel, Recorded, RunHeader
from wattermark.values.units import BASE_PER_RAW, S_PER_NS

LONGEST_HOLD_S = 30.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Energy between successive edges; a gap where ``known`` is False.

    ``edge_s`` has shape (n + 1,), ``energy_j`` and ``known`` shape (n,). ``total_j`` is summed in
    the counter's own whole numbers, so that it telescopes exactly.
    """

    edge_s: NDArray[np.float64]
    energy_j: NDArray[np.float64]
    known: NDArray[np.bool_]
    total_j: float

    @property
    def unseen_s(self) -> float:
        """How long the gaps are, together. [s]"""
        return float(np.diff(self.edge_s)[~self.known].sum())

    @property
    def seen_s(self) -> float:
        """How long the rest is. [s]"""
        return float(np.diff(self.edge_s)[self.known].sum())

    def until_j(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """Energy seen from the first edge to each moment; even inside an interval. [J]"""
        summed = np.concatenate([[0.0], np.cumsum(self.energy_j)])
        even: NDArray[np.float64] = np.interp(np.asarray(time_s, float), self.edge_s, summed)
        return even

    def seen_between(self, begin_s: float, end_s: float) -> bool:
        """Whether any of a stretch was seen."""
        inside = (self.edge_s[:-1] < end_s) & (self.edge_s[1:] > begin_s)
        return bool(np.any(inside & self.known))


def timeline(
    channel: Channel, mono_ns: Sequence[int], raw: Sequence[int | None], *, begin_ns: int, end_ns: int
) -> Timeline | None:
    """A channel's readings as energy over the whole window, gaps at its ends included.

    Parameters
    ----------
    channel : Channel
        What the numbers mean.
    mono_ns : sequence of int, length n
        When each was read. [ns]
    raw : sequence of int or None, length n
        What was read, in the channel's unit; None where there was no answer. A power that is
        negative, or more than the device can draw, is no answer either, nor is a GPU's power of 0.
    begin_ns, end_ns : int
        The window of the run. [ns]

    Returns
    -------
    Timeline or None
        None if nothing can be told: no reading, a counter that was read once, or gaps only.
    """
    looks = [(t, v) for t, v in zip(mono_ns, raw, strict=True) if v is not None and _possible(channel, v)]
    if len(looks) < (2 if channel.kind is Kind.COUNTER else 1):
        return None
    time_ns = np.array([t for t, _ in looks], np.int64)
    value = np.array([v for _, v in looks], np.int64)
    time_s = np.asarray((time_ns - begin_ns) * S_PER_NS, np.float64)
    window_s = (end_ns - begin_ns) * S_PER_NS
    scale = BASE_PER_RAW[channel.unit]
    if channel.kind is Kind.COUNTER:
        most_per_s = channel.power_max_w / scale
        if channel.wrap is None:
            kept = not_dips(time_s, value, most_per_s=most_per_s, refresh_s=channel.refresh_s)
            time_s, value = time_s[kept], value[kept]
        delta, known = counts_between(
            time_s,
            value,
            wrap=channel.wrap,
            most_per_s=most_per_s,
            refresh_s=channel.refresh_s,
        )
        energy_j = np.asarray(delta * scale, np.float64)
        total_j = int(delta.sum()) * scale
    else:
        last_s = max(window_s, float(time_s[-1]))
        held_j, held = hold_last_j(time_s, value * scale, end_s=last_s, longest_hold_s=LONGEST_HOLD_S)
        energy_j, known, total_j = held_j, held, float(held_j.sum())
        time_s = np.append(time_s, last_s)
    track = _with_ends(time_s, energy_j, known, total_j, window_s)
    return track if track.seen_s > 0 else None


def _possible(channel: Channel, shown: int) -> bool:
    """Whether a device can draw what it says; a counter is judged by how it grows. No GPU draws nothing."""
    if channel.kind is not Kind.POWER:
        return True
    least = 1 if channel.part is Part.GPU else 0
    return shown >= least and shown * BASE_PER_RAW[channel.unit] <= channel.power_max_w


def _with_ends(
    edge_s: NDArray[np.float64],
    energy_j: NDArray[np.float64],
    known: NDArray[np.bool_],
    total_j: float,
    window_s: float,
) -> Timeline:
    """Unseen stretches before the first look and after the last one become gaps of their own."""
    if edge_s[0] > 0:
        edge_s, energy_j = np.concatenate([[0.0], edge_s]), np.concatenate([[0.0], energy_j])
        known = np.concatenate([[False], known])
    if edge_s[-1] < window_s:
        edge_s, energy_j = np.append(edge_s, window_s), np.append(energy_j, 0.0)
        known = np.append(known, False)
    keep = np.diff(edge_s) > 0
    edges = np.concatenate([edge_s[:1], edge_s[1:][keep]])
    return Timeline(edges, energy_j[keep], known[keep], total_j)


def began_s(recorded: Recorded) -> float:
    """When a run began, by the wall clock of its beginning. [s since 1970]

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    """
    return (recorded.header.booted_ns + recorded.begin_mono_ns) * S_PER_NS


def started_s(header: RunHeader) -> float:
    """When a process began to record, by the wall clock of then. [s since 1970]

    Parameters
    ----------
    header : RunHeader
        The first line of its spool.
    """
    return header.started_ns * S_PER_NS


def ended_s(recorded: Recorded) -> float:
    """When a run ended, by the wall clock of its beginning. [s since 1970]

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    """
    return (recorded.header.booted_ns + recorded.end_mono_ns) * S_PER_NS
