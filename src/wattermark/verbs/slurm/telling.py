"""What became of jobs that were submitted: planned against what the scheduler says, and what they took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wattermark.ledger.plans import TAG
from wattermark.levers.slurm import Slurm
from wattermark.report.numbers import TIME, say
from wattermark.science.schedule.queued import late_s, whole_of
from wattermark.values.queued import QueueJob, QueueState
from wattermark.verbs.look import Seen, list_runs
from wattermark.verbs.slurm.kept import Submission, note_end

MOST_RUNS = 1000
"""Of one job: an array has many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands. ``job`` is None where SLURM knows it no more."""

    one: Submission
    job: QueueJob | None
    planned_s: float
    late_s: float = 0.0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a job took: its runs in the ledger, and what SLURM's own meters say, None where it has none."""

    one: Submission
    runs: tuple[Seen, ...]
    slurm_energy_j: float | None
    status: str
    remarks: tuple[str, ...] = ()


def standing(one: Submission, slurm: Slurm, *, now_s: float) -> Standing:
    """Where a job stands.

    Raises
    ------
    LeverStuck
        If SLURM does not answer.
    """
    planned_s = one.stretches[0].begin_s
    tasks = slurm.jobs(one.job_id)
    if not tasks:
        return Standing(one=one, job=None, planned_s=planned_s, remarks=("SLURM knows it no more",))
    job = whole_of(tasks)
    late = 0.0 if job.held or one.before_s else late_s(job, planned_s, now_s)
    return Standing(
        one=one, job=job, planned_s=planned_s, late_s=late, remarks=tuple(_remarks(one, job, late, now_s))
    )


def collect(one: Submission, slurm: Slurm, *, ledger: Path, now_s: float) -> Collected | None:
    """What a job took that has ended, noted in its plan; None while it has not.

    Raises
    ------
    LeverStuck
        If SLURM does not answer.
    """
    if one.ended and one.end.get("status") == "refused":
        return None
    tasks = slurm.jobs(one.job_id)
    job = whole_of(tasks) if tasks else None
    if job is not None and job.state is not QueueState.ENDED:
        return None
    runs = tuple(run for run in _runs(ledger, one.plan_id) if isinstance(run, Seen))
    energy_j = slurm.energy_j(one.job_id)
    status = job.word if job else str(one.end.get("status", "forgotten by SLURM"))
    if not one.ended:
        note_end(
            ledger,
            one,
            now_s,
            status=status,
            begin_s=job.begin_s if job else None,
            end_s=job.end_s if job else None,
            runs=[run.run for run in runs],
            slurm_energy_j=energy_j,
        )
    remarks = () if runs else ("no run of it is in the ledger: it was not measured, or never ran",)
    return Collected(one=one, runs=runs, slurm_energy_j=energy_j, status=status, remarks=remarks)


def _runs(ledger: Path, plan_id: str) -> Iterator[object]:
    return list_runs(ledger, most=MOST_RUNS, tags=(f"{TAG}={plan_id}",))


def _remarks(one: Submission, job: QueueJob, late: float, now_s: float) -> Iterator[str]:
    if job.held:
        yield "held: scontrol release lets it begin"
    elif late and job.state is QueueState.PENDING:
        yield f"{say(late, TIME)} late: it waits for room ({job.reason or 'no reason told'})"
    elif late:
        yield f"{say(late, TIME)} late: there was no room before"
    if one.moves:
        yield f"moved {one.moves} times" if one.moves > 1 else "moved once"
    if job.state is QueueState.PENDING and one.job.deadline_s < now_s:
        yield "its deadline is over"
