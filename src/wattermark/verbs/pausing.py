"""When a run stood still, by what was written of its plan, and how long it worked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool
from wattermark.ledger.plans import TAG, plan_lines
from wattermark.science.schedule.acting import ran_s
from wattermark.values.plan import CHECKPOINT, REQUEUE
from wattermark.verbs.look import Seen
from wattermark.verbs.slurm.kept import PAUSE, RESUME

Pause = tuple[float, float]


def pauses(lines: Iterable[Mapping[str, Any]]) -> list[Pause]:
    """When a run stood still; a pause that nobody ended is none."""
    found: list[Pause] = []
    since_s: float | None = None
    for line in lines:
        if line.get("kind") == PAUSE and line.get("by") not in (CHECKPOINT, REQUEUE) and since_s is None:
            since_s = float(line["at_s"])
        elif line.get("kind") == RESUME and since_s is not None:
            found.append((since_s, float(line["at_s"])))
            since_s = None
    return found


def worked_s(ledger: Path, seen: Seen) -> float:
    """How long a run took without what it stood still. [s]

    By its spans, or by its plan: what SLURM suspends is suspended with its recorder, which notes nothing.
    """
    plan_id = seen.recorded.header.tags.get(TAG)
    try:
        lines = plan_lines(ledger, plan_id) if plan_id else []
    except BadSpool:  # it was planned elsewhere
        lines = []
    return ran_s(seen.footprint, pauses(lines))
