"""Jegham et al. 2025, "How Hungry is AI?" (arXiv:2505.09598): a request by how long it takes.

Formula and constants only are used. The energies already hold the PUE. What the paper prints cannot be
recomputed from a row: speed and latency were measured at the provider. So the form is also turned round, and
tells for how long a printed energy holds its share of a node.
"""

from __future__ import annotations

SECONDS_PER_HOUR = 3600.0
NODE_W, NODE_BATCH = 10_200.0, 8.0
"""A node of eight H100 at most, and the requests that share it."""
PUE = {"azure": 1.12, "aws": 1.14, "deepseek": 1.27}


def energy_wh(
    *, output_tokens: float, tokens_per_s: float, latency_s: float, share_w: float, pue: float
) -> float:
    """Energy of a request, ``share_w`` being its part of the node's power. [Wh]"""
    return (output_tokens / tokens_per_s + latency_s) / SECONDS_PER_HOUR * share_w * pue


def seconds_of(energy_wh: float, *, pue: float, share_w: float = NODE_W / NODE_BATCH) -> float:
    """The time that an energy stands for; at full power the shortest there can be. [s]"""
    return energy_wh * SECONDS_PER_HOUR / (share_w * pue)
