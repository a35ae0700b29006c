"""What a scheduler says of a job that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class QueueState(StrEnum):
    """In which of these a job is; SLURM's many names are told beside it."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    """By the scheduler: its processes are stopped, and its run time stands still."""
    STOPPED = "stopped"
    """By a signal: the scheduler counts its time on."""
    ENDED = "ended"
    UNKNOWN = "unknown"


PAUSED: Final = frozenset({QueueState.SUSPENDED, QueueState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueJob:
    """A job, or a task of an array of jobs. Moments are in seconds since 1970, None is not known.

    ``job_id`` is that of the array for its tasks. ``begin_s`` is when it began, or may begin;
    ``used_s`` how long it has run, without suspensions; ``limit_s`` how long it may. ``word`` is the
    scheduler's own for its state, ``reason`` why it waits.
    """

    job_id: str
    state: QueueState
    word: str
    reason: str = ""
    submit_s: float | None = None
    begin_s: float | None = None
    end_s: float | None = None
    used_s: float | None = None
    limit_s: float | None = None
    task: str = ""

    @property
    def held(self) -> bool:
        return self.state is QueueState.PENDING and "held" in self.reason.lower()
