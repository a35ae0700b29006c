"""Which run the processes of a job write to: the first that comes begins it, the others join.

The first is elected by a lock on a file in the ledger, so that no process waits for another to tell.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FOLDER = ".jobs"
PATIENCE_S, AGAIN_S = 2.0, 0.005
"""How long a start waits for others that start as well; a lock may not work on every file system."""


def run_of_job(ledger: Path, job: str, member: str, begin: Callable[[], str]) -> tuple[str, bool]:
    """The run of a job, and whether this process has begun it.

    A member that wrote to the job's last run already belongs to the next one.

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

    Raises
    ------
    OSError
        If the ledger cannot be written.
    """
    from hashlib import sha256  # a run that is no job starts without

    folder = ledger / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{sha256(job.encode()).hexdigest()[:24]}.json"
    with _locked(path) as file:
        run, members = _told(file)
        begun = run is None or member in members or not (ledger / run).is_dir()
        if begun:
            run, members = begin(), []
        assert run is not None
        _tell(file, {"job": job, "run": run, "members": [*members, member]})
    return run, begun


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


def _told(file: int) -> tuple[str | None, list[str]]:
    with suppress(ValueError, LookupError, TypeError):
        fields: Any = json.loads(os.read(file, os.fstat(file).st_size))
        return str(fields["run"]), [str(one) for one in fields["members"]]
    return None, []


def _tell(file: int, fields: dict[str, Any]) -> None:
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, json.dumps(fields).encode())
