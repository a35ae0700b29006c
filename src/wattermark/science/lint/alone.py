"""What a claim alone cannot be, and what two claims of the same thing cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

from wattermark.science.lint.causes import thousands
from wattermark.science.lint.told import finding, place
from wattermark.values.claims import Claim, Finding, Severity

_NEVER_ZERO: Final = (
    *("devices", "duration_s", "used_time_s", "device_time_s", "power_w", "system_power_w", "tdp_w"),
    *("it_energy_j", "facility_energy_j", "energy_j", "params", "active_params", "tokens", "requests"),
    *("flops", "peak_flops"),
)
_LEAST_INTENSITY, _MOST_INTENSITY, _USUAL_INTENSITY = 1.0, 1300.0, 20.0
_MOST_PUE: Final = 4.0
_REPEATED: Final = (1e3, 1e6, 1e9, 2.204623)
"""Two values of one thing that are this far apart are one value in two units."""
_SAME: Final = 1.01


def impossible(claim: Claim) -> Finding | None:
    """A number that cannot be, whatever stands beside it.

    Parameters
    ----------
    claim : Claim
        Any.
    """
    rules = (_negative(claim), _pue(claim), _share(claim), _zero(claim), _intensity(claim))
    return next((rule for rule in rules if rule is not None), None)


def _negative(claim: Claim) -> Finding | None:
    return _told(claim, "negative", "it cannot be negative") if claim.high < 0 or claim.value < 0 else None


def _pue(claim: Claim) -> Finding | None:
    if claim.quantity != "pue":
        return None
    if claim.high < 1:
        return _told(claim, "pue", "a PUE is at least 1: the facility's energy holds that of its IT", 1.0)
    if claim.low > _MOST_PUE:
        return _told(claim, "pue", f"no facility has one above {_MOST_PUE:.0f}; is it a percentage?")
    return None


def _share(claim: Claim) -> Finding | None:
    if claim.quantity != "share" or claim.low <= 1:
        return None
    return _told(claim, "share", "a share is at most 1; is it a percentage?", 1.0)


def _zero(claim: Claim) -> Finding | None:
    if claim.quantity not in _NEVER_ZERO or claim.value != 0:
        return None
    sentence = f"{claim.name} is printed as {claim.printed}; leave out what is unknown, a zero says none"
    return finding(claim, "zero", Severity.WARNING, sentence)


def _intensity(claim: Claim) -> Finding | None:
    lies = claim.high >= _LEAST_INTENSITY and claim.low <= _MOST_INTENSITY
    if claim.quantity != "intensity_g_per_kwh" or (lies and claim.value > 0):
        return None
    says = f"grids lie between {_LEAST_INTENSITY:.0f} and {_MOST_INTENSITY:.0f} g/kWh"
    if claim.value == 0:
        says += "; a zero from certificates is market-based and should say so"
    elif _USUAL_INTENSITY <= claim.value * 1e3 <= _MOST_INTENSITY:
        says += "; these are probably kg/kWh"
    elif _USUAL_INTENSITY <= claim.value / 1e3 <= _MOST_INTENSITY:
        says += "; these are probably g/kWh"
    return _told(claim, "intensity", says)


def _told(claim: Claim, rule: str, says: str, expected: float | None = None) -> Finding:
    sentence = f"{claim.name} is printed as {claim.printed}, but {says}"
    return finding(claim, rule, Severity.ERROR, sentence, expected=expected)


def single(claims: Sequence[Claim]) -> tuple[list[Finding], dict[str, Claim]]:
    """One claim for each quantity, and what two claims of one quantity give away.

    Values that differ are taken to be about different things and left out, unless they are one value
    in two units.

    Parameters
    ----------
    claims : sequence of Claim
        Of one group.
    """
    found: list[Finding] = []
    kept: dict[str, Claim] = {}
    for name in dict.fromkeys(claim.quantity for claim in claims):
        same = [claim for claim in claims if claim.quantity == name]
        doubts = [one for pair in combinations(same, 2) if (one := _twice(*pair)) is not None]
        found += doubts[:1]
        low, high = max(claim.low for claim in same), min(claim.high for claim in same)
        if name != "share" and not doubts and low <= high * _SAME:
            kept[name] = min(same, key=lambda claim: claim.high - claim.low)
    return found, kept


def _twice(first: Claim, second: Claim) -> Finding | None:
    """One value in two units: the field whose unit is fixed is blamed, else the later one."""
    if first.quantity[-2:] not in ("_g", "_j", "_l") or min(first.low, second.low) <= 0:
        return None
    blamed, other = (first, second) if first.grams_field else (second, first)
    low, high = blamed.low / other.high / _SAME, blamed.high / other.low * _SAME
    factor = next((f for f in _REPEATED if low <= f <= high or low <= 1 / f <= high), None)
    if factor is None:
        return None
    cause = "one of them is in pounds, the other in kilograms"
    if factor >= 1000:
        cause = thousands(blamed.quantity, factor)
    if blamed.grams_field:
        cause += "; this field is in grams"
    both = f"{blamed.name} is printed as {blamed.printed}, and as {other.printed} ({place(other)})"
    told = finding(blamed, "said-twice", Severity.ERROR, f"{both}: {cause}", expected=other.value)
    return replace(told, rule="grams-field") if blamed.grams_field else told
