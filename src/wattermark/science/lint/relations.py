"""How the quantities of a piece of work hang together, and which of them cannot all be true.

Every quantity has an interval: of the rounding of what was printed, of what is plausible, or all that is
positive. Each relation narrows the intervals of its members; where one becomes empty, the claims that
went into it contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
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
    "mfu": (0.0, 1.0),
    "dense": (0.005, inf),
    "dense_active": (0.3, 1.5),
}
"""What a quantity that nobody prints may be at most. No grid's yearly mean is below 20 g/kWh over its life
cycle; a quarter of it also lets direct emissions pass."""

PLAUSIBLE: Final[Intervals] = {
    **POSSIBLE,
    "devices": (1.0, 1.0),
    "pue": (1.0, 1.6),
    "intensity_g_per_kwh": (15.0, 1300.0),
    "wue_l_per_kwh": (0.0, 10.0),
    "ewif_l_per_kwh": (0.0, 100.0),
    "load": (0.1, 1.3),
    "mfu": (0.005, 1.0),
    "dense": (0.3, 1.5),
}
"""And what it nearly always is."""


def plausible(claims: Iterable[str]) -> Intervals:
    """What quantities nearly always are, beside what a page claims.

    Who prints the time of all accelerators and how long it took tells their number that way.

    Parameters
    ----------
    claims : iterable of str
        Its quantities.
    """
    return {**PLAUSIBLE, "devices": POSSIBLE["devices"]} if "device_time_s" in claims else PLAUSIBLE


IMPLIED: Final = (
    *("intensity_g_per_kwh", "mfu", "load", "dense_active", "dense", "pue"),
    *("devices", "ewif_l_per_kwh", "wue_l_per_kwh"),
)
"""In which order one is named, where several could be at fault."""

_BLAME: Final = (
    *("carbon_g", "water_l", "water_offsite_l", "water_onsite_l", "facility_energy_j", "it_energy_j"),
    *("flops", "device_time_s", "used_time_s", "duration_s", "devices", "tokens", "params", "active_params"),
    *(
        "system_power_w",
        "power_w",
        "total_power_w",
        "intensity_pue_g_per_kwh",
        "intensity_g_per_kwh",
        "ewif_l_per_kwh",
    ),
    *("wue_l_per_kwh", "pue", "requests", "peak_flops", "tdp_w"),
)
"""Where two claims contradict each other, the result is named before what it was made of."""
_TINY: Final = 1e-300
_MOST_ROUNDS, _MOST_MISTAKES, _MOST_SHOWN = 30, 3, 5


def _inverse(x: float) -> float:
    return inf if x < _TINY else 1 / x


def _low_times(a: float, b: float) -> float:
    """Nothing times everything may be nothing ..."""
    return 0.0 if 0.0 in (a, b) else a * b


def _high_times(a: float, b: float) -> float:
    """... and may be everything."""
    return inf if inf in (a, b) else a * b


def relations_of(names: Iterable[str]) -> tuple[Relation, ...]:
    """The relations of a group: those of all, and one for each ratio that it claims.

    Parameters
    ----------
    names : iterable of str
        Its quantities.
    """
    ratios = [name for name in names if "/" in name]
    made = [
        Product({name: 1, name.partition("/")[0]: -1, name.partition("/")[2]: 1}, 1.0, TIGHT)
        for name in ratios
    ]
    return (*RELATIONS, *made)


def narrowed(
    claims: Mapping[str, Claim], priors: Intervals, *, points: bool = False, wanted: str = ""
) -> dict[str, Bounds] | None:
    """The interval of every quantity, or nothing where the claims contradict each other.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    priors : mapping of str to pair of float
        What quantities that nobody claims may be.
    points : bool
        Take each claim as it is printed, with no rounding and no tolerance.
    wanted : str
        A quantity that is asked for and not claimed, such as a ratio.
    """
    relations = relations_of((*claims, wanted))
    known = {name: priors.get(name, (0.0, inf)) for relation in relations for name in relation.powers}
    for name, claim in claims.items():
        known[name] = (claim.value, claim.value) if points else (max(0.0, claim.low), claim.high)
    if (power := "system_power_w" if "system_power_w" in claims else "power_w") in claims:
        known["any_power_w"] = known[power]
        known["load"] = (0.0, inf) if power == "system_power_w" else known["load"]
    if "used_time_s" in claims:
        counted = "devices" in claims or "device_time_s" in claims
        known["used_devices"] = (1.0, known["devices"][1] if counted else 1.0)
    slack = 1e-9 if points else 1.0
    for _ in range(_MOST_ROUNDS):
        before = dict(known)
        for relation in relations:
            for name in relation.powers:
                low, high = relation.narrow(name, known, slack)
                known[name] = max(known[name][0], low), min(known[name][1], high)
                if known[name][0] > known[name][1] * (1 + 1e-8):
                    return None
        if all(_near(before[name], known[name]) for name in known):
            break
    return known


def _near(one: Bounds, other: Bounds) -> bool:
    return all(a == b or abs(a - b) <= 1e-10 * abs(b) for a, b in zip(one, other, strict=True))


def without(claims: Mapping[str, Claim], *names: str) -> dict[str, Claim]:
    """The other claims.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    names : str
        Quantities to leave out.
    """
    return {name: claim for name, claim in claims.items() if name not in names}


def mistaken(claims: Mapping[str, Claim], priors: Intervals) -> tuple[str, ...]:
    """The fewest quantities without which the others agree; results before what they were made of.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    priors : mapping of str to pair of float
        What quantities that nobody claims may be.
    """
    repairs = [()] if narrowed(claims, priors) else list(_repairs(claims, priors, _MOST_MISTAKES))
    if not repairs:  # more mistakes than are searched for: name the first that comes
        first = min(_conflict(claims, priors), key=_rank)
        return (first, *mistaken(without(claims, first), priors))
    return min(repairs, key=lambda names: (len(names), sorted(_rank(name) for name in names)))


def _repairs(claims: Mapping[str, Claim], priors: Intervals, depth: int) -> Iterator[tuple[str, ...]]:
    """Reiter's tree: of every conflict at least one claim must go."""
    for name in _conflict(claims, priors):
        rest = without(claims, name)
        if narrowed(rest, priors) is not None:
            yield (name,)
        elif depth > 1:
            yield from ((name, *more) for more in _repairs(rest, priors, depth - 1))


def _conflict(claims: Mapping[str, Claim], priors: Intervals) -> dict[str, Claim]:
    """Claims that contradict each other, and do not when any one is left out."""
    kept = dict(claims)
    for name in sorted(claims, key=_rank, reverse=True):
        fewer = without(kept, name)
        if narrowed(fewer, priors) is None:
            kept = fewer
    return kept


def _rank(name: str) -> int:
    return _BLAME.index(name) if name in _BLAME else -1


def tightest(name: str, claims: Mapping[str, Claim], priors: Intervals) -> dict[str, Claim]:
    """The fewest other claims that contradict one.

    Parameters
    ----------
    name : str
        The quantity of the one.
    claims : mapping of str to Claim
        By quantity; without what else is mistaken.
    priors : mapping of str to pair of float
        What quantities that nobody claims may be.
    """
    others = without(claims, name)
    for count in range(min(len(others), _MOST_SHOWN) + 1):
        some = [{other: claims[other] for other in chosen} for chosen in combinations(others, count)]
        against = [one for one in some if narrowed({name: claims[name], **one}, priors) is None]
        if against:
            return min(against, key=lambda one: _spread(name, one, priors))
    return others


def _spread(name: str, claims: Mapping[str, Claim], priors: Intervals) -> float:
    """How far apart the ends are of what some claims leave to a quantity."""
    low, high = (narrowed(claims, priors, wanted=name) or {}).get(name, (0.0, inf))
    return high / low if 0 < low < inf else inf
