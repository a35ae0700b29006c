"""SLURM as a lever, by its own programs: submit, hold, move, pause, ask. For SLURM 22.05 and later.

Moments cross the door as seconds since 1970, so that no time zone and no clock change is in them: they
are told as ``uts...`` (read by SLURM's parse_time.c) and printed by ``SLURM_TIME_FORMAT=%s``. Every call is
a list of words, no shell reads it, and it ends in time.

References: sbatch(1), scontrol(1), squeue(1), scancel(1), sacct(1), version 22.05.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wattermark.errors import LeverStuck, UsageError
from wattermark.levers.slurm_times import printed_s
from wattermark.values.queued import QueueJob, QueueState

OLDEST = (22, 5)
JOB_ID = re.compile(r"[1-9]\d{0,9}(_\d{1,9})?", re.ASCII)
FIELDS = ("%F", "%K", "%T", "%V", "%S", "%e", "%l", "%M", "%r")
STATES = {
    "PENDING": QueueState.PENDING,
    "CONFIGURING": QueueState.PENDING,
    "REQUEUED": QueueState.PENDING,
    "REQUEUE_HOLD": QueueState.PENDING,
    "REQUEUE_FED": QueueState.PENDING,
    "SPECIAL_EXIT": QueueState.PENDING,
    "RESV_DEL_HOLD": QueueState.PENDING,
    "RUNNING": QueueState.RUNNING,
    "COMPLETING": QueueState.RUNNING,
    "SIGNALING": QueueState.RUNNING,
    "STAGE_OUT": QueueState.RUNNING,
    "RESIZING": QueueState.RUNNING,
    "SUSPENDED": QueueState.SUSPENDED,
    "STOPPED": QueueState.STOPPED,
    **dict.fromkeys(
        (
            "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE",
            "OUT_OF_MEMORY", "REVOKED",
        ),
        QueueState.ENDED,
    ),
}  # fmt: skip
UNKNOWN_ID = "Invalid job id specified"
REFUSALS = ("denied", "permission")


class NotAllowed(LeverStuck):
    """What only an operator of the cluster may do."""


def checked_id(text: str) -> str:
    """A job's number, or that of a task of an array: ``77``, ``77_3``.

    Raises
    ------
    UsageError
        If it is none.
    """
    if JOB_ID.fullmatch(text) is None:
        raise UsageError(f"{text!r} is no number of a SLURM job", fix="Give one as squeue prints it: 77")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Slurm:
    """The cluster that SLURM's programs on the PATH talk to; ``timeout_s`` bounds every call."""

    timeout_s: float = 30.0

    def version(self) -> tuple[int, ...]:
        """As ``(22, 5, 8)``.

        Raises
        ------
        LeverStuck
            If there is no SLURM, or one older than 22.05.
        """
        said = self._call("scontrol", "--version")
        found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
        if found is None:
            raise _nonsense("scontrol --version", said)
        version = tuple(int(part) for part in found.groups(default="0"))
        if version < OLDEST:
            raise LeverStuck(
                f"this is SLURM {found[0]}, older than 22.05", fix="Use a cluster with a later one"
            )
        return version

    def submit(
        self, script: str, *, begin_s: float | None = None, hold: bool = False, options: Sequence[str] = ()
    ) -> str:
        """Hand in the text of a batch script; answers the job's number."""
        begin = () if begin_s is None else (f"--begin={_moment(begin_s)}",)
        held = ("--hold",) if hold else ()
        said = self._call("sbatch", "--parsable", *options, *begin, *held, text=script)
        number = (said.splitlines() or [""])[-1].partition(";")[0].strip()
        if JOB_ID.fullmatch(number) is None:
            raise _nonsense("sbatch", said)
        return number

    def jobs(self, job_id: str) -> tuple[QueueJob, ...]:
        """What the scheduler knows of a job, or of each task of an array; nothing once it forgot it."""
        words = ("squeue", "--noheader", "--states=all", f"--jobs={checked_id(job_id)}")
        try:
            said = self._call(*words, f"--format={'|'.join(FIELDS)}")
        except LeverStuck as stuck:
            if UNKNOWN_ID in stuck.problem:
                return ()
            raise
        return tuple(_rows(said))

    def hold(self, job_id: str) -> None:
        self._call("scontrol", "hold", checked_id(job_id))

    def release(self, job_id: str) -> None:
        self._call("scontrol", "release", checked_id(job_id))

    def move(self, job_id: str, begin_s: float) -> None:
        """A waiting job begins no earlier than then."""
        words = (f"JobId={checked_id(job_id)}", f"StartTime={_moment(begin_s)}")
        self._call("scontrol", "update", *words)

    def suspend(self, job_id: str) -> None:
        """Stop all its processes; for operators of the cluster.

        Raises
        ------
        NotAllowed
            For everybody else.
        """
        self._call("scontrol", "suspend", checked_id(job_id))

    def resume(self, job_id: str) -> None:
        self._call("scontrol", "resume", checked_id(job_id))

    def stop(self, job_id: str) -> None:
        """Stop all its processes by a signal, as its owner may."""
        self._signal(job_id, "STOP")

    def go_on(self, job_id: str) -> None:
        self._signal(job_id, "CONT")

    def requeue(self, job_id: str, *, hold: bool = False) -> None:
        """End it and let it wait again; the scheduler waits some two minutes of its own."""
        self._call("scontrol", "requeuehold" if hold else "requeue", checked_id(job_id))

    def cancel(self, job_id: str) -> None:
        self._call("scancel", checked_id(job_id))

    def energy_j(self, job_id: str) -> float | None:
        """What SLURM's own accounting says a job took; None where it keeps none. [J]

        Of the allocation, as sacct adds up its steps; zero is what it says where no node has a meter.
        """
        words = (f"--jobs={checked_id(job_id)}", "--allocations", "--format=ConsumedEnergyRaw")
        try:
            said = self._call("sacct", "--noheader", "--parsable2", *words)
        except LeverStuck:
            return None
        told = [line.strip() for line in said.splitlines() if line.strip()]
        if not told or not all(line.isascii() and line.isdecimal() for line in told):
            return None
        return float(sum(map(int, told))) or None

    def _signal(self, job_id: str, name: str) -> None:
        said = self._call(
            "scancel", "--verbose", f"--signal={name}", "--full", checked_id(job_id), errors=True
        )
        faults = [line for line in said.splitlines() if "error:" in line]
        if faults:
            raise _refused("scancel", faults[0])

    def _call(self, program: str, *words: str, text: str | None = None, errors: bool = False) -> str:
        """What a program says on stdout, with ``errors`` on stderr instead."""
        path = shutil.which(program)
        if path is None:
            raise LeverStuck(
                f"SLURM is not here: there is no program {program!r}",
                fix="Run this on a login node of the cluster, or load its module",
            )
        try:
            done = subprocess.run(
                [path, *words], input=(text or "").encode(errors="surrogateescape"), capture_output=True,
                check=False, timeout=self.timeout_s, env=_environment(program),
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise _late(program, self.timeout_s) from late
        except OSError as error:
            raise LeverStuck(f"{path} cannot be started: {error.strerror}", fix="Try it by hand") from error
        if done.returncode:
            raise _refused(program, done.stderr.decode(errors="replace"))
        return (done.stderr if errors else done.stdout).decode(errors="replace")


def _environment(program: str) -> dict[str, str]:
    """Ours, without what would narrow or reshape an answer; what sbatch gets is the job's, and is left."""
    if program == "sbatch":
        return dict(os.environ)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SQUEUE_", "SACCT_"))}
    return {**kept, "SLURM_TIME_FORMAT": "%s", "LC_ALL": "C"}


def _moment(moment_s: float) -> str:
    return f"uts{round(moment_s)}"


def _rows(said: str) -> Iterator[QueueJob]:
    for line in said.splitlines():
        cells = [cell.strip() for cell in line.split("|", len(FIELDS) - 1)]
        if len(cells) != len(FIELDS) or JOB_ID.fullmatch(cells[0]) is None:
            raise _nonsense("squeue", line)
        yield _row(cells)


def _row(cells: Sequence[str]) -> QueueJob:
    number, task, word, submit, begin, end, limit, used, reason = cells
    return QueueJob(
        job_id=number,
        task="" if task == "N/A" else task,
        state=STATES.get(word, QueueState.UNKNOWN),
        word=word,
        reason="" if reason == "None" else reason,
        submit_s=_time(submit),
        begin_s=_time(begin),
        end_s=_time(end),
        used_s=printed_s(used),
        limit_s=printed_s(limit),
    )


def _time(text: str) -> float | None:
    """N/A and words that later versions may say are not known."""
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None


def _late(program: str, timeout_s: float) -> LeverStuck:
    unsure = "; look at squeue before you submit again" if program == "sbatch" else ""
    return LeverStuck(
        f"{program} gave no answer in {timeout_s:g} s",
        fix=f"SLURM's controller may be down or busy: scontrol ping{unsure}",
    )


def _refused(program: str, said: str) -> LeverStuck:
    lines: Iterable[str] = (line.strip() for line in said.splitlines())
    words = [re.sub(rf"^{program}: (error: |fatal: )?", "", line) for line in lines if line]
    problem = f"{program} refused: {' '.join(words)[:300].rstrip('.') or 'it does not say why'}"
    kind = NotAllowed if any(one in problem.lower() for one in REFUSALS) else LeverStuck
    return kind(problem, fix="See: scontrol ping, squeue")


def _nonsense(program: str, said: str) -> LeverStuck:
    return LeverStuck(
        f"{program} answered what makes no sense: {said.strip()[:80]!r}",
        fix="Try it by hand; is it SLURM's own?",
    )
