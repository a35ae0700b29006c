"""The folder of runs: ``<ledger>/<run>/<host>-<pid>.jsonl``, a file for each process and part."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.read import read_header
from wattermark.values.records import RunHeader

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where a run lies: a file for each of its processes and parts, one at least."""

    run: str
    spools: tuple[Path, ...]

    @property
    def spool(self) -> Path:
        """The first of them."""
        return self.spools[0]


def default_ledger() -> Path:
    """The platform's folder for a user's data, and ours in it; ``WATTERMARK_LEDGER`` names another."""
    if named := os.environ.get("WATTERMARK_LEDGER"):
        return Path(os.path.expanduser(named))
    return data_home() / "wattermark" / "runs"


def ledger_folder(named: str | None) -> Path:
    """The ledger that was asked for, else the user's own."""
    return Path(os.path.expanduser(named)) if named else default_ledger()


def data_home() -> Path:
    """Where programs keep a user's data on this platform (XDG on Linux)."""
    if sys.platform == "darwin":
        return home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_DATA_HOME") or home() / ".local" / "share")


def home() -> Path:
    """The user's folder; a container may run a user who has none, and then it is the temporary one."""
    try:
        return Path.home()
    except RuntimeError:
        import tempfile

        return Path(tempfile.gettempdir())


def new_run_id(name: str) -> str:
    """Sorts by time, reads well, and is not given twice."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stamp}-{_short(name)}-{os.urandom(4).hex()}"


def _short(name: str) -> str:
    return safe(name)[:24].strip("-.") or "run"


def named(ledger: Path, name: str) -> Iterator[str]:
    """The runs of that name, the newest first."""
    short = _short(name)
    for place in runs(ledger):
        if _name(place.run) == short and name in _told_names(place):
            yield place.run


def safe(name: str) -> str:
    """A name that may stand in a path."""
    return _UNSAFE.sub("-", name).strip("-.")


def runs(ledger: Path) -> Iterator[RunPlace]:
    """All runs of a ledger, the newest first; an absent folder holds none.

    Raises
    ------
    UsageError
        If the folder is there and may not be read.
    """
    try:
        names = sorted(os.listdir(ledger), reverse=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"the ledger {ledger} cannot be read: {error.strerror}",
            fix="Name another with --ledger or WATTERMARK_LEDGER",
        ) from error
    for name in names:
        if spools := spools_in(ledger / name):
            yield RunPlace(name, spools)


def spools_in(folder: Path) -> tuple[Path, ...]:
    """The files of one run.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    return tuple(sorted(folder.glob("*.jsonl")))


def header_of_run(place: RunPlace) -> RunHeader:
    """What a run said when it began, by the first of its files that can be read.

    Raises
    ------
    BadSpool
        If none can be.
    """
    *others, last = place.spools
    for spool in others:
        with suppress(BadSpool):
            return read_header(spool)
    return read_header(last)


def find_run(ledger: Path, wanted: str) -> RunPlace:
    """A run by its id, by the beginning or the name part of it, by its whole name or job, or ``last``.

    What fits one run alone wins: job 2 is told from all the runs whose ids begin so.

    Raises
    ------
    UsageError
        If there is none, or more than one.
    """
    if not wanted.strip():
        raise UsageError("no run is named", fix="Give an id, the beginning of one, a name, or 'last'")
    everything = list(runs(ledger))
    if not everything:
        raise UsageError(f"no runs in {ledger}", fix="Record one: wattermark run -- python train.py")
    if wanted == "last":
        return everything[0]
    several: list[RunPlace] = []
    for fits in _WAYS_TO_NAME:
        found = [place for place in everything if fits(place, wanted)]
        if len(found) == 1:
            return found[0]
        several = several or found
    if not several:
        raise UsageError(f"no run {wanted!r} in {ledger}", fix="See: wattermark runs")
    which = ", ".join(place.run for place in several[:4])
    raise UsageError(f"{len(several)} runs fit {wanted!r}", fix=f"Say which: {which}")


def _name(run: str) -> str:
    """The name inside an id: 20261123-114502-NAME-3f2a01b2."""
    return run[16:-9]


def _told_names(place: RunPlace) -> tuple[str, ...]:
    """The whole name, which an id may shorten, and those of its job: ``slurm:77.0`` and ``77.0``."""
    try:
        header = header_of_run(place)
    except BadSpool:
        return ()
    return (header.name, *filter(None, (header.job, header.job.rpartition(":")[2])))


def _job_of(place: RunPlace) -> str:
    """The job that a step is of: 77 of slurm:77.0; what runs beside the step may have that name itself."""
    return next((name.partition(".")[0] for name in reversed(_told_names(place)[1:])), "")


_WAYS_TO_NAME: tuple[Callable[[RunPlace, str], bool], ...] = (
    lambda place, wanted: place.run == wanted,
    lambda place, wanted: place.run.startswith(wanted) or wanted == _name(place.run),
    lambda place, wanted: wanted in _told_names(place),
    lambda place, wanted: wanted == _job_of(place),
)
