"""Requests as arrays, and what a model costs in each of them: what sharing needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattermark.science.serving import BYTES, FLOPS_PER_PARAM, KV_BYTES, TYPICAL_LAYERS
from wattermark.science.uncertainty import Values
from wattermark.values.workload import Architecture

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Requests as arrays of one length m.

    Times count from the zero of the windows [s]; ``first_s`` is when the first piece of the answer came,
    nan (or ``end_s``) where nobody saw it. ``read_tokens`` had to be computed, ``cached_tokens`` had not,
    ``written_tokens`` were generated in so many ``passes``; nan is what nobody said. ``model`` is the
    place of its costs: requests of one place share steps, so there is one for each engine and base model
    (adapters over one base have one place). ``again_tokens`` were computed a second time, ``chunks`` are
    pieces of a streamed answer; None is none of them.
    """

    begin_s: Floats
    first_s: Floats
    end_s: Floats
    read_tokens: Floats
    cached_tokens: Floats
    written_tokens: Floats
    passes: Floats
    model: Places
    again_tokens: Floats | None = None
    chunks: Floats | None = None

    def at(self, places: Places) -> Columns:
        """Some of the requests, in that order."""
        values = {name: getattr(self, name) for name in self.__slots__}
        some: dict[str, Any] = {name: None if one is None else one[places] for name, one in values.items()}
        return Columns(**some)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a model's work weighs, in joules of the prior; only its proportions matter for shares.

    A step reads the shared weights once, and of the experts those that its tokens chose:
    ``step_j + experts_j * (1 - missed ** tokens)``, shared by all that take part. A token that is read or
    written, and a pair of tokens that attend each other, cost the request itself. So does each token of
    context in each pass, and in layers that look back ``window_tokens`` those within them. A pass checks
    ``drafted`` tokens beside the one that it is for. [J]
    """

    step_j: float
    experts_j: float
    missed: float
    read_token_j: float
    written_token_j: float
    context_token_j: float
    pair_j: float
    window_token_j: float = 0.0
    window_tokens: float = 0.0
    drafted: float = 0.0


NO_COST = Cost(
    step_j=0.0,
    experts_j=0.0,
    missed=0.0,
    read_token_j=0.0,
    written_token_j=0.0,
    context_token_j=0.0,
    pair_j=0.0,
)
"""Of what asks no model: health checks, lists of models."""


def cost_of(model: Architecture, *, precision: str, accelerators: float, values: Values) -> Cost:
    """The costs of a model by the serving prior.

    Parameters
    ----------
    model : Architecture
        Its layers may be unknown: then no step but the reading of weights is counted.
    precision : str
        Of its weights, one of ``serving.BYTES``.
    accelerators : float
        That share one copy. [1]
    values : mapping
        ``serving_byte_j`` [J/B], ``serving_flop_j`` [J/FLOP], ``serving_step_j``, ``serving_token_j`` [J].

    Returns
    -------
    Cost

    References
    ----------
    .. [1] ML.ENERGY benchmark v3, to which the four coefficients were fitted (docs/estimation.md).
    """
    size = BYTES[precision]
    depth = model.layers / TYPICAL_LAYERS
    byte_j, flop_j = float(values["serving_byte_j"]), float(values["serving_flop_j"])
    missed = 1 - model.experts_per_token / model.experts
    of_experts = (model.params - model.active_params) / missed if missed > 0 else 0.0
    token_j = flop_j * FLOPS_PER_PARAM * model.active_params
    return Cost(
        step_j=byte_j * size * (model.params - of_experts)
        + float(values["serving_step_j"]) * accelerators * depth,
        experts_j=byte_j * size * of_experts,
        missed=missed,
        read_token_j=token_j,
        written_token_j=token_j + float(values["serving_token_j"]) * accelerators * float(np.sqrt(depth)),
        context_token_j=byte_j * KV_BYTES * model.kv_values,
        pair_j=flop_j * FLOPS_PER_PARAM * model.attention_width,
        window_token_j=byte_j * KV_BYTES * model.kv_window_values,
        window_tokens=model.window_tokens,
    )


def by_place(costs: list[Cost], place: Places) -> Callable[[str], Floats]:
    """A field of the costs, for each of many.

    Parameters
    ----------
    costs : list of Cost
        By place.
    place : ndarray, shape (m,)
        Of each.

    Returns
    -------
    callable
        From the name of a field to its values, shape (m,). [J]
    """

    def of(name: str) -> Floats:
        return np.array([getattr(cost, name) for cost in costs], np.float64)[place]

    return of


def with_draft(cost: Cost, draft: Cost, tokens: float) -> Cost:
    """The cost of an engine in which a small model drafts what a large one checks.

    Parameters
    ----------
    cost, draft : Cost
        Of the large model and of the small one; zero costs where drafts need no model (n-grams).
    tokens : float
        Drafted for a pass: the small model steps so often, then the large one checks them at once. [1]

    Returns
    -------
    Cost
        Of passes of both. Each token that is checked bears one drafted by the small model.

    References
    ----------
    .. [1] Y. Leviathan et al., "Fast Inference from Transformers via Speculative Decoding",
       arXiv:2211.17192.
    """
    a_token = tokens / (1 + tokens)
    return replace(
        cost,
        step_j=cost.step_j + tokens * (draft.step_j + draft.experts_j * (1 - draft.missed)),
        read_token_j=cost.read_token_j + draft.read_token_j,
        written_token_j=cost.written_token_j + a_token * draft.written_token_j,
        context_token_j=cost.context_token_j + tokens * draft.context_token_j,
        pair_j=cost.pair_j + a_token * draft.pair_j,
        drafted=tokens,
    )
