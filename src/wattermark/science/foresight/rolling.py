"""A plan that is made anew whenever a new forecast comes.

At each issue what is left of the job is planned on the newest forecast; only what lies before the next
issue is done, and the rest is open again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wattermark.science.foresight.chances import time_in
from wattermark.science.schedule.interruptible import cheapest_stretches, joined
from wattermark.science.schedule.steps import Steps
from wattermark.science.schedule.window import best_window
from wattermark.values.plan import Stretch

SLACK_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A job as a rolling plan sees it: how long [s], between which moments [s since 1970], and whether in one
    piece."""

    duration_s: float
    earliest_s: float
    deadline_s: float
    interruptible: bool


@dataclass(frozen=True, slots=True, eq=False)
class Issue:
    """A forecast and when it was made. [s since 1970]"""

    issued_s: float
    forecast: Steps


def planned(steps: Steps, task: Task) -> tuple[Stretch, ...]:
    """The cheapest hours by one forecast; nothing where the job finds no place in it.

    Parameters
    ----------
    steps : Steps
        What was forecast.
    task : Task
        What runs.
    """
    if task.interruptible:
        return cheapest_stretches(steps, task.duration_s, task.earliest_s, task.deadline_s)
    found = best_window(steps, task.duration_s, task.earliest_s, task.deadline_s)
    return () if found is None else (found,)


def replanned(issues: Sequence[Issue], task: Task, penalty: float = 0.0) -> tuple[Stretch, ...]:
    """The hours in which a job runs that is planned anew at each issue.

    Parameters
    ----------
    issues : sequence of Issue
        In the order of their making; the first is known when the job may start, later ones count from
        their own moment on. One in which what is left finds no place changes nothing.
    task : Task
        What runs.
    penalty : float
        How much dearer an hour must be told to be before the plan leaves it for another; in the signal's
        unit. As large as forecasts err a day ahead it keeps a plan from following their noise.

    Returns
    -------
    tuple of Stretch
        Empty where no issue holds the job.
    """
    done: list[Stretch] = []
    plan: tuple[Stretch, ...] = ()
    for at, issue in enumerate(issues):
        begin_s = max(issue.issued_s, task.earliest_s)
        left_s = task.duration_s - sum(one.duration_s for one in done)
        if left_s <= SLACK_S or begin_s >= task.deadline_s or (done and not task.interruptible):
            break  # it is done, or runs on in one piece
        rest = replace(task, duration_s=left_s, earliest_s=begin_s)
        plan = planned(_dearer_elsewhere(issue.forecast, plan, penalty), rest) or plan
        until_s = issues[at + 1].issued_s if at + 1 < len(issues) else task.deadline_s
        done += _before(plan, until_s) if task.interruptible else _started(plan, until_s)
        plan = _after(plan, until_s)
    return joined(done)


def _dearer_elsewhere(steps: Steps, plan: Sequence[Stretch], penalty: float) -> Steps:
    """Steps with a penalty on all that is not in the plan so far, in parts where it is in parts."""
    if not (penalty and plan):
        return steps
    outside = 1 - time_in(steps, plan) / steps.lengths_s
    return Steps(steps.edges_s, steps.values + penalty * outside)


def _before(plan: Sequence[Stretch], until_s: float) -> list[Stretch]:
    return [
        Stretch(begin_s=one.begin_s, end_s=min(one.end_s, until_s)) for one in plan if one.begin_s < until_s
    ]


def _started(plan: Sequence[Stretch], until_s: float) -> list[Stretch]:
    """One piece that begins before the next issue is run to its end."""
    return [one for one in plan if one.begin_s < until_s]


def _after(plan: Sequence[Stretch], from_s: float) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(begin_s=max(one.begin_s, from_s), end_s=one.end_s) for one in plan if one.end_s > from_s
    )
