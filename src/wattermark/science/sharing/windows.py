"""A server's energy by windows, shared among the requests that ran in them; idle capacity in the open.

Between two looks at a meter many engine steps pass, and nobody who stands outside the engine sees them. What
is seen is when a request ran, and how many tokens it had. Where k decode at the same time each bears 1/k of
a step's shared cost, which is the Shapley value of a step in which each writes a token; its own tokens,
context and attention it bears itself (``stretches``). While a prompt is read all that write wait, by the
first weights (``paced``). All weights are scaled to what the meter saw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wattermark.science.sharing.arrays import part_of, summed
from wattermark.science.sharing.columns import Columns, Cost, Floats, Places
from wattermark.science.sharing.concurrency import busy_s
from wattermark.science.sharing.impute import impute
from wattermark.science.sharing.weights import Work, paced, weigh, work_of
from wattermark.values.policy import ActiveIdle, Policy

BLOCK = 1 << 17
"""Requests in windows that are looked at together: what they take in memory at a time."""
LEAST_J = 1e-200
"""Of the prior: what weighs less in a window weighs nothing, as it could not be divided by."""
ROUNDING = 1e-9
"""Of a window's length: who ran for all but that ran for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """What a meter saw of a server: ``edge_s`` (n + 1,) [s], ``energy_j`` (n,) [J], nan where it is a gap.

    ``idle_w`` is what the server draws while it has nothing to do. [W]
    """

    edge_s: Floats
    energy_j: Floats
    idle_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Three ledgers that add up to the energy that the meter saw. [J]

    ``dynamic_j`` and ``active_idle_j`` are by request (m,), ``provisioned_idle_j`` by window (n,); nan
    where nothing of a request, or of a window, was seen. ``metered`` (m,) is the part of each request
    that was. [1] ``again_j`` (m,), within ``dynamic_j``, went for tokens that were computed again.
    """

    dynamic_j: Floats
    active_idle_j: Floats
    provisioned_idle_j: Floats
    metered: Floats
    again_j: Floats

    @property
    def request_j(self) -> Floats:
        """Both ledgers of each request; nan where nothing of it was seen. [J]"""
        return self.dynamic_j + self.active_idle_j

    @property
    def total_j(self) -> float:
        """All that was seen. [J]"""
        return float(np.nansum(self.request_j) + np.nansum(self.provisioned_idle_j))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Requests in the windows that they touch, and of each what it weighs there, and how long it was."""

    request: Places
    window: Places
    weight_j: Floats
    read_j: Floats
    again_j: Floats
    time_s: Floats


@dataclass(frozen=True, slots=True)
class _Prices:
    """What a joule of weight and a second in each window cost, so that all of a ledger is paid. (n,)"""

    weight: Floats
    time: Floats


def share_windows(
    windows: Windows, requests: Columns, costs: list[Cost], *, policy: Policy | None = None
) -> Shared:
    """Share the energy of each window among the requests that ran in it.

    Where nobody ran all of a window is provisioned idle. Where somebody did, so much of it is idle as the
    server draws at rest, and no more than there is: active idle while anybody ran, provisioned for the
    rest of the window; the remainder is dynamic, and goes by weight. If nobody weighs anything (no tokens,
    or nobody told them) it goes by time.

    Parameters
    ----------
    windows : Windows
        What the meter saw, n windows. [J]
    requests : Columns
        Of m requests; what reaches outside of the windows is not metered, unknown tokens are imputed.
    costs : list of Cost
        By the requests' ``model``.
    policy : Policy, optional
        Who pays active idle.

    Returns
    -------
    Shared
        Parts that add up to all of ``windows.energy_j`` that is known. [J]

    Raises
    ------
    ValueError
        If edges and energies do not belong together, or the edges do not rise.

    References
    ----------
    .. [1] L. S. Shapley, "A Value for n-Person Games", 1953, doi:10.1515/9781400881970-018.
    """
    _check(windows)
    work = work_of(impute(requests).requests, costs, windows.edge_s)
    weight_j, read_j, _ = _totals(work, windows.edge_s)
    work = paced(work, windows.edge_s, read_j, weight_j - read_j)
    ledgers = _ledgers(windows, work)
    equally = policy is not None and policy.active is ActiveIdle.EQUAL
    by_weight = np.zeros_like(ledgers.weight_j) if equally else ledgers.weight_j
    return _paid(
        work,
        windows.edge_s,
        ledgers,
        _prices(ledgers.dynamic_j, ledgers.weight_j, ledgers.time_s),
        _prices(ledgers.active_j, by_weight, ledgers.time_s),
    )


@dataclass(frozen=True, slots=True)
class _Ledgers:
    """Of each window the three energies, and what all requests weigh in it, and how long they were. (n,)"""

    dynamic_j: Floats
    active_j: Floats
    provisioned_j: Floats
    weight_j: Floats
    time_s: Floats


def _check(windows: Windows) -> None:
    edge_s = windows.edge_s
    if len(edge_s) != len(windows.energy_j) + 1:
        raise ValueError("windows have one edge more than energies")
    if not (np.isfinite(edge_s).all() and (np.diff(edge_s) >= 0).all()):
        raise ValueError("edges of windows rise")


def _totals(work: Work, edge_s: Floats) -> tuple[Floats, Floats, Floats]:
    """What all requests weigh in each window, of that what they read, and how long they were. (n,)"""
    n = len(edge_s) - 1
    weight_j, read_j, time_s = np.zeros(n), np.zeros(n), np.zeros(n)
    for pairs in _blocks(work, edge_s):
        weight_j += summed(pairs.window, pairs.weight_j, n)
        read_j += summed(pairs.window, pairs.read_j, n)
        time_s += summed(pairs.window, pairs.time_s, n)
    return weight_j, read_j, time_s


def _ledgers(windows: Windows, work: Work) -> _Ledgers:
    weight_j, _, time_s = _totals(work, windows.edge_s)
    energy_j = np.where(np.isfinite(windows.energy_j), windows.energy_j, np.nan)
    length_s = np.diff(windows.edge_s)
    ran = (weight_j > LEAST_J) | (time_s > 0)
    idle_j = np.where(ran, np.minimum(energy_j, windows.idle_w * length_s), energy_j)
    ran_s = np.where(time_s > 0, busy_s(windows.edge_s, work.begin_s, work.end_s), 0.0)
    busy = np.where((length_s > 0) & (ran_s >= length_s * (1 - ROUNDING)), 1.0, part_of(ran_s, length_s))
    active_j = idle_j * busy
    return _Ledgers(energy_j - idle_j, active_j, idle_j - active_j, weight_j, time_s)


def _prices(energy_j: Floats, weight_j: Floats, time_s: Floats) -> _Prices:
    """By weight; by time where nobody weighs anything. What is not known costs nothing."""
    known_j = np.nan_to_num(energy_j)
    weighed = weight_j > LEAST_J
    return _Prices(
        weight=np.where(weighed, part_of(known_j, weight_j), 0.0),
        time=np.where(weighed, 0.0, part_of(known_j, time_s)),
    )


def _paid(work: Work, edge_s: Floats, ledgers: _Ledgers, dynamic: _Prices, active: _Prices) -> Shared:
    m = len(work.begin_s)
    dynamic_j, active_idle_j, again_j, seen = (np.zeros(m) for _ in range(4))
    known = np.isfinite(ledgers.dynamic_j)
    for pairs in _blocks(work, edge_s):
        i, w = pairs.request, pairs.window
        dynamic_j += summed(i, pairs.weight_j * dynamic.weight[w] + pairs.time_s * dynamic.time[w], m)
        active_idle_j += summed(i, pairs.weight_j * active.weight[w] + pairs.time_s * active.time[w], m)
        again_j += summed(i, pairs.again_j * dynamic.weight[w], m)
        seen += summed(i, np.where(work.whole_s[i] > 0, pairs.time_s, 1.0) * known[w], m)
    metered = np.where(work.whole_s > 0, np.minimum(part_of(seen, work.whole_s), 1.0), seen)
    metered[work.is_nothing] = 1.0
    unseen = np.where((metered > 0) | (dynamic_j + active_idle_j != 0), 0.0, np.nan)
    return Shared(
        dynamic_j=dynamic_j + unseen,
        active_idle_j=active_idle_j + unseen,
        provisioned_idle_j=ledgers.provisioned_j,
        metered=metered,
        again_j=again_j + unseen,
    )


def _blocks(work: Work, edge_s: Floats) -> Iterator[_Pairs]:
    """All requests in all windows that they touch, so many at a time that they fit."""
    n = len(edge_s) - 1
    if n < 1 or not len(work.begin_s):
        return
    first = np.clip(np.searchsorted(edge_s, work.begin_s, "right") - 1, 0, n - 1)
    last = np.clip(np.searchsorted(edge_s, work.end_s, "left") - 1, first, n - 1)
    inside = (work.end_s >= edge_s[0]) & (work.begin_s <= edge_s[-1])
    many = np.where(inside, last - first + 1, 0)
    before = np.concatenate([[0], np.cumsum(many)])
    for start in range(0, int(before[-1]), BLOCK):
        pair = np.arange(start, min(start + BLOCK, int(before[-1])))
        request = np.searchsorted(before, pair, "right") - 1
        window = pair - before[request] + first[request]
        yield _Pairs(request, window, *weigh(work, edge_s, request, window))
