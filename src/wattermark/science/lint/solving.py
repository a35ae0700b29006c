"""What claims leave to a quantity, which of them contradict each other, and by which others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import inf
from typing import Final

from wattermark.science.lint.relations import BLAME, Bounds, Intervals, Relation, relations_of
from wattermark.values.claims import Claim

_MOST_UNCOUNTED: Final = 32.0
"""Accelerators that a card with its hours may have and not count."""
_MOST_ROUNDS: Final = 30
_MOST_MISTAKES: Final = 3
_MOST_SHOWN: Final = 5
_MOST_FOR_EXACT: Final = 3
_EXACT: Final = 2.5
"""Bounds no further apart than this, as a PUE leaves them, tell what is right."""
_MUCH: Final = 10.0
"""How many times closer the bounds must be for another claim to be worth naming."""
ANYTHING: Final = (0.0, inf)


def narrowed(
    claims: Mapping[str, Claim], priors: Intervals, *, points: bool = False, wanted: str = ""
) -> dict[str, Bounds] | None:
    """The interval of every quantity that matters, or nothing where the claims contradict each other.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    priors : mapping of str to pair of float
        What quantities that nobody claims may be.
    points : bool
        Take each claim as it is printed, with no rounding and no tolerance. A range of ours stays one.
    wanted : str
        A quantity that is asked for and not claimed, such as a ratio.
    """
    known = {name: ends for name, ends in priors.items() if ends != ANYTHING}
    for name, claim in claims.items():
        point = points and not claim.ours
        known[name] = (claim.value, claim.value) if point else (max(0.0, claim.low), claim.high)
    _follow(known, claims)
    relations = relations_of(frozenset((*known, wanted)))
    for name in (wanted, *(name for relation in relations for name in relation.powers)):
        known.setdefault(name, priors.get(name, ANYTHING))
    slack = 1e-9 if points else 1.0
    for _ in range(_MOST_ROUNDS):
        moved = [_narrow(relation, known, slack) for relation in relations]
        if None in moved:
            return None
        if not any(moved):
            break
    return known


def _follow(known: dict[str, Bounds], claims: Mapping[str, Claim]) -> None:
    """What some claims say about quantities that have no word of their own."""
    if (power := "system_power_w" if "system_power_w" in claims else "power_w") in claims:
        known["any_power_w"] = known[power]
        if power == "system_power_w":
            known.pop("load", None)
    if "used_time_s" in claims:
        counted = "devices" in claims or "device_time_s" in claims
        most = known.get("devices", ANYTHING)[1]
        known["used_devices"] = (1.0, most if counted else min(most, _MOST_UNCOUNTED))


def _narrow(relation: Relation, known: dict[str, Bounds], slack: float) -> bool | None:
    """Whether the interval of a member became narrower; nothing where one became empty."""
    moved = False
    for name in relation.powers:
        before = known[name]
        low, high = relation.narrow(name, known, slack)
        low, high = max(before[0], low), min(before[1], high)
        if low > high * (1 + 1e-8):
            return None
        if (low, high) != before:
            known[name] = low, high
            moved |= not _near(before, (low, high))
    return moved


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
    if narrowed(claims, priors) is not None:
        return ()
    for depth in range(1, _MOST_MISTAKES + 1):
        repairs = list(_repairs(claims, priors, depth))
        if repairs:
            return min(repairs, key=lambda names: (len(names), sorted(_rank(name) for name in names)))
    first = min(_conflict(claims, priors), key=_rank)  # more mistakes than are searched for
    return (first, *mistaken(without(claims, first), priors))


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
    return BLAME.index(name) if name in BLAME else -1


def tightest(name: str, claims: Mapping[str, Claim], priors: Intervals) -> dict[str, Claim]:
    """The fewest other claims that contradict one; a few more, where only these say what it should be.

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
    best: tuple[float, dict[str, Claim]] | None = None
    for count in range(min(len(others), _MOST_SHOWN) + 1):
        if best is not None and (best[0] <= _EXACT or count > _MOST_FOR_EXACT):
            break
        some = [{other: claims[other] for other in chosen} for chosen in combinations(others, count)]
        against = [one for one in some if narrowed({name: claims[name], **one}, priors) is None]
        spreads = [(_spread(name, one, priors), one) for one in against]
        near = min(spreads, key=lambda one: one[0], default=None)
        if near is not None and (best is None or near[0] <= _EXACT or near[0] * _MUCH < best[0]):
            best = near
    return others if best is None else best[1]


def _spread(name: str, claims: Mapping[str, Claim], priors: Intervals) -> float:
    """How far apart the ends are of what some claims leave to a quantity."""
    low, high = (narrowed(claims, priors, wanted=name) or {}).get(name, (0.0, inf))
    return high / low if 0 < low < inf else inf
