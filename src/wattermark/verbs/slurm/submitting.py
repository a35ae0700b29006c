"""Submit a batch script so that SLURM begins it at its best time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wattermark.errors import LeverStuck, UsageError
from wattermark.ledger.plans import TAG, note
from wattermark.levers.batch_script import interpreter, is_shell, launches, measured
from wattermark.levers.sbatch_options import Asked, asked
from wattermark.levers.slurm import Slurm
from wattermark.values.plan import Plan, PlannedJob
from wattermark.verbs.opening import ledger_of
from wattermark.verbs.place import check_place
from wattermark.verbs.planning import keep_plan, plan_job
from wattermark.verbs.slurm.kept import END, note_submit
from wattermark.verbs.slurm.needs import Needs, needs_of
from wattermark.wiring.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user wants: the script, done ``within_s``, and what is known of it."""

    script: Path
    within_s: float
    duration_s: float | None = None
    it_energy_j: float | None = None
    interruptible: bool = False
    requeue: bool = False
    restart_s: float = 0.0
    hold: bool = False
    force: bool = False
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A script that was read and planned, and is not submitted yet."""

    wish: Wish
    text: str
    asked: Asked
    name: str
    needs: Needs
    plan: Plan
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A job that SLURM has taken."""

    plan_id: str
    job_id: str
    prepared: Prepared


def prepare(wish: Wish, *, config: Config, now_s: float) -> Prepared:
    """Read a script and plan it.

    Raises
    ------
    UsageError
        If the script cannot be read or understood, has a beginning of its own, or cannot be done in time.
    NoPlan, SignalUnavailable
        If too little is known of the hours to come.
    """
    if config.place is not None:
        check_place(config.place)
    text = _text_of(wish.script)
    interpreter(text)
    found = asked(text, wish.options, os.environ)
    _check(wish, found)
    name = found.name or wish.script.name
    needs = needs_of(found, name, ledger_of(config), duration_s=wish.duration_s, it_energy_j=wish.it_energy_j)
    job = PlannedJob(
        name=name,
        it_energy_j=needs.it_energy_j,
        duration_s=needs.duration_s,
        earliest_s=now_s,
        deadline_s=now_s + wish.within_s,
        interruptible=wish.interruptible,
        restart_s=wish.restart_s,
    )
    plan = plan_job(job, config=config, now_s=now_s)
    said = (*needs.said, *_remarks(wish, text, found))
    return Prepared(wish=wish, text=text, asked=found, name=name, needs=needs, plan=plan, said=said)


def submit(prepared: Prepared, slurm: Slurm, *, config: Config, now_s: float) -> Submitted:
    """Keep the plan, and hand the script in.

    Raises
    ------
    LeverStuck
        If SLURM is not here, or refuses.
    """
    slurm.version()
    ledger = ledger_of(config)
    wish, best = prepared.wish, prepared.plan.best
    plan_id = keep_plan(ledger, prepared.plan)
    begin_s = best.begin_s if best.begin_s > now_s else None
    name = () if prepared.asked.name else (f"--job-name={prepared.name}",)
    options = (*name, *wish.options)
    try:
        job_id = slurm.submit(
            _text(prepared, plan_id, config), begin_s=begin_s, hold=wish.hold, options=options
        )
    except LeverStuck as stuck:
        note(ledger, plan_id, END, at_s=now_s, status="refused", detail=stuck.problem)
        raise
    note_submit(
        ledger,
        plan_id,
        at_s=now_s,
        job_id=job_id,
        script=str(wish.script.absolute()),
        begin_s=best.begin_s,
        requeue=wish.requeue,
        energy_known=prepared.needs.known,
    )
    return Submitted(plan_id=plan_id, job_id=job_id, prepared=prepared)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", fix="Name the batch script") from error


def _check(wish: Wish, found: Asked) -> None:
    if found.begin and not wish.force:
        raise UsageError(
            f"the script says when to begin already (--begin={found.begin})",
            fix="Leave that out, or let the plan win with --force",
        )
    if wish.requeue and not found.requeue:
        raise UsageError(
            "the script does not say that it can be queued again",
            fix="If it goes on from what it saved, add #SBATCH --requeue",
        )


def _text(prepared: Prepared, plan_id: str, config: Config) -> str:
    """The script as SLURM gets it: measured where a shell runs it."""
    if not is_shell(interpreter(prepared.text)):
        if prepared.wish.arguments:
            raise UsageError(
                "arguments are handed on to scripts of a shell only", fix="Start it from a script of a shell"
            )
        return prepared.text
    place = ("--place", config.place) if config.place else ()
    known = ("--tag", f"{TAG}={plan_id}", "--name", prepared.name, "--ledger", str(ledger_of(config)))
    return measured(
        prepared.text,
        python=sys.executable,
        options=("--quiet", *known, *place),
        mark=plan_id,
        arguments=prepared.wish.arguments,
    )


def _remarks(wish: Wish, text: str, found: Asked) -> Iterator[str]:
    """What the user should know before."""
    if not is_shell(interpreter(text)):
        yield (
            f"{interpreter(text)[0]} runs it and no shell, so that nothing measures it: start it from a "
            "script of a shell, or call wattermark.track() in it"
        )
    elif launches(text) and found.nodes > 1:
        yield "what runs on its other nodes is measured by wattermark.track() in it only, not by itself"
    if found.tasks > 1:
        yield f"it is an array of {found.tasks} jobs that begin at once; length and energy are each one's"
    if found.hold or wish.hold:
        yield "it is held: nothing begins before scontrol release"
    if wish.interruptible:
        yield "it pauses and goes on while this runs: wattermark slurm replan --all --watch"
