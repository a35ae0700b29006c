"""Which run the processes of a job write to: the first that comes begins it, the others join.

The first is elected by a lock on a file in the ledger, so that no process waits for another to tell.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool
from wattermark.ledger.read import is_alive, read_header
from wattermark.ledger.runs import spools_in
from wattermark.values.records import RunHeader

FOLDER = ".jobs"
PATIENCE_S, AGAIN_S = 2.0, 0.005
"""How long a start waits for others that start as well; a lock may not work on every file system."""
LATEST_S = 600.0
"""A rank that comes so long after the others have come, and ended, is of another job."""


def run_of_job(
    ledger: Path, job: str, member: str, begin: Callable[[], str], *, of: int | None = None
) -> tuple[str, bool]:
    """The run of a job, and whether this process has begun it.

    A member that wrote to the job's last run already belongs to the next one, and so does one of a job of
    another size, and one that comes long after all others have ended.

    Parameters
    ----------
    ledger : Path
        The folder of runs; it exists.
    job : str
        One word for all processes of the job, and for no other job at the same time.
    member : str
        Which of its processes this is.
    begin : callable
        Makes a run and answers its id.
    of : int, optional
        How many processes the job has; None of one that may have changed its size.

    Raises
    ------
    OSError
        If the ledger, or what it keeps of the job, cannot be written.
    """
    from hashlib import sha256  # a run that is no job starts without

    folder = ledger / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{sha256(job.encode()).hexdigest()[:24]}.json"
    with _locked(path) as file:
        last = _told(file)
        joined = last if last is not None and _joins(last, ledger, file, member, of) else None
        mine = joined or _Told(begin(), [], of)
        _tell(file, {"job": job, "run": mine.run, "members": [*mine.members, member], "of": mine.of})
    return mine.run, joined is None


@dataclass(frozen=True, slots=True)
class _Told:
    """What the file of a job says: its last run, who writes to it, and how many will."""

    run: str
    members: list[str]
    of: int | None

    def takes(self, member: str, of: int | None) -> bool:
        return member not in self.members and (of is None or self.of is None or of == self.of)


def _joins(last: _Told, ledger: Path, file: int, member: str, of: int | None) -> bool:
    if not last.takes(member, of) or not _is_there(ledger, last.run):
        return False
    return of is None or not _is_over(ledger / last.run, file)


def _is_there(ledger: Path, run: str) -> bool:
    """Whether a run lies in the ledger; a file that was tampered with leads nowhere else."""
    return run == Path(run).name != "" and not run.startswith(".") and (ledger / run).is_dir()


def _is_over(folder: Path, file: int) -> bool:
    """Whether a job of the same name was another one: nobody has joined it for long, nor records any more."""
    silent_s = time.time() - os.fstat(file).st_mtime
    return silent_s > LATEST_S and not any(is_alive(header, spool) for header, spool in _headers(folder))


def part_to_write(folder: Path, rank: int | None = None, job: str = "", of: int | None = None) -> int:
    """Which part of a run a process writes that takes it up again: a new one, or that of its fellows.

    Other ranks may have begun the new part already. Who is in the last part itself begins the next one, and
    so does who knows nobody there: a job may go on with more ranks, or with none.

    Parameters
    ----------
    folder : Path
        Of the run.
    rank, job, of : optional
        Of the process, as in its header.
    """
    known = list(_headers(folder))
    last = max((header.part for header, _ in known), default=0)
    there = [(header, spool) for header, spool in known if header.part == last]
    fellows = any(
        is_alive(header, spool) or (bool(job) and (header.job, header.world_size) == (job, of))
        for header, spool in there
    )
    mine = any(header.rank == rank for header, _ in there)
    return last if fellows and not mine else last + 1


def _headers(folder: Path) -> Iterator[tuple[RunHeader, Path]]:
    for spool in spools_in(folder):
        with suppress(BadSpool):
            yield read_header(spool), spool


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(file)
        yield file
    finally:
        os.close(file)  # gives the lock back


def _lock(file: int) -> None:
    """Wait for it for a moment; where nobody lends locks, go on without."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(AGAIN_S)
        except OSError:
            return
        else:
            return


def _told(file: int) -> _Told | None:
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        fields: Any = json.loads(os.read(file, os.fstat(file).st_size))
        of = fields.get("of")
        members = [str(one) for one in fields["members"]]
        return _Told(str(fields["run"]), members, None if of is None else int(of))
    return None


def _tell(file: int, fields: dict[str, Any]) -> None:
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, json.dumps(fields).encode())
