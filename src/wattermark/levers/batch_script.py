"""A batch script that measures itself: one line is put in before its first command, the rest is as it was.

SLURM runs its own copy of the script as ``$0``. There the line hands the script to ``wattermark run``, which
runs it again, with its own interpreter, arguments, streams and signals; the second time the line lets it
pass. Where wattermark is not on the node, or its settings cannot be read, the script just goes on.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from wattermark.errors import UsageError
from wattermark.levers.sbatch_options import header_of

SHELLS = ("sh", "bash", "dash", "ksh", "zsh")
INTERPRETER = re.compile(r"#!\s*(\S+)(?:[ \t]+(\S.*?))?\s*")
LAUNCHES = re.compile(r"^[^#\n]*\b(srun|mpirun|mpiexec|mpiexec\.hydra|jsrun)\b", re.MULTILINE)
INSIDE = "WATTERMARK_BATCH"
"""Says in the environment that the script runs inside ``wattermark run`` already."""
STEPS = "WATTERMARK_STEPS_OF"
"""Names the job whose tasks the load reader counts: srun starts them outside of the script's processes."""
JOB = "slurm:${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID-}}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
"""The job's name for the ledger: what is run again after a requeue is one run."""


def interpreter(script: str) -> tuple[str, ...]:
    """What runs the script, with the one argument that the kernel would give it.

    Raises
    ------
    UsageError
        If its first line names none: SLURM takes no such script.
    """
    found = INTERPRETER.fullmatch(script.partition("\n")[0].rstrip("\r"))
    if found is None:
        raise UsageError(
            "the script has no first line such as #!/bin/bash, without which SLURM takes none", fix="Add one"
        )
    if "\0" in script or "\r\n" in script:
        raise UsageError(
            "the script has line ends of DOS, or zero bytes, and SLURM takes none with them",
            fix="Run: dos2unix",
        )
    return tuple(word for word in found.groups() if word)


def is_shell(words: Sequence[str]) -> bool:
    """Whether an interpreter reads the language of POSIX shells."""
    program = _program(words[0])
    if program == "env" and len(words) > 1:
        inner = [word for word in words[1].split() if not word.startswith("-") and "=" not in word]
        program = _program(inner[0]) if inner else ""
    return program in SHELLS


def launches(script: str) -> bool:
    """Whether it starts tasks by a launcher, which puts them outside of the script's own processes."""
    return LAUNCHES.search(script) is not None


def measured(
    script: str, *, python: str, options: Sequence[str], mark: str, arguments: Sequence[str] = ()
) -> str:
    """The script with our line in it.

    Parameters
    ----------
    script : str
        Of a shell.
    python : str
        The interpreter that has wattermark, as nodes see it.
    options : sequence of str
        Of ``wattermark run``.
    mark : str
        One word for this submission: a script that is submitted from inside is another.
    arguments : sequence of str
        Of the script, as sbatch would hand them on.
    """
    words = interpreter(script)
    ours = (shlex.quote(python), "-m wattermark")
    run = " ".join((*ours, "run", *map(shlex.quote, options)))
    again = " ".join((*map(shlex.quote, words), '"$0" "$@"'))
    start = f"exec {run} -- {again}"
    line = (
        f'if [ "${{{INSIDE}-}}" = {shlex.quote(mark)} ]; then unset {INSIDE} WATTERMARK_JOB {STEPS}; '
        f"elif {' '.join(ours)} config >/dev/null 2>&1; then "
        f'export {INSIDE}={shlex.quote(mark)} WATTERMARK_JOB="{JOB}" {STEPS}="${{SLURM_JOB_ID-}}"; {start}; '
        f"fi  # put in by wattermark slurm submit"
    )
    given = f"set -- {' '.join(map(shlex.quote, arguments))}; " if arguments else ""
    return _put_in(script, f"{given}{line}")


def _put_in(script: str, line: str) -> str:
    head = list(header_of(script))
    rest = script.split("\n")[len(head) :]
    return "\n".join((*head, line, *rest))


def _program(path: str) -> str:
    return path.rpartition("/")[2]
