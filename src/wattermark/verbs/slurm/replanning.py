"""Ask again: move a waiting job where a newer forecast is better, pause and resume one that runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from wattermark.errors import LeverStuck
from wattermark.levers.slurm import NotAllowed, Slurm
from wattermark.report.numbers import TIME, say
from wattermark.science.schedule.acting import act_at, at_once, left_in, left_of
from wattermark.science.schedule.queued import (
    latest_start_s,
    must_run,
    outlives_pause,
    ran_s,
    stopped_s,
    whole_of,
)
from wattermark.values.plan import PlannedJob, Stretch
from wattermark.values.queued import PAUSED, QueueJob, QueueState
from wattermark.verbs.moments import local
from wattermark.verbs.opening import ledger_of
from wattermark.verbs.planning_again import Anew, better_times
from wattermark.verbs.slurm.guarding import guard
from wattermark.verbs.slurm.kept import (
    BY_REQUEUE,
    BY_SIGNAL,
    BY_SUSPEND,
    Submission,
    note_move,
    note_pause,
    note_resume,
)
from wattermark.wiring.config import Config

OBEYS_S, LOOK_AGAIN_S = 10.0, 0.5
"""How long the controller may take until a job is in the state that was asked for."""
BETTER = "a newer forecast is better"
BEGINS = "BeginTime"
"""Why a job waits whose time has not come; once it has, it keeps its place in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done about a job; ``act`` is empty where nothing was. ``until_s`` is when to look again."""

    one: Submission
    act: str = ""
    told: str = ""
    until_s: float | None = None


def replan(one: Submission, slurm: Slurm, *, config: Config, now_s: float) -> Done:
    """Ask the outlook again and act.

    Raises
    ------
    LeverStuck
        If SLURM does not answer or does not obey.
    """
    tasks = slurm.jobs(one.job_id)
    if not tasks:
        return Done(one=one, told="SLURM knows it no more")
    job = whole_of(tasks)
    if job.state is QueueState.ENDED:
        return Done(one=one, told=f"it has ended: {job.word}")
    if one.paused and job.state is QueueState.RUNNING:
        one = note_resume(ledger_of(config), one, now_s, "somebody else resumed it")
    done = ran_s(job, stopped_s(one.stops, now_s), one.before_s)
    left = left_of(one.job, done, one.restarts, now_s)
    if job.state is QueueState.PENDING:
        return _waiting(one, job, left, slurm, config=config, now_s=now_s)
    if not one.job.interruptible:
        return Done(one=one, told="it runs")
    ledger = ledger_of(config)
    if left is not None and not must_run(left, now_s):
        fresh = _fresh(one, left, config, now_s)
        one = note_move(ledger, one, now_s, fresh.stretches, BETTER) if fresh.stretches else one
    return _running(one, job, left, slurm, ledger=ledger, now_s=now_s)


def resume(one: Submission, job: QueueJob, slurm: Slurm, *, ledger: Path, now_s: float, why: str) -> None:
    """Let a paused job go on, and see that it does."""
    if job.state is QueueState.SUSPENDED:
        slurm.resume(one.job_id)
    else:
        slurm.go_on(one.job_id)
    _see(slurm, one.job_id, frozenset({QueueState.RUNNING, QueueState.ENDED}))
    note_resume(ledger, one, now_s, why)


def _waiting(
    one: Submission, job: QueueJob, left: PlannedJob | None, slurm: Slurm, *, config: Config, now_s: float
) -> Done:
    ledger = ledger_of(config)
    if not job.held and job.reason != BEGINS and one.stretches[0].begin_s <= now_s:
        return Done(one=one, told=f"it waits for room: {job.reason or 'the scheduler has not looked yet'}")
    if left is None or latest_start_s(left) <= now_s:
        if job.begin_s is not None and job.begin_s <= now_s:
            return Done(one=one, told="it may begin at any moment")
        slurm.move(one.job_id, now_s)
        stretches = one.stretches if left is None else at_once(left, now_s)
        moved = note_move(ledger, one, now_s, stretches, "no time is left to wait")
        return Done(one=moved, act="moved", told="it may begin now: no time is left to wait")
    fresh = _fresh(one, left, config, now_s)
    if not fresh.stretches:
        begin_s = (left_in(one.stretches, now_s) or one.stretches)[0].begin_s
        return Done(one=one, told=f"it stays: begins {local(begin_s)}{_why(fresh)}", until_s=begin_s)
    begin_s = fresh.stretches[0].begin_s
    slurm.move(one.job_id, begin_s)
    moved = note_move(ledger, one, now_s, fresh.stretches, BETTER)
    return Done(one=moved, act="moved", told=f"moved: begins {local(begin_s)}", until_s=begin_s)


def _fresh(one: Submission, left: PlannedJob, config: Config, now_s: float) -> Anew:
    """A better time by the newest forecast, if there is one."""
    kept = _kept(one, left, now_s)
    return better_times(left, kept, one.place, one.weights, config=config, now_s=now_s)


def _why(fresh: Anew) -> str:
    return f" ({fresh.why})" if fresh.why else ""


def _kept(one: Submission, left: PlannedJob, now_s: float) -> tuple[Stretch, ...]:
    """The plan as it is, from now on."""
    return left_in(one.stretches, max(now_s, left.earliest_s))


def _running(
    one: Submission, job: QueueJob, left: PlannedJob | None, slurm: Slurm, *, ledger: Path, now_s: float
) -> Done:
    act = act_at(one.stretches, now_s)
    runs = act.runs or must_run(left, now_s)
    if job.state in PAUSED:
        if not runs:
            return Done(one=one, told=f"it pauses until {local(act.until_s)}", until_s=act.until_s)
        resume(one, job, slurm, ledger=ledger, now_s=now_s, why="by its plan")
        return Done(one=one, act="resumed", told="resumed", until_s=act.until_s)
    if runs or left is None:
        return Done(one=one, told="it runs", until_s=act.until_s)
    return _pause(one, job, left, slurm, ledger=ledger, until_s=act.until_s, now_s=now_s)


def _pause(
    one: Submission,
    job: QueueJob,
    left: PlannedJob,
    slurm: Slurm,
    *,
    ledger: Path,
    until_s: float,
    now_s: float,
) -> Done:
    """By queueing it again where it can be; else suspended, else by signals, as its owner may."""
    by = BY_REQUEUE if one.requeue else BY_SUSPEND
    pause_s = until_s - now_s
    try:
        if one.requeue:
            _requeue(slurm, one.job_id, until_s)
        else:
            slurm.suspend(one.job_id)
            _see(slurm, one.job_id, PAUSED)
    except NotAllowed:
        by = BY_SIGNAL
        if not outlives_pause(job, left, pause_s):
            return Done(
                one=one, told="it runs on: its time limit goes on while it is stopped, and is too short"
            )
        slurm.stop(one.job_id)
        _see(slurm, one.job_id, PAUSED)
    done_s = ran_s(job, stopped_s(one.stops, now_s), one.before_s)
    note_pause(ledger, one, now_s, by=by, until_s=until_s, ran_s=done_s)
    if by != BY_REQUEUE:
        guard(ledger, one.job_id, pause_s)
    told = f"paused for {say(pause_s, TIME)} ({by}), until {local(until_s)}"
    return Done(one=replace(one), act="paused", told=told, until_s=until_s)


def _requeue(slurm: Slurm, job_id: str, until_s: float) -> None:
    """It ends, gives all back, and waits in the queue for its next stretch."""
    slurm.requeue(job_id, hold=True)
    _see(slurm, job_id, frozenset({QueueState.PENDING}))
    slurm.move(job_id, until_s)
    slurm.release(job_id)


def _see(slurm: Slurm, job_id: str, wanted: frozenset[QueueState]) -> None:
    """Wait until a job is as it was told to be.

    Raises
    ------
    LeverStuck
        If it is not.
    """
    until_s = time.monotonic() + OBEYS_S
    while True:
        tasks = slurm.jobs(job_id)
        if tasks and whole_of(tasks).state in wanted:
            return
        if time.monotonic() > until_s:
            said = tasks[0].word if tasks else "nothing"
            raise LeverStuck(
                f"the job {job_id} is {said} and not {' or '.join(sorted(wanted))}",
                fix="See: squeue, scontrol",
            )
        time.sleep(LOOK_AGAIN_S)
