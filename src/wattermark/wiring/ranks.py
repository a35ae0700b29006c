"""Which process of a job this is, as its launcher told it: SLURM, torchrun, MPI, or plain variables.

References: srun(1), "Output environment variables"; PyTorch documentation, "torchrun (Elastic Launch)",
"Environment Variables"; Open MPI documentation, "Environment variables that Open MPI sets"; MPICH wiki, PMI;
Intel MPI developer reference, "Environment variables".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.values.records import MOST_RANKS


@dataclass(frozen=True, slots=True)
class Rank:
    """One process among those of a job.

    ``job`` is one word for all of them; ``attempt`` grows where the launcher starts them again.
    ``rank`` and ``world_size`` are None where nobody told.
    """

    job: str
    rank: int | None = None
    world_size: int | None = None
    attempt: int = 0


RANKS = (
    ("WATTERMARK_RANK", "WATTERMARK_WORLD_SIZE"),
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMIX_RANK", "PMIX_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
"""Rank and number of processes, those of the innermost launcher first."""
ATTEMPTS = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
NAMESPACES = ("PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "PMI_JOBID")


def rank_among(environ: Mapping[str, str], parent: str) -> Rank | None:
    """Of a process whose launcher says that there are several; None of any other.

    Parameters
    ----------
    environ : mapping of str to str
        Its environment.
    parent : str
        What started it, one word on all machines: the launcher of processes on one machine is known by it.
    """
    rank, world_size = _rank(environ)
    named = environ.get("WATTERMARK_JOB", "").strip()
    if not named and (rank is None or world_size is None or world_size < 2):
        return None
    attempt = max((_count(environ.get(name)) or 0 for name in ATTEMPTS), default=0)
    return Rank(f"job:{named}" if named else _job(environ, world_size, parent), rank, world_size, attempt)


def _rank(environ: Mapping[str, str]) -> tuple[int | None, int | None]:
    for rank_name, size_name in RANKS:
        rank, size = _count(environ.get(rank_name)), _count(environ.get(size_name))
        if rank is not None and size is not None and rank < size <= MOST_RANKS:
            return rank, size
    return None, None


def _job(environ: Mapping[str, str], world_size: int | None, parent: str) -> str:
    """The scheduler knows best; a job without a name is known by its launcher, or by where it meets."""
    if environ.get("SLURM_JOB_ID") and environ.get("SLURM_STEP_ID"):
        return f"slurm:{environ['SLURM_JOB_ID']}.{environ['SLURM_STEP_ID']}"
    if environ.get("TORCHELASTIC_RUN_ID", "none") != "none":
        return f"torchrun:{environ['TORCHELASTIC_RUN_ID']}"
    for name in NAMESPACES:
        if environ.get(name):
            return f"mpi:{environ[name]}"
    alone = _count(environ.get("LOCAL_WORLD_SIZE")) == world_size or "MASTER_ADDR" not in environ
    if alone:
        return f"launcher:{parent}"
    return f"master:{environ['MASTER_ADDR']}:{environ.get('MASTER_PORT', '')}"


def _count(text: str | None) -> int | None:
    """A whole number, not negative; None where it is none."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else None
