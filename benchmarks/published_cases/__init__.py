"""What others published, recomputed: the one place for ``published.py`` and ``tests/test_published.py``.

The figures stand in ``tests/data/published_cases.csv``; a row's ``kind`` names the function that says what
we, and where it is another model's figure what they, make of its inputs.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import wattermark as wm

from . import arithmetic, estimates, others
from .values import SHOWN, Case, Outcome, holds, inside

TABLE = Path(__file__).resolve().parents[2] / "tests" / "data" / "published_cases.csv"


def shown(case: Case) -> Outcome:
    """A figure with too little beside it for a test: ours of what comes nearest, if anything does."""
    if "job" not in case.inputs:
        return Outcome()
    found = wm.estimate_inference(wm.Inference(**case.inputs["job"]), wm.Site(**case.inputs["site"]))
    return Outcome(ours=found.footprint.quantities()[case.quantity])


GROUPS: dict[str, dict[str, Callable[[Case], Outcome]]] = {
    "arithmetic": arithmetic.KINDS,
    "our models": estimates.KINDS,
    "other models": others.KINDS,
    SHOWN: {SHOWN: shown},
}
KINDS = {kind: work for group in GROUPS.values() for kind, work in group.items()}


def read_cases(table: Path = TABLE) -> Iterator[Case]:
    """All published figures."""
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            inputs, value = json.loads(row.pop("inputs")), float(row.pop("value"))
            yield Case(**row, inputs=inputs, value=value)


def outcome_of(case: Case) -> Outcome:
    """What we say of a figure."""
    return KINDS[case.kind](case)


def group_of(case: Case) -> str:
    """Whether a figure is arithmetic, asks our models, is another model's, or is only shown."""
    return next(name for name, kinds in GROUPS.items() if case.kind in kinds)


__all__ = [
    "GROUPS",
    "KINDS",
    "SHOWN",
    "Case",
    "Outcome",
    "group_of",
    "holds",
    "inside",
    "outcome_of",
    "read_cases",
]
