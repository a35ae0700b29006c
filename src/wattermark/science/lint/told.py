"""A contradiction in words: numbers as the page prints them, in the page's own units."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from wattermark.values.claims import Claim, Finding, Severity


def finding(
    claim: Claim, rule: str, severity: Severity, sentence: str, *, expected: float | None = None
) -> Finding:
    """A finding about one claim.

    Parameters
    ----------
    claim : Claim
        The one that is blamed.
    rule : str
        The rule's name.
    severity : Severity
        Whether it cannot be, or hardly can.
    sentence : str
        What is printed, what was expected, and the likely cause.
    expected : float, optional
        In the base unit.
    """
    known = expected is not None and isfinite(expected) and expected > 0
    return Finding(
        rule=rule, severity=severity, sentence=sentence, where=claim.where, line=claim.line,
        printed=claim.value / claim.base_per_unit,
        expected=expected / claim.base_per_unit if known and expected else None,
        unit=_scaled_unit(claim),
        ratio=claim.value / expected if known and expected else None,
    )  # fmt: skip


def listed(claims: Mapping[str, Claim]) -> str:
    """Claims one after the other, as printed.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    words = [f"{claim.name} {claim.printed}" for claim in claims.values()] or ["what is possible"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def said(claim: Claim, value: float) -> str:
    """Another value of a claim, in the unit that it is printed in.

    Parameters
    ----------
    claim : Claim
        The one that is printed.
    value : float
        In the base unit.
    """
    unit = _scaled_unit(claim)
    glue = "" if claim.text[-1:].isalpha() else " "
    return f"{digits(value / claim.base_per_unit)}{glue}{unit}".strip()


def digits(value: float) -> str:
    """Four significant digits.

    Parameters
    ----------
    value : float
        In any unit.
    """
    if 1000 <= abs(value) < 1e7:
        return f"{float(f'{value:.4g}'):,.0f}"
    return f"{value:.4g}"


def between(low: float, high: float) -> str:
    """An interval, or one value where its ends are next to each other.

    Parameters
    ----------
    low, high : float
        In any unit.
    """
    if high <= low * 1.02:
        return digits(low)
    return f"{digits(low)} to {digits(high)}" if isfinite(high) else f"at least {digits(low)}"


def place(claim: Claim) -> str:
    """Where a claim stands.

    Parameters
    ----------
    claim : Claim
        The one.
    """
    return f"line {claim.line}" if claim.line else claim.where


def _scaled_unit(claim: Claim) -> str:
    scale = claim.text[-1] if claim.text[-1:].isalpha() else ""
    return f"{scale} {claim.unit}".strip()
