"""What attention keeps and computes, from the shape of a model: one sum for the table and for a config."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.workload import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The layers of a language model that attend.

    ``full_layers`` see the whole context, ``window_layers`` the last ``window_tokens`` of it; all
    others (of ``layers``) keep nothing that grows. ``latent`` is what multi-head latent attention
    keeps for a token and layer, in place of keys and values.
    """

    layers: int
    full_layers: int
    heads: int
    kv_heads: int
    head_dim: float
    window_layers: int = 0
    window_tokens: int = 0
    latent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """How many there are in a layer, and through how many of them a token goes; shared ones aside."""

    routed: int = 1
    per_token: int = 1


def architecture(
    name: str, *, params: tuple[float, float], shape: Shape, experts: Experts, precision: str, source: str
) -> Architecture:
    """A model from its parameters (all, and active for a token) and its shape.

    Layers with a window do not count in ``attention_width``: their work does not grow with the
    context, and stays below a fifth of that of the parameters.
    """
    kept = shape.latent or 2 * shape.kv_heads * shape.head_dim
    return Architecture(
        name=name,
        params=params[0],
        active_params=params[1],
        experts=experts.routed,
        experts_per_token=experts.per_token,
        layers=shape.layers,
        kv_values=kept * shape.full_layers,
        kv_window_values=kept * shape.window_layers,
        window_tokens=shape.window_tokens,
        attention_width=shape.full_layers * shape.heads * shape.head_dim,
        precision=precision,
        source=source,
    )
