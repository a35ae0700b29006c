"""A server's energy by windows, shared among the requests that ran in them; idle capacity in the open.

Between two looks at a meter many engine steps pass, and nobody who stands outside the engine sees them. What
is seen is when a request ran, and how many tokens it had. In a window with mean concurrency B each decoding
pass bears 1/B of a step's shared cost, which is the Shapley value if who takes part in a step does not depend
on the step; tokens, context and attention are its own. All weights are scaled to what the meter saw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns, Cost, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """What a meter saw of a server: ``edge_s`` (n + 1,) [s], ``energy_j`` (n,) [J].

    ``idle_w`` is what the server draws while it has nothing to do. [W]
    """

    edge_s: Floats
    energy_j: Floats
    idle_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Three ledgers that add up to the energy of the windows. [J]

    ``dynamic_j`` and ``active_idle_j`` are by request (m,), ``provisioned_idle_j`` by window (n,).
    """

    dynamic_j: Floats
    active_idle_j: Floats
    provisioned_idle_j: Floats

    @property
    def total_j(self) -> float:
        """All of it. [J]"""
        return float(self.dynamic_j.sum() + self.active_idle_j.sum() + self.provisioned_idle_j.sum())


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Each request in each window that it touches."""

    request: NDArray[np.int64]
    window: NDArray[np.int64]
    from_s: Floats
    until_s: Floats


def share_windows(windows: Windows, requests: Columns, costs: list[Cost]) -> Shared:
    """Share the energy of each window among the requests that ran in it.

    Where nobody ran all of a window is provisioned idle. Where somebody did, so much of it is idle as the
    server draws at rest: active idle while anybody ran, provisioned for the rest of the window; the
    remainder is dynamic and goes by weight.

    Parameters
    ----------
    windows : Windows
        What the meter saw, n windows. [J]
    requests : Columns
        Of m requests; tokens must be known (``impute`` them before).
    costs : list of Cost
        By the requests' ``model``.

    Returns
    -------
    Shared
        Parts that add up to ``windows.energy_j.sum()``. [J]
    """
    pairs = _pairs(windows.edge_s, requests)
    weight = _weights(pairs, windows, requests, costs)
    length_s = np.diff(windows.edge_s)
    busy_s = _busy_s(windows.edge_s, requests)
    n = len(length_s)
    total = _summed(pairs.window, weight, n)
    ran = total > 0
    idle_j = np.where(ran, np.minimum(windows.energy_j, windows.idle_w * length_s), windows.energy_j)
    busy = np.where(ran, np.divide(busy_s, length_s, out=np.zeros(n), where=length_s > 0), 0.0)
    active_j, dynamic_j = idle_j * busy, windows.energy_j - idle_j
    share = np.divide(weight, total[pairs.window], out=np.zeros(len(weight)), where=total[pairs.window] > 0)
    m = len(requests.begin_s)
    return Shared(
        dynamic_j=_summed(pairs.request, share * dynamic_j[pairs.window], m),
        active_idle_j=_summed(pairs.request, share * active_j[pairs.window], m),
        provisioned_idle_j=idle_j - active_j,
    )


def _summed(place: NDArray[np.int64], amount: Floats, length: int) -> Floats:
    return np.asarray(np.bincount(place, amount, length), np.float64)


def _pairs(edge_s: Floats, requests: Columns) -> _Pairs:
    first = np.clip(np.searchsorted(edge_s, requests.begin_s, "right") - 1, 0, len(edge_s) - 2)
    last = np.clip(np.searchsorted(edge_s, requests.end_s, "left") - 1, first, len(edge_s) - 2)
    inside = (requests.end_s >= edge_s[0]) & (requests.begin_s <= edge_s[-1])
    many = np.where(inside, last - first + 1, 0)
    request = np.repeat(np.arange(len(many)), many)
    window = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + first[request]
    return _Pairs(
        request,
        window,
        np.maximum(requests.begin_s[request], edge_s[window]),
        np.minimum(requests.end_s[request], edge_s[window + 1]),
    )


def _weights(pairs: _Pairs, windows: Windows, requests: Columns, costs: list[Cost]) -> Floats:
    """What the part of each request that lies in each window weighs. [J of the prior]"""
    i = pairs.request
    read = requests.read_tokens[i] * _part(pairs, requests.begin_s[i], requests.first_s[i])
    decoding = _part(pairs, requests.first_s[i], requests.end_s[i])
    written, passes = requests.written_tokens[i] * decoding, requests.passes[i] * decoding
    ahead = requests.read_tokens[i] + requests.cached_tokens[i]
    context = ahead + requests.written_tokens[i] / 2
    length_s = np.diff(windows.edge_s)
    together = np.zeros((len(costs), len(length_s)))
    model = requests.model[i]
    np.add.at(together, (model, pairs.window), pairs.until_s - pairs.from_s)
    busy_s = np.maximum(_busy_s(windows.edge_s, requests), 1e-9)
    running = np.maximum(together[model, pairs.window] / busy_s[pairs.window], 1.0)
    field = {
        name: np.array([getattr(cost, name) for cost in costs])[model]
        for name in (
            "step_j",
            "experts_j",
            "missed",
            "read_token_j",
            "written_token_j",
            "context_token_j",
            "pair_j",
        )
    }
    step_j = field["step_j"] + field["experts_j"] * (1 - field["missed"] ** running)
    steps = passes + (read > 0) * _part(pairs, requests.begin_s[i], requests.first_s[i])
    return np.asarray(
        steps * step_j / running
        + read * (field["read_token_j"] + field["pair_j"] * ahead)
        + written * (field["written_token_j"] + (field["context_token_j"] + 2 * field["pair_j"]) * context),
        np.float64,
    )


def _part(pairs: _Pairs, from_s: Floats, until_s: Floats) -> Floats:
    """The part of a stretch that lies in the window; all of one without length where it begins."""
    length_s = until_s - from_s
    inside_s = np.clip(np.minimum(pairs.until_s, until_s) - np.maximum(pairs.from_s, from_s), 0, None)
    whole = (from_s >= pairs.from_s) & (from_s <= pairs.until_s)
    return np.where(length_s > 0, inside_s / np.where(length_s > 0, length_s, 1.0), whole.astype(float))


def _busy_s(edge_s: Floats, requests: Columns) -> Floats:
    """How long anybody ran in each window. [s]"""
    order = np.argsort(requests.begin_s, kind="stable")
    begin, end = requests.begin_s[order], np.maximum.accumulate(requests.end_s[order])
    if not len(begin):
        return np.zeros(len(edge_s) - 1)
    new = np.concatenate([[True], begin[1:] > end[:-1]])
    begins, ends = begin[new], end[np.concatenate([new[1:], [True]])]
    before = np.concatenate([[0.0], np.cumsum(ends - begins)])
    at = np.searchsorted(begins, edge_s, "right")
    over = np.where(at > 0, np.maximum(ends[np.maximum(at - 1, 0)] - edge_s, 0), 0)
    return np.diff(before[at] - over)
