"""Whether the numbers of a page can all be true.

Nothing is looked up here: what a page says is compared with what it says elsewhere, within the rounding
of its digits, and with what is physically possible. One mistake is reported once, by the fewest other
claims that contradict it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, log
from typing import Final

from wattermark.science.lint.alone import impossible
from wattermark.science.lint.causes import AFTER_PUE
from wattermark.science.lint.explaining import explained
from wattermark.science.lint.readings import (
    boundaries,
    of_all_devices,
    perhaps_of_all_devices,
    worked,
)
from wattermark.science.lint.relations import INPUTS, PLAUSIBLE, Intervals, plausible, possible
from wattermark.science.lint.solving import mistaken, narrowed, tightest, without
from wattermark.science.lint.told import finding, listed
from wattermark.science.lint.totals import check_components, check_totals
from wattermark.science.lint.twice import single
from wattermark.values.claims import Claim, Finding, Group, Page, Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_HUB: Final[Intervals] = {"load": (0.5, 1.3), "intensity_g_per_kwh": (10.0, 1300.0)}
"""Cards with a field in grams are made with hours x TDP, so a low load is no excuse there."""
_LEAST_PUE, _SHARP = 1.03, 1.004
_MOST_BAD: Final = 100
"""Nobody reads about more groups than this."""


def check(page: Page) -> tuple[tuple[Finding, ...], int]:
    """The contradictions of a page, and how many groups were not looked at after too many of them.

    Parameters
    ----------
    page : Page
        Its claims, grouped by the work that they are about.

    Returns
    -------
    findings : tuple of Finding
        In the order of the page; one for each mistake.
    unchecked : int
        Groups after the first hundred that contradict themselves.
    """
    found: list[Finding] = []
    bad = unchecked = 0
    for group in page.groups:
        if bad < _MOST_BAD:
            told = check_group(group)
            found += told
            bad += bool(told)
        else:
            unchecked += 1
    found += check_totals(page.totals)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.line)), unchecked


def check_group(group: Group) -> tuple[Finding, ...]:
    """The contradictions among claims about one and the same work.

    Parameters
    ----------
    group : Group
        A row of a table, an object, a list of a card.
    """
    odd = {claim: one for claim in group.claims if (one := impossible(claim)) is not None}
    sane = [claim for claim in group.claims if claim not in odd]
    if any(claim.quantity == "intensity_g_per_kwh" and not claim.value for claim in odd):
        sane = [claim for claim in sane if claim.quantity != "carbon_g" or claim.value]
    shares = [claim for claim in sane if claim.quantity == "share"]
    repeated, claims = single(sane)
    parted, claims = check_components(claims)
    claims = worked(of_all_devices(claims), shares)
    nothing = _no_carbon(claims)
    rest = without(claims, "carbon_g") if nothing else claims
    found = (*odd.values(), *repeated, *parted, *nothing, *_unless_of_all(rest, _best(rest)))
    return tuple(_perhaps(one) for one in found) if group.prose else found


def _perhaps(found: Finding) -> Finding:
    """A sentence may speak of two works; where no slip is recognised, that is likelier."""
    sentence = f"{found.sentence}, if this sentence speaks of one piece of work"
    return found if found.cause else replace(found, severity=WARNING, sentence=sentence)


def _unless_of_all(claims: Mapping[str, Claim], found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What would be right if a power were that of all devices is doubtful, where nobody says of how many."""
    other = perhaps_of_all_devices(claims) if found else None
    if other is None or _best(other):
        return found
    doubt = f"; or the power is that of all {claims['devices'].text}"
    return tuple(replace(one, severity=WARNING, sentence=one.sentence + doubt) for one in found)


def _best(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    """The boundary with the fewest contradictions; where two have as many, the one that explains them."""
    tried = []
    for one in boundaries(claims):
        tried.append(_related(one))
        if not tried[-1]:
            return ()
    return min(tried, key=_weight)


# -- claims together -------------------------------------------------------------------


def _no_carbon(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    """A zero that is no rounding: certificates, which are market-based, or nobody knew."""
    claim = claims.get("carbon_g")
    if claim is None or claim.value or narrowed(claims, possible(claims)) is not None:
        return ()
    says = "a zero from certificates is market-based and should say so"
    return (finding(claim, "zero", WARNING, f"carbon is printed as {claim.printed}; {says}"),)


def _weight(findings: Sequence[Finding]) -> tuple[int, int, int, float]:
    errors = sum(one.severity is ERROR for one in findings)
    puzzles = sum(not one.cause for one in findings)
    off = sum(abs(log(one.ratio)) for one in findings if one.ratio and one.ratio > 0 and not one.cause)
    return errors, len(findings), puzzles, off


def _related(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    wrong = mistaken(claims, possible(claims))
    if first := _carried_on(wrong, claims):
        return (first,)
    right = without(claims, *wrong)
    found = [explained(name, {**right, name: claims[name]}, ERROR) for name in wrong]
    if kilograms := tuple(_kilograms(right)):
        return (*found, *kilograms)
    odd = mistaken(right, plausible(right))
    agreed = without(right, *odd)
    found += [explained(name, {**agreed, name: claims[name]}, WARNING) for name in odd]
    return tuple(found) or tuple(_left_out(claims))


def _carried_on(wrong: Sequence[str], claims: Mapping[str, Claim]) -> Finding | None:
    """A slip in the energy from which the rest was made: then all that follows agrees with it."""
    inputs = {name: claims[name] for name in (*INPUTS, "pue") if name in claims}
    if len(wrong) != 1 or wrong[0] not in INPUTS or narrowed(inputs, possible(inputs)) is None:
        return None
    for energy in ("it_energy_j", "facility_energy_j"):
        told = {**inputs, energy: claims[energy]} if energy in claims else inputs
        if narrowed(told, possible(told)) is None and (one := explained(energy, told, ERROR)).cause:
            return one
    return None


def _left_out(claims: Mapping[str, Claim]) -> Iterator[Finding]:
    """A PUE of 1.1 hides in its own rounding; what is smaller by just that much was made without it."""
    pue = claims.get("pue")
    for name in AFTER_PUE if pue and pue.value >= _LEAST_PUE else ():
        others = without(claims, *AFTER_PUE) if name == "facility_energy_j" else without(claims, name)
        low, high = (narrowed(others, {}, points=True, wanted=name) or {}).get(name, (0.0, inf))
        if pue and name in claims and low > 0 and high <= low * _SHARP:
            made = claims[name].value * pue.value / low
            if 1 / _SHARP <= made <= _SHARP:
                yield replace(explained(name, {**others, name: claims[name]}, WARNING), severity=WARNING)
                return


def _kilograms(claims: Mapping[str, Claim]) -> Iterator[Finding]:
    """Kilograms in a field of grams: too little for the hours, and right if a thousand times as much."""
    claim = claims.get("carbon_g")
    priors = {**plausible(claims), "devices": PLAUSIBLE["devices"], **_HUB}
    if claim is None or not claim.grams_field or narrowed(claims, priors) is not None:
        return
    more = replace(claim, value=claim.value * 1000, low=claim.low * 1000, high=claim.high * 1000)
    if narrowed({**claims, "carbon_g": more}, possible(claims)) is not None:
        others = tightest("carbon_g", claims, priors)
        sentence = (
            f"carbon is printed as {claim.text} in a field of grams, too little for {listed(others)}: "
            "these are probably kilograms"
        )
        cause = "kilograms stand in a field of grams"
        yield finding(claim, "grams-field", ERROR, sentence, expected=more.value, cause=cause)
