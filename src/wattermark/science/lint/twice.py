"""What two claims of one and the same thing give away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

from wattermark.science.lint.causes import LB_PER_KG, thousands
from wattermark.science.lint.told import finding, place
from wattermark.values.claims import Claim, Finding, Severity

_REPEATED: Final = (1e3, 1e6, 1e9)
"""Two values of one thing that are this far apart are one value in two units."""
_SHARP: Final = 1.01
"""Only what is printed with so little rounding is told from its pounds."""
_SAME: Final = 1.01
_MOST_ALIKE: Final = 12
"""More values of one quantity in a row are a series, and what two of them differ by says nothing."""


def single(claims: Sequence[Claim]) -> tuple[list[Finding], dict[str, Claim]]:
    """One claim for each quantity, and what two claims of one quantity give away.

    Values that differ are taken to be about different things and left out, unless they are one value
    in two units, or stand under one name in two units.

    Parameters
    ----------
    claims : sequence of Claim
        Of one group.
    """
    found: list[Finding] = []
    kept: dict[str, Claim] = {}
    by_name: dict[str, list[Claim]] = {}
    for claim in claims:
        by_name.setdefault(claim.quantity, []).append(claim)
    for name, same in by_name.items():
        doubt = next((one for pair in _pairs(same) if (one := _twice(*pair)) is not None), None)
        found += [] if doubt is None else [doubt]
        low, high = max(claim.low for claim in same), min(claim.high for claim in same)
        if name != "share" and doubt is None and low <= high * _SAME:
            kept[name] = min(same, key=lambda claim: claim.high - claim.low)
    return found, kept


def thousands_apart(large: Claim, small: Claim) -> bool:
    """Whether two claims have the same digits, of which one means a thousand times as much, or a million.

    Parameters
    ----------
    large, small : Claim
        Of one quantity.
    """
    return any(small.low * f <= large.high and large.low <= small.high * f for f in _REPEATED)


def _pairs(same: Sequence[Claim]) -> Iterable[tuple[Claim, Claim]]:
    """Those that are worth comparing: all of a few; of many, those of one name, and the field in grams."""
    return combinations(same, 2) if len(same) <= _MOST_ALIKE else _few_pairs(same)


def _few_pairs(same: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    by_stem: dict[str, dict[float, Claim]] = {}
    for claim in same:
        by_stem.setdefault(_stem(claim), {}).setdefault(claim.base_per_unit, claim)
    for units in by_stem.values():
        yield from combinations(units.values(), 2)
    field = next((claim for claim in same if claim.grams_field), None)
    yield from ((field, claim) for claim in same if field is not None and claim is not field)


def _twice(first: Claim, second: Claim) -> Finding | None:
    """One thing in two units: the field whose unit is fixed is blamed, else the later one."""
    if first.quantity[-2:] not in ("_g", "_j", "_l", "_s", "_w") or min(first.low, second.low) <= 0:
        return None
    blamed, other = (first, second) if first.grams_field else (second, first)
    low, high = blamed.low / other.high / _SAME, blamed.high / other.low * _SAME
    if low <= 1 <= high:
        return None
    factor = next((f for f in _factors(blamed, other) if low <= f <= high or low <= 1 / f <= high), None)
    cause = _cause(blamed, other, factor)
    if not cause:
        return None
    both = f"{blamed.name} is printed as {blamed.printed}, and as {other.printed} ({place(other)})"
    told = finding(
        blamed, "said-twice", Severity.ERROR, f"{both}: {cause}", expected=other.value, cause=cause
    )
    return replace(told, rule="grams-field") if blamed.grams_field else told


def _factors(first: Claim, second: Claim) -> tuple[float, ...]:
    sharp = max(first.high / first.low, second.high / second.low) <= _SHARP
    pounds = (LB_PER_KG,) if sharp and first.quantity.startswith("carbon") else ()
    return (*pounds, *_REPEATED) if first.quantity[-2:] in ("_g", "_j", "_l") else ()


def _cause(blamed: Claim, other: Claim, factor: float | None) -> str:
    if _one_name(blamed, other) and blamed.text == other.text:
        return f"the same number stands in {other.unit} and in {blamed.unit}"
    if factor is None:
        return "two units of one thing that disagree" if _one_name(blamed, other) else ""
    cause = "one of them is in pounds, the other in kilograms"
    if factor >= 1000:
        cause = thousands(blamed.quantity, factor)
    return f"{cause}; this field is in grams" if blamed.grams_field else cause


def _one_name(first: Claim, second: Claim) -> bool:
    """``emissions_t`` and ``emissions_lb`` are one thing in two units."""
    return (
        first.base_per_unit != second.base_per_unit and bool(_stem(first)) and _stem(first) == _stem(second)
    )


def _stem(claim: Claim) -> str:
    """Where a claim stands, without its unit; empty where the unit is not a part of that."""
    words, unit = (re.findall(r"[a-z0-9%]+", text.lower()) for text in (claim.where, _as_key(claim.unit)))
    return " ".join(words[: -len(unit)]) if unit and words[-len(unit) :] == unit else ""


def _as_key(unit: str) -> str:
    return unit.replace("/", " per ").replace("\u00b3", "3")
