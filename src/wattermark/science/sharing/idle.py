"""What a server draws while it has nothing to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns, Floats
from wattermark.science.sharing.concurrency import busy_s

QUIET_S = 5.0
"""Windows in which nobody ran for so long together tell the power at rest better than a factor does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRest:
    """Power at rest [W], and whether the meter told it; ``quiet_s`` is how long nobody ran [s]."""

    power_w: float
    quiet_s: float
    measured: bool


LOW = 0.05
"""The quantile of power that rest does not pass. [1]"""


def idle_unseen_w(edge_s: Floats, energy_j: Floats, *, fraction: float) -> float:
    """Power at rest of a server that was never seen so: a part of the most, and no more than the least. [W]

    Parameters
    ----------
    edge_s, energy_j : ndarray
        As of ``idle_power``.
    fraction : float
        Of the highest power, that hardware draws at rest. [1]
    """
    length_s = np.diff(edge_s)
    known = (length_s > 0) & np.isfinite(energy_j)
    power_w = energy_j[known] / length_s[known]
    if not len(power_w):
        return 0.0
    return max(min(float(power_w.max()) * fraction, float(np.quantile(power_w, LOW))), 0.0)


def idle_power(edge_s: Floats, energy_j: Floats, requests: Columns, *, otherwise_w: float) -> AtRest:
    """Power at rest, from the windows in which nobody ran.

    Their median by time: a server that has just been busy, or is looked at by its guards, draws more for
    a while, and does not move it.

    Parameters
    ----------
    edge_s : ndarray, shape (n + 1,)
        Ends of the windows. [s]
    energy_j : ndarray, shape (n,)
        What the meter saw; nan is a gap. [J]
    requests : Columns
        All that ran in them.
    otherwise_w : float
        What to say where the windows do not, by a factor. [W]

    Returns
    -------
    AtRest
        Of the windows if nobody ran in them for ``QUIET_S`` or longer.
    """
    length_s = np.diff(edge_s)
    quiet = quiet_windows(edge_s, requests) & (length_s > 0) & np.isfinite(energy_j)
    return at_rest(energy_j[quiet], length_s[quiet], otherwise_w=otherwise_w)


def quiet_windows(edge_s: Floats, requests: Columns) -> NDArray[np.bool_]:
    """Windows in which nobody ran, shape (n,).

    Parameters
    ----------
    edge_s, requests
        As of ``idle_power``.
    """
    return busy_s(edge_s, requests.begin_s, np.maximum(requests.end_s, requests.begin_s)) <= 0


def at_rest(energy_j: Floats, length_s: Floats, *, otherwise_w: float) -> AtRest:
    """Power at rest, by windows in which nobody ran.

    Parameters
    ----------
    energy_j, length_s : ndarray, shape (q,)
        Of these windows. [J], [s]
    otherwise_w : float
        As of ``idle_power``. [W]
    """
    quiet_s = float(length_s.sum())
    if quiet_s < QUIET_S:
        return AtRest(power_w=otherwise_w, quiet_s=quiet_s, measured=False)
    power_w = energy_j / length_s
    order = np.argsort(power_w, kind="stable")
    so_far = np.cumsum(length_s[order])
    middle = int(np.searchsorted(so_far, so_far[-1] / 2))
    return AtRest(power_w=max(float(power_w[order][middle]), 0.0), quiet_s=quiet_s, measured=True)
