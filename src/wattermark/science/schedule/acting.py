"""What should be happening at this moment, by a plan; and what is left of a job when it is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

import numpy as np

from wattermark.science.schedule.interruptible import joined
from wattermark.science.schedule.weights import Weights, score_of
from wattermark.values.footprint import Footprint
from wattermark.values.plan import Option, PlannedJob, Stretch

SWITCH_GAIN: Final = 0.02
"""A new plan must save this much more of what starting now takes, before an old one is given up. [1]

Each forecast differs from the one before by its errors alone; without a margin a job would follow them.
"""
PAUSED: Final = "paused"
"""The span of a run in which its command stands still."""
LEAP_S: Final = 60.0
"""Clocks that differ by more than this have been set, or the machine slept. [s]"""


@dataclass(frozen=True, slots=True)
class Act:
    """Whether the job is to run now, and when that changes; infinite where it does not. [s since 1970]"""

    runs: bool
    until_s: float


def act_at(stretches: Sequence[Stretch], now_s: float) -> Act:
    """What the job should be doing.

    After its last stretch it runs on: it took longer than was thought, and nothing is gained by a pause.

    Parameters
    ----------
    stretches : sequence of Stretch
        In their order, one at least.
    now_s : float
        [s since 1970]

    Examples
    --------
    >>> plan = [Stretch(begin_s=10, end_s=20), Stretch(begin_s=30, end_s=40)]
    >>> [act_at(plan, now).runs for now in (0, 10, 20, 30, 50)]
    [False, True, False, True, True]
    """
    for stretch in stretches[:-1]:
        if now_s < stretch.begin_s:
            return Act(False, stretch.begin_s)
        if now_s < stretch.end_s:
            return Act(True, stretch.end_s)
    last_s = stretches[-1].begin_s
    return Act(True, inf) if now_s >= last_s else Act(False, last_s)


def leapt(clock_s: float, steady_s: float) -> bool:
    """Whether a clock has gone another way than one that only counts: set, or the machine slept.

    Parameters
    ----------
    clock_s, steady_s : float
        What passed by each. [s]
    """
    return abs(clock_s - steady_s) > LEAP_S


def ran_s(footprint: Footprint, told: Iterable[tuple[float, float]] = ()) -> float:
    """How long a run took without what it stood still. [s]

    Parameters
    ----------
    footprint : Footprint
        Of all of it.
    told : iterable of (float, float)
        Pauses that were written down elsewhere, too, or only there: from when to when. [s since 1970]
    """
    seen_s = sum(span.duration_s for span in footprint.spans if span.name == PAUSED)
    told_s = sum(end_s - begin_s for begin_s, end_s in told)
    return max(footprint.duration_s - max(seen_s, told_s), 0.0)


def left_of(job: PlannedJob, ran_s: float, restarts: int, now_s: float) -> PlannedJob | None:
    """The job that is still to be done; None where it has run as long as was thought.

    Parameters
    ----------
    job : PlannedJob
        As it was when nothing of it was done.
    ran_s : float
        How long it has run. [s]
    restarts : int
        How often it was started again, which takes ``restart_s`` of that. [1]
    now_s : float
        [s since 1970]
    """
    left_s = job.duration_s - max(ran_s - restarts * job.restart_s, 0.0)
    if left_s <= 0:
        return None
    return replace(
        job,
        duration_s=left_s,
        it_energy_j=job.power_w * left_s,
        earliest_s=max(job.earliest_s, now_s),
        least_run_s=min(job.least_run_s, left_s),
    )


def left_in(stretches: Sequence[Stretch], now_s: float) -> tuple[Stretch, ...]:
    """What of a plan is still to come.

    Parameters
    ----------
    stretches : sequence of Stretch
        In their order.
    now_s : float
        [s since 1970]
    """
    coming = (Stretch(begin_s=max(one.begin_s, now_s), end_s=one.end_s) for one in stretches)
    return joined(one for one in coming if one.duration_s > 0)


def at_once(job: PlannedJob, now_s: float) -> tuple[Stretch, ...]:
    """The job in one piece, from now on.

    Parameters
    ----------
    job : PlannedJob
        What is left.
    now_s : float
        [s since 1970]
    """
    return (Stretch(begin_s=now_s, end_s=now_s + job.duration_s),)


def holds(stretches: Sequence[Stretch], job: PlannedJob, slack_s: float = LEAP_S) -> bool:
    """Whether a job still fits into what is left of its plan.

    Parameters
    ----------
    stretches : sequence of Stretch
        Still to come.
    job : PlannedJob
        What is left.
    slack_s : float
        What it may lack. [s]
    """
    return sum(one.duration_s for one in stretches) >= job.duration_s - slack_s


def is_better(fresh: Option, kept: Option, now: Option, weights: Weights, least: float = SWITCH_GAIN) -> bool:
    """Whether a new plan is worth giving up an old one for, both by the newest forecast.

    Parameters
    ----------
    fresh, kept, now : Option
        The new plan, the old one, and starting at once, for what is left of a job.
    weights : mapping
        As of ``check_weights``.
    least : float
        What must be gained, of what starting at once takes. [1]
    """
    gain = score_of(kept, now, weights) - score_of(fresh, now, weights)
    return bool(np.isnan(gain) or gain > least)
