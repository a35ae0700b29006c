"""Epoch AI, "How much energy does ChatGPT use?" (Feb 2025, CC BY): a request by its FLOPs.

Formula and constants only are used.
"""

from __future__ import annotations

FLOPS_PER_PARAM = 2.0
SECONDS_PER_HOUR = 3600.0


def energy_wh(
    *,
    active_params: float,
    output_tokens: float,
    peak_flops: float,
    utilisation: float,
    power_w: float,
    power_fraction: float,
) -> float:
    """Energy of a request. ``power_w``: of an accelerator with its part of server and facility. [Wh]"""
    busy_s = FLOPS_PER_PARAM * active_params * output_tokens / (peak_flops * utilisation)
    return busy_s * power_w * power_fraction / SECONDS_PER_HOUR
