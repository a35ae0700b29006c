"""See to jobs until they have ended; who leaves lets none of them stay frozen."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from wattermark.errors import LeverStuck
from wattermark.levers.slurm import Slurm
from wattermark.science.schedule.acting import act_at
from wattermark.science.schedule.queued import whole_of
from wattermark.values.queued import PAUSED
from wattermark.verbs.opening import ledger_of
from wattermark.verbs.slurm.guarding import GRACE_S
from wattermark.verbs.slurm.kept import Submission, submission
from wattermark.verbs.slurm.replanning import Done, replan, resume
from wattermark.verbs.slurm.telling import collect
from wattermark.wiring.config import Config

LEAST_SLEEP_S = 0.5


def follow(plan_ids: Sequence[str], slurm: Slurm, *, config: Config, every_s: float | None) -> Iterator[Done]:
    """Look at each job, once or every so often until all have ended, and sooner where something is due.

    What has not changed is told once. Raises
    LeverStuck in the first look; later it tries again.
    """
    ledger = ledger_of(config)
    told: dict[str, str] = {}
    with _ending(ledger, plan_ids, slurm) if every_s is not None else _plainly():
        while True:
            running = [
                one for one in map(lambda plan: submission(ledger, plan), plan_ids) if one and not one.ended
            ]
            due: list[float] = []
            for one in running:
                done = _looked(one, slurm, config=config, patient=bool(told) and every_s is not None)
                due += [] if done.until_s is None else [done.until_s]
                if told.get(one.plan_id) != done.told:
                    told[one.plan_id] = done.told
                    yield done
            if every_s is None or not running:
                return
            now_s = time.time()
            wait_s = min([every_s, *(moment_s - now_s for moment_s in due)])
            time.sleep(max(wait_s, LEAST_SLEEP_S))


def wake(one: Submission, slurm: Slurm, *, config: Config, after_s: float) -> None:
    """After a time, resume a job that its plan no longer pauses: whoever paused it has gone."""
    ledger = ledger_of(config)
    time.sleep(after_s)
    while not (act := act_at(one.stretches, time.time())).runs:  # its pause was made longer
        time.sleep(act.until_s - time.time() + GRACE_S)
        one = submission(ledger, one.plan_id) or one
    _wake(one, slurm, ledger=ledger, why="whoever paused it has gone")


def _looked(one: Submission, slurm: Slurm, *, config: Config, patient: bool) -> Done:
    now_s = time.time()
    try:
        done = replan(one, slurm, config=config, now_s=now_s)
        collect(one, slurm, ledger=ledger_of(config), now_s=now_s)
    except LeverStuck as stuck:
        if not patient:
            raise
        return Done(one=one, told=str(stuck))
    return done


def _wake(one: Submission, slurm: Slurm, *, ledger: Path, why: str) -> None:
    tasks = slurm.jobs(one.job_id)
    job = whole_of(tasks) if tasks else None
    if job is not None and job.state in PAUSED:
        resume(one, job, slurm, ledger=ledger, now_s=time.time(), why=why)


@contextmanager
def _ending(ledger: Path, plan_ids: Sequence[str], slurm: Slurm) -> Iterator[None]:
    """Ctrl-C and SIGTERM end it, and wake what is paused."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        for plan_id in plan_ids:
            one = submission(ledger, plan_id)
            if one is not None and not one.ended and one.job.interruptible:
                _wake(one, slurm, ledger=ledger, why="whoever watched it left")


@contextmanager
def _plainly() -> Iterator[None]:
    yield
