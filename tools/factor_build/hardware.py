"""Hardware: accelerators with their embodied carbon and water, and the power of CPUs."""

from __future__ import annotations

import re

from .common import Cell, Row, make_row, read_facts
from .raw import CPU_POWER, RawFolder

ACCELERATOR_COLUMNS = (
    *("id", "match", "alias", "vendor", "tdp_w", "memory_gb", "memory_type"),
    *("logic_die_mm2", "process_nm", "form"),
    *("peak_16bit_tflops", "peak_8bit_tflops", "peak_4bit_tflops", "narrow_formats"),
    *("bandwidth_tb_s", "speed_source"),
    *("system_w_low", "system_w", "system_w_high", "system_source"),
    *("embodied_kg_low", "embodied_kg", "embodied_kg_high"),
    *("embodied_water_l_low", "embodied_water_l", "embodied_water_l_high"),
    *("note", "year", "basis", "source"),
)
CPU_COLUMNS = ("name", "tdp_w", "note", "year", "basis", "source")

# Carbon of a logic wafer by process, kg CO2e/cm2, ACT parameters; used for the ratio to 5 nm only.
_WAFER_CARBON = {
    **{28: 1.215, 16: 1.42, 14: 1.42, 12: 1.42, 10: 1.625, 8: 1.652},
    **{7: 2.14, 6: 2.14, 5: 2.58, 4: 2.58, 3: 2.92},
}
# Fitted to the shares of the NVIDIA HGX H100 footprint: of 164 kg per GPU, the ICs are 41 kg on 8.14 cm2
# and the memory is 42 % on 80 GB.
KG_PER_CM2 = 41 / 8.14
KG_PER_GB = {"hbm": 0.42 * 164 / 80, "gddr": 0.35}
KG_BOARD = {"module": 54.0, "pcie": 40.0, "lp": 20.0}
KG_LOW, KG_HIGH = 0.6, 1.7

DIE_YIELD = 0.875
# Litres per cm2 of logic, litres per GB of memory, litres per package: low, best, high.
_WATER_PARTS = ((6.0, 0.3, 0.0), (21.0, 0.8, 0.6), (36.0, 2.0, 1.0))

# Server and workstation parts only: they are what training runs on.
_CPU_NAMES = re.compile(r"EPYC|Xeon|Opteron|Threadripper|Ryzen 9|Core.*i9|Core Ultra|Apple M\d|Ampere")
_NUMBER = re.compile(r"\d+(\.\d+)?")
CODECARBON_YEAR = 2026


def _model_kg(fact: Row) -> float:
    """Estimate embodied carbon from die area, process, memory and form."""
    node = _WAFER_CARBON[int(fact["process_nm"])] / _WAFER_CARBON[5]
    die_cm2 = float(fact["logic_die_mm2"]) / 100
    memory = KG_PER_GB[fact["memory_type"]] * float(fact["memory_gb"])
    return KG_PER_CM2 * node * die_cm2 + memory + KG_BOARD[fact["form"]]


def _model_water(fact: Row) -> list[int]:
    """Estimate embodied water (low, best, high) in litres."""
    die_cm2 = float(fact["logic_die_mm2"]) / 100 / DIE_YIELD
    memory_gb = float(fact["memory_gb"])
    return [round(die_cm2 * logic + memory_gb * memory + package) for logic, memory, package in _WATER_PARTS]


def build_accelerators() -> list[Row]:
    """Build ``accelerators.csv``; a published footprint wins over the model."""
    rows = []
    for fact in read_facts("accelerators"):
        published = fact["published_kg"]
        kg = float(published) if published else _model_kg(fact)
        water = _model_water(fact)
        sources = [
            *fact["source"].split("+"),
            fact["published_source"],
            "act",
            "nvidia_pcf",
            "thirsty",
            "ours",
        ]
        copied = [
            column for column in ACCELERATOR_COLUMNS if column in fact and column not in ("source", "year")
        ]
        values: dict[str, Cell] = {column: fact[column] for column in copied}
        values |= {
            "embodied_kg_low": round(kg * KG_LOW),
            "embodied_kg": round(kg),
            "embodied_kg_high": round(kg * KG_HIGH),
            "embodied_water_l_low": water[0],
            "embodied_water_l": water[1],
            "embodied_water_l_high": water[2],
            "year": fact["year"],
            "basis": "published" if published else "model",
            "source": "+".join(dict.fromkeys(source for source in sources if source)),
        }
        rows.append(make_row(ACCELERATOR_COLUMNS, values))
    return rows


def build_cpus(raw: RawFolder) -> list[Row]:
    """Build ``cpu_tdp.csv``; numbers that are not numbers in the source are left out."""
    rows = []
    for item in raw.csv(CPU_POWER):
        if _CPU_NAMES.search(item["Name"]) and _NUMBER.fullmatch(item["TDP"]):
            values: dict[str, Cell] = {
                "name": item["Name"],
                "tdp_w": float(item["TDP"]),
                "year": CODECARBON_YEAR,
            }
            rows.append(make_row(CPU_COLUMNS, {**values, "basis": "tdp", "source": "codecarbon"}))
    rows.extend(make_row(CPU_COLUMNS, {**fact, "basis": "tdp"}) for fact in read_facts("cpu_tdp_extra"))
    return sorted(rows, key=lambda row: row["name"])
