"""From a run's readings to the energy of each part of the machine: measured, modelled or missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from wattermark.science.counters import are_mirrors
from wattermark.science.power_model import cpu_active_j, cpu_idle_j, memory_j
from wattermark.science.sharing import Shares, share_by_cpu_time, share_by_memory
from wattermark.science.timeline import Timeline, timeline
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.factors import Factor
from wattermark.values.range import Range
from wattermark.values.records import Channel, Kind, Part, Quality, Recorded, Scope
from wattermark.values.units import BASE_PER_RAW, S_PER_NS

TWIN_S = 0.005  # two dies that show one register are read this close to each other, at most
UNSEEN_WORTH_TELLING = 0.005  # of the run's time
_DIE = re.compile(r"cpu/package-(\d+)-die-\d+")
_IDLE_GRID = 33

GAINS: Mapping[tuple[Part, Kind], str] = {
    (Part.CPU, Kind.COUNTER): "meter_rapl_cpu",
    (Part.DRAM, Kind.COUNTER): "meter_rapl_dram",
    (Part.GPU, Kind.COUNTER): "meter_nvml_energy",
    (Part.GPU, Kind.POWER): "meter_nvml_power",
}
"""Which factor says how true a meter is."""
OTHER_GAIN = "meter_other"

Energy = Callable[[Values], Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The energy of one part, as a function of the factors. [J]"""

    name: str
    kind: str
    quality: Quality
    run: Energy | None
    machine: Energy | None = None
    others: Energy | None = None
    idle: Energy | None = None
    unseen_s: float = 0.0
    counted: bool = True
    device: str = ""
    how: str = ""
    track: Timeline | None = None


@dataclass(frozen=True)
class Load:
    """How busy the machine and the run were, in slots between two looks.

    Shapes: ``edge_s`` (n + 1,), all others (n,). Processor times in s, memory in B.
    """

    edge_s: NDArray[np.float64]
    run_s: NDArray[np.float64]
    busy_s: NDArray[np.float64]
    run_b: NDArray[np.float64]
    used_b: NDArray[np.float64]
    logical_cpus: int
    memory_b: float

    @cached_property
    def capacity_s(self) -> NDArray[np.float64]:
        return np.diff(self.edge_s) * self.logical_cpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All terms of a run, the factors of their own that they need, and what must be said."""

    terms: tuple[Term, ...]
    duration_s: float
    load: Load | None
    gaps: tuple[Factor, ...] = ()
    flags: tuple[str, ...] = ()
    gpus: tuple[Channel, ...] = field(default=())


def parts_of(recorded: Recorded, scope: Scope) -> Parts:
    """The energy of each part of the machine during a run.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    scope : Scope
        ``process`` charges the tracked processes with their share of CPU and memory;
        ``machine`` charges them with all that the meters saw.
    """
    duration_s = (recorded.end_mono_ns - recorded.begin_mono_ns) * S_PER_NS
    load = load_of(recorded)
    flags = []
    if scope is Scope.PROCESS and load is None:
        scope = Scope.MACHINE
        flags.append("load-unknown: processor time was not seen, so the whole machine is charged")
    tracks = list(_tracks(recorded))
    twins = _twins(recorded)
    if twins:
        flags.append(f"mirrored: {', '.join(sorted(twins))} show the counter of another die; counted once")
    tracks = [(channel, track) for channel, track in tracks if channel.name not in twins]
    terms = [*_metered(tracks, load, scope), *_modelled(tracks, load, scope, duration_s, recorded)]
    terms.append(
        Term(
            name="rest of the machine",
            kind="other",
            quality=Quality.MISSING,
            run=None,
            how="board, disks, network, fans and power supply have no meter here",
        )
    )
    gaps = tuple(_gap(term) for term in terms if _has_gap(term, duration_s))
    with_gaps = tuple(_widened(term) if _has_gap(term, duration_s) else term for term in terms)
    return Parts(
        terms=with_gaps,
        duration_s=duration_s,
        load=load,
        gaps=gaps,
        flags=(*flags, *_flags(tracks, with_gaps, duration_s)),
        gpus=tuple(channel for channel, _ in tracks if channel.part is Part.GPU),
    )


def load_of(recorded: Recorded) -> Load | None:
    """The run's load in slots; None where it was looked at less than twice."""
    log = recorded.logs.get("load")
    if log is None:
        return None
    column = {channel.name: i for i, channel in enumerate(log.channels)}
    wanted = [column[f"load/{name}"] for name in ("cpu_busy", "run_cpu", "memory_used", "run_memory")]
    rows = [
        (t, *(value[i] for i in wanted))
        for t, value in zip(log.mono_ns, log.values, strict=True)
        if all(value[i] is not None for i in wanted)
    ]
    if len(rows) < 2:
        return None
    time_ns, busy_ns, run_ns, used_b, run_b = np.array(rows, np.int64).T
    slots = np.diff(run_ns) * S_PER_NS
    return Load(
        edge_s=(time_ns - recorded.begin_mono_ns) * S_PER_NS,
        run_s=np.maximum(slots, 0.0),
        busy_s=np.maximum(np.diff(busy_ns) * S_PER_NS, 0.0),
        run_b=np.maximum(run_b[:-1], run_b[1:]).astype(float),  # at its start and end a command holds none
        used_b=_middle(used_b),
        logical_cpus=max(1, recorded.header.logical_cpus),
        memory_b=float(recorded.header.memory_b),
    )


def _middle(gauge: NDArray[np.int64]) -> NDArray[np.float64]:
    return (gauge[:-1] + gauge[1:]) / 2.0


def _tracks(recorded: Recorded) -> Iterator[tuple[Channel, Timeline | None]]:
    for log in recorded.logs.values():
        for i, channel in enumerate(log.channels):
            if channel.part is not Part.LOAD:
                raw = [values[i] for values in log.values]
                yield (
                    channel,
                    timeline(
                        channel,
                        log.mono_ns,
                        raw,
                        begin_ns=recorded.begin_mono_ns,
                        end_ns=recorded.end_mono_ns,
                    ),
                )


def _twins(recorded: Recorded) -> set[str]:
    """Channels that repeat another die of their socket."""
    twins: set[str] = set()
    for log in recorded.logs.values():
        first: dict[str, int] = {}
        for i, channel in enumerate(log.channels):
            die = _DIE.fullmatch(channel.name)
            if die is None:
                continue
            earlier = first.setdefault(die[1], i)
            pairs = [(v[earlier], v[i]) for v in log.values if v[earlier] is not None and v[i] is not None]
            tolerance = channel.power_max_w * TWIN_S / BASE_PER_RAW[channel.unit]
            if earlier != i and pairs and are_mirrors(*zip(*pairs, strict=True), tolerance=tolerance):
                twins.add(channel.name)
    return twins


def _metered(
    tracks: Iterable[tuple[Channel, Timeline | None]], load: Load | None, scope: Scope
) -> Iterator[Term]:
    for channel, track in tracks:
        if track is None:
            if channel.part is not Part.CPU and channel.part is not Part.DRAM:
                yield _term(channel, None, Quality.MISSING, how="the meter never answered twice")
            continue
        if scope is Scope.PROCESS and load is not None and channel.part in (Part.CPU, Part.DRAM):
            yield _shared(channel, track, load)
        else:
            yield _whole(channel, track)


def _term(channel: Channel, track: Timeline | None, quality: Quality, **more: object) -> Term:
    return Term(
        name=channel.name,
        kind=channel.part.value,
        quality=quality,
        device=channel.device,
        counted=channel.counted,
        unseen_s=track.unseen_s if track else 0.0,
        track=track,
        **{"run": None, **more},  # type: ignore[arg-type]
    )


def _gain(channel: Channel) -> str:
    return GAINS.get((channel.part, channel.kind), OTHER_GAIN)


def _whole(channel: Channel, track: Timeline) -> Term:
    gain, share = _gain(channel), channel.share
    sampled = "power samples, each held until the next" if channel.kind is Kind.POWER else "energy counter"
    note = f"; {channel.note}" if channel.note else ""
    return _term(
        channel, track, Quality.MEASURED,
        run=lambda values: track.total_j * share * values[gain],
        machine=lambda values: track.total_j * values[gain],
        others=lambda values: track.total_j * (1 - share) * values[gain],
        idle=lambda values: 0.0 * values[gain],
        how=sampled + note,
    )  # fmt: skip


def _shared(channel: Channel, track: Timeline, load: Load) -> Term:
    """A measured part whose energy is shared with other programs."""
    gain = _gain(channel)
    pick: Callable[[Values, int], Number]
    if channel.part is Part.CPU:
        pick, how = _CpuShares.of(track, load).at, "energy counter, shared by processor time"
    else:
        slots_j = np.diff(track.until_j(load.edge_s))
        held = share_by_memory(
            slots_j, run_b=load.run_b, used_b=load.used_b, installed_b=load.memory_b or 1.0
        )
        pick, how = partial(_constant, _scaled(held, track.total_j)), "energy counter, shared by memory held"
    return _term(
        channel, track, Quality.MEASURED,
        run=lambda values: pick(values, 0) * values[gain],
        others=lambda values: pick(values, 1) * values[gain],
        idle=lambda values: pick(values, 2) * values[gain],
        machine=lambda values: track.total_j * values[gain],
        how=how,
    )  # fmt: skip


def _cpu_shares(slots_j: NDArray[np.float64], load: Load, idle_fraction: float) -> Shares:
    return share_by_cpu_time(
        slots_j, run_s=load.run_s, busy_s=load.busy_s, capacity_s=load.capacity_s, idle_fraction=idle_fraction
    )


@dataclass(frozen=True, slots=True)
class _CpuShares:
    """Shares of a processor's energy as a function of its idle fraction."""

    slots_j: NDArray[np.float64]
    load: Load
    total_j: float
    table: tuple[Shares, ...]

    @classmethod
    def of(cls, track: Timeline, load: Load) -> _CpuShares:
        slots_j = np.diff(track.until_j(load.edge_s))
        table = tuple(
            _scaled(_cpu_shares(slots_j, load, idle), track.total_j) for idle in np.linspace(0, 1, _IDLE_GRID)
        )
        return cls(slots_j, load, track.total_j, table)

    def at(self, values: Values, part: int) -> Number:
        """At one idle fraction exactly; at many, between the points of the table."""
        idle = values["cpu_idle_fraction"]
        if isinstance(idle, float):
            return _scaled(_cpu_shares(self.slots_j, self.load, idle), self.total_j)[part]
        points = [shares[part] for shares in self.table]
        drawn: NDArray[np.float64] = np.interp(idle, np.linspace(0, 1, _IDLE_GRID), points)
        return drawn


def _constant(shares: Shares, _values: Values, part: int) -> Number:
    return shares[part]


def _scaled(shares: Shares, total_j: float) -> Shares:
    """The shares of the slots, for the whole: what lies outside any slot is shared alike."""
    slots_j = sum(shares)
    if slots_j <= 0:
        return Shares(0.0, 0.0, total_j)
    return Shares(*(one_j * (total_j / slots_j) for one_j in shares))


def _modelled(
    tracks: Iterable[tuple[Channel, Timeline | None]],
    load: Load | None,
    scope: Scope,
    duration_s: float,
    recorded: Recorded,
) -> Iterator[Term]:
    """CPU and memory where no counter told them."""
    told = {channel.part for channel, track in tracks if track is not None}
    if Part.CPU not in told:
        yield _modelled_cpu(load, scope, duration_s, recorded.header.cpu_model)
    if Part.DRAM not in told:
        yield _modelled_memory(load, scope, duration_s)


def _modelled_cpu(load: Load | None, scope: Scope, duration_s: float, model: str) -> Term:
    if load is None:
        return Term(
            name="cpu", kind="cpu", quality=Quality.MISSING, run=None, how="neither counter nor load was seen"
        )
    run_s, busy_s = float(load.run_s.sum()), float(np.maximum(load.busy_s, load.run_s).sum())

    def active(values: Values, cpu_s: float) -> Number:
        return cpu_active_j(
            cpu_s, idle_w=values["cpu_idle_w_per_logical_cpu"], full_w=values["cpu_full_w_per_logical_cpu"]
        )

    def idle(values: Values) -> Number:
        return cpu_idle_j(
            duration_s, logical_cpus=load.logical_cpus, idle_w=values["cpu_idle_w_per_logical_cpu"]
        )

    def machine(values: Values) -> Number:
        return active(values, busy_s) + idle(values)

    whole = scope is Scope.MACHINE
    return Term(
        name="cpu",
        kind="cpu",
        quality=Quality.MODELLED,
        run=machine if whole else lambda values: active(values, run_s),
        machine=machine,
        others=lambda values: 0.0 * active(values, 0.0) if whole else active(values, busy_s - run_s),
        idle=lambda values: 0.0 * idle(values) if whole else idle(values),
        device=model,
        how="processor time times power of one logical CPU; no counter here",
    )


def _modelled_memory(load: Load | None, scope: Scope, duration_s: float) -> Term:
    if load is None or not load.memory_b:
        return Term(
            name="dram",
            kind="dram",
            quality=Quality.MISSING,
            run=None,
            how="neither counter nor size was seen",
        )
    by_time = np.diff(load.edge_s)
    shares = share_by_memory(by_time, run_b=load.run_b, used_b=load.used_b, installed_b=load.memory_b)
    parts = Shares(1.0, 0.0, 0.0) if scope is Scope.MACHINE else _scaled(shares, 1.0)

    def part(values: Values, i: int) -> Number:
        return memory_j(duration_s, memory_b=load.memory_b, w_per_gb=values["dram_power_w_per_gb"]) * parts[i]

    return Term(
        name="dram",
        kind="dram",
        quality=Quality.MODELLED,
        run=lambda values: part(values, 0),
        others=lambda values: part(values, 1),
        idle=lambda values: part(values, 2),
        machine=lambda values: part(values, 0) + part(values, 1) + part(values, 2),
        how="installed memory times power of one GB"
        + ("" if scope is Scope.MACHINE else ", shared by memory held"),
    )


def _has_gap(term: Term, duration_s: float) -> bool:
    return (
        term.track is not None and term.track.seen_s > 0 and term.unseen_s > UNSEEN_WORTH_TELLING * duration_s
    )


def _gap_name(term: Term) -> str:
    return f"gap in {term.name}"


def _gap(term: Term) -> Factor:
    """How much of a gap is to be filled: none at best (only what was seen counts), all at the high end."""
    return Factor(
        name=_gap_name(term),
        value=Range(0.0, 0.0, 1.0),
        unit="1",
        key="this run",
        year=0,
        basis="not seen",
        source="run",
        note=f"{term.unseen_s:.3g} s; filled at the mean power of what was seen at the high end",
    )


def _widened(term: Term) -> Term:
    assert term.track is not None and term.run is not None
    seen, name, missing = term.run, _gap_name(term), term.unseen_s / term.track.seen_s
    return replace(term, run=lambda values: seen(values) * (1 + missing * values[name]))


def _flags(
    tracks: Iterable[tuple[Channel, Timeline | None]], terms: Iterable[Term], duration_s: float
) -> Iterator[str]:
    for term in terms:
        if _has_gap(term, duration_s):
            part = term.unseen_s / duration_s
            yield (
                f"gap: {term.name} was not seen for {term.unseen_s:.3g} s ({part:.0%}); "
                "its energy then is not in the best value"
            )
        if term.quality is Quality.MODELLED:
            yield f"modelled: {term.name} has no meter here; its energy is estimated with a wide interval"
    for channel, track in tracks:
        if track is not None and 0 < duration_s < channel.refresh_s:
            yield f"short: {channel.name} is renewed every {channel.refresh_s:g} s, longer than this run"
        if channel.note and channel.part is not Part.LOAD:
            yield f"note: {channel.name}: {channel.note}"
