"""ACT (Gupta et al., ISCA 2022, doi:10.1145/3470496.3527408): carbon of a chip by area, of memory by size.

The model is under MIT (facebookresearch/ACT); formulas and constants only are used, none of its code.
"""

from __future__ import annotations

from dataclasses import dataclass

MATERIALS_G_PER_CM2, PACKAGE_G, YIELD = 500.0, 150.0, 0.875
TAIWAN_G_PER_KWH = {2022: 583.0, 2023: 642.0}


@dataclass(frozen=True, slots=True)
class Node:
    """A process: energy per area, and gases at 95 and 99 % abatement."""

    kwh_per_cm2: float
    gas_95_g_per_cm2: float
    gas_99_g_per_cm2: float


NODES = {
    "28nm": Node(0.9, 175.0, 100.0),
    "14nm": Node(1.2, 200.0, 125.0),
    "10nm": Node(1.475, 240.0, 150.0),
    "7nm": Node(2.15, 350.0, 200.0),
    "5nm": Node(2.75, 430.0, 225.0),
    "3nm": Node(3.25, 470.0, 275.0),
}
DRAM_G_PER_GB = {"ddr3_50nm": 600.0, "ddr3_30nm": 230.0, "lpddr4": 48.0, "ddr4_10nm": 65.0}


def carbon_per_area_g_per_cm2(node: str, *, fab_g_per_kwh: float) -> float:
    """Carbon of good area, gases abated by 97 %. [g CO2e / cm2]"""
    known = NODES[node]
    gas_g = (known.gas_95_g_per_cm2 + known.gas_99_g_per_cm2) / 2
    return (fab_g_per_kwh * known.kwh_per_cm2 + gas_g + MATERIALS_G_PER_CM2) / YIELD


def dram_g(process: str, *, gigabytes: float, packages: float) -> float:
    """Carbon of one memory module, its packages counted. [g CO2e]"""
    return DRAM_G_PER_GB[process] * gigabytes / YIELD + PACKAGE_G * packages
