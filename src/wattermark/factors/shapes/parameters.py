"""How many parameters a language model has, from its config.json: all, and those active for a token.

Matrices are counted, norms and biases are not: they are far below a percent. Active are all but
the experts that a token does not go through; embeddings count, as makers mostly count them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.errors import UsageError
from wattermark.factors.shapes.config_file import OTHERWISE, Config
from wattermark.factors.shapes.model_types import LEARNED_POSITIONS, NOT_LOOKED_UP, PLAIN_MLP, TIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Heads of a layer, as its config.json has them."""

    heads: int
    kv_heads: int
    head_dim: int
    latent: Mapping[str, int] | None = None


def attention_of(config: Config) -> Attention:
    """Heads and their width.

    Raises
    ------
    UsageError
        If a key is missing, or the heads do not divide what they share.
    """
    heads, hidden = config.number("num_attention_heads"), config.number("hidden_size")
    kv_heads = _kv_heads(config, heads)
    if heads % kv_heads:
        raise UsageError(f"{config.name} has {heads} heads on {kv_heads} of keys", fix=OTHERWISE)
    latent = None
    if config.get("kv_lora_rank") is not None:
        latent = {
            key: config.number(key)
            for key in ("kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
        }
    head_dim = config.number("head_dim", 0)
    if not head_dim and not latent and hidden % heads:
        raise UsageError(f"{config.name} has no 'head_dim', and {hidden} / {heads} is none", fix=OTHERWISE)
    return Attention(heads=heads, kv_heads=kv_heads, head_dim=head_dim or hidden // heads, latent=latent)


def experts_of(config: Config) -> tuple[int, int]:
    """Routed experts in a layer and those of a token; 1 and 1 without any.

    Raises
    ------
    UsageError
        If a token would go through more experts than there are.
    """
    routed = config.number("num_local_experts", 1, least=0)
    if routed <= 1:
        return 1, 1
    chosen = config.number("num_experts_per_tok")
    if chosen > routed:
        raise UsageError(f"{config.name} sends a token through {chosen} of {routed} experts", fix=OTHERWISE)
    return routed, chosen


def count(config: Config) -> tuple[float, float]:
    """All parameters, and those active for a token."""
    layers, hidden = config.number("num_hidden_layers"), config.number("hidden_size")
    outside = _embeddings(config, hidden)
    if config.kind == "nemotron_h":
        total = outside + _hybrid_layers(config, hidden)
        return float(total), float(total)
    outside += layers * _attention(config, hidden)
    routed, chosen = experts_of(config)
    matrices = 2 if config.kind in PLAIN_MLP else 3
    sparse = _sparse_layers(config, layers) if routed > 1 else 0
    outside += (layers - sparse) * matrices * hidden * _dense_width(config, hidden) if sparse < layers else 0
    if not sparse:
        return float(outside), float(outside)
    width = config.number("moe_intermediate_size", 0) or config.number("intermediate_size")
    expert = matrices * hidden * width
    outside += sparse * (matrices * hidden * _shared_width(config, width) + routed * hidden)
    idle = config.number("vocab_size") * hidden if config.kind in NOT_LOOKED_UP else 0
    return float(outside + sparse * routed * expert), float(outside - idle + sparse * chosen * expert)


def _kv_heads(config: Config, heads: int) -> int:
    """Heads of keys; old multi-query models tell them with a flag."""
    if config.kind in ("falcon", "gpt_bigcode") and not config.flag(
        "new_decoder_architecture", default=False
    ):
        return 1 if config.flag("multi_query", default=True) else heads
    return config.number("num_key_value_heads", heads)


def _embeddings(config: Config, hidden: int) -> int:
    tied = config.flag("tie_word_embeddings", default=config.kind in TIED)
    rows = config.number("vocab_size") * (1 if tied else 2)
    if config.kind in LEARNED_POSITIONS:
        rows += config.number("max_position_embeddings") + config.number("type_vocab_size", 0, least=0)
    return rows * hidden


def _attention(config: Config, hidden: int) -> int:
    it = attention_of(config)
    if it.latent is None:
        return 2 * hidden * it.head_dim * (it.heads + it.kv_heads)
    rank, rope = it.latent["kv_lora_rank"], it.latent["qk_rope_head_dim"]
    nope, values = it.latent["qk_nope_head_dim"], it.latent["v_head_dim"]
    asked = config.number("q_lora_rank", 0)
    wide = it.heads * (nope + rope)
    queries = asked * (hidden + wide) if asked else hidden * wide
    keys = hidden * (rank + rope) + rank * it.heads * (nope + values)
    return queries + keys + it.heads * values * hidden


def _sparse_layers(config: Config, layers: int) -> int:
    """Layers with experts: all but the first few, every so many, or all."""
    first = config.number("first_k_dense_replace", 0, least=0)
    if first > layers:
        raise UsageError(f"{config.name} has {layers} layers, {first} of them dense", fix=OTHERWISE)
    step = config.number("interleave_moe_layer_step", 1) * config.number("decoder_sparse_step", 1)
    return (layers - first) // step


def _dense_width(config: Config, hidden: int) -> int:
    if config.get("intermediate_size_mlp") is not None:
        return config.number("intermediate_size_mlp")
    four = 4 * hidden if config.kind in PLAIN_MLP else None
    return config.number("intermediate_size", four)


def _shared_width(config: Config, width: int) -> int:
    """Experts that every token goes through, taken as one wide MLP."""
    if config.kind in ("llama4", "llama4_text"):
        return width
    own = config.number("shared_expert_intermediate_size", 0, least=0)
    return own or width * config.number("n_shared_experts", 0, least=0)


def _hybrid_layers(config: Config, hidden: int) -> int:
    """Mamba-2 (M), attention (*) and MLP (-) layers, as the pattern has them."""
    pattern = hybrid_pattern(config)
    inner = config.number("mamba_num_heads") * config.number("mamba_head_dim")
    state = 2 * config.number("n_groups") * config.number("ssm_state_size")
    mamba = hidden * (2 * inner + state + config.number("mamba_num_heads")) + inner * hidden
    mlp = 2 * hidden * config.number("intermediate_size")
    each = {"M": mamba, "*": _attention(config, hidden), "-": mlp}
    return sum(each[layer] for layer in pattern)


def hybrid_pattern(config: Config) -> str:
    """The kinds of the layers of a hybrid model, a letter each.

    Raises
    ------
    UsageError
        If it is missing, has a letter that we do not know, or another length than the layers.
    """
    pattern = config.get("hybrid_override_pattern")
    if pattern is None:
        raise config.lacks("hybrid_override_pattern")
    layers = config.number("num_hidden_layers")
    if not isinstance(pattern, str) or set(pattern) - set("M*-") or len(pattern) != layers:
        raise UsageError(
            f"hybrid_override_pattern of {config.name} is not one of M, * and - for each of {layers} layers",
            fix=OTHERWISE,
        )
    return pattern
