"""One job at one place: the cheapest of the exact ways that fit it."""

from __future__ import annotations

from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.steps import Steps
from wattermark.science.schedule.window import best_window
from wattermark.values.plan import PlannedJob, Stretch


def stretches_of(rate: Steps, held_rate: Steps | None, job: PlannedJob) -> tuple[Stretch, ...]:
    """When to run a job; nothing where it finds no place.

    Parameters
    ----------
    rate : Steps
        What a second of running costs, in any unit.
    held_rate : Steps or None
        What a second of pausing costs, in that unit.
    job : PlannedJob
        What is to run.
    """
    if job.interruptible:
        return cheapest_stretches(rate, job.duration_s, job.earliest_s, job.deadline_s)
    found = best_window(rate, job.duration_s, job.earliest_s, job.deadline_s)
    return (found,) if found else ()
