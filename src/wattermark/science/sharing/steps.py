"""A server's energy step by step, shared exactly among the requests that each step computed for.

The cost of a set S of requests in a step is that of what all of them need once (weights), of the experts
that any of them hits, and of what each needs alone (its tokens, keys and values, attention):
C(S) = shared 1[S not empty] + sum of experts hit by S + sum of direct. The Shapley value of such a game is
a closed form: what is shared is split equally, an expert equally by those that hit it, the rest is direct.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.arrays import part_of, summed
from wattermark.science.sharing.columns import Cost, Floats, Places, by_place
from wattermark.science.sharing.windows import Shared
from wattermark.values.policy import ActiveIdle, Policy

NODES = 48
"""Of the quadrature; exact up to 96 requests a step, and within 1e-9 beyond (tests/science/sharing)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What an engine did in s steps, and for whom: k entries, one for each request in each step.

    ``energy_j`` (s,) was measured, nan where it is a gap; ``idle_j`` (s,) of it the server would have drawn
    at rest [J]; ``model`` (s,) is the place of a step's costs. Of an entry (k,): ``step`` and ``request``
    are places; ``read_tokens`` of a prompt were computed; of ``written_tokens`` all that were checked count,
    drafted and refused ones, too; ``context_tokens`` are those before, whether they were computed or cached.
    Of what was read, ``again_tokens`` were computed before. ``hit`` (k, experts) tells which experts its
    tokens chose, each of which weighs the same; where nobody knows, they chose independently.
    """

    energy_j: Floats
    idle_j: Floats
    model: Places
    step: Places
    request: Places
    read_tokens: Floats
    written_tokens: Floats
    context_tokens: Floats
    again_tokens: Floats | None = None
    hit: NDArray[np.bool_] | None = None


def share_steps(steps: Steps, costs: list[Cost], requests: int, *, policy: Policy | None = None) -> Shared:
    """Share the energy of each step among the requests that it computed for.

    Parameters
    ----------
    steps : Steps
        What was measured [J], and what was computed. A request has one entry in a step at most.
    costs : list of Cost
        By the steps' ``model``.
    requests : int
        How many there are, m. [1]
    policy : Policy, optional
        Who pays active idle: by weight, or all in a step equally.

    Returns
    -------
    Shared
        ``provisioned_idle_j`` is by step: all of one that computed for nobody.

    References
    ----------
    .. [1] L. S. Shapley, "A Value for n-Person Games", 1953, doi:10.1515/9781400881970-018.
    """
    n = len(steps.energy_j)
    weight_j, again_j = step_weights(steps, costs)
    takes = weight_j > 0
    total_j, many = summed(steps.step, weight_j, n), summed(steps.step, takes.astype(float), n)
    energy_j = np.where(np.isfinite(steps.energy_j), steps.energy_j, np.nan)
    idle_j = np.where(many > 0, np.minimum(energy_j, steps.idle_j), energy_j)
    active_j = np.nan_to_num(np.where(many > 0, idle_j, 0.0))
    dynamic_j = np.nan_to_num(energy_j - idle_j)
    part = part_of(weight_j, total_j[steps.step])
    equally = policy is not None and policy.active is ActiveIdle.EQUAL
    active_part = part_of(takes.astype(float), many[steps.step]) if equally else part
    known = np.isfinite(energy_j)[steps.step]
    seen, whole = (summed(steps.request, one, requests) for one in (weight_j * known, weight_j))
    metered = np.where(whole > 0, part_of(seen, whole), 1.0)
    unseen = np.where(metered > 0, 0.0, np.nan)
    mine, own_j = steps.request, dynamic_j[steps.step]
    return Shared(
        dynamic_j=summed(mine, part * own_j, requests) + unseen,
        active_idle_j=summed(mine, active_part * active_j[steps.step], requests) + unseen,
        provisioned_idle_j=np.where(many > 0, np.where(np.isnan(idle_j), np.nan, 0.0), idle_j),
        metered=metered,
        again_j=summed(mine, part_of(again_j, total_j[steps.step]) * own_j, requests) + unseen,
    )


def step_weights(steps: Steps, costs: list[Cost]) -> tuple[Floats, Floats]:
    """The Shapley value of each entry, before it is scaled to what the meter saw.

    With experts that nobody saw chosen it is exact, too, if tokens choose them independently: entry i hits
    one with chance h_i, and bears it with whoever hits it, which makes h_i times the integral over x from
    0 to 1 of the product of (1 - h_j (1 - x)) over all others. Entries of as many tokens bear the same;
    by tokens alone, a prompt of 2,048 tokens beside 31 decodes would bear 2.3 times too much of the experts,
    and each decode a 38th of its part. What is not known is how alike the choices of tokens are.

    Parameters
    ----------
    steps : Steps
        Of k entries.
    costs : list of Cost
        By the steps' ``model``.

    Returns
    -------
    tuple of ndarray, shape (k,)
        All, and of it what was computed before. [J of the prior]
    """
    n, step = len(steps.energy_j), steps.step
    of = by_place(costs, steps.model[step])
    read, written, context = steps.read_tokens, steps.written_tokens, steps.context_tokens
    takes = (read + written > 0).astype(float)
    many = summed(step, takes, n)[step]
    shared_j = of("step_j") * part_of(takes, many)
    experts_j = of("experts_j") * _experts(steps, of("missed"), n)
    sight = np.minimum(context, of("window_tokens"))
    kept_j = takes * (of("context_token_j") * context + of("window_token_j") * sight)
    read_j = read * (of("read_token_j") + of("pair_j") * (2 * context + read))
    written_j = written * (of("written_token_j") + 2 * of("pair_j") * context)
    weight_j = shared_j + experts_j + kept_j + read_j + written_j
    again = np.zeros(len(read)) if steps.again_tokens is None else np.minimum(steps.again_tokens, read)
    rest_j = np.where(written > 0, written_j, 0.0)
    return weight_j, (weight_j - rest_j) * part_of(again, read)


def _experts(steps: Steps, missed: Floats, n: int) -> Floats:
    """Which part of all experts each entry bears. (k,)"""
    if steps.hit is not None:
        many = np.zeros((n, steps.hit.shape[1]))
        np.add.at(many, steps.step, steps.hit)
        return np.asarray(part_of(steps.hit.astype(float), many[steps.step]).mean(axis=1), np.float64)
    if not (missed > 0).any():
        return np.zeros(len(missed))
    chance = 1 - missed ** (steps.read_tokens + steps.written_tokens)
    nodes, weights = _quadrature()
    borne = np.zeros(len(chance))
    for x, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
        one = 1 - chance * (1 - x)
        borne += weight * chance * np.exp(summed(steps.step, np.log(one), n)[steps.step]) / one
    hit = 1 - np.exp(summed(steps.step, np.log1p(-np.minimum(chance, 1 - 1e-16)), n))
    return borne * part_of(hit, summed(steps.step, borne, n))[steps.step]


@lru_cache(maxsize=1)
def _quadrature() -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre, from 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2
