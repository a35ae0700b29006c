"""Take requests that others kept into the ledger, as a run that no meter saw."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from errno import EIO, ENOSPC
from itertools import chain, islice
from pathlib import Path
from typing import Any

from wattermark.errors import BadExport, BadSpool, UsageError, nearest
from wattermark.ledger.requests import RequestFile, request_line
from wattermark.ledger.runs import header_of_run, runs
from wattermark.ledger.salt import salt_of
from wattermark.ledger.spool import SpoolFile, line, run_line
from wattermark.serving.imports.events import Passed, event_of
from wattermark.serving.imports.formats import FORMATS, Format, format_of
from wattermark.serving.imports.records import Record, records
from wattermark.serving.tenants import tenant_of
from wattermark.signals.traces.moments import moment
from wattermark.values.kinds import Scope, Status
from wattermark.values.served import Outcome, Served
from wattermark.verbs.opening import header_of, ledger_of, open_spool
from wattermark.verbs.serving.elsewhere import served_elsewhere
from wattermark.wiring.config import Config

AT_ONCE = 2000
"""Lines that are written in one go."""
LOOKS = 50
"""Records that are looked at to know whose export it is."""
NAME = "import"
DIGEST = "sha256"
Hashed = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was taken in from one file, and what was not, by reason."""

    run: str
    file: str
    format: str
    rows: int
    requests: int
    without_tokens: int
    failed: int
    passed: Mapping[str, int]
    models: Mapping[str, int]


def import_file(path: Path, *, config: Config, kept: str | None = None, again: bool = False) -> Imported:
    """Take one export into the ledger.

    Parameters
    ----------
    path : Path
        CSV, JSON, JSON Lines or OTLP/JSON; packed by gzip or not.
    config : Config
        Its place, if the user gave one, is where the models are served.
    kept : str, optional
        Whose export it is, a name of ``FORMATS``; found out by default.
    again : bool
        Take it though it was taken before.

    Raises
    ------
    BadExport
        If it cannot be understood, or holds no request.
    UsageError
        If it was taken before, or there is no such format.
    """
    given = _asked(kept)
    digest = _digest(path)
    ledger = ledger_of(config)
    if not again:
        _refuse_twice(ledger, path, digest)
    known, found = _known(path, given)
    ledger.mkdir(parents=True, exist_ok=True)
    salt = salt_of(ledger)
    events = _events(found, known, lambda word: tenant_of(word, salt))
    tally = _Tally()
    first = next((one for one in map(tally.take, events) if one is not None), None)
    if first is None:
        raise BadExport(f"{path} holds no request to a model{_why(tally.passed)}", fix="Export generations")
    run = _write(config, path, digest, tally, chain([first], (one for one in map(tally.take, events) if one)))
    return Imported(
        run=run, file=path.name, format=known.name, rows=tally.rows, requests=tally.requests,
        without_tokens=tally.without_tokens, failed=tally.failed, passed=dict(tally.passed),
        models=dict(tally.models.most_common()),
    )  # fmt: skip


class _Tally:
    """Counts what goes by."""

    def __init__(self) -> None:
        self.rows = self.requests = self.without_tokens = self.failed = 0
        self.begin_ns = self.end_ns = 0
        self.passed: Counter[str] = Counter()
        self.models: Counter[str] = Counter()

    def take(self, event: Served | Passed) -> Served | None:
        if isinstance(event, Passed):
            self.passed[event.why] += 1
            return None
        self.rows += 1
        self.requests += event.many
        self.models[event.model or "unknown"] += event.many
        self.without_tokens += 0 if event.usage.is_known else event.many
        self.failed += 0 if event.outcome is Outcome.OK else event.many
        self.begin_ns = min(self.begin_ns or event.begin_ns, event.begin_ns)
        self.end_ns = max(self.end_ns, event.end_ns)
        return event


def _asked(kept: str | None) -> Format | None:
    if kept is None or kept in FORMATS:
        return FORMATS[kept] if kept else None
    near = nearest(kept, FORMATS, most=1)
    offer = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no format {kept!r}", fix=f"{offer}Known: {', '.join(FORMATS)}")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadExport(
            f"{path} cannot be read: {error.strerror}", fix="Give the path of an export"
        ) from error


def _refuse_twice(ledger: Path, path: Path, digest: str) -> None:
    for place in runs(ledger):
        if f"-{NAME}-" in place.run:
            with suppress(BadSpool):
                if header_of_run(place).tags.get(DIGEST) == digest:
                    raise UsageError(
                        f"{path.name} is in the ledger as {place.run}",
                        fix="Its requests would count twice; give --again if you mean that",
                    )


def _known(path: Path, given: Format | None) -> tuple[Format, Iterator[Record]]:
    """Whose export it is, by its first records."""
    found = records(path)
    if given is not None:
        return given, found
    first = list(islice(found, LOOKS))
    if not first:
        raise BadExport(f"{path} is empty", fix="Give an export with a request in it")
    faults: list[BadExport] = []
    for record in first:
        try:
            return format_of(record.fields, record.at), chain(first, found)
        except BadExport as error:
            faults.append(error)
    raise faults[0]


def _events(found: Iterable[Record], known: Format, hashed: Hashed) -> Iterator[Served | Passed]:
    return (event_of(record.fields, known, _when, hashed) for record in found)


def _when(cell: Any) -> float | None:
    """A cell as seconds since 1970, if it can be one. [s]"""
    try:
        told = moment(float(cell) if isinstance(cell, int) else cell) if cell is not None else None
    except OverflowError:  # a whole number of 309 digits or more
        return None
    return told[0] if told else None


def _why(passed: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{many} with {why}' for why, many in passed.items())})" if passed else ""


def _write(config: Config, path: Path, digest: str, tally: _Tally, events: Iterable[Served]) -> str:
    """A run with the requests beside it, whole or not at all: it is moved into the ledger at the end."""
    ledger = ledger_of(config)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=ledger) as draft:
            run, lost = _draft(replace(config, ledger=draft), path, digest, tally, events)
            if lost:
                raise OSError(ENOSPC, f"there was no room for {lost} lines")
            (Path(draft) / run).rename(ledger / run)
    except OSError as error:
        raise UsageError(
            f"{ledger} cannot be written ({error.strerror}); nothing was taken",
            fix="Free some room, or name another with --ledger",
        ) from error
    return run


def _draft(
    config: Config, path: Path, digest: str, tally: _Tally, events: Iterable[Served]
) -> tuple[str, int]:
    """The run, and how many lines of it could not be written; its clock counts from 1970."""
    name = f"{NAME}-{path.stem}"
    opened = open_spool(config, name, None, None)
    if opened is None or opened.spool.path.parent.parent != Path(config.ledger or ""):
        raise OSError(EIO, "no file can be made there")
    tags = {"imported": path.name, DIGEST: digest}
    header = header_of(config, opened=opened, among=None, name=name, command=NAME, tags=tags, inside=())
    header = replace(
        served_elsewhere(header, config),
        started_ns=tally.begin_ns,
        mono_ns=tally.begin_ns,
        scope=Scope.MACHINE,
    )
    spool = opened.spool
    spool.write(run_line(header))
    spool.write(line("late", mono_ns=tally.begin_ns))  # no meter ever answers, and still it lasts
    lost = _write_requests(spool, events)
    spool.write(line("stop", mono_ns=tally.end_ns, time_ns=tally.end_ns, status=Status.OK, detail=""))
    spool.close()
    return opened.run, lost + spool.lost_lines


def _write_requests(spool: SpoolFile, events: Iterable[Served]) -> int:
    """Answers how many could not be written."""
    file = RequestFile(spool.path.parent, spool.path.stem)
    lines = map(request_line, events)
    while chunk := "".join(islice(lines, AT_ONCE)):
        file.write(chunk)
    file.close()
    return file.lost_lines
