"""What is to be run before it runs: a model, the accelerators, and the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.values.boundary import Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A language model, as far as its energy goes.

    ``kv_values`` are the numbers that attention keeps for each token of the whole context, summed
    over layers (2 x layers x kv heads x head width; with latent attention its rank); ``kv_window_values``
    those of layers that look back ``window_tokens`` only. ``attention_width`` is heads x head width
    summed over the layers that attend: the work of attention for a pair of tokens.
    """

    name: str
    params: float
    active_params: float
    experts: int = 1
    experts_per_token: int = 1
    layers: int = 0
    kv_values: float = 0.0
    kv_window_values: float = 0.0
    window_tokens: float = 0.0
    attention_width: float = 0.0
    precision: str = "bf16"
    source: str = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """An accelerator by its data sheet.

    ``peak_flops`` are dense (no sparsity), by precision: ``bf16``, ``fp8``, ``int8``, ``fp4``. [FLOP/s]
    """

    id: str
    tdp_w: float
    memory_bytes: float
    bandwidth_bytes_per_s: float
    peak_flops: Mapping[str, float]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What a replica is asked, on average. Numbers, or arrays of one shape: rows of what-if.

    ``batch`` sequences run at the same time; of ``input_tokens``, ``cached_tokens`` were read before.
    ``output_tokens`` hold those of reasoning; ``accelerators`` share one copy of the model.
    """

    batch: Number
    input_tokens: Number
    output_tokens: Number
    cached_tokens: Number = 0.0
    accelerators: Number = 1.0
    precision: str = "bf16"
