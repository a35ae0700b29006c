"""EcoLogits (https://ecologits.ai/latest/methodology/llm_inference/): a request to a served model.

By GenAI Impact; versions 0.9.3 and 0.11.3. EcoLogits is under MPL-2.0; formulas and constants only are used,
none of its code. Its regression is fitted to the ML.ENERGY Leaderboard; a batch is always 64, and input
tokens cost nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

ALPHA, BETA, GAMMA = 1.1665273170451914e-06, -0.011205921025579175, 4.052928146734005e-05
"""Wh per output token and GPU, of active parameters in 1e9 and a batch (0.11)."""
TOKEN_A_S, TOKEN_B_S, TOKEN_C_S = 0.0006785088094353663, 0.0003119310311688259, 0.019473717579473387
"""Seconds per output token, of the same."""
FIXED_BATCH = 64.0
GPU_GB, MEMORY_MARGIN, BITS = 80.0, 1.2, 16.0
SERVER_W, SERVER_GPUS = 1200.0, 8.0
SERVER_KG = 5700.0
GPU_KG = {"0.9.3": 164.0, "0.11.3": 273.0}
LIFETIME_S = 3 * 365 * 24 * 3600.0
S_PER_HOUR, WH_PER_KWH = 3600.0, 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as EcoLogits sees it: parameters in 1e9, and the latency that the client saw."""

    active_b: float
    total_b: float
    output_tokens: float
    request_latency_s: float = math.inf
    tokens_per_s: float | None = None
    first_token_s: float = 0.0
    batch: float = FIXED_BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Factors of the data centre and of its grid, all per kWh."""

    pue: float
    wue_l_per_kwh: float = 0.0
    grid_water_l_per_kwh: float = 0.0
    intensity_g_per_kwh: float = 0.0


def gpu_token_wh(active_b: float, batch: float = FIXED_BATCH) -> float:
    """Energy of one GPU for one output token. [Wh]"""
    return float(ALPHA * np.exp(BETA * batch) * active_b + GAMMA)


def gpus(total_b: float) -> float:
    """GPUs that hold the model, a power of two. [1]"""
    memory_gb = MEMORY_MARGIN * total_b * BITS / 8
    return float(2 ** math.ceil(math.log2(math.ceil(memory_gb / GPU_GB))))


def latency_s(asked: Request) -> float:
    """How long the request takes, and no longer than the client saw. [s]"""
    token_s = TOKEN_A_S * asked.active_b + TOKEN_B_S * asked.batch + TOKEN_C_S
    if asked.tokens_per_s is not None:
        token_s = 1 / asked.tokens_per_s
    return min(asked.output_tokens * token_s + asked.first_token_s, asked.request_latency_s)


def it_kwh(asked: Request) -> float:
    """Energy of GPUs and of the server's share around them. [kWh]"""
    count = gpus(asked.total_b)
    gpus_wh = count * asked.output_tokens * gpu_token_wh(asked.active_b, asked.batch)
    server_wh = latency_s(asked) / S_PER_HOUR * SERVER_W * count / SERVER_GPUS / asked.batch
    return (gpus_wh + server_wh) / WH_PER_KWH


def energy_kwh(asked: Request, site: Site) -> float:
    """Energy of the facility. [kWh]"""
    return site.pue * it_kwh(asked)


def usage_g(asked: Request, site: Site) -> float:
    """Carbon of that energy. [g CO2e]"""
    return energy_kwh(asked, site) * site.intensity_g_per_kwh


def embodied_g(asked: Request, version: str) -> float:
    """The share of making the hardware, as if it always worked. [g CO2e]"""
    count = gpus(asked.total_b)
    hardware_kg = count / SERVER_GPUS * SERVER_KG + count * GPU_KG[version]
    return 1000 * latency_s(asked) / (LIFETIME_S * asked.batch) * hardware_kg


def water_l(asked: Request, site: Site) -> float:
    """Water on and off site, as of 0.11; 0.9 multiplied both by the PUE once more. [L]"""
    return it_kwh(asked) * (site.wue_l_per_kwh + site.pue * site.grid_water_l_per_kwh)
