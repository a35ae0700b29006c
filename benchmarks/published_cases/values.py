"""A published figure, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wattermark.values.range import Range

Inputs = Mapping[str, Any]
SHOWN = "shown"
BAND, LINT, NOTHING = "band", "lint", ""


@dataclass(frozen=True, slots=True)
class Case:
    """A row of ``tests/data/published_cases.csv``.

    ``value`` is in ``unit``, a base unit. ``tolerance`` tells what must hold: below 1 a relative error,
    from 1 on a factor either way, ``band`` our interval, ``lint`` what the linter must say, and nothing
    where the figure is only shown; ``remark`` then says why.
    """

    case: str
    citation: str
    kind: str
    inputs: Inputs
    quantity: str
    unit: str
    value: float
    tolerance: str
    remark: str

    @property
    def is_tested(self) -> bool:
        return self.tolerance != NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What we say of a case, in its unit.

    ``ours`` is exact where the case is arithmetic. ``theirs`` is the figure by the publisher's own formula,
    where that is another than ours; a tolerance is then theirs to keep. ``linted`` tells whether the linter
    did as it must. ``note`` is what else is worth a look.
    """

    ours: Range | None = None
    theirs: float | None = None
    linted: bool | None = None
    note: str = ""


def holds(case: Case, outcome: Outcome) -> bool:
    """Whether what the row promises is so."""
    if case.tolerance == LINT:
        return outcome.linted is True
    if case.tolerance == BAND:
        return inside(case, outcome) is True
    allowed = float(case.tolerance)
    if outcome.theirs is None and outcome.ours is None:
        return False
    said = outcome.ours.best if outcome.theirs is None and outcome.ours else outcome.theirs
    assert said is not None
    if allowed < 1:
        return abs(said - case.value) <= allowed * abs(case.value)
    return 1 / allowed <= said / case.value <= allowed


def inside(case: Case, outcome: Outcome) -> bool | None:
    """Whether the published figure lies in our interval; None where we have none."""
    if outcome.ours is None or outcome.ours.is_exact:
        return None
    return outcome.ours.low <= case.value <= outcome.ours.high
