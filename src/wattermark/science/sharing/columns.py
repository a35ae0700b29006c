"""Requests as arrays, and what a model costs in each of them: what sharing by windows needs to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.serving import BYTES, FLOPS_PER_PARAM, KV_BYTES, TYPICAL_LAYERS
from wattermark.science.uncertainty import Values
from wattermark.values.workload import Architecture

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Requests as arrays of one length m.

    Times count from the zero of the windows [s]; ``first_s`` is when the first piece of the answer came,
    ``end_s`` where that is not known. ``read_tokens`` had to be computed, ``cached_tokens`` had not,
    ``written_tokens`` were generated in so many ``passes``; nan is what nobody said. ``model`` is the
    place of its costs.
    """

    begin_s: Floats
    first_s: Floats
    end_s: Floats
    read_tokens: Floats
    cached_tokens: Floats
    written_tokens: Floats
    passes: Floats
    model: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a model's work weighs, in joules of the prior; only its proportions matter for shares.

    A step reads the shared weights once, and of the experts those that its tokens chose:
    ``step_j + experts_j * (1 - missed ** tokens)``, shared equally by all that take part. A token that is
    read or written, one of context that is looked at by a token written, and a pair of tokens that attend
    each other cost the request itself. [J]
    """

    step_j: float
    experts_j: float
    missed: float
    read_token_j: float
    written_token_j: float
    context_token_j: float
    pair_j: float


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
        context_token_j=byte_j * KV_BYTES * (model.kv_values + model.kv_window_values),
        pair_j=flop_j * FLOPS_PER_PARAM * model.attention_width,
    )
