"""What a claim alone cannot be."""

from __future__ import annotations

from typing import Final

from wattermark.science.lint.told import finding
from wattermark.values.claims import Claim, Finding, Severity

_NEVER_ZERO: Final = (
    *("devices", "duration_s", "used_time_s", "device_time_s", "power_w", "system_power_w", "tdp_w"),
    *("it_energy_j", "facility_energy_j", "energy_j", "params", "active_params", "tokens", "requests"),
    *("flops", "peak_flops"),
)
_LEAST_INTENSITY, _MOST_INTENSITY, _USUAL_INTENSITY = 1.0, 1300.0, 20.0
_MOST_PUE: Final = 4.0


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
        return _told(claim, "pue", "a PUE is at least 1: the facility's energy holds that of its IT")
    if claim.low > _MOST_PUE:
        return _told(claim, "pue", f"no facility has one above {_MOST_PUE:.0f}; is it a percentage?")
    return None


def _share(claim: Claim) -> Finding | None:
    if claim.quantity not in ("share", "mfu") or claim.low <= 1:
        return None
    return _told(claim, "share", "a share is at most 1; is it a percentage?")


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
        sentence = f"{claim.name} is printed as {claim.printed}; a zero from certificates is market-based"
        return finding(claim, "intensity", Severity.WARNING, f"{sentence} and should say so")
    if _USUAL_INTENSITY <= claim.value * 1e3 <= _MOST_INTENSITY:
        says += "; these are probably kg/kWh"
    elif _USUAL_INTENSITY <= claim.value / 1e3 <= _MOST_INTENSITY:
        says += "; these are probably g/kWh"
    return _told(claim, "intensity", says)


def _told(claim: Claim, rule: str, says: str) -> Finding:
    sentence = f"{claim.name} is printed as {claim.printed}, but {says}"
    return finding(claim, rule, Severity.ERROR, sentence, cause=says)
