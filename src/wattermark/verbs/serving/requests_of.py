"""Find the runs that served requests, and read what they noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.read import read_header, read_run
from wattermark.ledger.requests import read_requests, request_files
from wattermark.ledger.runs import RunPlace, find_run, header_of_run, runs
from wattermark.science.timeline import started_s
from wattermark.values.footprint import Footprint
from wattermark.values.records import Recorded, RunHeader
from wattermark.values.served import Served
from wattermark.verbs.whole import machines_of

REQUEST = b'{"kind":"request",'
LAST, ALL = "last", "all"


@dataclass(frozen=True, slots=True)
class Machine:
    """What one machine saw in one part of a run, and the requests of its processes."""

    recorded: Recorded
    served: list[Served]


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
    """Whether a run noted requests; one that was opened for them and got none has a file without."""
    return any(path.stat().st_size > 0 for path in request_files(folder))


def count_requests(folder: Path) -> int:
    """How many requests a run noted, without a look at any of them."""
    found = 0
    for path in request_files(folder):
        with path.open("rb") as file:
            found += sum(line.startswith(REQUEST) for line in file)
    return found


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
    noted: list[list[Served]] = [[] for _ in groups]
    flags: list[str] = []
    for path in request_files(place.spool.parent):
        found = read_requests(path)
        if found.bad_lines or found.torn_bytes:
            flags.append(
                f"requests-damaged: {found.bad_lines} unreadable lines and {found.torn_bytes} bytes of a "
                f"torn one were passed over in {path.name}"
            )
        mine = [i for i, (_, keys) in enumerate(groups) if stems.get(path.stem) in keys]
        if not mine and len(groups) > 1:
            flags.append(
                f"requests-strange: {path.name} belongs to no process of the run; its {len(found.served)} "
                "requests are charged to the first machine"
            )
        noted[mine[0] if mine else 0] += found.served
    machines = tuple(Machine(one, served) for (one, _), served in zip(groups, noted, strict=True))
    return ServingRun(place, records, machines, tuple(flags))


_Key = tuple[str, int, int]


def _key(header: RunHeader) -> _Key:
    """Which process in which part of the run."""
    return header.host, header.pid, header.mono_ns


def _stems(spools: Sequence[Path]) -> Mapping[str, _Key]:
    """Request files have the names of the spools beside which they lie."""
    found = {}
    for path in spools:
        with suppress(BadSpool):
            found[path.stem] = _key(read_header(path))
    return found
