"""What each request is charged with, by a policy; and sums by tenant, model, hour or outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wattermark.science.sharing.columns import Columns, Floats, Places
from wattermark.science.sharing.windows import Shared
from wattermark.values.policy import Again, Idle, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What was seen, each joule once: by request (m,), and what no request pays. [J]"""

    request_j: Floats
    idle_j: float
    again_j: float

    @property
    def total_j(self) -> float:
        """All that was seen. [J]"""
        return float(np.nansum(self.request_j)) + self.idle_j + self.again_j


def charged(shared: Shared, requests: Columns, policy: Policy) -> Charged:
    """Charge requests as a policy says.

    Parameters
    ----------
    shared : Shared
        Of the same policy (active idle is shared window by window). [J]
    requests : Columns
        The same, their tokens imputed: provisioned idle goes by them, or by time, over all of the windows.
    policy : Policy
        Who pays.

    Returns
    -------
    Charged
        Adds up to ``shared.total_j``. Provisioned idle is nobody's if there is nobody to pay; nobody pays
        of whom nothing was seen.
    """
    seen = np.isfinite(shared.dynamic_j)
    idle_j = float(np.nansum(shared.provisioned_idle_j))
    weight = np.where(seen, _payers(requests, policy.provisioned), 0.0)
    whole = float(weight.sum())
    share = weight * (1 / whole if whole > 0 else 0.0)
    apart_j = np.nan_to_num(shared.again_j) * float(policy.again is Again.APART)
    return Charged(
        request_j=shared.request_j - apart_j + share * idle_j,
        idle_j=0.0 if whole > 0 else idle_j,
        again_j=float(apart_j.sum()),
    )


def payers(provisioned: Idle, *, tokens: Floats, time_s: Floats) -> Floats:
    """What each request weighs where idle capacity is to be borne; nothing where it stands apart.

    Parameters
    ----------
    provisioned : Idle
        Who bears it.
    tokens, time_s : ndarray, shape (m,)
        Of each request. [1], [s]
    """
    if provisioned is Idle.APART:
        return np.zeros(len(tokens))
    return time_s if provisioned is Idle.TIME else tokens


def _payers(requests: Columns, provisioned: Idle) -> Floats:
    """By time as well where nobody has a token."""
    tokens = np.nan_to_num(requests.read_tokens) + np.nan_to_num(requests.cached_tokens)
    tokens = tokens + np.nan_to_num(requests.written_tokens)
    time_s = np.maximum(requests.end_s - requests.begin_s, 0.0)
    return payers(provisioned, tokens=tokens if tokens.any() else time_s, time_s=time_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Requests by group, (g,): how many, how many of them unseen [1], and what the others took. [J]"""

    requests: Places
    unseen: Places
    dynamic_j: Floats
    active_idle_j: Floats
    charged_j: Floats


def sums_by(group: Places, groups: int, shared: Shared, charges: Charged) -> Sums:
    """Sums by group, and how many requests they do not hold.

    Parameters
    ----------
    group : ndarray, shape (m,)
        The place of each request's group: its tenant, model, hour or outcome.
    groups : int
        How many there are, g. [1]
    shared, charges : Shared, Charged
        Of the requests. [J]

    Returns
    -------
    Sums
        All groups together hold all that is charged to requests.
    """

    def summed(amount: Floats) -> Floats:
        return np.asarray(np.bincount(group, np.nan_to_num(amount), groups), np.float64)

    return Sums(
        requests=np.bincount(group, minlength=groups),
        unseen=np.bincount(group[np.isnan(shared.dynamic_j)], minlength=groups),
        dynamic_j=summed(shared.dynamic_j),
        active_idle_j=summed(shared.active_idle_j),
        charged_j=summed(charges.request_j),
    )
