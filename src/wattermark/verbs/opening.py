"""Open a run: its file in the ledger, and what its first line says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from wattermark._version import __version__
from wattermark.ledger.read import host_name, process_started
from wattermark.ledger.runs import default_ledger, new_run_id
from wattermark.ledger.spool import SpoolFile
from wattermark.values.kinds import Scope
from wattermark.values.records import RunHeader
from wattermark.verbs.ambient import place_asked
from wattermark.verbs.facts import ancestors
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config
from wattermark.wiring.machine import cpu_model, memory_b


def open_spool(config: Config, name: str) -> tuple[str, SpoolFile] | None:
    """A new run's id and file; in a temporary folder of its own if the ledger cannot be written."""
    ledger = Path(os.path.expanduser(config.ledger)) if config.ledger else default_ledger()
    try:
        return _new_file(ledger.absolute(), name)  # absolute, as the program may go elsewhere
    except (OSError, ValueError) as error:
        fault = getattr(error, "strerror", None) or str(error)
    import tempfile

    try:
        spare = Path(tempfile.mkdtemp(prefix="wattermark-"))
        opened = _new_file(spare, name)
    except OSError:
        tell("%s cannot be written (%s); the run is not recorded. Name another with --ledger", ledger, fault)
        return None
    tell("%s cannot be written (%s); the run is kept in %s. Name another with --ledger", ledger, fault, spare)
    return opened


def _new_file(ledger: Path, name: str) -> tuple[str, SpoolFile]:
    ledger.mkdir(parents=True, exist_ok=True)
    while True:
        run = new_run_id(name)
        with suppress(FileExistsError):  # another program drew the same id this second
            (ledger / run).mkdir()
            return run, SpoolFile(ledger / run / f"{host_name()}-{os.getpid()}.jsonl")


def header_of(
    config: Config,
    *,
    run: str,
    name: str,
    command: str,
    tags: Mapping[str, str],
    inside: Iterable[str],
) -> RunHeader:
    """What is known when a run begins."""
    where = place_asked(config)
    return RunHeader(
        run=run,
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
        logical_cpus=os.cpu_count() or 1,
        cpu_model=cpu_model(),
        memory_b=memory_b(),
        version=__version__,
    )
