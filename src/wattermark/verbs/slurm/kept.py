"""What the ledger keeps of jobs that were submitted: their plans, and what was done about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.plans import note, plan_ids, plan_lines
from wattermark.report.planned import plan_of
from wattermark.values.plan import REQUEUE, PlannedJob, Stretch

MOST_READ = 1000
"""Plans that are looked through, the newest first."""
SUBMIT, MOVE, PAUSE, RESUME, END = "submit", "move", "pause", "resume", "end"
BY_SIGNAL, BY_SUSPEND, BY_REQUEUE = "signal", "suspend", REQUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A job that SLURM has: its plan as it is now, and what was done.

    ``paused`` until it is known to go on; ``stops`` are pauses by signals; ``before_s`` is what it worked
    before it was queued again, ``restarts`` times.
    """

    plan_id: str
    job_id: str
    name: str
    place: str
    job: PlannedJob
    stretches: tuple[Stretch, ...]
    weights: Mapping[str, float]
    requeue: bool = False
    paused: bool = False
    stops: tuple[tuple[float, float | None], ...] = ()
    before_s: float = 0.0
    restarts: int = 0
    moves: int = 0
    end: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return bool(self.end)


def submissions(ledger: Path) -> Iterator[Submission]:
    """Those of a ledger, the newest first; what cannot be read is no plan of ours."""
    for plan_id in islice(plan_ids(ledger), MOST_READ):
        found = submission(ledger, plan_id)
        if found is not None:
            yield found


def submission(ledger: Path, plan_id: str) -> Submission | None:
    """What was submitted by a plan; None where nothing was."""
    try:
        return _read(plan_id, plan_lines(ledger, plan_id))
    except (BadSpool, LookupError, TypeError, ValueError):
        return None


def find_submission(ledger: Path, wanted: str) -> Submission:
    """By the number of the job, or the beginning of its plan's id.

    Raises
    ------
    UsageError
        If there is none.
    """
    known = list(submissions(ledger))
    found = [one for one in known if one.job_id == wanted] or [
        one for one in known if wanted and one.plan_id.startswith(wanted)
    ]
    if not found:
        raise UsageError(
            f"no job {wanted!r} was submitted from {ledger}", fix="See: wattermark slurm status --all"
        )
    return found[0]  # numbers of jobs come again after years: the newest


def note_submit(ledger: Path, plan_id: str, **told: Any) -> None:
    note(ledger, plan_id, SUBMIT, **told)


def note_move(
    ledger: Path, one: Submission, now_s: float, stretches: Iterable[Stretch], why: str
) -> Submission:
    """Another time was chosen."""
    chosen = tuple(stretches)
    pairs = [[stretch.begin_s, stretch.end_s] for stretch in chosen]
    note(ledger, one.plan_id, MOVE, at_s=now_s, job_id=one.job_id, stretches=pairs, why=why)
    return replace(one, stretches=chosen, moves=one.moves + 1)


def note_pause(ledger: Path, one: Submission, now_s: float, *, by: str, until_s: float, ran_s: float) -> None:
    note(ledger, one.plan_id, PAUSE, at_s=now_s, job_id=one.job_id, by=by, until_s=until_s, ran_s=ran_s)


def note_resume(ledger: Path, one: Submission, now_s: float, why: str) -> Submission:
    note(ledger, one.plan_id, RESUME, at_s=now_s, job_id=one.job_id, why=why)
    return replace(one, paused=False, stops=_closed(one.stops, now_s))


def note_end(ledger: Path, one: Submission, now_s: float, **told: Any) -> None:
    note(ledger, one.plan_id, END, at_s=now_s, job_id=one.job_id, **told)


def _read(plan_id: str, lines: list[Mapping[str, Any]]) -> Submission | None:
    begun = next((line for line in lines if line["kind"] == SUBMIT and "job_id" in line), None)
    if begun is None:
        return None
    plan = plan_of(lines[0])
    one = Submission(
        plan_id=plan_id,
        job_id=str(begun["job_id"]),
        name=plan.job.name,
        place=plan.best.place,
        job=plan.job,
        stretches=plan.best.stretches,
        weights=dict(plan.weights),
        requeue=bool(begun.get("requeue")),
    )
    for line in lines:
        one = _after(one, line)
    return one


def _after(one: Submission, line: Mapping[str, Any]) -> Submission:
    """What it is after one more line."""
    kind = line["kind"]
    if kind == MOVE:
        stretches = tuple(Stretch(begin_s=begin, end_s=end) for begin, end in line["stretches"])
        return replace(one, stretches=stretches, moves=one.moves + 1) if stretches else one
    if kind == PAUSE and line["by"] == BY_REQUEUE:
        return replace(one, before_s=line["ran_s"], restarts=one.restarts + 1, stops=())
    if kind == PAUSE:
        stop = ((line["at_s"], None),) if line["by"] == BY_SIGNAL else ()
        return replace(one, paused=True, stops=(*_closed(one.stops, line["at_s"]), *stop))
    if kind == RESUME:
        return replace(one, paused=False, stops=_closed(one.stops, line["at_s"]))
    if kind == END:
        return replace(one, end=line)
    return one


def _closed(
    stops: tuple[tuple[float, float | None], ...], now_s: float
) -> tuple[tuple[float, float | None], ...]:
    return tuple((begin_s, now_s if end_s is None else end_s) for begin_s, end_s in stops)
