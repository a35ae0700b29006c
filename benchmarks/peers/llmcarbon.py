"""LLMCarbon (Faiz et al., ICLR 2024, arXiv:2309.14393): a training by 6 N D and an efficiency.

From the paper and its public artefact MLCarbon; formulas and constants only are used, none of its code.
"""

from __future__ import annotations

from collections.abc import Iterable

FLOPS_PER_PARAM_AND_TOKEN = 6.0
SECONDS_PER_HOUR, W_PER_KW = 3600.0, 1000.0


def operational_kg(
    *,
    active_params: float,
    tokens: float,
    peak_flops: float,
    efficiency: float,
    power_w: float,
    pue: float,
    intensity_kg_per_kwh: float,
) -> float:
    """Carbon of the electricity; the number of devices cancels out. [kg CO2e]"""
    device_s = FLOPS_PER_PARAM_AND_TOKEN * active_params * tokens / (peak_flops * efficiency)
    kwh = device_s / SECONDS_PER_HOUR * power_w / W_PER_KW * pue
    return kwh * intensity_kg_per_kwh


def embodied_kg(parts: Iterable[tuple[float, float, float]], *, days: float, lifetime_days: float) -> float:
    """The share of making the machines, parts by area or gigabytes. [kg CO2e]

    A part is an amount in one unit (cm2, GB), the carbon of that unit [kg], and how many units there are.
    """
    return sum(amount * kg * units for amount, kg, units in parts) * days / lifetime_days
