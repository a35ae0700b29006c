"""The energy of a server's windows, charged to its requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wattermark.science.served.events import Events, Flags, Floats, columns_of
from wattermark.science.sharing.columns import Cost
from wattermark.science.sharing.concurrency import busy_s
from wattermark.science.sharing.idle import Active, Policy
from wattermark.science.sharing.windows import Windows, share_windows
from wattermark.values.serving_report import ActiveIdle

QUIET_WINDOWS = 3
"""So many windows without a request tell what the server draws at rest; fewer may be a slip of a clock."""
LOW = 0.05
"""The quantile of power that rest does not pass."""


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
    quiet = busy_s(edge_s, columns.begin_s, columns.end_s) <= 0
    idle_w, idle_seen = idle_power_w(edge_s, energy_j, quiet, idle_fraction=idle_fraction)
    equally = active_idle is ActiveIdle.EQUAL
    shared = share_windows(
        Windows(edge_s=edge_s, energy_j=energy_j, idle_w=idle_w),
        columns,
        costs,
        policy=Policy(active=Active.EQUALLY if equally else Active.WEIGHT),
    )
    return Charged(
        edge_s=edge_s,
        dynamic_j=np.nan_to_num(shared.dynamic_j),
        active_idle_j=np.nan_to_num(shared.active_idle_j),
        provisioned_idle_j=shared.provisioned_idle_j,
        seen=np.isfinite(shared.dynamic_j),
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
