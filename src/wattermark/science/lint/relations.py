"""How the quantities of a piece of work hang together, and which of them cannot all be true.

Every quantity has an interval: of the rounding of what was printed, of what is plausible, or all that is
positive. Each relation narrows the intervals of its members; where one becomes empty, the claims that
went into it contradict each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final

from wattermark.values.claims import Claim
from wattermark.values.units import J_PER_KWH

Bounds = tuple[float, float]
Intervals = Mapping[str, Bounds]

EXACT, TIGHT, LOOSE = 0.01, 0.02, 0.03
"""Tolerances over the rounding: of counts and times, of energies, and of factors that have more digits
than a page shows."""


@dataclass(frozen=True, slots=True)
class Product:
    """Powers of quantities that multiply to a constant."""

    powers: Mapping[str, int]
    constant: float = 1.0
    tolerance: float = TIGHT

    def says_nothing(self, alone: Container[str]) -> bool:
        """Whether a member that nobody else bounds takes up whatever the others are."""
        return any(name in alone for name in self.powers)

    def narrow(self, name: str, known: Intervals, slack: float) -> Bounds:
        """What the others leave to one member."""
        low = high = self.constant
        for other, power in self.powers.items():
            if other != name:
                ends = known[other]
                near, far = ends if power < 0 else (_inverse(ends[1]), _inverse(ends[0]))
                low, high = _low_times(low, near), _high_times(high, far)
        if self.powers[name] < 0:
            low, high = _inverse(high), _inverse(low)
        wide = 1 + self.tolerance * slack
        return low / wide, high * wide


@dataclass(frozen=True, slots=True)
class Sum:
    """A whole of two parts."""

    whole: str
    parts: tuple[str, str]
    tolerance: float = TIGHT

    @property
    def powers(self) -> Mapping[str, int]:
        return dict.fromkeys((self.whole, *self.parts), 1)

    def says_nothing(self, alone: Container[str]) -> bool:
        """A part that nobody bounds still leaves the whole no less than the other part."""
        return self.whole in alone

    def narrow(self, name: str, known: Intervals, slack: float) -> Bounds:
        """What the others leave to one member."""
        wide = 1 + self.tolerance * slack
        if name == self.whole:
            first, second = (known[part] for part in self.parts)
            return (first[0] + second[0]) / wide, (first[1] + second[1]) * wide
        other = known[self.parts[self.parts[0] == name]]
        whole = known[self.whole]
        return max(0.0, whole[0] / wide - other[1]), max(0.0, whole[1] * wide - other[0])


Relation = Product | Sum

RELATIONS: Final[tuple[Relation, ...]] = (
    Product({"device_time_s": 1, "devices": -1, "duration_s": -1}, 1.0, EXACT),
    Product({"device_time_s": 1, "used_time_s": -1, "used_devices": -1}, 1.0, EXACT),
    Product({"it_energy_j": 1, "device_time_s": -1, "any_power_w": -1}),
    Product({"total_power_w": 1, "any_power_w": -1, "devices": -1}),
    Product({"any_power_w": 1, "tdp_w": -1, "load": -1}),
    Product({"facility_energy_j": 1, "it_energy_j": -1, "pue": -1}),
    Product({"carbon_g": 1, "facility_energy_j": -1, "intensity_g_per_kwh": -1}, 1 / J_PER_KWH, LOOSE),
    Product({"carbon_g": 1, "it_energy_j": -1, "intensity_pue_g_per_kwh": -1}, 1 / J_PER_KWH, LOOSE),
    Product({"water_onsite_l": 1, "it_energy_j": -1, "wue_l_per_kwh": -1}, 1 / J_PER_KWH, LOOSE),
    Product({"water_offsite_l": 1, "facility_energy_j": -1, "ewif_l_per_kwh": -1}, 1 / J_PER_KWH, LOOSE),
    Sum("water_l", ("water_onsite_l", "water_offsite_l")),
    Product({"flops": 1, "params": -1, "tokens": -1, "dense": -1}, 6.0),
    Product({"flops": 1, "active_params": -1, "tokens": -1, "dense_active": -1}, 6.0),
    Product({"flops": 1, "device_time_s": -1, "peak_flops": -1, "mfu": -1}),
)
"""``load`` is the mean power over the TDP, ``mfu`` the FLOPs over the peak's, ``dense``
the FLOPs over 6ND."""

POSSIBLE: Final[Intervals] = {
    "devices": (1.0, inf),
    "pue": (1.0, 2.05),
    "intensity_g_per_kwh": (5.0, 1300.0),
    "wue_l_per_kwh": (0.0, 20.0),
    "ewif_l_per_kwh": (0.0, 200.0),
    "load": (0.03, 2.5),
    "any_power_w": (10.0, 3000.0),
    "mfu": (0.0, 1.0),
    "dense": (0.005, inf),
    "dense_active": (0.3, 1.5),
}
"""What a quantity that nobody prints may be at most. No grid's yearly mean is below 20 g/kWh over its life
cycle; a quarter of it also lets direct emissions pass. An accelerator and its share of a host draw
more than an embedded board does idle, and less than two of the largest that are sold."""

PLAUSIBLE: Final[Intervals] = {
    **POSSIBLE,
    "devices": (1.0, 1.0),
    "pue": (1.0, 1.6),
    "intensity_g_per_kwh": (15.0, 1300.0),
    "wue_l_per_kwh": (0.0, 10.0),
    "ewif_l_per_kwh": (0.0, 100.0),
    "load": (0.1, 1.3),
    "any_power_w": (20.0, 2000.0),
    "mfu": (0.005, 1.0),
    "dense": (0.3, 1.5),
}
"""And what it nearly always is."""

USUAL: Final[Intervals] = {"intensity_g_per_kwh": (350.0, 450.0), "pue": (1.1, 1.1), "dense": (1.0, 1.0)}
"""What to expect where a page is silent: a grid of gas and some wind, as large parts of America have it; a
large data centre; a model that computes with all its parameters."""

ENERGIES: Final = frozenset(("it_energy_j", "facility_energy_j"))
_LEAST_DIRECT: Final = 1.0
"""Direct emissions where rivers give nearly all of the electricity, as meters of energy have them. [g/kWh]"""
_SMALL: Final = 1e10
"""Mixtures of experts are seldom smaller than this. [parameters]"""
_SMALL_BOARD_W, _USUAL_HOST_W, _MOST_HOST_W = 200.0, 400.0, 1000.0
"""Of a board that may sit alone in a large machine, and of that machine without it."""
_DENSE: Final = (0.66, 1.5)
"""A small model's FLOPs over 6ND: two thirds with frozen weights, more with long contexts."""


def possible(claims: Mapping[str, Claim]) -> Intervals:
    """What quantities that a page does not claim may be at most, beside those that it claims.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    return {**POSSIBLE, **_by_what_is_told(claims)}


def plausible(claims: Mapping[str, Claim]) -> Intervals:
    """What quantities nearly always are, beside those that a page claims.

    Who prints the time of all accelerators and how long it took tells their number that way.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    told = _by_what_is_told(claims)
    if "dense" in told and "active_params" not in claims:
        told["dense"] = (max(told["dense"][0], PLAUSIBLE["dense"][0]), told["dense"][1])
    if not claims.keys().isdisjoint(("device_time_s", "devices", "total_power_w")):
        told["devices"] = POSSIBLE["devices"]
    if "load" in told:
        least, most = PLAUSIBLE["load"]
        told["load"] = (least, _most_load(claims["tdp_w"], most, _USUAL_HOST_W))
    told.pop("intensity_g_per_kwh", None)
    return {**PLAUSIBLE, **told}


def _by_what_is_told(claims: Mapping[str, Claim]) -> dict[str, Bounds]:
    """Bounds that hold only where some claims are made, or are not."""
    told = {} if _counted(claims) else {"any_power_w": (0.0, inf)}
    if "tdp_w" in claims:
        least, most = POSSIBLE["load"]
        told["load"] = (least, _most_load(claims["tdp_w"], most, _MOST_HOST_W))
    if ENERGIES & claims.keys():
        told["intensity_g_per_kwh"] = (_LEAST_DIRECT, POSSIBLE["intensity_g_per_kwh"][1])
    mixture = "active_params" in claims
    if mixture or "flops" not in claims:
        small = not mixture and "params" in claims and claims["params"].value <= _SMALL
        told["dense"] = _DENSE if small else (POSSIBLE["dense"][0], _DENSE[1])
    return told


def _most_load(tdp: Claim, most: float, host_w: float) -> float:
    """Beside a small board, the host draws several times its TDP."""
    return max(most, 1 + host_w / tdp.low) if 0 < tdp.low < _SMALL_BOARD_W else most


def _counted(claims: Iterable[str]) -> bool:
    """Whether the time of each accelerator is told; wall time may be that of any number of them."""
    return "device_time_s" in claims or {"devices", "duration_s"} <= set(claims)


INPUTS: Final = ("devices", "duration_s", "used_time_s", "device_time_s", "power_w", "system_power_w")
"""What an energy is made of."""
IMPLIED: Final = (
    *("intensity_g_per_kwh", "mfu", "load", "any_power_w", "dense_active", "dense", "pue"),
    *("devices", "ewif_l_per_kwh", "wue_l_per_kwh"),
)
"""In which order one is named, where several could be at fault."""

BLAME: Final = (
    *("mfu", "carbon_g", "water_l", "water_offsite_l", "water_onsite_l", "facility_energy_j", "it_energy_j"),
    *("total_power_w", "flops", "device_time_s", "used_time_s", "duration_s", "devices", "tokens", "params"),
    *("active_params", "system_power_w", "power_w", "intensity_pue_g_per_kwh", "intensity_g_per_kwh"),
    *("ewif_l_per_kwh", "wue_l_per_kwh", "pue", "requests", "peak_flops", "tdp_w"),
)
"""Where two claims contradict each other, the result is named before what it was made of."""
_TINY: Final = 1e-300


def _inverse(x: float) -> float:
    return inf if x < _TINY else 1 / x


def _low_times(a: float, b: float) -> float:
    """Nothing times everything may be nothing ..."""
    return 0.0 if 0.0 in (a, b) else a * b


def _high_times(a: float, b: float) -> float:
    """... and may be everything."""
    return inf if inf in (a, b) else a * b


@lru_cache(maxsize=4096)
def relations_of(fixed: frozenset[str]) -> tuple[Relation, ...]:
    """The relations that can say something about some quantities, in all and one for each ratio.

    A quantity that nobody knows anything about and that stands in one relation only makes this relation
    say nothing about the others.

    Parameters
    ----------
    fixed : frozenset of str
        Quantities that are claimed, bounded or asked for.
    """
    kept = [*RELATIONS, *(_ratio(name) for name in sorted(fixed) if "/" in name)]
    while True:
        counts = Counter(name for relation in kept for name in relation.powers if name not in fixed)
        alone = {name for name, count in counts.items() if count == 1}
        fewer = [one for one in kept if not one.says_nothing(alone)]
        if len(fewer) == len(kept):
            return tuple(kept)
        kept = fewer


def _ratio(name: str) -> Product:
    above, _, below = name.partition("/")
    return Product({name: 1, above: -1, below: 1}, 1.0, TIGHT)
