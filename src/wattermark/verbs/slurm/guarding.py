"""Nobody leaves a job frozen: who pauses one leaves a process behind that wakes it, come what may."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GRACE_S = 5.0
"""Whoever paused it comes first."""


def guard(ledger: Path, job_id: str, pause_s: float) -> None:
    """Start a process that resumes the job after its pause, if nobody has.

    A shell starts it and ends, so that it is nobody's child: it outlives us, and nobody has to wait for it.
    """
    words = ("-m", "wattermark", "slurm", "replan", job_id, "--ledger", str(ledger))
    subprocess.run(
        ["sh", "-c", '"$@" &', "sh", sys.executable, *words, "--wake", f"{pause_s + GRACE_S:.1f}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, check=False,
    )  # fmt: skip
