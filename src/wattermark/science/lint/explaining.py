"""The sentence on a mistake: what is printed, what the fewest other claims make of it, and why perhaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from wattermark.science.lint.causes import Slip, brought_home, likely_cause
from wattermark.science.lint.relations import IMPLIED, USUAL, Bounds, Intervals, plausible, possible
from wattermark.science.lint.solving import ANYTHING, narrowed, tightest
from wattermark.science.lint.told import between, digits, finding, listed, said, spanned
from wattermark.values.claims import Claim, Finding, Severity

_RULES: Final = {
    "carbon_g": "carbon",
    "facility_energy_j": "energy",
    "it_energy_j": "energy",
    "device_time_s": "accelerator-time",
    "used_time_s": "accelerator-time",
    "duration_s": "accelerator-time",
    "devices": "accelerator-time",
    "water_l": "water",
    "water_onsite_l": "water",
    "water_offsite_l": "water",
    "flops": "training-flops",
    "mfu": "mfu",
}
"""The rule that is named where a quantity does not recompute; ``relation`` for the others."""
_IMPLIED_RULES: Final = {
    "intensity_g_per_kwh": ("implied-intensity", "a carbon intensity of {} g/kWh"),
    "mfu": ("implied-mfu", "a FLOP utilisation (MFU) of {}"),
    "load": ("implied-power", "a mean power of {} times the TDP"),
    "any_power_w": ("implied-power", "a mean power of {} W for each accelerator"),
    "dense": ("training-flops", "{} times 6 x parameters x tokens"),
    "dense_active": ("training-flops", "{} times 6 x active parameters x tokens"),
    "pue": ("implied-pue", "a PUE of {}"),
    "devices": ("implied-devices", "{} devices; say how many there were"),
    "ewif_l_per_kwh": ("implied-water", "{} L/kWh of off-site water"),
    "wue_l_per_kwh": ("implied-water", "{} L/kWh of on-site water"),
}
_SILENT: Final = ("pue", "wue_l_per_kwh", "ewif_l_per_kwh")
"""What is not named where a slip explains as much: nobody runs a facility with a PUE of a tenth."""
_MOST_USUAL: Final = 3.0
"""What is usual is told where its ends are no further apart than this."""
_FIRST_PUE: Final[Intervals] = {"pue": (1.0, 1.0)}


@dataclass(frozen=True, slots=True)
class _Case:
    """One mistake: the claim that is blamed, those that contradict it, and all that agree with each other.

    ``loose`` is what the others leave to it with their rounding, ``exact`` without, and ``first`` without
    and with a PUE of one.
    """

    name: str
    claim: Claim
    others: Mapping[str, Claim]
    claims: Mapping[str, Claim]
    severity: Severity
    priors: Intervals
    loose: Bounds
    exact: Bounds
    first: Bounds

    @property
    def rule(self) -> str:
        if self.claim.grams_field:
            return "grams-field"
        return "ratio" if "/" in self.name else _RULES.get(self.name, "relation")

    @property
    def whole(self) -> dict[str, Claim]:
        return {**self.others, self.name: self.claim}


def explained(name: str, claims: Mapping[str, Claim], severity: Severity) -> Finding:
    """The sentence on one mistake, by the fewest claims that contradict it.

    Parameters
    ----------
    name : str
        The quantity of the claim that is blamed.
    claims : mapping of str to Claim
        By quantity: this one, and others that agree with each other.
    severity : Severity
        Whether it cannot be, or hardly can.
    """
    priors = possible(claims) if severity is Severity.ERROR else plausible(claims)
    alone = narrowed(claims, {}) is None  # they contradict each other, whatever is plausible
    others = tightest(name, claims, {} if alone else priors)
    loose = _left(name, others, priors, points=False) or ANYTHING
    exact = _left(name, others, priors) or loose
    first = _left(name, others, _FIRST_PUE) or exact
    case = _Case(name, claims[name], others, claims, severity, priors, loose, exact, first)
    if exact[1] <= exact[0] * (1 + 1e-6):
        return _does_not_recompute(case)
    return _is_out_of_bounds(case)


def _left(name: str, others: Mapping[str, Claim], priors: Intervals, *, points: bool = True) -> Bounds | None:
    return (narrowed(others, priors, points=points, wanted=name) or {}).get(name)


def _does_not_recompute(case: _Case) -> Finding:
    claim, best = case.claim, case.exact[0]
    slip = _slip(case, best, case.loose)
    cause = slip.says if slip else ""
    if claim.grams_field and cause.startswith("off by a factor of 1000 "):
        cause = "kilograms stand in a field of grams"
    sentence = (
        f"{claim.name} is printed as {claim.printed}, but {listed(case.others)} make {said(claim, best)}"
        f"{f': {cause}' if cause else ''}"
    )
    return finding(claim, case.rule, case.severity, sentence, expected=best, cause=cause)


def _slip(case: _Case, best: float, bounds: Bounds) -> Slip | None:
    """The mistake that leaves such a ratio."""
    claim, (low, high) = case.claim, bounds
    ratio = claim.value / best if best else inf
    ends = (max(0.0, claim.low) / high, claim.high / low) if low > 0 else ANYTHING
    return likely_cause(ratio, ends, case.name, case.claims)


# -- only bounds are known -------------------------------------------------------------


def _is_out_of_bounds(case: _Case) -> Finding:
    """Name a slip, or the quantity that would have to lie outside of what can be."""
    if _is_uncounted(case):
        return _implied(case, "devices", None)
    slip = _from_first(case) or brought_home(case.claim.value, case.loose, case.name, case.claims)
    implied = next((one for one in IMPLIED if _takes(case, one) is not None), "")
    if case.name == "mfu" or not implied or (slip and implied in _SILENT):
        return _bounded(case, case.rule, _leaves(case, slip), slip)
    return _implied(case, implied, slip)


def _is_uncounted(case: _Case) -> bool:
    """Whether more devices than one would explain it, and nobody says how many there were."""
    silent = case.severity is Severity.WARNING and "devices" not in case.claims
    return silent and (_takes(case, "devices") or ANYTHING)[0] > 1


def _implied(case: _Case, implied: str, slip: Slip | None) -> Finding:
    rule, words = _IMPLIED_RULES[implied]
    can = "can be" if case.severity is Severity.ERROR else "is usual"
    where = "" if implied == "devices" else f", where {between(*case.priors[implied])} {can}"
    took = _takes(case, implied) or ANYTHING
    more = _probably(case, slip) or _usually(case, implied) or _of_models(case, implied, took)
    sentence = (
        f"{case.claim.name} is printed as {case.claim.printed}; with {listed(case.others)} that takes "
        f"{words.format(between(*took))}{where}{more}"
    )
    return _bounded(case, rule, sentence, slip)


def _bounded(case: _Case, rule: str, sentence: str, slip: Slip | None) -> Finding:
    """A bound is nothing to expect; what a slip was before it happened is."""
    expected = case.claim.value / slip.factor if slip else None
    cause = slip.says if slip else ""
    return finding(case.claim, rule, case.severity, sentence, expected=expected, cause=cause)


def _from_first(case: _Case) -> Slip | None:
    """A slip from what the others make with a PUE of one."""
    best, most = case.first
    if not 0 < best < inf or (case.claim.value > best and most > best * (1 + 1e-6)):
        return None
    low = (_left(case.name, case.others, _FIRST_PUE, points=False) or case.first)[0] or best
    return _slip(case, best, (low, best * best / low))


def _takes(case: _Case, implied: str) -> Bounds | None:
    """What a quantity would have to be, if it alone may be anything; nothing if that does not help."""
    freed = {**case.priors, implied: ANYTHING}
    if implied in case.whole or narrowed(case.whole, freed) is None:
        return None
    if implied == "mfu" and "flops" not in case.whole:
        freed["dense"] = USUAL["dense"]
    return (narrowed(case.whole, freed, points=True, wanted=implied) or {}).get(implied, case.priors[implied])


def _leaves(case: _Case, slip: Slip | None) -> str:
    """What the others make or leave, where nothing strange that is not told needs a name."""
    low, high = case.exact
    if case.name == "mfu":
        low, high = _left(case.name, case.others, {**case.priors, "dense": USUAL["dense"]}) or (low, high)
    makes, remark = "leave", ""
    if slip and 0 < case.first[0] < inf:
        low, high = case.first
        alone = case.name == "water_l" and high > low
        makes, remark = "make", " on site alone" if alone else " with a PUE of 1"
    left = said(case.claim, low) if makes == "make" else spanned(case.claim, low, high)
    return (
        f"{case.claim.name} is printed as {case.claim.printed}, but {listed(case.others)} {makes} {left}"
        f"{remark}{_probably(case, slip)}"
    )


def _probably(case: _Case, slip: Slip | None) -> str:
    if slip is None:
        return ""
    if case.claim.grams_field and slip.says.startswith("off by a factor of 1000 ") and slip.factor < 1:
        return ": these are probably kilograms in a field of grams"
    return f": it is probably {slip.says}" if slip.says.startswith("off by") else f": {slip.says}"


def _of_models(case: _Case, implied: str, took: Bounds) -> str:
    """What makes the FLOPs of a model fewer or more, and is seldom said."""
    if implied != "dense":
        return ""
    if took[0] > case.priors[implied][1]:
        return " (are these the tokens of all epochs?)"
    return " (say active parameters of a mixture)"


def _usually(case: _Case, implied: str) -> str:
    """What it would be on usual grids, to one who wonders what is right."""
    usual = {name: USUAL[name] for name in ("intensity_g_per_kwh", "pue")}
    low, high = _left(case.name, case.others, {**case.priors, **usual}) or ANYTHING
    if implied != "intensity_g_per_kwh" or not 0 < low < high <= _MOST_USUAL * low:
        return ""
    grid, pue = between(*USUAL["intensity_g_per_kwh"]), digits(USUAL["pue"][0])
    with_pue = "" if "pue" in case.others else f" and a PUE of {pue}"
    rounded = (float(f"{low:.2g}"), float(f"{high:.2g}"))
    return f"; at {grid} g/kWh{with_pue} it would be about {spanned(case.claim, *rounded)}"
