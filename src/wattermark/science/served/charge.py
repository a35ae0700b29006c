"""The energy of a server's windows, charged to its requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wattermark.science.sharing.columns import Columns, Cost, Floats
from wattermark.science.sharing.idle import AtRest, idle_power, idle_unseen_w
from wattermark.science.sharing.windows import Shared, Windows, share_windows
from wattermark.values.policy import ActiveIdle, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Three ledgers of one machine, and its power at rest: by event (m,), idle capacity by window (n,)."""

    edge_s: Floats
    shared: Shared
    idle: AtRest


def charge(
    edge_s: Floats,
    energy_j: Floats,
    requests: Columns,
    costs: list[Cost],
    *,
    idle_fraction: float,
    active_idle: ActiveIdle,
) -> Machine:
    """Share the energy of one machine's windows among the requests that it served.

    Parameters
    ----------
    edge_s : ndarray, shape (n + 1,)
        Of the windows, since the run began; none at all where no meter looked twice. [s]
    energy_j : ndarray, shape (n,)
        [J]
    requests : Columns
        m of them, by the same clock.
    costs : list of Cost
        By the requests' ``model``.
    idle_fraction : float
        Power at rest over the highest one, where the machine was never seen at rest. [1]
    active_idle : ActiveIdle
        Who bears rest while somebody runs.

    Returns
    -------
    Machine
        Ledgers that sum to ``energy_j.sum()``. [J]
    """
    edge_s = edge_s if len(edge_s) else np.zeros(1)
    otherwise_w = idle_unseen_w(edge_s, energy_j, fraction=idle_fraction)
    idle = idle_power(edge_s, energy_j, requests, otherwise_w=otherwise_w)
    shared = share_windows(
        Windows(edge_s=edge_s, energy_j=energy_j, idle_w=idle.power_w),
        requests,
        costs,
        policy=Policy(active=active_idle),
    )
    return Machine(edge_s=edge_s, shared=shared, idle=idle)
