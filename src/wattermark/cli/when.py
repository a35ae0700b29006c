"""``wattermark run --when``: the same command, at the best time for it, with pauses where it allows them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wattermark.cli.terminal import say
from wattermark.errors import LeverStuck, NoPlan, SignalUnavailable, UsageError
from wattermark.ledger.plans import TAG
from wattermark.ledger.runs import ledger_folder
from wattermark.levers.choose import WAYS, choose
from wattermark.report.numbers import TIME
from wattermark.report.numbers import say as said
from wattermark.report.planned import plan_document, plan_sections
from wattermark.values.energies import joules_of
from wattermark.values.plan import Plan, PlannedJob, Stretch
from wattermark.verbs.acting import Acting, Errand
from wattermark.verbs.command import Ended, Minder
from wattermark.verbs.measure import Run
from wattermark.verbs.moments import iso, local, moment_s
from wattermark.verbs.planning import keep_plan, plan_job
from wattermark.verbs.planning_again import job_named
from wattermark.wiring.config import Config

GREENEST, NOW = "greenest", "now"


@dataclass(frozen=True, slots=True)
class Done:
    """How it ended, and what the plan did to it; no end where only the plan was shown."""

    ended: Ended | None = None
    run: Run | None = None
    acting: Acting | None = None


def run_when(
    args: argparse.Namespace,
    config: Config,
    name: str,
    run_of: Callable[[str | None, dict[str, str]], Run],
    perform: Callable[[Run, Minder], Ended],
) -> Done:
    """Plan, wait, and run.

    ``run_of`` makes a run, a further part of one that is named, with more tags; ``perform`` runs the command.

    Raises
    ------
    UsageError
        If it cannot be planned as it was asked for; nothing is started then.
    """
    _check(args)
    tell: Callable[[str], None] = (lambda _: None) if args.quiet or args.json else _tell
    now_s = time.time()
    way = _way(args, tell)
    job = _job(args, config, name, now_s, interruptible=way is not None)
    plan = _plan(job, config, now_s, tell) if job is not None else None
    if args.dry_run:
        _show(plan, as_json=args.json)
        return Done()
    ledger = ledger_folder(config.ledger).absolute()
    plan_id = _kept(ledger, plan)
    stretches = plan.best.stretches if plan else (_from(_begin_s(args, now_s)),)
    errand = Errand(stretches=stretches, config=config, ledger=ledger, plan=plan, plan_id=plan_id, way=way)
    _foretell(stretches, plan, now_s, tell)
    acting = Acting(errand, say=tell)
    made: list[Run] = []

    def run(before: str | None) -> Run:
        made.append(run_of(before, {TAG: plan_id} if plan_id else {}))
        return made[-1]

    ended = acting.go(run, perform)
    if acting.pauses:
        often = "once" if acting.pauses == 1 else f"{acting.pauses} times"
        tell(f"paused {often}, {said(acting.paused_s, TIME)} in all")
    return Done(ended, made[-1], acting)


def _tell(sentence: str) -> None:
    say(f"wattermark: {sentence}")


def _check(args: argparse.Namespace) -> None:
    greenest = args.when == GREENEST
    if greenest and args.within is None:
        raise UsageError("--when greenest needs to know until when", fix="Give --within 24h")
    if args.interruptible and not greenest:
        raise UsageError("--interruptible has no meaning without a plan", fix="Give --when greenest")
    if args.pause_by is not None and not args.interruptible:
        raise UsageError("--pause-by has no meaning for what may not pause", fix="Give --interruptible")
    if args.pause_by not in (None, *WAYS):
        raise UsageError(f"--pause-by is {args.pause_by!r}", fix=f"Choose from: {', '.join(WAYS)}")
    if args.resume is not None:
        raise UsageError("--resume and --when do not go together", fix="Leave one of them out")


def _begin_s(args: argparse.Namespace, now_s: float) -> float:
    """The moment that was named. [s since 1970]"""
    if args.when in (NOW, GREENEST):
        return now_s
    begin_s = moment_s(args.when)
    if begin_s < now_s:
        raise UsageError(f"{args.when} has passed", fix="Name a moment to come, or --when now")
    return begin_s


def _way(args: argparse.Namespace, tell: Callable[[str], None]) -> str | None:
    """How it will be paused, found by trying; None where it may not, or cannot."""
    if not args.interruptible:
        return None
    wanted = args.pause_by or "auto"
    try:
        hold = choose(wanted)
    except LeverStuck as error:
        _tell(f"{error.problem}; it runs in one piece")
        return None
    hold.close()
    if wanted not in ("auto", hold.way):
        why = "; ".join(error.problem for error in hold.skipped.values())
        _tell(f"it is paused by {hold.way}, as {why}")
    return hold.way


def _job(
    args: argparse.Namespace, config: Config, name: str, now_s: float, *, interruptible: bool
) -> PlannedJob | None:
    """What is to run; None for a named moment where nobody knows how much it takes."""
    begin_s = _begin_s(args, now_s)
    told: dict[str, Any] = {
        "interruptible": interruptible,
        "restart_s": args.restart or 0.0,
        "held_power_w": 0.0 if args.pause_by == "checkpoint" else args.held_power or 0.0,
    }
    try:
        energy_j = joules_of(args.energy) if args.energy is not None else None
    except ValueError as error:
        raise UsageError(str(error), fix="Give it as --energy 12kWh") from error
    try:
        return job_named(
            name, config=config, it_energy_j=energy_j, duration_s=args.hours,
            earliest_s=begin_s, within_s=args.within, **told,
        )  # fmt: skip
    except NoPlan as error:
        if args.when == GREENEST:
            raise UsageError(error.problem, fix=error.fix) from error
        return None


def _plan(job: PlannedJob, config: Config, now_s: float, tell: Callable[[str], None]) -> Plan | None:
    try:
        plan = plan_job(job, config=config, now_s=now_s)
    except (NoPlan, SignalUnavailable) as error:
        tell(f"{error.problem}; it starts without a plan")
        return None
    for flag in plan.flags:
        if flag.startswith("horizon"):
            tell(flag)
    return plan


def _kept(ledger: Path, plan: Plan | None) -> str | None:
    """Its id; one that cannot be written is followed all the same, as a run goes on that cannot be kept."""
    if plan is None:
        return None
    try:
        return keep_plan(ledger, plan)
    except OSError as error:
        _tell(f"the plan cannot be kept in {ledger} ({error.strerror}); nobody can tell later what it saved")
        return None


def _show(plan: Plan | None, *, as_json: bool) -> None:
    from wattermark.cli.paint import paint, print_json

    if as_json:
        print_json(plan_document(plan, iso) if plan else {"plan": None})
    elif plan is not None:
        paint(plan_sections(plan, local), title="plan")


def _from(begin_s: float) -> Stretch:
    """It begins then; when it ends nobody knows."""
    return Stretch(begin_s=begin_s, end_s=float("inf"))


def _foretell(
    stretches: tuple[Stretch, ...], plan: Plan | None, now_s: float, tell: Callable[[str], None]
) -> None:
    begin_s = stretches[0].begin_s
    why = f". {plan.verdict}" if plan else ""
    if begin_s <= now_s:
        tell(f"starts now{why}")
    else:
        tell(f"waits until {local(begin_s)}, {said(begin_s - now_s, TIME)}{why}")
