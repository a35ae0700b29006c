"""Keys of JSON and headings of tables: what they say, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from wattermark.science.lint.printed import Unit, read_unit
from wattermark.values.claims import NAMES
from wattermark.verbs.lint.quantities import quantity_of, words_of

PLAIN = Unit("", 1.0, "")
DEVICE_KEYS = ("accelerator", "gpu", "gpu_model", "chip", "hardware", "hardware_used", "device")
KEYS = {
    "device_time_s": ("gpu_hours", "a100_hours"),
    "devices": ("num_gpus", "gpu_count"),
    "duration_s": ("training_time_h", "duration_s"),
    "used_time_s": ("hours_used",),
    "power_w": ("power_w", "gpu_power_w"),
    "total_power_w": ("total_power_w",),
    "system_power_w": ("system_power_w",),
    "tdp_w": ("tdp_w",),
    "energy_j": ("energy_kwh", "energy_mwh"),
    "it_energy_j": ("gpu_energy_mwh", "it_energy_kwh"),
    "facility_energy_j": ("facility_energy_mwh", "energy_incl_pue_mwh"),
    "energy_cpu_j": ("cpu_energy_kwh",),
    "energy_ram_j": ("ram_energy_kwh",),
    "pue": ("pue",),
    "intensity_g_per_kwh": ("carbon_intensity_g_per_kwh", "ci_kg_per_kwh"),
    "intensity_pue_g_per_kwh": ("ci_times_pue_kg_per_kwh",),
    "carbon_g": ("emissions_t", "co2_kg"),
    "carbon_market_g": ("market_based_emissions_t",),
    "carbon_embodied_g": ("embodied_carbon_kg",),
    "wue_l_per_kwh": ("wue_l_per_kwh", "wue"),
    "ewif_l_per_kwh": ("ewif_l_per_kwh",),
    "water_l": ("water_l", "water_m3"),
    "water_onsite_l": ("onsite_water_l",),
    "water_offsite_l": ("offsite_water_l",),
    "params": ("params", "params_billion"),
    "active_params": ("active_params", "active_params_b"),
    "tokens": ("tokens", "tokens_t"),
    "requests": ("requests",),
    "flops": ("training_flops",),
    "peak_flops": ("peak_tflops",),
    "mfu": ("mfu",),
    "share": ("gpu_utilization",),
    "carbon_g/params": ("emissions_kg_per_billion_params",),
    "energy_j/requests": ("energy_wh_per_request",),
}
"""Keys that people write, for each quantity that can be claimed. What says the same is read as well."""
USUAL_KEYS = (
    *("device_time_s", "devices", "power_w", "energy_j", "pue", "intensity_g_per_kwh", "carbon_g"),
    *("wue_l_per_kwh", "water_l", "params", "tokens"),
)
_ALONE = ("inference", "request", "query", "prompt", "token", "parameter", "param")
"""One of something is no count of it, but what a column is about."""
_LONGEST = 200
"""Of a key or a heading. [characters]"""
_HOURS = Unit("s", 3600.0, "h")
_SCALES = {"k": "thousand", "m": "million", "b": "billion", "t": "trillion"}


def key_table() -> str:
    """The keys as a table in Markdown."""
    names = {key: NAMES[key] for key in KEYS if key in NAMES}
    names |= {key: " per ".join(NAMES[part] for part in key.split("/")) for key in KEYS if "/" in key}
    rows = [f"| {names[key]} | {', '.join(f'`{one}`' for one in words)} |" for key, words in KEYS.items()]
    hardware = f"| kind of accelerator, `8 x A100` | {', '.join(f'`{one}`' for one in DEVICE_KEYS)} |"
    return "\n".join(["| what | keys |", "|---|---|", *rows, hardware])


def usual_keys() -> str:
    """The keys that most people need, one after the other."""
    return ", ".join(("gpu", *(KEYS[name][0] for name in USUAL_KEYS)))


def split_key(key: str) -> tuple[str, Unit] | None:
    """``gpu_energy_mwh`` is energy before PUE, in MWh. The longest end that is a unit counts."""
    if len(key) > _LONGEST or key.strip().lower() in _ALONE:
        return None
    words = [word for word in re.split(r"[\s_]+", key.strip()) if word]
    for at in range(len(words)):
        unit = read_unit("_".join(words[at:]))
        if unit is not None and (at or len(key) > 1):
            quantity = quantity_of([w for word in words[:at] for w in words_of(word)], unit.dimension)
            if quantity is not None:
                return quantity, unit
    if words_of(key) == ["hours", "used"]:
        return "used_time_s", _HOURS
    scaled = _scaled(words[:-1], words[-1]) if len(words) > 1 else None
    if scaled is not None:
        return scaled
    quantity = quantity_of(words_of(key), "")
    return (quantity, PLAIN) if quantity else None


def _scaled(words: Sequence[str], scale: str) -> tuple[str, Unit] | None:
    """``params_b`` and ``Params (billions)``: what is counted, in millions or billions."""
    said = _SCALES.get(scale.lower(), scale.lower().removesuffix("s"))
    quantity = quantity_of([w for word in words for w in words_of(word)], "")
    if said not in _SCALES.values() or quantity not in ("params", "active_params", "tokens", "requests"):
        return None
    unit = read_unit(f"{said} {quantity.rpartition('_')[2]}")
    return (quantity, unit) if unit else None


@lru_cache(maxsize=4096)
def split_heading(heading: str) -> tuple[str, Unit] | None:
    """``Training Time (GPU hours)``: the unit in brackets, or the last words."""
    hit = re.fullmatch(r"(.*?)\s*[(\[]([^)\]]+)[)\]]\W*", heading.strip())
    known = hit and (with_unit(hit[1], read_unit(hit[2])) or _scaled(words_of(hit[1]), hit[2].strip()))
    if known:
        return known
    plain = re.sub(r"[^\w\s/%₂³.-]", " ", heading).replace("-", " ")
    return split_key(plain) or with_unit(heading, read_unit(plain.split()[0] if plain.split() else ""))


def with_unit(words: str, unit: Unit | None) -> tuple[str, Unit] | None:
    """Words and a unit that was found beside them."""
    if unit is None:
        return None
    quantity = quantity_of(words_of(words), unit.dimension)
    return (quantity, unit) if quantity else None
