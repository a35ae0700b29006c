"""Whether a total is the sum of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from wattermark.science.lint.causes import likely_cause
from wattermark.science.lint.told import finding, said
from wattermark.values.claims import Claim, Finding, Severity, Total

COMPONENTS: Final = ("it_energy_j", "energy_cpu_j", "energy_ram_j")
_SUM_TOLERANCE: Final = 0.01
_MOST_PARTS: Final = 60
"""With more, nobody looks for parts of parts."""
_LEAST_RATIO: Final = 0.98
"""How near a total must be to a factor that explains it."""


def check_totals(totals: Sequence[Total]) -> Iterator[Finding]:
    """The totals that are not the sum of their parts.

    A part may be left out of a table; no other number in the same row then adds up either.

    Parameters
    ----------
    totals : sequence of Total
        Of one page.
    """
    totals = [_flattened(total) for total in totals]
    fitting = {total.total.line for total in totals if _gap(total) == 0}
    for total in totals:
        if (gap := _gap(total)) != 0:
            yield _wrong(total, gap, total.listed or total.total.line in fitting)


def check_components(claims: Mapping[str, Claim]) -> tuple[tuple[Finding, ...], dict[str, Claim]]:
    """The energy of a machine against that of its parts, and the claims without the parts.

    Beside the energy of processors or memory, that of the accelerators is a part as well. A PUE is in the
    whole, or is not.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    if not claims.keys() & {"energy_cpu_j", "energy_ram_j"}:
        return (), dict(claims)
    parts = tuple(claims[name] for name in COMPONENTS if name in claims)
    rest = {name: claim for name, claim in claims.items() if name not in COMPONENTS}
    total = rest.get("energy_j")
    if total is None and "carbon_g" not in rest and "it_energy_j" in claims:
        return (), {**rest, "it_energy_j": claims["it_energy_j"]}
    if total is None or len(parts) < len(COMPONENTS):
        return (), rest
    whole = Total(total, parts, listed=True)
    with_pue = replace(total, low=total.low / rest["pue"].high) if "pue" in rest else total
    fits = _gap(replace(whole, total=with_pue)) == 0
    return (() if fits else (_wrong(whole, _gap(whole), complete=True),)), rest


def _wrong(total: Total, gap: float, complete: bool) -> Finding:
    claim, best = total.total, sum(part.value for part in total.parts)
    ratio = claim.value / best if best else inf
    slip = likely_cause(ratio, (_LEAST_RATIO * ratio, ratio / _LEAST_RATIO), claim.quantity, {})
    sentence = (
        f"the total is printed as {claim.printed}, but its {len(total.parts)} parts "
        f"add up to {said(claim, best)}"
    )
    left_out = gap > 0 and not complete and not slip
    cause = "a part may be left out" if left_out else slip.says if slip else ""
    severity = Severity.WARNING if left_out else Severity.ERROR
    return finding(
        claim, "total", severity, sentence + (f": {cause}" if cause else ""), expected=best, cause=cause
    )


def _gap(total: Total) -> float:
    """How much the total is above all that its parts may be, or below."""
    return _above(total.total, total.parts)


def _above(claim: Claim, parts: Sequence[Claim]) -> float:
    low = sum(part.low for part in parts) * (1 - _SUM_TOLERANCE)
    high = sum(part.high for part in parts) * (1 + _SUM_TOLERANCE)
    return max(0.0, claim.low - high) + min(0.0, claim.high - low)


def _flattened(total: Total) -> Total:
    """Without parts of parts, where that makes it fit: they stand below what they add up to, or above it."""
    if len(total.parts) > _MOST_PARTS or _gap(total) == 0:
        return total
    upward = tuple(reversed(_without_children(tuple(reversed(total.parts)))))
    for parts in (_without_children(total.parts), upward):
        nested = replace(total, parts=parts)
        if len(parts) < len(total.parts) and _gap(nested) == 0:
            return nested
    return total


def _without_children(parts: Sequence[Claim]) -> tuple[Claim, ...]:
    """The parts without those that follow another one and add up to it."""
    kept: list[Claim] = []
    at = 0
    while at < len(parts):
        kept.append(parts[at])
        fits = (end for end in range(at + 2, len(parts) + 1) if not _above(parts[at], parts[at + 1 : end]))
        at = next(fits, at + 1)
    return tuple(kept)
