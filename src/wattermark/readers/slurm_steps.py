"""What a job's ``srun`` started on this machine: SLURM's own daemons start it, outside of who asked for it.

Each step has a daemon, ``slurmstepd: [77.0]``, which is a child of the first process of all: one short list
is read at each look. What a step took after the last look at it is lost, as its daemon leaves it to nobody.

Reference: slurmstepd(8); proc(5), /proc/<pid>/task/<tid>/children, /proc/<pid>/comm, /proc/<pid>/cmdline.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

VARIABLE = "WATTERMARK_STEPS_OF"
"""Names the job whose steps belong to a run of this process."""


class Steps:
    """The daemons of a job's steps, by their numbers.

    Parameters
    ----------
    job : str
        Its number, as SLURM_JOB_ID has it.
    proc : Path
        Where procfs is mounted.
    """

    def __init__(self, job: str, proc: Path) -> None:
        self._title = re.compile(rb"slurmstepd[^:]*: \[" + re.escape(job.encode()) + rb"\.\d")
        self._proc = str(proc)
        self._others: set[int] = set()

    def roots(self) -> list[int]:
        """Those that run now; none where that cannot be seen."""
        try:
            with open(f"{self._proc}/1/task/1/children", "rb") as file:
                listed = set(map(int, file.read().split()))
        except (OSError, ValueError):
            return []
        self._others &= listed
        return [pid for pid in listed - self._others if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        """What is SLURM's is asked each time: a daemon gets its title a moment after it began."""
        try:
            with open(f"{self._proc}/{pid}/comm", "rb") as file:
                if not file.read().startswith(b"slurm"):
                    self._others.add(pid)
                    return False
            with open(f"{self._proc}/{pid}/cmdline", "rb") as file:
                return self._title.match(os.path.basename(file.read().split(b"\0")[0])) is not None
        except OSError:
            return False


def steps_here(proc: Path) -> Steps | None:
    """Of the job that our environment names, if it names one."""
    job = os.environ.get(VARIABLE, "")
    return Steps(job, proc) if job.isascii() and job.isdecimal() else None
