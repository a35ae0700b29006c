"""Green Algorithms (Lannelongue et al. 2021, doi:10.1002/advs.202100707): a job by its cores and memory.

The calculator is under CC BY 4.0; formula and constants only are used, none of its code.
"""

from __future__ import annotations

MEMORY_W_PER_GB = 0.3725
W_PER_KW = 1000.0


def energy_kwh(*, hours: float, cores: float, core_w: float, memory_gb: float, pue: float) -> float:
    """Energy of the facility, all cores at work. [kWh]"""
    return hours * (cores * core_w + memory_gb * MEMORY_W_PER_GB) * pue / W_PER_KW


def carbon_g(kwh: float, *, intensity_g_per_kwh: float) -> float:
    """Carbon of that energy. [g CO2e]"""
    return kwh * intensity_g_per_kwh
