"""Whether the numbers of a page can all be true.

Nothing is looked up here: what a page says is compared with what it says elsewhere, within the rounding
of its digits, and with what is physically possible. One mistake is reported once, by the fewest other
claims that contradict it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, log
from typing import Final

from wattermark.science.lint.alone import impossible, single
from wattermark.science.lint.causes import likely_cause, thousands
from wattermark.science.lint.relations import (
    IMPLIED,
    PLAUSIBLE,
    POSSIBLE,
    Intervals,
    mistaken,
    narrowed,
    plausible,
    tightest,
    without,
)
from wattermark.science.lint.told import between, finding, listed, said
from wattermark.values.claims import Claim, Finding, Group, Page, Severity, Total

ERROR, WARNING = Severity.ERROR, Severity.WARNING

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
}
"""The rule that is named where a quantity does not recompute; ``relation`` for the others."""
_IMPLIED_RULES: Final = {
    "intensity_g_per_kwh": ("implied-intensity", "a carbon intensity of {} g/kWh"),
    "mfu": ("implied-mfu", "a FLOP utilisation (MFU) of {}"),
    "load": ("implied-power", "a mean power of {} times the TDP"),
    "dense": ("training-flops", "{} times 6 x parameters x tokens (say active parameters of a mixture)"),
    "dense_active": ("training-flops", "{} times 6 x active parameters x tokens"),
    "pue": ("implied-pue", "a PUE of {}"),
    "devices": ("implied-devices", "{} devices (say how many there were)"),
    "ewif_l_per_kwh": ("implied-water", "{} L/kWh of off-site water"),
    "wue_l_per_kwh": ("implied-water", "{} L/kWh of on-site water"),
}
_HUB: Final[Intervals] = {**PLAUSIBLE, "load": (0.5, 1.3), "intensity_g_per_kwh": (10.0, 1300.0)}
"""Cards with a field in grams are made with hours x TDP, so a low load is no excuse there."""
_SUM_TOLERANCE: Final = 0.01
_NARROW: Final = 100.0
"""Bounds further apart than this say nothing about a factor of a thousand."""
_OVER_TDP: Final = 1.3
_LEAST_RATIO: Final = 0.98
"""How near a total must be to a factor that explains it."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One mistake: the claim that is blamed, and those that contradict it."""

    name: str
    claim: Claim
    others: Mapping[str, Claim]
    severity: Severity

    @property
    def rule(self) -> str:
        if self.claim.grams_field:
            return "grams-field"
        return "ratio" if "/" in self.name else _RULES.get(self.name, "relation")


def check(page: Page) -> tuple[Finding, ...]:
    """Every contradiction of a page.

    Parameters
    ----------
    page : Page
        Its claims, grouped by the work that they are about.

    Returns
    -------
    findings : tuple of Finding
        In the order of the page; one for each mistake.
    """
    found = [one for group in page.groups for one in check_group(group)]
    found += _check_totals(page.totals)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.line))


def check_group(group: Group) -> tuple[Finding, ...]:
    """The contradictions among claims about one and the same work.

    Parameters
    ----------
    group : Group
        A row of a table, an object, a list of a card.
    """
    odd = {claim: one for claim in group.claims if (one := impossible(claim)) is not None}
    sane = [claim for claim in group.claims if claim not in odd]
    repeated, claims = single(sane)
    claims = _of_all_devices(claims)
    best = min((_related(one) for one in _boundaries(claims)), key=_weight)
    return (*odd.values(), *repeated, *best)


# -- claims together -------------------------------------------------------------------


def _of_all_devices(claims: dict[str, Claim]) -> dict[str, Claim]:
    """A power above the TDP of a device may be that of all of them."""
    power, count, tdp = (claims.get(name) for name in ("power_w", "devices", "tdp_w"))
    if power and count and tdp and power.low > _OVER_TDP * tdp.high >= power.low / count.high:
        return {**without(claims, "power_w"), "total_power_w": replace(power, quantity="total_power_w")}
    return claims


def _boundaries(claims: Mapping[str, Claim]) -> Iterator[dict[str, Claim]]:
    """Energy that does not say whether the PUE is in it may be the one or the other."""
    plain = [name for name in claims if name.partition("/")[0] == "energy_j"]
    if not plain:
        yield dict(claims)
        return
    rest = without(claims, *plain)
    for boundary in ("facility_energy_j", "it_energy_j"):
        if boundary not in claims:
            named = {name.replace("energy_j", boundary, 1): claims[name] for name in plain}
            yield {**rest, **named}
    if "facility_energy_j" in claims and "it_energy_j" in claims:
        yield rest


def _weight(findings: Sequence[Finding]) -> tuple[int, int, float]:
    errors = sum(one.severity is ERROR for one in findings)
    off = sum(abs(log(one.ratio)) for one in findings if one.ratio and one.ratio > 0)
    return errors, len(findings), off


def _related(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    wrong = mistaken(claims, POSSIBLE)
    right = without(claims, *wrong)
    odd = mistaken(right, plausible(right))
    agreed = without(right, *odd)
    found = [_explained(name, claims[name], {**right, name: claims[name]}, ERROR) for name in wrong]
    found += [_explained(name, claims[name], {**agreed, name: claims[name]}, WARNING) for name in odd]
    if not any(claim.grams_field for claim in agreed.values()):
        return tuple(found)
    return (*found, *_kilograms(agreed))


def _kilograms(claims: Mapping[str, Claim]) -> Iterator[Finding]:
    """Kilograms in a field of grams: too little for the hours, and right if a thousand times as much."""
    claim = claims.get("carbon_g")
    if claim is None or not claim.grams_field or narrowed(claims, _HUB) is not None:
        return
    more = replace(claim, value=claim.value * 1000, low=claim.low * 1000, high=claim.high * 1000)
    if narrowed({**claims, "carbon_g": more}, POSSIBLE) is not None:
        others = tightest("carbon_g", claims, _HUB)
        sentence = (
            f"carbon is printed as {claim.text} in a field of grams, too little for {listed(others)}: "
            "these are probably kilograms"
        )
        yield finding(claim, "grams-field", ERROR, sentence, expected=more.value)


def _explained(name: str, claim: Claim, claims: Mapping[str, Claim], severity: Severity) -> Finding:
    """The sentence on one mistake, by the fewest claims that contradict it."""
    priors = POSSIBLE if severity is ERROR else plausible(claims)
    alone = narrowed(claims, {}) is None  # they contradict each other, whatever is plausible
    others = tightest(name, claims, {} if alone else priors)
    case = _Case(name, claim, others, severity)
    loose = (narrowed(others, priors, wanted=name) or {}).get(name, (0.0, inf))
    exact = (narrowed(others, priors, points=True, wanted=name) or {}).get(name, loose)
    if exact[1] <= exact[0] * (1 + 1e-6):
        return _does_not_recompute(case, loose, exact[0], {**claims, **others})
    return _implies(case, loose, priors)


def _does_not_recompute(
    case: _Case, bounds: tuple[float, float], best: float, claims: Mapping[str, Claim]
) -> Finding:
    claim = case.claim
    ratio = claim.value / best if best else inf
    ends = (max(0.0, claim.low) / bounds[1], claim.high / bounds[0]) if bounds[0] > 0 else (0.0, inf)
    cause = likely_cause(ratio, ends, case.name, claims)
    if claim.grams_field and cause.startswith("off by a factor of 1000 "):
        cause = "kilograms stand in a field of grams"
    sentence = (
        f"{claim.name} is printed as {claim.printed}, but {listed(case.others)} make {said(claim, best)}"
        f"{f': {cause}' if cause else ''}"
    )
    return finding(claim, case.rule, case.severity, sentence, expected=best)


def _implies(case: _Case, bounds: tuple[float, float], priors: Intervals) -> Finding:
    """Only bounds are known: name the quantity that would have to lie outside of what can be."""
    claim = case.claim
    expected = bounds[0] if claim.value < bounds[0] else bounds[1]
    whole = {**case.others, case.name: claim}
    for implied in IMPLIED:
        freed = {**priors, implied: (0.0, inf)}
        values = None if implied in whole else narrowed(whole, freed)
        if values is not None:
            low, high = (narrowed(whole, freed, points=True) or values)[implied]
            rule, words = _IMPLIED_RULES[implied]
            sentence = (
                f"{claim.name} is printed as {claim.printed}; with {listed(case.others)} that takes "
                f"{words.format(between(low, high))}, where {between(*priors[implied])} "
                f"{'can be' if case.severity is ERROR else 'is usual'}{_hint(claim, bounds)}"
            )
            return finding(claim, rule, case.severity, sentence, expected=expected)
    sentence = (
        f"{claim.name} is printed as {claim.printed}, but {listed(case.others)} leave "
        f"{said(claim, bounds[0])} to {said(claim, bounds[1])}{_hint(claim, bounds)}"
    )
    return finding(claim, case.rule, case.severity, sentence, expected=expected)


def _hint(claim: Claim, bounds: tuple[float, float]) -> str:
    """A factor of a thousand that would bring it home."""
    for factor in (1000.0, 0.001):
        if bounds[0] <= claim.value * factor <= bounds[1] <= _NARROW * bounds[0]:
            if claim.grams_field and factor > 1:
                return ": these are probably kilograms in a field of grams"
            return f": it is probably {thousands(claim.quantity, factor)}"
    return ""


# -- totals ----------------------------------------------------------------------------


def _check_totals(totals: Sequence[Total]) -> Iterator[Finding]:
    fitting = {total.total.line for total in totals if _gap(total) == 0}
    for total in totals:
        gap = _gap(total)
        if gap == 0:
            continue
        complete = total.listed or total.total.line in fitting
        best = sum(part.value for part in total.parts)
        ratio = total.total.value / best if best else inf
        ends = (_LEAST_RATIO * ratio, ratio / _LEAST_RATIO)
        cause = likely_cause(ratio, ends, total.total.quantity, {})
        sentence = (
            f"the total is printed as {total.total.printed}, but its {len(total.parts)} parts "
            f"add up to {said(total.total, best)}"
        )
        left_out = gap > 0 and not complete and not cause
        sentence += ": a part may be left out" if left_out else f": {cause}" if cause else ""
        yield finding(total.total, "total", WARNING if left_out else ERROR, sentence, expected=best)


def _gap(total: Total) -> float:
    """How much the total is above all that its parts may be, or below."""
    low = sum(part.low for part in total.parts) * (1 - _SUM_TOLERANCE)
    high = sum(part.high for part in total.parts) * (1 + _SUM_TOLERANCE)
    return max(0.0, total.total.low - high) + min(0.0, total.total.high - low)
