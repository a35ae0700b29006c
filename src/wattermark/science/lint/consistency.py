"""Whether the numbers of a page can all be true.

Nothing is looked up here: what a page says is compared with what it says elsewhere, within the rounding
of its digits, and with what is physically possible. One mistake is reported once, by the fewest other
claims that contradict it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Final

from wattermark.science.lint.alone import impossible
from wattermark.science.lint.explaining import explained
from wattermark.science.lint.relations import PLAUSIBLE, POSSIBLE, Intervals, plausible, possible
from wattermark.science.lint.solving import mistaken, narrowed, tightest, without
from wattermark.science.lint.told import finding, listed
from wattermark.science.lint.totals import check_components, check_totals
from wattermark.science.lint.twice import single
from wattermark.values.claims import Claim, Finding, Group, Page, Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_HUB: Final[Intervals] = {"load": (0.5, 1.3), "intensity_g_per_kwh": (10.0, 1300.0)}
"""Cards with a field in grams are made with hours x TDP, so a low load is no excuse there."""
_OVER_TDP: Final = 1.3
_MOST_TDP_W: Final = 1500.0
"""Of accelerators that are sold."""
_MOST_WITH_HOST_W: Final = POSSIBLE["any_power_w"][1]
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
        Groups after the first few hundred that contradict themselves.
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
    repeated, claims = single(sane)
    parted, claims = check_components(claims)
    claims = _worked(_of_all_devices(claims))
    nothing = _no_carbon(claims)
    rest = without(claims, "carbon_g") if nothing else claims
    found = (*odd.values(), *repeated, *parted, *nothing, *_best(rest))
    return tuple(_perhaps(one) for one in found) if group.prose else found


def _perhaps(found: Finding) -> Finding:
    """A sentence may speak of two works; where no slip is recognised, that is likelier."""
    sentence = f"{found.sentence}, if this sentence speaks of one piece of work"
    return found if found.cause else replace(found, severity=WARNING, sentence=sentence)


def _best(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    """The boundary with the fewest contradictions; where two have as many, the one that explains them."""
    tried = []
    for one in _boundaries(claims):
        tried.append(_related(one))
        if not tried[-1]:
            return ()
    return min(tried, key=_weight)


# -- claims together -------------------------------------------------------------------


def _of_all_devices(claims: dict[str, Claim]) -> dict[str, Claim]:
    """A power that is too much for one device is that of all of them, or of a machine with some of them."""
    power, count, tdp = (claims.get(name) for name in ("power_w", "devices", "tdp_w"))
    most_w = _OVER_TDP * tdp.high if tdp else _MOST_TDP_W
    if power and count and power.low > most_w >= power.low / count.high:
        claims = {**without(claims, "power_w"), "total_power_w": replace(power, quantity="total_power_w")}
    host = claims.get("system_power_w")
    if host and host.low > _MOST_WITH_HOST_W:
        claims = without(claims, "system_power_w")
    return claims


def _worked(claims: dict[str, Claim]) -> dict[str, Claim]:
    """A power beside a utilisation may be that of a device that works all the time."""
    share, power = claims.get("share"), claims.get("power_w")
    if share is None or power is None or "used_time_s" in claims:
        return claims
    return {**claims, "power_w": replace(power, low=power.low * share.low)}


def _no_carbon(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    """A zero that is no rounding: certificates, which are market-based, or nobody knew."""
    claim = claims.get("carbon_g")
    if claim is None or claim.value or narrowed(claims, possible(claims)) is not None:
        return ()
    says = "a zero from certificates is market-based and should say so"
    return (finding(claim, "zero", WARNING, f"carbon is printed as {claim.printed}; {says}"),)


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


def _weight(findings: Sequence[Finding]) -> tuple[int, int, int, float]:
    errors = sum(one.severity is ERROR for one in findings)
    puzzles = sum(not one.cause for one in findings)
    off = sum(abs(log(one.ratio)) for one in findings if one.ratio and one.ratio > 0 and not one.cause)
    return errors, len(findings), puzzles, off


def _related(claims: Mapping[str, Claim]) -> tuple[Finding, ...]:
    wrong = mistaken(claims, possible(claims))
    right = without(claims, *wrong)
    found = [explained(name, {**right, name: claims[name]}, ERROR) for name in wrong]
    if kilograms := tuple(_kilograms(right)):
        return (*found, *kilograms)
    odd = mistaken(right, plausible(right))
    agreed = without(right, *odd)
    return (*found, *(explained(name, {**agreed, name: claims[name]}, WARNING) for name in odd))


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
