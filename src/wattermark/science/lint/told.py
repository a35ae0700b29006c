"""A contradiction in words: numbers as the page prints them, in the page's own units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final

from wattermark.values.claims import Claim, Finding, Severity

_SCALE: Final = re.compile(r"(?<=\d)\s*[A-Za-z]+$")
"""The end of 7.0M, 12 K and 2 million."""


def finding(
    claim: Claim,
    rule: str,
    severity: Severity,
    sentence: str,
    *,
    expected: float | None = None,
    cause: str = "",
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
    cause : str
        The mistake that is recognised, if one is.
    """
    known = expected is not None and isfinite(expected) and expected > 0
    return Finding(
        rule=rule, severity=severity, sentence=sentence, where=claim.where, line=claim.line,
        printed=claim.value / claim.base_per_unit,
        expected=expected / claim.base_per_unit if known and expected else None,
        unit=_scaled_unit(claim),
        ratio=claim.value / expected if known and expected else None, cause=cause,
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
    return f"{_scaled(claim, value)} {claim.unit}".strip()


def spanned(claim: Claim, low: float, high: float) -> str:
    """Two ends of what a claim may be, in the unit that it is printed in; one, where there is but one.

    Parameters
    ----------
    claim : Claim
        The one that is printed.
    low, high : float
        In the base unit.
    """
    if not isfinite(high):
        return f"at least {said(claim, low)}"
    if low <= 0:
        return f"at most {said(claim, high)}"
    return said(claim, low) if high <= low * 1.02 else f"{_scaled(claim, low)} to {said(claim, high)}"


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
    if low <= 0 and isfinite(high):
        return f"at most {digits(high)}"
    return f"{digits(low)} to {digits(high)}" if isfinite(high) else f"at least {digits(low)}"


def place(claim: Claim) -> str:
    """Where a claim stands.

    Parameters
    ----------
    claim : Claim
        The one.
    """
    return f"line {claim.line}" if claim.line else claim.where


def _scaled(claim: Claim, value: float) -> str:
    scale = _SCALE.search(claim.text)
    return f"{digits(value / claim.base_per_unit)}{scale[0] if scale else ''}"


def _scaled_unit(claim: Claim) -> str:
    scale = _SCALE.search(claim.text)
    return f"{scale[0].strip() if scale else ''} {claim.unit}".strip()
