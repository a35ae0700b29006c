"""From the words of a key or a heading to the quantity that is meant. A word nobody knows stops it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from wattermark.science.lint.printed import Number, Unit, make_claim, read_number, read_unit
from wattermark.values.claims import NAMES, Claim, Total


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FILLER = _set(
    "training train pretraining total final runs run the of for and estimated predicted avg average mean net "
    "gross location based greenhouse gas ghg operational development reported amount model used use usage "
    "measured implied cumulative overall per raw approx"
)
DEVICES = _set("gpu gpus tpu tpus chip chips accelerator accelerators device devices")
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
COUNT = _set("n num number count")
FLOPS = _set("flops flop compute peak dense bf16 fp16 16bit")
SHARES = _set("mfu utilisation utilization share fraction efficiency")
REQUESTS = _set("requests queries inferences prompts")
ACTIVE = _set("active activated")
WORK = REQUESTS | {"params", "parameters", "tokens"}

ADDITIVE = ("device_time_s", "it_energy_j", "facility_energy_j", "energy_j", "carbon_g", "water_l")
SHARED = (
    *("pue", "intensity_g_per_kwh", "wue_l_per_kwh", "ewif_l_per_kwh", "tdp_w", "peak_flops"),
    *("power_w", "system_power_w"),
)
"""What a page may say once, for all of its rows."""
Devices = Callable[[str, str, int], tuple[Claim, ...]]
"""What is known of a device by its name, where it is named, and on which line."""
_PLAIN = Unit("", 1.0, "")
_SCALES = {"k": "thousand", "m": "million", "b": "billion", "t": "trillion"}
_DENOMINATORS = {"params": "params", "tokens": "tokens", "requests": "requests", "device_s": "device_time_s"}
_NUMERATORS = {"g": "carbon_g", "J": "energy_j", "L": "water_l"}
_TOTAL = re.compile(r"\W*(total|sum|overall|all (models|runs))\b", re.IGNORECASE)


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
    if said == {"pue"} or words == {"power", "usage", "effectiveness"}:
        return "pue"
    if said & SHARES:
        return "share" if said <= SHARES | DEVICES | {"power"} else None
    if said & {"wue", "ewif"}:
        return _factor(said, "L/J")
    counted = said & DEVICES and (said & COUNT or any(word.endswith("s") for word in said & DEVICES))
    return "devices" if (counted or said == {"count"}) and said <= DEVICES | COUNT else None


def split_key(key: str) -> tuple[str, Unit] | None:
    """``gpu_energy_mwh`` is energy before PUE, in MWh. The longest end that is a unit counts."""
    words = [word for word in re.split(r"[\s_]+", key.strip()) if word]
    for at in range(len(words)):
        unit = read_unit("_".join(words[at:]))
        if unit is not None and (at or len(key) > 1):
            quantity = quantity_of([w for word in words[:at] for w in words_of(word)], unit.dimension)
            if quantity is not None:
                return quantity, unit
    scaled = _scaled(words[:-1], words[-1]) if len(words) > 1 else None
    if scaled is not None:
        return scaled
    quantity = quantity_of(words_of(key), "")
    return (quantity, _PLAIN) if quantity else None


def _scaled(words: Sequence[str], scale: str) -> tuple[str, Unit] | None:
    """``params_b`` and ``Params (billions)``: what is counted, in millions or billions."""
    said = _SCALES.get(scale.lower(), scale.lower().removesuffix("s"))
    quantity = quantity_of([w for word in words for w in words_of(word)], "")
    if said not in _SCALES.values() or quantity not in ("params", "active_params", "tokens", "requests"):
        return None
    unit = read_unit(f"{said} {quantity.rpartition('_')[2]}")
    return (quantity, unit) if unit else None


def split_heading(heading: str) -> tuple[str, Unit] | None:
    """``Training Time (GPU hours)``: the unit in brackets, or the last words."""
    hit = re.fullmatch(r"(.*?)\s*[(\[]([^)\]]+)[)\]]\W*", heading.strip())
    if hit:
        return with_unit(hit[1], read_unit(hit[2])) or _scaled(words_of(hit[1]), hit[2].strip())
    plain = re.sub(r"[^\w\s/%₂³.-]", " ", heading).replace("-", " ")
    return split_key(plain) or with_unit(heading, read_unit(plain.split()[0] if plain.split() else ""))


def with_unit(words: str, unit: Unit | None) -> tuple[str, Unit] | None:
    """Words and a unit that was found beside them."""
    if unit is None:
        return None
    quantity = quantity_of(words_of(words), unit.dimension)
    return (quantity, unit) if quantity else None


def unit_after(text: str) -> Unit | None:
    """The longest unit that a text begins with."""
    words = re.split(r"[(),;]", text.strip(), maxsplit=1)[0].split()
    for count in range(min(len(words), 6), 0, -1):
        unit = read_unit(" ".join(words[:count]))
        if unit is not None:
            return unit
    return None


def first_number(text: str) -> tuple[Number, str] | None:
    """The number that a text begins with, and what follows. A range or a bound is no number."""
    plain = re.sub(r"[*`]|^[~≈\s]+|^(about|around|approximately|approx\.)\s+", "", text.strip())
    number = read_number(plain)
    if number is None or not plain.startswith(number.text):
        return None
    rest = plain[number.end :]
    return None if re.match(r"\s*([-\u2013]|to\s)\s*\d", rest) else (number, rest)


def read_value(meant: tuple[str, Unit] | None, label: str, text: str, where: str, line: int) -> Claim | None:
    """A claim from a label and the text beside it: the text's own unit counts before the label's."""
    found = first_number(text)
    if found is None:
        return None
    number, rest = found
    own = unit_after(rest)
    if own is not None:
        bare = re.sub(r"[(\[][^)\]]*[)\]]", "", label)
        meant = with_unit(bare, own) or (split_heading(label) and with_unit(meant[0] if meant else "", own))
        meant = meant or _same_dimension(split_heading(label), own)
    if meant is None or meant[0].partition("/")[0] not in NAMES:
        return None
    return make_claim(meant[0], number, meant[1], where, line)


def _same_dimension(meant: tuple[str, Unit] | None, own: Unit) -> tuple[str, Unit] | None:
    return (meant[0], own) if meant and meant[1].dimension == own.dimension else None


def count_and_name(text: str) -> tuple[Number | None, str]:
    """``8 x A100`` is eight of a name."""
    hit = re.match(r"\s*(\d[\d,]*)\s*[x\u00d7*]?\s*(?=[A-Za-z])", text)
    if hit is None:
        return None, text
    return read_number(hit[1]), text[hit.end() :]


def device_count(number: Number, where: str, line: int) -> Claim:
    """So many devices."""
    return make_claim("devices", number, _PLAIN, where, line)


def explicit(claims: Sequence[Claim]) -> list[Claim]:
    """What a page says of a device counts before what our tables know of its name."""
    said = {claim.quantity for claim in claims if claim.unit}
    return [
        c for c in claims if c.unit or c.quantity not in ("tdp_w", "peak_flops") or c.quantity not in said
    ]


def inherited(own: Sequence[Claim], page: Iterable[Claim]) -> tuple[Claim, ...]:
    """A row's claims, and those of the page that hold for every row and that it does not make itself."""
    mine = {claim.quantity for claim in own}
    if mine & {"power_w", "system_power_w"}:
        mine |= {"power_w", "system_power_w"}
    return (*own, *(claim for claim in page if claim.quantity in SHARED and claim.quantity not in mine))


def totals_of(rows: Sequence[tuple[str, Sequence[Claim]]], *, listed: bool = False) -> list[Total]:
    """What the row that is called a total should be the sum of, where every other row says its part."""
    whole = [claims for name, claims in rows if _TOTAL.match(name)]
    parts = [claims for name, claims in rows if not _TOTAL.match(name)]
    if len(whole) != 1 or len(parts) < 2:
        return []
    found = []
    for total in whole[0]:
        mine = [one for claims in parts for one in claims if one.quantity == total.quantity]
        if total.quantity in ADDITIVE and len(mine) == len(parts):
            found.append(Total(total, tuple(mine), listed))
    return found


def grams_field(claim: Claim) -> Claim:
    """A claim in a field whose schema says grams."""
    return replace(claim, grams_field=True)
