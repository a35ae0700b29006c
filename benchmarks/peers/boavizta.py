"""BoaviztAPI 2.5 (Boavizta, https://doc.api.boavizta.org): what making a CPU or a GPU took.

BoaviztAPI is under AGPL-3.0; formulas, constants and the specifications of four GPUs only are used, none of
its code. A GPU's end of life is left out here, 0.2 to 0.5 % of the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

CPU_KG_PER_MM2, CPU_KG = 0.0197, 9.14
CASING_KG_PER_KG, HEATSINK_KG_PER_KG, UPSTREAM_KG_PER_KG = 8.254, 5.741, 0.25955
BOARD_KG_PER_CM2 = 0.032549
DIE_KG_PER_MM2, MEMORY_KG_PER_MM2 = 0.042592, 0.18379
TRUCK_KG_PER_KG_KM, BOAT_KG_PER_KG_KM = 5.04e-5, 1.33e-5
TRUCK_KM, BOAT_KM = 1000.0, 19_000.0
MEMORY_MM2_PER_GB = 15.5
WAFER_MM, KERF_MM, DEFECTS_PER_CM2 = 300.0, 0.2, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU by its parts: dies [mm2], memory in chips [GB], board [cm2] and masses [kg]."""

    die_mm2: float
    memory_gb: float
    memory_dies: float
    board_cm2: float
    casing_kg: float
    heatsink_kg: float
    mass_kg: float


GPUS = {
    "h100-sxm": Gpu(
        die_mm2=814, memory_gb=80, memory_dies=6, board_cm2=296.37,
        casing_kg=0.78923, heatsink_kg=0.90077, mass_kg=1.69,
    ),
    "h200-sxm": Gpu(
        die_mm2=814, memory_gb=141, memory_dies=6, board_cm2=296.37,
        casing_kg=0.78923, heatsink_kg=0.90077, mass_kg=1.69,
    ),
    "l4": Gpu(
        die_mm2=294, memory_gb=24, memory_dies=12, board_cm2=93.13,
        casing_kg=0.0, heatsink_kg=0.0871, mass_kg=0.142,
    ),
    "t4": Gpu(
        die_mm2=545, memory_gb=16, memory_dies=8, board_cm2=93.13,
        casing_kg=0.0, heatsink_kg=0.185, mass_kg=0.301,
    ),
}  # fmt: skip
"""By our ids, with the masses and boards of its data set."""


def cpu_kg(die_mm2: float) -> float:
    """A processor by the area of its dies. [kg CO2e]"""
    return die_mm2 * CPU_KG_PER_MM2 + CPU_KG


def wafer_mm2(die_mm2: float) -> float:
    """The part of a round wafer that a working die takes: kerf, edge and defects. [mm2]"""
    sawn_mm2 = (math.sqrt(die_mm2) + KERF_MM) ** 2
    whole_mm2 = math.pi * (WAFER_MM / 2) ** 2
    dies = whole_mm2 / sawn_mm2 - math.pi * WAFER_MM / math.sqrt(2 * sawn_mm2)
    working = math.exp(-math.sqrt(sawn_mm2 / 100 * DEFECTS_PER_CM2))
    return whole_mm2 / dies / working


def gpu_kg(gpu: Gpu) -> float:
    """A GPU by its parts, and its way to the user. [kg CO2e]"""
    memory_mm2 = gpu.memory_dies * wafer_mm2(gpu.memory_gb * MEMORY_MM2_PER_GB / gpu.memory_dies)
    made = (
        CASING_KG_PER_KG * gpu.casing_kg
        + HEATSINK_KG_PER_KG * gpu.heatsink_kg
        + BOARD_KG_PER_CM2 * gpu.board_cm2
        + DIE_KG_PER_MM2 * wafer_mm2(gpu.die_mm2)
        + MEMORY_KG_PER_MM2 * memory_mm2
    )
    moved = UPSTREAM_KG_PER_KG + TRUCK_KG_PER_KG_KM * TRUCK_KM + BOAT_KG_PER_KG_KM * BOAT_KM
    return made + moved * gpu.mass_kg
