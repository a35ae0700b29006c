"""From words and a unit to the quantity that is meant. A word nobody knows stops it."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FILLER = _set(
    "training train pretraining total final runs run the of for and estimated predicted avg average mean net "
    "gross location based greenhouse gas ghg operational development reported amount model used use usage "
    "measured implied cumulative overall per raw approx"
)
DEVICES = _set("gpu gpus tpu tpus chip chips accelerator accelerators device devices")
PROCESSORS, MEMORY = _set("cpu cpus processor processors"), _set("ram dram memory")
BEFORE = _set("it dynamic raw server hardware before excl excluding without") | DEVICES
CARBON = _set("emissions emission emitted co2 co2e co2eq carbon footprint gwp dynamic")
EMBODIED = _set("embodied manufacturing upstream")
ENERGY = _set("energy electricity consumption consumed power")
INSIDE = _set("incl including with after facility pue")
POWER = _set("power draw consumption rated")
WITH_HOST = _set("system host")
TIME = _set("time hours days duration wall clock walltime runtime elapsed")
ONSITE = _set("onsite on site direct")
OFFSITE = _set("offsite off site indirect")
INTENSITY = _set("ci intensity grid factor ef carbon emission emissions electricity co2 co2e")
COMMON = _set("consumption consumed dynamic factor grid ef ci intensity power")
COUNT = _set("n num number count")
FLOPS = _set("flops flop compute peak dense bf16 fp16 16bit")
SHARES = _set("utilisation utilization share fraction efficiency")
MFU = _set("mfu utilisation utilization flops flop model")
CENTRE = _set("datacenter datacentre data center centre facility site")
REQUESTS = _set("requests queries inferences prompts")
ACTIVE = _set("active activated")
WORK = REQUESTS | {"params", "parameters", "tokens"}

_DENOMINATORS = {"params": "params", "tokens": "tokens", "requests": "requests", "device_s": "device_time_s"}
_NUMERATORS = {"g": "carbon_g", "J": "energy_j", "L": "water_l"}


def words_of(text: str) -> list[str]:
    """``Training Time`` and ``training_time`` as words."""
    return re.findall(r"[a-z0-9]+", text.lower().replace("₂", "2"))


def quantity_of(words: Sequence[str], dimension: str) -> str | None:
    """The quantity of some words with a unit; nothing where a word is not known."""
    said = set(words) - FILLER
    if dimension in ("g/J", "L/J"):
        return _factor(said, dimension)
    if "/" in dimension:
        above, _, below = dimension.partition("/")
        known = above in _NUMERATORS and below in _DENOMINATORS and not said & (EMBODIED | {"server"})
        return f"{_NUMERATORS[above]}/{_DENOMINATORS[below]}" if known else None
    made = {"g": _carbon, "J": _energy, "W": _power, "L": _water, "s": _time, "device_s": _device_time}
    if dimension in made:
        return made[dimension](said, set(words))
    return _count(said, set(words), dimension)


def _carbon(said: set[str], words: set[str]) -> str | None:
    if "market" in said and said <= CARBON | {"market"}:
        return "carbon_market_g"
    if said & EMBODIED:
        return "carbon_embodied_g" if said <= CARBON | EMBODIED else None
    return "carbon_g" if said <= CARBON and (said or not words) else None


def _energy(said: set[str], words: set[str]) -> str | None:
    if not words:
        return "energy_j"
    for part, names in (("energy_cpu_j", PROCESSORS), ("energy_ram_j", MEMORY)):
        if said & names:
            return part if said & ENERGY and said <= ENERGY | names else None
    if not said & ENERGY or not said <= ENERGY | INSIDE | BEFORE:
        return None
    if said & {"before", "excl", "excluding", "without"}:
        return "it_energy_j"
    if said & {"pue", "facility"}:
        return "facility_energy_j"
    return "it_energy_j" if (said | words) & BEFORE else "energy_j"


def _power(said: set[str], words: set[str]) -> str | None:
    if "tdp" in said:
        return "tdp_w" if said <= {"tdp", "power"} | DEVICES else None
    if not said & POWER or not said <= POWER | WITH_HOST | DEVICES:
        return None
    if "total" in words:
        return "total_power_w"
    return "system_power_w" if said & WITH_HOST else "power_w"


def _water(said: set[str], words: set[str]) -> str | None:
    if not said <= {"water", "consumption", "consumed"} | ONSITE | OFFSITE or not (said or not words):
        return None
    if said & OFFSITE - {"site"}:
        return "water_offsite_l"
    return "water_onsite_l" if said & ONSITE else "water_l"


def _time(said: set[str], words: set[str]) -> str | None:
    if said & DEVICES and said <= TIME | DEVICES:
        return "device_time_s"
    if "used" in words and said == {"hours"}:
        return "used_time_s"
    return "duration_s" if said <= TIME and (said or not words - {"training", "train"}) else None


def _device_time(said: set[str], words: set[str]) -> str | None:
    named = {word for word in said if re.fullmatch(r"[ahv]\d{2,3}|tpuv\d\w?|mi\d{3}x?", word)}
    return "device_time_s" if said <= TIME | DEVICES | named else None


def _factor(said: set[str], dimension: str) -> str | None:
    if dimension == "g/J":
        if "pue" in said:
            return "intensity_pue_g_per_kwh" if said <= INTENSITY | {"pue", "times"} else None
        return "intensity_g_per_kwh" if said <= INTENSITY else None
    if not said <= {"wue", "ewif", "water", "intensity", "effectiveness"} | ONSITE | OFFSITE:
        return None
    if {"water", "effectiveness"} <= said:
        return "wue_l_per_kwh"
    if "ewif" in said or said & OFFSITE - {"site"}:
        return "ewif_l_per_kwh"
    return "wue_l_per_kwh" if "wue" in said or said & ONSITE else None


def _count(said: set[str], words: set[str], dimension: str) -> str | None:
    if "flops" in said or "peak" in said or dimension == "FLOP":
        known = said <= FLOPS and (said or dimension)
        return ("peak_flops" if "peak" in said else "flops") if known else None
    if said & WORK or dimension in ("params", "tokens", "requests"):
        return _work(said, dimension)
    return _plain(said, words) if not dimension.strip("%") else None


def _work(said: set[str], dimension: str) -> str | None:
    kinds = (("params", {"params", "parameters"}), ("tokens", {"tokens"}), ("requests", set(REQUESTS)))
    for quantity, names in kinds:
        if said & names or (dimension == quantity and not said & WORK):
            active = quantity == "params" and said & ACTIVE
            known = said <= names | COUNT | (ACTIVE if active else set())
            return ("active_params" if active else quantity) if known else None
    return None


def _plain(said: set[str], words: set[str]) -> str | None:
    """Numbers that need no unit."""
    if _is_pue(said - CENTRE, words):
        return "pue"
    if "mfu" in said:
        return "mfu" if said <= MFU else None
    if said & SHARES:
        return "share" if said <= SHARES | DEVICES | {"power"} else None
    if said & {"wue", "ewif"}:
        return _factor(said, "L/J")
    counted = said & DEVICES and (said & COUNT or any(word.endswith("s") for word in said & DEVICES))
    return "devices" if (counted or said == {"count"}) and said <= DEVICES | COUNT else None


def _is_pue(said: set[str], words: set[str]) -> bool:
    spelled = {"power", "usage", "effectiveness"} <= words
    return ("pue" in said or spelled) and said <= {"pue", "power", "effectiveness"}
