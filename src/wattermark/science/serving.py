"""Serving before it runs: the energy of a request by bytes, FLOPs, steps and accelerators.

A generated token costs an accelerator four things: the bytes that it reads (weights, shared by
all sequences of a step, and the sequence's own keys and values), the FLOPs that it computes, a
share of each step's fixed work, and a share of what every accelerator of the replica does for
every token. Four coefficients, fitted to measurements, turn these into joules
(``factors/tables/serving_fit.csv``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.workload import Architecture, Requests

BYTES: Final = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.53, "mxfp4": 0.53}
"""Bytes of a parameter; four-bit formats carry a scale for each block of 32."""
KV_BYTES: Final = 2.0
TYPICAL_LAYERS: Final = 50.0
"""Layers are counted in these, so that coefficients stay near those of one typical model."""
FLOPS_PER_PARAM: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one request asks of a replica's accelerators.

    ``prefill_flops`` [FLOP] and ``prefill_bytes`` [B] for reading the prompt; for all its generated
    tokens ``decode_bytes`` [B], ``decode_flops`` [FLOP], ``steps`` and ``tokens`` (accelerators x
    steps, accelerators x tokens, both weighted by depth) [1]; ``output_tokens`` that it generates [1].
    """

    prefill_flops: Number
    prefill_bytes: Number
    decode_bytes: Number
    decode_flops: Number
    steps: Number
    tokens: Number
    output_tokens: Number


def expert_coverage(batch: Number, experts: Number, experts_per_token: Number) -> Number:
    """The part of a layer's experts that a step touches, if tokens choose them independently.

    Parameters
    ----------
    batch : float or ndarray
        Tokens of a step. [1]
    experts, experts_per_token : float or ndarray
        Of a layer, and those that a token goes through; 1 and 1 in a dense model. [1]
    """
    return 1 - (1 - experts_per_token / experts) ** batch


def touched_params(model: Architecture, batch: Number) -> Number:
    """Parameters that a step reads: the shared ones, and the experts that some token chose.

    Parameters
    ----------
    model : Architecture
        Its total and active parameters tell how many are experts'.
    batch : float or ndarray
        Sequences that take part in a step. [1]
    """
    if model.experts <= model.experts_per_token:
        return model.params + np.zeros_like(np.asarray(batch, float))
    of_experts = (model.params - model.active_params) / (1 - model.experts_per_token / model.experts)
    shared = model.params - of_experts
    return shared + of_experts * expert_coverage(batch, model.experts, model.experts_per_token)


def kv_values(model: Architecture, context_tokens: Number) -> Number:
    """Keys and values that one more token looks at; layers with a window see no further than it.

    Parameters
    ----------
    model : Architecture
        What it keeps for each token.
    context_tokens : float or ndarray
        Tokens before this one. [1]
    """
    return model.kv_values * context_tokens + model.kv_window_values * np.minimum(
        context_tokens, model.window_tokens
    )


def request_work(model: Architecture, requests: Requests) -> Work:
    """The work of one request in a replica that serves ``requests.batch`` of them at a time.

    Parameters
    ----------
    model : Architecture
        Layers must be known.
    requests : Requests
        Fields may be arrays of one shape: rows of what-if.

    Returns
    -------
    Work
        Arrays of that shape.

    References
    ----------
    .. [1] J. Kaplan et al., arXiv:2001.08361: 2 FLOPs a parameter and token, forward.
    .. [2] R. Pope et al., "Efficiently Scaling Transformer Inference", arXiv:2211.05102.
    """
    read = requests.input_tokens - requests.cached_tokens
    context = requests.input_tokens + requests.output_tokens / 2
    weights = BYTES[requests.precision] * touched_params(model, requests.batch)
    depth = model.layers / TYPICAL_LAYERS
    attended = requests.input_tokens**2 - requests.cached_tokens**2
    out = requests.output_tokens
    return Work(
        prefill_flops=FLOPS_PER_PARAM * (model.active_params * read + model.attention_width * attended),
        prefill_bytes=BYTES[requests.precision] * model.active_params / requests.batch,
        decode_bytes=out * (weights / requests.batch + KV_BYTES * kv_values(model, context)),
        decode_flops=out * FLOPS_PER_PARAM * (model.active_params + 2 * model.attention_width * context),
        steps=out * requests.accelerators * depth / requests.batch,
        tokens=out * requests.accelerators * np.sqrt(depth),
        output_tokens=out,
    )


def decode_energy_j(work: Work, values: Values) -> Number:
    """Energy of the accelerators for the generated tokens of one request. [J]

    Parameters
    ----------
    work : Work
        Of the request.
    values : mapping
        By name: ``serving_byte_j`` [J/B], ``serving_flop_j`` [J/FLOP], ``serving_step_j`` and
        ``serving_token_j`` [J], and ``serving_error``: measured over predicted [1].
    """
    return values["serving_error"] * (
        values["serving_byte_j"] * work.decode_bytes
        + values["serving_flop_j"] * work.decode_flops
        + values["serving_step_j"] * work.steps
        + values["serving_token_j"] * work.tokens
    )


def prefill_energy_j(work: Work, values: Values) -> Number:
    """Energy of the accelerators for reading the prompt of one request, cached tokens aside. [J]

    Parameters
    ----------
    work, values
        As of ``decode_energy_j``.
    """
    return values["serving_error"] * values["serving_flop_j"] * work.prefill_flops


def embedding_energy_j(work: Work, values: Values) -> Number:
    """Energy of the accelerators for one embedding: a prompt is read, and nothing generated. [J]

    Parameters
    ----------
    work, values
        As of ``decode_energy_j``.
    """
    return prefill_energy_j(work, values) + (
        values["serving_error"] * values["serving_byte_j"] * work.prefill_bytes
    )


def idle_per_busy(utilisation: Number) -> Number:
    """Seconds that held hardware waits for each second that it works.

    Parameters
    ----------
    utilisation : float or ndarray
        Part of the held time in which it works, above 0. [1]
    """
    return (1 - utilisation) / utilisation


def weight_bytes(model: Architecture, precision: str) -> float:
    """Memory that the weights take. [B]

    Parameters
    ----------
    model : Architecture
        Its parameters.
    precision : str
        One of ``BYTES``.
    """
    return model.params * BYTES[precision]


def cache_bytes(model: Architecture, requests: Requests) -> Number:
    """Memory that keys and values of one request take when half of its answer is written. [B]

    Parameters
    ----------
    model : Architecture
        What it keeps for each token.
    requests : Requests
        How long they get.
    """
    return KV_BYTES * kv_values(model, requests.input_tokens + requests.output_tokens / 2)


def cached_tokens(input_tokens: Number, share: Number) -> Number:
    """Input tokens that were read before.

    Parameters
    ----------
    input_tokens : float or ndarray
        [1]
    share : float or ndarray
        Of them. [1]
    """
    return input_tokens * share


def uncached_tokens(input_tokens: Number, share: Number) -> Number:
    """Input tokens that must be read.

    Parameters
    ----------
    input_tokens, share
        As of ``cached_tokens``.
    """
    return input_tokens - cached_tokens(input_tokens, share)


def requests_for(output_tokens: float, of_one: float) -> float:
    """How many requests generate so many tokens. [1]

    Parameters
    ----------
    output_tokens : float
        Of all of them. [1]
    of_one : float
        Of one. [1]
    """
    return output_tokens / of_one


def output_tokens_of(requests: float, job_output_tokens: float) -> float:
    """All tokens that some requests generate.

    Parameters
    ----------
    requests : float
        [1]
    job_output_tokens : float
        Of one. [1]
    """
    return requests * job_output_tokens


def power_at_batch(batch: Number, knots: Sequence[float], fractions: Sequence[float]) -> Number:
    """Mean power over TDP of a working replica, between the batches that were measured.

    Parameters
    ----------
    batch : float or ndarray
        Sequences that run at a time. [1]
    knots, fractions : sequence of float
        Measured batches, and the power over TDP there. [1]
    """
    return np.asarray(np.interp(np.log(batch), np.log(knots), fractions), np.float64)
