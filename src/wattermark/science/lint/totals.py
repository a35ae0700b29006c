"""Whether a total is the sum of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

from wattermark.science.lint.causes import likely_cause
from wattermark.science.lint.told import finding, said
from wattermark.values.claims import Finding, Severity, Total

_SUM_TOLERANCE: Final = 0.01
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
    fitting = {total.total.line for total in totals if _gap(total) == 0}
    for total in totals:
        if (gap := _gap(total)) != 0:
            yield _wrong(total, gap, total.listed or total.total.line in fitting)


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
    low = sum(part.low for part in total.parts) * (1 - _SUM_TOLERANCE)
    high = sum(part.high for part in total.parts) * (1 + _SUM_TOLERANCE)
    return max(0.0, total.total.low - high) + min(0.0, total.total.high - low)
