"""Find the runs that served requests, and read what they noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.columns import FileTold, RequestColumns, read_columns
from wattermark.ledger.read import read_header, read_run
from wattermark.ledger.requests import request_files
from wattermark.ledger.runs import RunPlace, find_run, header_of_run, runs
from wattermark.science.timeline import started_s
from wattermark.values.footprint import Footprint
from wattermark.values.records import Recorded, RunHeader
from wattermark.verbs.whole import machines_of

REQUEST = b'{"kind":"request",'
LAST, ALL = "last", "all"


@dataclass(frozen=True, slots=True)
class Machine:
    """What one machine saw in one part of a run, and the requests of its processes."""

    recorded: Recorded
    requests: RequestColumns


@dataclass(frozen=True, slots=True)
class ServingRun:
    """A run that served requests; ``flags`` tell what could not be read."""

    place: RunPlace
    records: list[Recorded]
    machines: tuple[Machine, ...]
    flags: tuple[str, ...]

    @property
    def run(self) -> str:
        return self.place.run

    @property
    def header(self) -> RunHeader:
        return self.records[0].header


def has_requests(folder: Path) -> bool:
    """Whether a run noted any request; one that was opened for them may have got none yet."""
    return any(True for _ in _request_lines(folder))


def count_requests(folder: Path) -> int:
    """How many requests a run noted, without a look at any of them."""
    return sum(1 for _ in _request_lines(folder))


def _request_lines(folder: Path) -> Iterator[bytes]:
    for path in request_files(folder):
        with path.open("rb") as file:
            yield from (line for line in file if line.startswith(REQUEST))


def with_word_of_requests(footprint: Footprint, folder: Path) -> Footprint:
    """A footprint that says how many requests lie behind it, and where to look at them."""
    many = count_requests(folder)
    if not many:
        return footprint
    word = "request" if many == 1 else "requests"
    told = f"served: {many:,} {word}; see: wattermark serving report {folder.name}"
    return replace(footprint, flags=(*footprint.flags, told))


def serving_places(ledger: Path, wanted: str, *, begun_after_s: float | None = None) -> list[RunPlace]:
    """The runs that are asked for: ``last`` and ``all`` are of those that noted requests.

    Raises
    ------
    UsageError
        If there is none, or the one that is named noted no request.
    """
    if wanted not in (LAST, ALL):
        place = find_run(ledger, wanted)
        if not has_requests(place.spool.parent):
            raise UsageError(
                f"the run {place.run} noted no requests",
                fix="Serve through it: wattermark proxy, or see docs/serving.md; its energy: wattermark show",
            )
        return [place]
    found = _served(ledger, begun_after_s)
    places = [next(found, None)] if wanted == LAST and begun_after_s is None else list(found)
    known = [place for place in places if place is not None]
    if not known:
        lately = "" if begun_after_s is None else " since then"
        raise UsageError(
            f"no run in {ledger} noted requests{lately}",
            fix="Note some: wattermark proxy --upstream http://localhost:8000",
        )
    return known


def _served(ledger: Path, begun_after_s: float | None) -> Iterator[RunPlace]:
    """The newest first."""
    for place in runs(ledger):
        if has_requests(place.spool.parent) and _is_recent(place, begun_after_s):
            yield place


def _is_recent(place: RunPlace, begun_after_s: float | None) -> bool:
    if begun_after_s is None:
        return True
    try:
        return started_s(header_of_run(place)) >= begun_after_s
    except BadSpool:
        return False


def read_serving(place: RunPlace) -> ServingRun:
    """A run with its requests, whatever happened to its files.

    Raises
    ------
    BadSpool
        If none of its spools can be read.
    """
    records = read_run(place.spools)
    stems = _stems(place.spools)
    groups = [(machine, [_key(one.header) for one in ranks]) for machine, ranks in machines_of(records)]
    noted: list[list[Path]] = [[] for _ in groups]
    strange: set[Path] = set()
    for path in request_files(place.spool.parent):
        mine = [i for i, (_, keys) in enumerate(groups) if _key_of(path, stems) in keys]
        if not mine and len(groups) > 1:
            strange.add(path)
        noted[mine[0] if mine else 0].append(path)
    machines = tuple(Machine(one, read_columns(paths)) for (one, _), paths in zip(groups, noted, strict=True))
    files = [file for machine in machines for file in machine.requests.files]
    return ServingRun(place, records, machines, tuple(_of_files(files, strange)))


def _of_files(files: Iterable[FileTold], strange: set[Path]) -> Iterator[str]:
    for file in files:
        if file.bad_lines or file.torn_bytes:
            yield (
                f"requests-damaged: {file.bad_lines} unreadable lines and {file.torn_bytes} bytes of a "
                f"torn one were passed over in {file.path.name}"
            )
        if file.lost_lines:
            yield f"requests-lost: {file.lost_lines:,} requests could not be noted in {file.path.name}"
        if file.path in strange:
            yield (
                f"requests-strange: {file.path.name} belongs to no process of the run; its {file.requests} "
                "requests are charged to the first machine"
            )


_Key = tuple[str, int, int]


def _key(header: RunHeader) -> _Key:
    """Which process in which part of the run."""
    return header.host, header.pid, header.mono_ns


def _stems(spools: Sequence[Path]) -> Mapping[str, _Key]:
    """The processes by the names of their spools."""
    found = {}
    for path in spools:
        with suppress(BadSpool):
            found[path.stem] = _key(read_header(path))
    return found


def _key_of(path: Path, stems: Mapping[str, _Key]) -> _Key | None:
    """Request files have the names of the spools beside which they lie, and a number from the second on."""
    name, _, number = path.stem.rpartition(".")
    return stems.get(path.stem) or (stems.get(name) if number.isdecimal() else None)
