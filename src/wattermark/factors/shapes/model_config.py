"""From the config.json of a language model to what its energy depends on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wattermark.errors import UsageError
from wattermark.factors.shapes.config_file import OTHERWISE, Config, load, short
from wattermark.factors.shapes.model_types import KNOWN
from wattermark.factors.shapes.parameters import attention_of, count, experts_of, hybrid_pattern
from wattermark.factors.shapes.shape import Experts, Shape, architecture
from wattermark.values.workload import Architecture

DTYPES = {
    **{"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"},
    **{"float8_e4m3fn": "fp8", "float8_e5m2": "fp8", "int8": "int8"},
}
METHODS = {"fp8": "fp8", "fbgemm_fp8": "fp8", "mxfp4": "mxfp4", "nvfp4": "fp4"}
BITS = {4: "int4", 8: "int8"}
EVERY_SECOND = frozenset({"gemma2", "gpt_oss"})
"""Types with a window on every second layer, where the file does not list its layers."""


def read_config(path: str | Path) -> Architecture:
    """A model from its config.json, or from the folder that holds it.

    Parameters are counted from the shape; nothing is downloaded and nothing of the file is run.

    Raises
    ------
    UsageError
        If the file cannot be read, is of a type that we cannot count, lacks a key (it names which),
        or has a number that cannot be.
    """
    config = load(Path(path))
    if config.kind not in KNOWN:
        raise UsageError(
            f"{config.name} is of the type {config.kind!r}, which we cannot count", fix=OTHERWISE
        )
    routed, per_token = experts_of(config)
    return architecture(
        config.name,
        params=count(config),
        shape=_shape(config),
        experts=Experts(routed=routed, per_token=per_token),
        precision=_precision(config),
        source="config.json",
    )


def _shape(config: Config) -> Shape:
    layers, heads = config.number("num_hidden_layers"), attention_of(config)
    full, window_layers, window = _layers(config, layers)
    latent, head_dim = 0, float(heads.head_dim)
    if heads.latent:
        latent = heads.latent["kv_lora_rank"] + heads.latent["qk_rope_head_dim"]
        keys = heads.latent["qk_nope_head_dim"] + heads.latent["qk_rope_head_dim"]
        head_dim = (keys + heads.latent["v_head_dim"]) / 2
    return Shape(
        layers=layers,
        full_layers=full,
        heads=heads.heads,
        kv_heads=heads.kv_heads,
        head_dim=head_dim,
        window_layers=window_layers,
        window_tokens=window,
        latent=latent,
    )


def _layers(config: Config, layers: int) -> tuple[int, int, int]:
    """Layers that see the whole context, those that see a window, and the window."""
    if config.kind == "nemotron_h":
        return hybrid_pattern(config).count("*"), 0, 0
    window = config.number("attention_chunk_size", 0) or config.number("sliding_window", 0, least=0)
    if not window or not config.flag("use_sliding_window", default=True):
        return layers, 0, 0
    full = _full_layers(config, layers)
    return full, layers - full, window if full < layers else 0


def _full_layers(config: Config, layers: int) -> int:
    """Of a model with a window, how many layers see further."""
    kinds = config.words("layer_types")
    if kinds:
        strange = sorted(set(kinds) - {"full_attention", "sliding_attention", "chunked_attention"})
        if strange or len(kinds) != layers:
            raise UsageError(
                f"layer_types of {config.name} are {', '.join(strange) or len(kinds)}, of {layers} layers",
                fix=OTHERWISE,
            )
        return kinds.count("full_attention")
    if config.kind in EVERY_SECOND:
        return layers // 2
    if config.kind in ("llama4", "llama4_text"):
        return layers // config.number("no_rope_layer_interval", 4)
    pattern = config.number("sliding_window_pattern", 0)
    return layers // pattern if pattern else 0


def _precision(config: Config) -> str:
    """The format of the weights as they are shipped; 16 bit where the file says nothing."""
    quantized = config.outer("quantization_config")
    if isinstance(quantized, dict):
        return _quantized(config, quantized)
    if quantized:
        raise UsageError(f"quantization_config of {config.name} is {short(quantized)}", fix=OTHERWISE)
    dtype = config.outer("dtype") or config.outer("torch_dtype") or "bfloat16"
    if not isinstance(dtype, str) or dtype.removeprefix("torch.") not in DTYPES:
        raise UsageError(f"{config.name} has weights in {short(dtype)}", fix=OTHERWISE)
    return DTYPES[dtype.removeprefix("torch.")]


def _quantized(config: Config, how: Mapping[str, object]) -> str:
    """What the quantizer left; every one of them writes it elsewhere."""
    told = str(how.get("quant_algo") or how.get("quant_method") or "").lower()
    if told in METHODS:
        return METHODS[told]
    bits, floats = how.get("bits"), False
    if told == "bitsandbytes":
        bits = 4 if how.get("load_in_4bit") else 8
    if told == "compressed-tensors":
        bits, floats = _first_group(how)
    if bits == 8 and floats:
        return "fp8"
    if bits == 4 and floats:
        return "fp4"
    if not isinstance(bits, int) or bits not in BITS:
        method = short(told) if told else "an unnamed method"
        raise UsageError(
            f"{config.name} is quantized by {method} to a width that we do not know",
            fix=OTHERWISE,
        )
    return BITS[bits]


def _first_group(how: Mapping[str, object]) -> tuple[object, bool]:
    """Bits of the weights, and whether they are floats, of a compressed-tensors file."""
    groups = how.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    return (
        (weights.get("num_bits"), weights.get("type") == "float")
        if isinstance(weights, dict)
        else (None, False)
    )
