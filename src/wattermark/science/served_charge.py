"""The energy of a server's windows, charged to its requests: block by block, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from wattermark.science.served_events import Codes, Events, Flags, Floats, alike, columns_of
from wattermark.science.sharing.columns import Columns, Cost
from wattermark.science.sharing.windows import Windows, share_windows
from wattermark.values.serving_report import ActiveIdle

MOST_PAIRS = 1_000_000
"""Requests times windows that are looked at together: what they take of the memory stays bounded."""
QUIET_WINDOWS = 3
"""So many windows without a request tell what the server draws at rest; fewer may be a slip of a clock."""
LOW = 0.05
"""The quantile of power that rest does not pass."""
ONLY_TIME = Cost(
    step_j=1.0,
    **dict.fromkeys(
        ("experts_j", "missed", "read_token_j", "written_token_j", "context_token_j", "pair_j"), 0.0
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """Three ledgers of one machine: by event (m,) and, of capacity that nobody used, by window (n,). [J]

    ``seen`` is False of events that lie outside of what the meters saw; ``idle_w`` is what the machine
    draws at rest [W], ``idle_seen`` whether it was ever seen so.
    """

    edge_s: Floats
    dynamic_j: Floats
    active_idle_j: Floats
    provisioned_idle_j: Floats
    seen: Flags
    idle_w: float
    idle_seen: bool


def charge(
    edge_s: Floats,
    energy_j: Floats,
    events: Events,
    costs: list[Cost],
    *,
    idle_fraction: float,
    active_idle: ActiveIdle,
) -> Charged:
    """Share the energy of one machine's windows among the requests that it served.

    Parameters
    ----------
    edge_s : ndarray, shape (n + 1,)
        Of the windows, since the run began. [s]
    energy_j : ndarray, shape (n,)
        [J]
    events : Events
        m requests, by the same clock.
    costs : list of Cost
        By the events' ``model``.
    idle_fraction : float
        Power at rest over the highest one, where the machine was never seen at rest. [1]
    active_idle : ActiveIdle
        Who bears rest while somebody runs.

    Returns
    -------
    Charged
        Ledgers that sum to ``energy_j.sum()``. [J]
    """
    columns = columns_of(events)
    quiet = ~_touched(edge_s, columns, events.worked)
    idle_w, idle_seen = idle_power_w(edge_s, energy_j, quiet, idle_fraction=idle_fraction)
    windows = Windows(edge_s=edge_s, energy_j=energy_j, idle_w=idle_w)
    dynamic, active, provisioned = _shared(windows, columns, costs)
    if active_idle is ActiveIdle.EQUAL:
        _, equal, _ = _shared(windows, alike(columns, events.worked), [ONLY_TIME])
        active = equal * (active.sum() / equal.sum()) if equal.sum() > 0 else active
    return Charged(
        edge_s=edge_s,
        dynamic_j=dynamic,
        active_idle_j=active,
        provisioned_idle_j=provisioned,
        seen=(events.end_s >= edge_s[0]) & (events.begin_s <= edge_s[-1]),
        idle_w=idle_w,
        idle_seen=idle_seen,
    )


def idle_power_w(
    edge_s: Floats, energy_j: Floats, quiet: Flags, *, idle_fraction: float
) -> tuple[float, bool]:
    """What a machine draws at rest, and whether it was seen so. [W]

    Parameters
    ----------
    edge_s, energy_j
        As of ``charge``.
    quiet : ndarray, shape (n,)
        Windows in which no request ran.
    idle_fraction : float
        As of ``charge``.

    Returns
    -------
    float, bool
        The median of quiet windows where there are ``QUIET_WINDOWS``; else a fraction of the highest
        power, and no more than the lowest one.
    """
    length_s = np.diff(edge_s)
    power_w = np.divide(energy_j, length_s, out=np.zeros(len(length_s)), where=length_s > 0)
    if quiet.sum() >= QUIET_WINDOWS:
        return float(np.median(power_w[quiet])), True
    if not len(power_w):
        return 0.0, False
    return min(float(power_w.max()) * idle_fraction, float(np.quantile(power_w, LOW))), False


def _touched(edge_s: Floats, columns: Columns, worked: Flags) -> Flags:
    """Windows in which any request ran that did any work."""
    return np.asarray(_crowd(edge_s, columns, worked) > 0)


def _crowd(edge_s: Floats, columns: Columns, worked: Flags) -> Codes:
    """How many requests touch each window."""
    inside = worked & (columns.end_s >= edge_s[0]) & (columns.begin_s <= edge_s[-1])
    last_window = len(edge_s) - 2
    first = np.clip(np.searchsorted(edge_s, columns.begin_s[inside], "right") - 1, 0, last_window)
    last = np.clip(np.searchsorted(edge_s, columns.end_s[inside], "left") - 1, first, last_window)
    steps = np.bincount(first, minlength=len(edge_s)) - np.bincount(last + 1, minlength=len(edge_s))
    return np.asarray(np.cumsum(steps)[:-1], np.int64)


def _shared(windows: Windows, columns: Columns, costs: list[Cost]) -> tuple[Floats, Floats, Floats]:
    """Sharing block by block: what a request bears in a window depends on that window alone."""
    m = len(columns.begin_s)
    dynamic, active = np.zeros(m), np.zeros(m)
    provisioned = np.zeros(len(windows.energy_j))
    for begin, end in _blocks(windows.edge_s, columns):
        part = replace(windows, edge_s=windows.edge_s[begin : end + 1], energy_j=windows.energy_j[begin:end])
        is_last = end == len(windows.energy_j)
        until = columns.begin_s <= part.edge_s[-1] if is_last else columns.begin_s < part.edge_s[-1]
        inside = np.flatnonzero(until & (columns.end_s >= part.edge_s[0]))
        found = share_windows(part, _at(columns, inside), costs)
        dynamic[inside] += found.dynamic_j
        active[inside] += found.active_idle_j
        provisioned[begin:end] = found.provisioned_idle_j
    return dynamic, active, provisioned


def _blocks(edge_s: Floats, columns: Columns) -> Iterator[tuple[int, int]]:
    """Stretches of windows that requests touch ``MOST_PAIRS`` times together, or one window alone."""
    crowd = _crowd(edge_s, columns, np.ones(len(columns.begin_s), bool))
    block = np.cumsum(crowd) // MOST_PAIRS
    ends = [*(np.flatnonzero(np.diff(block) > 0) + 1).tolist(), len(crowd)]
    yield from zip([0, *ends[:-1]], ends, strict=True)


def _at(columns: Columns, places: Codes) -> Columns:
    return Columns(**{name: getattr(columns, name)[places] for name in Columns.__dataclass_fields__})
