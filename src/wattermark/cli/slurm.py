"""``wattermark slurm``: submit a batch script for its best time, and see to it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wattermark.cli.options import add_json, add_ledger, duration_s, settings
from wattermark.cli.paint import paint, print_json, table
from wattermark.cli.plan import energy_j
from wattermark.cli.terminal import say as tell
from wattermark.errors import UsageError
from wattermark.levers.slurm import Slurm
from wattermark.report.numbers import CARBON, ENERGY, say
from wattermark.report.planned import plan_document, plan_sections
from wattermark.report.sheet import Section
from wattermark.verbs.moments import iso, local
from wattermark.verbs.opening import ledger_of
from wattermark.verbs.slurm.kept import Submission, find_submission, submissions

if TYPE_CHECKING:
    from wattermark.verbs.slurm.submitting import Prepared, Submitted
    from wattermark.verbs.slurm.telling import Collected, Standing

EPILOG = """examples:
  wattermark slurm submit train.sh --within 48h
  wattermark slurm submit train.sh --within 2d --hours 8 --energy 12kWh --interruptible
  wattermark slurm submit train.sh --within 48h --dry-run
  wattermark slurm submit train.sh --within 48h --sbatch=--partition=gpu --arg config.yaml
  wattermark slurm replan --all --watch        follow the forecasts, pause and go on
  wattermark slurm status                      planned, and what the scheduler says
  wattermark slurm collect                     what jobs that have ended took

The script stays as it is. SLURM gets a copy in which one line hands it to 'wattermark run'.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(metavar="ACT", title="acts", dest="act", required=True)
    _add_submit(acts.add_parser("submit", help="hand a batch script in, to begin at its best time"))
    _add_replan(acts.add_parser("replan", help="ask the forecasts again: move, pause, go on"))
    for name, words in (
        ("status", "planned, and what the scheduler says"),
        ("collect", "what jobs that have ended took"),
    ):
        one = acts.add_parser(name, help=words)
        one.add_argument("job", nargs="*", metavar="JOB", help="its number, or its plan's id (default: all)")
        one.add_argument("--all", action="store_true", help="those as well that were collected")
        _add_common(one)


def _add_submit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", type=Path, metavar="JOB.sh", help="as for sbatch")
    parser.add_argument("--within", metavar="T", type=duration_s, required=True, help="done by then: 48h, 2d")
    parser.add_argument(
        "--hours", metavar="H", type=duration_s, help="how long it runs (the last one, --time)"
    )
    parser.add_argument(
        "--energy", metavar="E", type=energy_j, help="of it: 12kWh (the last one's, or usual)"
    )
    parser.add_argument("--interruptible", action="store_true", help="it may be paused")
    parser.add_argument("--requeue", action="store_true", help="pause it so: it has saved its work")
    parser.add_argument("--restart", metavar="T", type=duration_s, default=0.0, help="lost by a pause: 10m")
    parser.add_argument("--place", help="where the cluster stands (see: wattermark places)")
    parser.add_argument("--hold", action="store_true", help="nothing begins before scontrol release")
    parser.add_argument("--force", action="store_true", help="though the script has a --begin of its own")
    parser.add_argument(
        "--sbatch", metavar="OPTION", action="append", default=[], help="for sbatch: --sbatch=-n4"
    )
    parser.add_argument("--arg", metavar="WORD", action="append", default=[], help="of the script itself")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, submit nothing")
    _add_common(parser)


def _add_replan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="*", metavar="JOB", help="its number, or its plan's id")
    parser.add_argument("--all", action="store_true", help="all that have not ended")
    parser.add_argument("--watch", action="store_true", help="until all have ended")
    parser.add_argument("--every", metavar="T", type=duration_s, default=900.0, help="ask again after (15m)")
    parser.add_argument("--wake", metavar="SECONDS", type=float, help=argparse.SUPPRESS)
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    acts = {"submit": _submit, "replan": _replan, "status": _status, "collect": _collect}
    return acts[args.act](args)


def _submit(args: argparse.Namespace) -> int:
    from wattermark.verbs.slurm.submitting import Wish, prepare, submit

    config = settings(args, "place", "ledger")
    now_s = time.time()
    wish = Wish(
        script=args.script,
        within_s=args.within,
        duration_s=args.hours,
        it_energy_j=args.energy,
        interruptible=args.interruptible or args.requeue,
        requeue=args.requeue,
        restart_s=args.restart,
        hold=args.hold,
        force=args.force,
        options=tuple(args.sbatch),
        arguments=tuple(args.arg),
    )
    prepared = prepare(wish, config=config, now_s=now_s)
    done = None if args.dry_run else submit(prepared, Slurm(), config=config, now_s=now_s)
    if args.json:
        print_json(_document(prepared, done))
    else:
        _show(prepared, done)
    return 0


def _document(prepared: Prepared, done: Submitted | None) -> dict[str, Any]:
    return {
        "job": done.job_id if done else None,
        "id": done.plan_id if done else None,
        "name": prepared.name,
        "energy_known": prepared.needs.known,
        "said": list(prepared.said),
        **plan_document(prepared.plan, iso),
    }


def _show(prepared: Prepared, done: Submitted | None) -> None:
    sections = [*plan_sections(prepared.plan, local), Section("the job", sentences=prepared.said)]
    begins = local(prepared.plan.best.begin_s)
    title = (
        f"job {done.job_id} is submitted, begins {begins}"
        if done
        else f"{prepared.name} would begin {begins}"
    )
    paint(sections, title=title)


def _replan(args: argparse.Namespace) -> int:
    from wattermark.verbs.slurm.watching import follow, wake

    config = settings(args, "ledger")
    ledger = ledger_of(config)
    if not args.all and not args.job:
        raise UsageError("no job is named", fix="Give its number, or --all")
    if args.wake is not None:
        wake(find_submission(ledger, args.job[0]), Slurm(), config=config, after_s=args.wake)
        return 0
    ids = [one.plan_id for one in _chosen(args, ledger)]
    for done in follow(ids, Slurm(), config=config, every_s=args.every if args.watch else None):
        if args.json:
            print_json({"job": done.one.job_id, "id": done.one.plan_id, "act": done.act, "told": done.told})
        else:
            print(f"{done.one.job_id}  {done.one.name}  {done.told}", flush=True)
    return 0


def _status(args: argparse.Namespace) -> int:
    from wattermark.verbs.slurm.telling import standing

    ledger, now_s = ledger_of(settings(args, "ledger")), time.time()
    found = [standing(one, Slurm(), now_s=now_s) for one in _chosen(args, ledger)]
    if args.json:
        print_json({"schema": 1, "jobs": [_standing_document(one) for one in found]})
    elif not found:
        tell(f"No jobs of {ledger} wait or run. Submit one: wattermark slurm submit JOB.sh --within 48h")
    else:
        table(("job", "name", "state", "planned", "scheduler", "to know"), [_row(one) for one in found])
    return 0


def _row(standing: Standing) -> tuple[str, ...]:
    one, job = standing.one, standing.job
    begin = local(job.begin_s) if job and job.begin_s is not None else ""
    state = job.word.lower() if job else str(one.end.get("status", "unknown")).lower()
    return one.job_id, one.name, state, local(standing.planned_s), begin, "; ".join(standing.remarks)


def _standing_document(standing: Standing) -> dict[str, Any]:
    one, job = standing.one, standing.job
    return {
        "job": one.job_id,
        "id": one.plan_id,
        "name": one.name,
        "state": job.word if job else None,
        "reason": job.reason if job else None,
        "planned_begin_s": standing.planned_s,
        "begin_s": job.begin_s if job else None,
        "end_s": job.end_s if job else None,
        "late_s": standing.late_s,
        "moves": one.moves,
        "remarks": list(standing.remarks),
    }


def _collect(args: argparse.Namespace) -> int:
    from wattermark.verbs.slurm.telling import collect

    ledger, now_s = ledger_of(settings(args, "ledger")), time.time()
    tried = (collect(one, Slurm(), ledger=ledger, now_s=now_s) for one in _chosen(args, ledger))
    found = [one for one in tried if one is not None]
    if args.json:
        print_json({"schema": 1, "jobs": [_collected_document(one) for one in found]})
    elif not found:
        tell("No job has ended since. See: wattermark slurm status")
    for one in [] if args.json else found:
        print("\n".join(_lines(one)))
    return 0


def _lines(one: Collected) -> list[str]:
    lines = [
        f"{one.one.job_id}  {one.one.name}  {one.status.lower()}",
        *(f"  {said}" for said in one.remarks),
    ]
    for run in one.runs:
        energy, carbon = run.footprint.it_energy_j, run.footprint.carbon_g
        best = (say(energy.best if energy else None, ENERGY), say(carbon.best if carbon else None, CARBON))
        lines.append(f"  {run.run}  {best[0]}  {best[1]}")
    if one.slurm_energy_j is not None:
        lines.append(f"  SLURM's own meters say {say(one.slurm_energy_j, ENERGY)}")
    return lines


def _collected_document(one: Collected) -> dict[str, Any]:
    from wattermark.report.document import run_document

    return {
        "job": one.one.job_id,
        "id": one.one.plan_id,
        "name": one.one.name,
        "status": one.status,
        "runs": [run_document(run.recorded, run.footprint) for run in one.runs],
        "slurm_energy_j": one.slurm_energy_j,
        "remarks": list(one.remarks),
    }


def _chosen(args: argparse.Namespace, ledger: Path) -> list[Submission]:
    """Those that are named, else all that have not ended."""
    if args.job:
        return [find_submission(ledger, name) for name in args.job]
    everything = args.all and args.act != "replan"
    return [one for one in submissions(ledger) if everything or not one.ended]
