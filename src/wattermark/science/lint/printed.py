"""Numbers as they are printed: how much they are in a base unit, and what was rounded away."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from wattermark.values.claims import Claim
from wattermark.values.units import G_PER_KG, J_PER_KWH, L_PER_M3, S_PER_HOUR

_G_PER_T: Final = 1e6
_G_PER_LB: Final = 453.59237
_L_PER_GALLON: Final = 3.785411784
_S_PER_DAY: Final = 86_400.0
_J_PER_WH: Final = 3_600.0
_MOST_OF_ZEROS: Final = 0.01
"""Zeros at the end of a whole number may be rounded ones; more than this part they do not hide."""

_SAME: Final = 0.02
_MOST_DIGITS: Final = 60
"""Nothing that is measured has more, nor a larger power of ten."""
_SCALES: Final = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_SCALE_WORDS: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_THIN: Final = "\u00a0\u2009\u202f"
_NUMBER: Final = re.compile(
    rf"(?P<sign>[-\u2212]?)(?P<digits>\d{{1,3}}(?:[. {_THIN}]\d{{3}})+,\d{{1,2}}"
    rf"|10\^\d{{1,2}}|\d{{1,3}}(?:\.\d{{3}}){{2,}}|0,\d+|\d+,(?:\d{{1,2}}|\d{{4,}})|\d{{1,3}}(?:[{_THIN}]\d{{3}})+"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?![,\d])"
    r"(?P<power>(?:[eE]|\s?[x\u00d7\u00b7*]\s?10(?:\^|\*\*)?)[-+]?\d+)?(?P<scale>[kKMBGT](?![A-Za-z]))?"
)
_GOES_ON: Final = re.compile(
    r"[\u00b2\u00b3\u00b9\u2070-\u2079]|\^|\s?[\u00d7\u00b7]\s?\d|[xX][0-9a-fA-F]+\b|:\d"
)
"""What makes a number of the digits before it that is not theirs: a power, a product, minutes."""
_SPACED: Final = re.compile(r"\s+([kKMBT]|(?i:thousand|million|billion|trillion))(?![\w/])")
_CARBON_WORDS: Final = re.compile(r"[\s-]*(?:of\s+)?\bco[2₂][\s-]*(?:equivalents?|eq|e)?\b\.?", re.IGNORECASE)
_GLUED_CARBON: Final = re.compile(
    r"(?<=[gt])co[2₂][\s-]*(?:equivalents?|eq|e)?\b\.?", re.IGNORECASE
)  # "tCO2eq"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in its text: value, the interval of its rounding, its text, and where it ends.

    ``scale`` is that of a letter or a word behind it, which is a part of the text.
    """

    value: float
    low: float
    high: float
    text: str
    end: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: what it measures (its base unit, or two with a stroke), and how much of that it is."""

    dimension: str
    base: float
    text: str


def _prefixed(name: str, base: float, prefixes: str) -> dict[str, tuple[str, float]]:
    sizes = {"m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "_": 1.0}
    return {p.replace("_", "") + name: (name, base * sizes[p]) for p in prefixes}


def _renamed(table: dict[str, tuple[str, float]], dimension: str) -> dict[str, tuple[str, float]]:
    return {name: (dimension, size) for name, (_, size) in table.items()}


_EXACT: Final = {
    **_renamed(_prefixed("Wh", _J_PER_WH, "_mkKMGT"), "J"),
    **_prefixed("J", 1.0, "_mkMGTP"),
    **_prefixed("W", 1.0, "_mkMG"),
    **_prefixed("g", 1.0, "_mkM"),
    **_renamed(_prefixed("t", _G_PER_T, "_kM"), "g"),
    **_prefixed("L", 1.0, "_mkM"),
    **_renamed(_prefixed("FLOP", 1.0, "_GTPE"), "FLOP"),
    **_renamed(_prefixed("FLOPs", 1.0, "_GTPE"), "FLOP"),
    **_renamed(_prefixed("FLOPS", 1.0, "_GTPE"), "FLOP"),
}
"""Units whose letters tell mega from milli."""

_LOOSE: Final = {
    "wh": ("J", _J_PER_WH), "kwh": ("J", J_PER_KWH), "mwh": ("J", 1e3 * J_PER_KWH),
    "gwh": ("J", 1e6 * J_PER_KWH), "twh": ("J", 1e9 * J_PER_KWH),
    "j": ("J", 1.0), "kj": ("J", 1e3), "mj": ("J", 1e6), "gj": ("J", 1e9),
    "w": ("W", 1.0), "watt": ("W", 1.0), "watts": ("W", 1.0), "kw": ("W", 1e3), "kilowatts": ("W", 1e3),
    "mg": ("g", 1e-3), "g": ("g", 1.0), "gram": ("g", 1.0), "grams": ("g", 1.0), "kg": ("g", G_PER_KG),
    "kgs": ("g", G_PER_KG), "kilogram": ("g", G_PER_KG), "kilograms": ("g", G_PER_KG),
    "t": ("g", _G_PER_T), "ton": ("g", _G_PER_T), "tons": ("g", _G_PER_T), "tonne": ("g", _G_PER_T),
    "tonnes": ("g", _G_PER_T), "metric tons": ("g", _G_PER_T), "metric tonnes": ("g", _G_PER_T),
    "kt": ("g", 1e3 * _G_PER_T), "lb": ("g", _G_PER_LB), "lbs": ("g", _G_PER_LB),
    "pound": ("g", _G_PER_LB), "pounds": ("g", _G_PER_LB),
    "ml": ("L", 1e-3), "l": ("L", 1.0), "kl": ("L", 1e3), "liter": ("L", 1.0), "liters": ("L", 1.0),
    "litre": ("L", 1.0), "litres": ("L", 1.0), "m3": ("L", L_PER_M3), "m³": ("L", L_PER_M3),
    "gallon": ("L", _L_PER_GALLON), "gallons": ("L", _L_PER_GALLON), "gal": ("L", _L_PER_GALLON),
    "s": ("s", 1.0), "sec": ("s", 1.0), "seconds": ("s", 1.0), "min": ("s", 60.0), "minutes": ("s", 60.0),
    "h": ("s", S_PER_HOUR), "hr": ("s", S_PER_HOUR), "hrs": ("s", S_PER_HOUR), "hour": ("s", S_PER_HOUR),
    "hours": ("s", S_PER_HOUR), "d": ("s", _S_PER_DAY), "day": ("s", _S_PER_DAY), "days": ("s", _S_PER_DAY),
    "flop": ("FLOP", 1.0), "flops": ("FLOP", 1.0), "gflops": ("FLOP", 1e9), "tflops": ("FLOP", 1e12),
    "pflops": ("FLOP", 1e15), "eflops": ("FLOP", 1e18),
    "param": ("params", 1.0), "params": ("params", 1.0), "parameter": ("params", 1.0),
    "parameters": ("params", 1.0), "token": ("tokens", 1.0), "tokens": ("tokens", 1.0),
    "request": ("requests", 1.0), "requests": ("requests", 1.0), "query": ("requests", 1.0),
    "queries": ("requests", 1.0), "inference": ("requests", 1.0), "inferences": ("requests", 1.0),
    "prompt": ("requests", 1.0), "prompts": ("requests", 1.0), "%": ("%", 0.01), "percent": ("%", 0.01),
}  # fmt: skip
_WRITTEN: Final = {
    "wh": "Wh", "kwh": "kWh", "mwh": "MWh", "gwh": "GWh", "twh": "TWh", "j": "J", "kj": "kJ", "mj": "MJ",
    "gj": "GJ", "w": "W", "kw": "kW", "l": "L", "ml": "mL", "kl": "kL", "gpu": "GPU", "tpu": "TPU",
}  # fmt: skip
_DEVICE_HOURS: Final = re.compile(
    r"(?:(?:[ahvb]\d{2,3}|mi\d{3}x?)[\s_-]+)?"
    r"(?:gpu|tpu|tpuv\d\w?|accelerator|chip|device|[ahvb]\d{3}|mi\d{3}x?)[\s_-]*(h|hr|hrs|hours?|days?)",
    re.IGNORECASE,
)


def read_number(text: str) -> Number | None:
    """The first number in a text, and the interval of what may have been rounded to it.

    Half a unit of the last digit. The zeros at the end of a whole number may stand for nothing: as much
    as they could hide, but never more than a hundredth.

    Parameters
    ----------
    text : str
        ``2,040``, ``7.0M``, ``3.3e22``, ``83.5 kg``. A comma before three digits groups thousands; before
        any other number of them it is a decimal one, as in ``1 234,5`` and ``1.234,5``.
    """
    hit = _NUMBER.search(text)
    if hit is None or (hit.start() and (text[hit.start() - 1].isalnum() or text[hit.start() - 1] in ".,_")):
        return None
    if _GOES_ON.match(text, hit.end()):
        return None
    digits = _plain(hit["digits"])
    exponent = re.sub(r"^(?:[eE]|.*10\^?)", "", hit["power"]) if hit["power"] else "0"
    if len(digits) > _MOST_DIGITS or len(exponent) > 4 or abs(int(exponent)) > _MOST_DIGITS:
        return None
    letter = _SCALES[hit["scale"] or ""]
    scale = 10.0 ** int(exponent) * letter
    sign = -1.0 if hit["sign"] else 1.0
    value, half = float(digits), _half_unit(digits)
    ends = ((sign * value - half) * scale, (sign * value + half) * scale)
    return Number(sign * value * scale, *ends, hit[0], hit.end(), letter)


def _plain(digits: str) -> str:
    """Digits with a point, and with nothing between the thousands."""
    if digits.startswith("10^"):
        return "1" + "0" * int(digits.removeprefix("10^"))
    if digits.count(".") > 1 and "," not in digits:
        return digits.replace(".", "")
    whole, comma, fraction = digits.rpartition(",")
    if comma and "." not in fraction and (whole == "0" or len(fraction) != 3):
        digits = re.sub(r"\D", "", whole) + "." + fraction
    return re.sub(r"[^\d.]", "", digits)


def scaled(number: Number, rest: str) -> tuple[Number, str] | None:
    """A number with the scale that stands apart from it: ``12 K``, ``2 million``; nothing if there is none.

    Parameters
    ----------
    number : Number
        As read.
    rest : str
        What follows.

    Returns
    -------
    number, rest
        The larger number, and what follows its scale.
    """
    hit = _SPACED.match(rest)
    if hit is None or number.scale != 1:
        return None
    scale = _SCALES.get(hit[1]) or _SCALE_WORDS[hit[1].lower()]
    larger = replace(
        number, value=number.value * scale, low=number.low * scale, high=number.high * scale,
        text=number.text + hit[0], end=number.end + hit.end(), scale=scale,
    )  # fmt: skip
    return larger, rest[hit.end() :]


def same_amount(first: tuple[Number, Unit], second: tuple[Number, Unit]) -> bool:
    """Whether two printed values are one, up to a fiftieth.

    Parameters
    ----------
    first, second : pair of Number and Unit
        Units of one dimension.
    """
    one, other = (number.value * unit.base for number, unit in (first, second))
    return abs(other - one) <= _SAME * abs(one)


def _half_unit(digits: str) -> float:
    whole, _, fraction = digits.partition(".")
    if fraction.strip("0") or not whole.endswith("0") or (fraction and len(whole) < 4):
        return float(0.5 * 10.0 ** -len(fraction))
    zeros = len(whole) - len(whole.rstrip("0"))
    return max(0.5, min(0.5 * 10.0**zeros, _MOST_OF_ZEROS * float(whole)))


@lru_cache(maxsize=4096)
def read_unit(text: str) -> Unit | None:
    """A unit by its text, as a page or the end of a key has it.

    Parameters
    ----------
    text : str
        ``MWh``, ``tons CO2eq``, ``kg_per_kwh``, ``GPU hours``, ``million L``, ``kgCO2e per billion params``.
    """
    plain = _CARBON_WORDS.sub("", _GLUED_CARBON.sub("", text.replace("_", " "))).strip(" .")
    shown = _shown(text)
    above, stroke, below = re.sub(r"\s+per\s+", "/", plain).partition("/")
    first = _simple(above.strip())
    if not stroke or first is None:
        return None if first is None else Unit(*first, shown)
    if first[0] == "FLOP" and below.strip() in ("s", "sec", "second"):
        return Unit("FLOP", first[1], shown)
    if first[0] == "W" and re.fullmatch(r"(gpu|chip|device|accelerator|tpu)", below.strip(), re.IGNORECASE):
        return Unit("W", first[1], shown)
    second = _simple(below.strip())
    if second is None:
        return None
    per_kwh = J_PER_KWH if second[0] == "J" else 1.0
    return Unit(f"{first[0]}/{second[0]}", first[1] / (second[1] / per_kwh), shown)


def _shown(text: str) -> str:
    """The end of a key, as people write it."""
    words = text.strip(" .").replace("_per_", "/").replace("_", " ")
    return (
        re.sub(r"[a-z0-9]+", lambda word: _WRITTEN.get(word[0], word[0]), words) if words.islower() else words
    )


def _simple(text: str) -> tuple[str, float] | None:
    word, _, rest = text.partition(" ")
    scale = _SCALE_WORDS.get(word.lower()) or (_SCALES[word] if word in tuple("kKMBT") else None)
    if scale and rest:
        inner = _simple(rest.strip())
        return inner and (inner[0], inner[1] * scale)
    hours = _DEVICE_HOURS.fullmatch(text)
    if hours:
        return "device_s", _LOOSE[hours[1].lower()][1]
    return _EXACT.get(text) or _LOOSE.get(text.lower())


def make_claim(quantity: str, number: Number, unit: Unit, where: str, line: int = 0) -> Claim:
    """A claim in its base unit.

    Parameters
    ----------
    quantity : str
        One of ``NAMES``, or two with a stroke.
    number, unit
        As read. Seven million, printed as 7.0M, is said again in millions.
    where : str
        The row and column, or the key.
    line : int
        Of the file; 0 if nobody knows.
    """
    ends = (number.low * unit.base, number.high * unit.base)
    return Claim(
        quantity=quantity, value=number.value * unit.base, low=min(ends), high=max(ends),
        text=number.text, unit=unit.text, base_per_unit=unit.base * number.scale, where=where, line=line,
    )  # fmt: skip


def known_range(quantity: str, low: float, high: float, *, unit: str, text: str) -> Claim:
    """A claim that a table of ours makes, such as the TDP of all boards of a name.

    Parameters
    ----------
    quantity : str
        One of ``NAMES``.
    low, high : float
        In the unit.
    unit : str
        One that ``read_unit`` knows.
    text : str
        How it is told.
    """
    known = read_unit(unit)
    base = known.base if known else 1.0
    return Claim(
        quantity=quantity, value=(low + high) / 2 * base, low=low * base, high=high * base,
        text=text, unit="", base_per_unit=1.0, where="", ours=True,
    )  # fmt: skip
