"""Jobs that a scheduler holds: what they need, how far they are, what may still be done with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from wattermark.science.terms import Energy
from wattermark.values.factors import Factor
from wattermark.values.plan import PlannedJob
from wattermark.values.queued import QueueJob, QueueState

NOMINAL_W: Final = 1.0
"""The power of a job of which nobody knows it: its best times are the same for any."""
LATE_S: Final = 60.0
"""The scheduler looks at its queue now and then; a start within this is in time. [s]"""
_ORDER: Final = (
    QueueState.RUNNING,
    QueueState.STOPPED,
    QueueState.SUSPENDED,
    QueueState.PENDING,
    QueueState.UNKNOWN,
    QueueState.ENDED,
)


def asked_power_w(
    *, cpus: int, gpus: int, cpu: Factor, gpu_powers: Mapping[str, Energy], gpu_factors: Iterable[Factor]
) -> float:
    """Mean power of what a job asks for, at work.

    Parameters
    ----------
    cpus, gpus : int
        Logical CPUs and GPUs in all. [1]
    cpu : Factor
        Power of one logical CPU at work. [W]
    gpu_powers : mapping of str to callable
        Mean power of one GPU and of its part of the host. [W]
    gpu_factors : iterable of Factor
        What these are made of.

    Returns
    -------
    power_w : float
        That of the GPUs with their hosts where there are any, else that of the CPUs. [W]
    """
    if not gpus:
        return cpus * cpu.value.best
    values = {factor.name: factor.value.best for factor in gpu_factors}
    return gpus * float(sum(power(values) for power in gpu_powers.values()))


def energy_over_j(power_w: float, duration_s: float) -> float:
    """Energy of a power that is drawn evenly. [J]

    Parameters
    ----------
    power_w : float
        [W]
    duration_s : float
        [s]
    """
    return power_w * duration_s


def power_of_w(energy_j: float, duration_s: float) -> float:
    """Mean power; of no time, 0. [W]

    Parameters
    ----------
    energy_j : float
        [J]
    duration_s : float
        [s]
    """
    return energy_j / duration_s if duration_s > 0 else 0.0


def whole_of(tasks: Sequence[QueueJob]) -> QueueJob:
    """An array of jobs as one: it runs while one of it runs, and has ended when all have.

    Parameters
    ----------
    tasks : sequence of QueueJob
        One at least; a job that is no array is its only task.
    """
    if len(tasks) == 1:
        return tasks[0]
    first = min(tasks, key=lambda task: _ORDER.index(task.state))
    begun = [task.begin_s for task in tasks if task.begin_s is not None]
    over = [task.end_s for task in tasks if task.end_s is not None]
    used = [task.used_s for task in tasks if task.used_s is not None]
    return replace(
        first,
        task="",
        begin_s=min(begun, default=None),
        end_s=max(over, default=None) if first.state is QueueState.ENDED else None,
        used_s=max(used, default=None),
    )


def stopped_s(pauses: Iterable[tuple[float, float | None]], now_s: float) -> float:
    """How long a job was stopped by signals, which its scheduler counts as running. [s]

    Parameters
    ----------
    pauses : iterable of (float, float or None)
        From when to when; None while it lasts. [s since 1970]
    now_s : float
        [s since 1970]
    """
    return sum((now_s if end_s is None else end_s) - begin_s for begin_s, end_s in pauses)


def ran_s(job: QueueJob, stopped: float, before_s: float) -> float:
    """How long a job has worked, with what it did before it was queued again. [s]

    Parameters
    ----------
    job : QueueJob
        As its scheduler tells it.
    stopped : float
        As of ``stopped_s``. [s]
    before_s : float
        What it worked in its lives before. [s]
    """
    now = (job.used_s or 0.0) if job.state is not QueueState.PENDING else 0.0
    return max(now - stopped, 0.0) + before_s


def must_run(left: PlannedJob | None, now_s: float) -> bool:
    """Whether a pause would cost the deadline, or nothing is known of what is left.

    Parameters
    ----------
    left : PlannedJob or None
        What is left of the job.
    now_s : float
        [s since 1970]
    """
    return left is None or latest_start_s(left) <= now_s


def latest_start_s(job: PlannedJob) -> float:
    """When a job must begin at the latest, to end in time. [s since 1970]

    Parameters
    ----------
    job : PlannedJob
        What is left of it.
    """
    return job.deadline_s - job.duration_s


def outlives_pause(job: QueueJob, left: PlannedJob, pause_s: float) -> bool:
    """Whether a job that its scheduler counts on while it is stopped still ends within its time limit.

    Parameters
    ----------
    job : QueueJob
        With its limit and the time it used.
    left : PlannedJob
        What is left of it.
    pause_s : float
        [s]
    """
    limit_s = inf if job.limit_s is None else job.limit_s
    return (job.used_s or 0.0) + pause_s + left.duration_s <= limit_s


def late_s(job: QueueJob, planned_s: float, now_s: float) -> float:
    """By how much a job began, or still waits, after its time; 0 where it is in time. [s]

    Parameters
    ----------
    job : QueueJob
        As its scheduler tells it.
    planned_s, now_s : float
        [s since 1970]
    """
    waits = job.state is QueueState.PENDING or job.begin_s is None
    late = (now_s if waits or job.begin_s is None else job.begin_s) - planned_s
    return late if late > LATE_S else 0.0
