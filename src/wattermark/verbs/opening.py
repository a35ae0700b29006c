"""Open a run: its file in the ledger, and what its first line says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from wattermark._version import __version__
from wattermark.ledger.jobs import FOLDER, part_to_write, run_of_job
from wattermark.ledger.read import host_name, process_started
from wattermark.ledger.runs import ledger_folder, new_run_id
from wattermark.ledger.spool import SpoolFile
from wattermark.values.kinds import Scope
from wattermark.values.records import RunHeader
from wattermark.verbs.ambient import place_asked
from wattermark.verbs.facts import ancestors
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config
from wattermark.wiring.container import limits
from wattermark.wiring.machine import machine, memory_b, processors
from wattermark.wiring.ranks import Rank, rank_among

_begun: dict[tuple[int, str], count[int]] = {}


@dataclass(frozen=True, slots=True)
class Opened:
    """The run that a process writes to, its own file, and which part of the run that is."""

    run: str
    spool: SpoolFile
    part: int = 0


def rank_here() -> Rank | None:
    """Which process of a job this is, if it is one."""
    return rank_among(os.environ, f"{host_name()}:{''.join(ancestors(os.getpid())[1:2])}")


def open_spool(config: Config, name: str, among: Rank | None, resume: str | None) -> Opened | None:
    """The file of a new run, of a job's or of one that is taken up again.

    It lies in a temporary folder of its own if the ledger cannot be written.
    """
    ledger = ledger_of(config)
    try:
        return _in_ledger(ledger, name, among, resume)
    except (OSError, ValueError) as error:
        fault = getattr(error, "strerror", None) or str(error)
    import tempfile

    try:
        spare = Path(tempfile.mkdtemp(prefix="wattermark-"))
        opened = Opened(*_new_file(spare, name))
    except OSError:
        tell("%s cannot be written (%s); the run is not recorded. Name another with --ledger", ledger, fault)
        return None
    tell("%s cannot be written (%s); the run is kept in %s. Name another with --ledger", ledger, fault, spare)
    return opened


def ledger_of(config: Config) -> Path:
    """Where runs are kept; absolute, as the program may go elsewhere."""
    return ledger_folder(config.ledger).absolute()


def _in_ledger(ledger: Path, name: str, among: Rank | None, resume: str | None) -> Opened:
    if resume is not None:
        return _next_part(ledger, resume, among)
    if among is None:
        return Opened(*_new_file(ledger, name))
    ledger.mkdir(parents=True, exist_ok=True)
    try:
        run, begun = _of_job(ledger, name, among)
    except OSError as error:  # another user's, or no folder
        alone = Opened(*_new_file(ledger, name))
        tell(
            "%s cannot be written (%s); this process of the job is a run of its own, %s",
            error.filename or ledger / FOLDER,
            error.strerror,
            alone.run,
        )
        return alone
    if not begun and among.attempt:
        return _next_part(ledger, run, among)
    return Opened(run, _new_spool(ledger / run))


def _of_job(ledger: Path, name: str, among: Rank) -> tuple[str, bool]:
    """The run of all its processes, and whether this one begins it."""
    member = f"{among.rank if among.rank is not None else os.getpid()} {among.attempt}"
    size = None if among.attempt else among.world_size  # what is started again may go on with fewer
    job = _of_this_process(among.job)
    return run_of_job(ledger, job, member, lambda: _new_folder(ledger, name), of=size)


def _next_part(ledger: Path, run: str, among: Rank | None) -> Opened:
    """One part more, or the one that the other ranks have begun."""
    folder = ledger / run
    mine = part_to_write(folder, among.rank, among.job, among.world_size) if among else part_to_write(folder)
    return Opened(run, _new_spool(folder), mine)


def _of_this_process(job: str) -> str:
    """The first run of each process of a job is one, the second is another."""
    number = next(_begun.setdefault((os.getpid(), job), count()))
    return f"{job} {number}"


def _new_file(ledger: Path, name: str) -> tuple[str, SpoolFile]:
    ledger.mkdir(parents=True, exist_ok=True)
    run = _new_folder(ledger, name)
    return run, _new_spool(ledger / run)


def _new_folder(ledger: Path, name: str) -> str:
    while True:
        run = new_run_id(name)
        with suppress(FileExistsError):  # another program drew the same id this second
            (ledger / run).mkdir()
            return run


def _new_spool(folder: Path) -> SpoolFile:
    """A file of this process alone: in containers, another one may have had its number before."""
    name = f"{host_name()}-{os.getpid()}"
    for number in count():
        path = folder / (f"{name}.{number}.jsonl" if number else f"{name}.jsonl")
        with suppress(FileExistsError):
            path.touch(0o644, exist_ok=False)
            return SpoolFile(path)
    raise AssertionError("there is always one more number")


def header_of(
    config: Config,
    *,
    opened: Opened,
    among: Rank | None,
    name: str,
    command: str,
    tags: Mapping[str, str],
    inside: Iterable[str],
) -> RunHeader:
    """What is known when a run begins."""
    where = place_asked(config)
    return RunHeader(
        run=opened.run,
        name=name,
        host=host_name(),
        pid=os.getpid(),
        pid_started=process_started(os.getpid()),
        started_ns=time.time_ns(),
        mono_ns=time.monotonic_ns(),
        interval_s=config.interval,
        scope=Scope(config.scope),
        command=command,
        place=where.place,
        place_from=where.found,
        pue=config.pue,
        wue_l_per_kwh=config.wue,
        market_intensity_g_per_kwh=config.market_intensity,
        inside=tuple(inside),
        ancestors=ancestors(os.getpid()),
        tags=tags,
        version=__version__,
        **_of_machine(),
        job=among.job if among else "",
        rank=among.rank if among else None,
        world_size=among.world_size if among else None,
        part=opened.part,
    )


def _of_machine() -> dict[str, Any]:
    """The fields of a header that tell of the machine, and of the container in it."""
    cpu, limit = processors(), limits()
    return {
        "machine": machine(),
        "logical_cpus": os.cpu_count() or 1,
        "cpu_model": cpu.model,
        "sockets": cpu.sockets,
        "virtual": cpu.virtual,
        "memory_b": memory_b(),
        "cpu_limit": limit.cpus,
        "memory_limit_b": limit.memory_b,
    }
