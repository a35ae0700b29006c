"""Parts that a meter saw: their energy, shared with other programs where the scope says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from wattermark.science.counters import are_mirrors
from wattermark.science.load import Load
from wattermark.science.sharing import Shares, scaled, share_by_cpu_time, share_by_memory
from wattermark.science.terms import Term
from wattermark.science.timeline import Timeline, timeline
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.kinds import Kind, Part, Quality, Scope
from wattermark.values.records import Channel, Recorded
from wattermark.values.units import BASE_PER_RAW

TWIN_S = 0.005  # two dies that show one register are read this close to each other, at most
_DIE = re.compile(r"cpu/package-(\d+)-die-\d+")
_IDLE_GRID = 33

GAINS: Mapping[tuple[Part, Kind, str], str] = {
    (Part.CPU, Kind.COUNTER, "uJ"): "meter_rapl_cpu",
    (Part.DRAM, Kind.COUNTER, "uJ"): "meter_rapl_dram",
    (Part.GPU, Kind.COUNTER, "mJ"): "meter_nvml_energy",
    (Part.GPU, Kind.POWER, "mW"): "meter_nvml_power",
}
"""Which factor says how true a meter is; its raw unit tells whose it is."""
OTHER_GAIN = "meter_other"


Track = tuple[Channel, Timeline | None]


def tracks_of(recorded: Recorded) -> Iterator[Track]:
    """Every metered channel, and its energy along the run; None where nothing can be told.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    """
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


def twins_of(recorded: Recorded) -> set[str]:
    """Names of channels that repeat another die of their socket.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    """
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
            if (
                earlier != i
                and pairs
                and are_mirrors(*zip(*pairs, strict=True), tolerance=tolerance, wrap=channel.wrap)
            ):
                twins.add(channel.name)
    return twins


def metered(tracks: Iterable[Track], load: Load | None, scope: Scope) -> Iterator[Term]:
    """A term for each metered channel.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What the meters saw. [J]
    load : Load or None
        What CPU and memory are shared by.
    scope : Scope
        ``machine`` shares nothing.
    """
    for channel, track in tracks:
        if channel.kind is Kind.GAUGE:
            continue  # no energy: what can be made of it is for ``modelled``
        if track is None:
            yield _term(channel, None, Quality.MISSING, how="it gave no answer that can be believed")
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
        seen_s=track.seen_s if track else 0.0,
        unseen_s=track.unseen_s if track else 0.0,
        track=track,
        **{"run": None, **more},  # type: ignore[arg-type]
    )


def _gain(channel: Channel) -> str:
    known = channel.name.startswith(f"{channel.part}/")  # hpu/0 has NVML's units, and none of its tests
    return GAINS.get((channel.part, channel.kind, channel.unit), OTHER_GAIN) if known else OTHER_GAIN


def _whole(channel: Channel, track: Timeline) -> Term:
    gain, share = _gain(channel), channel.share
    note = f"; {channel.note}" if channel.note else ""
    return _term(
        channel, track, Quality.MEASURED,
        run=lambda values: track.total_j * share * values[gain],
        machine=lambda values: track.total_j * values[gain],
        others=lambda values: track.total_j * (1 - share) * values[gain],
        idle=lambda values: 0.0 * values[gain],
        how=_sampled(channel) + note,
    )  # fmt: skip


def _sampled(channel: Channel) -> str:
    return "power samples, each held until the next" if channel.kind is Kind.POWER else "energy counter"


def _shared(channel: Channel, track: Timeline, load: Load) -> Term:
    """A measured part whose energy is shared with other programs."""
    gain = _gain(channel)
    pick: Callable[[Values, int], Number]
    if channel.part is Part.CPU:
        pick, how = _CpuShares.of(track, load).at, "shared by processor time"
    else:
        slots_j = np.diff(track.until_j(load.edge_s))
        held = _memory_shares(slots_j, load)
        pick, how = partial(_constant, scaled(held, track.total_j)), "shared by memory held"
    return _term(
        channel, track, Quality.MEASURED,
        run=lambda values: pick(values, 0) * values[gain],
        others=lambda values: pick(values, 1) * values[gain],
        idle=lambda values: pick(values, 2) * values[gain],
        machine=lambda values: track.total_j * values[gain],
        how=f"{_sampled(channel)}, {how}",
    )  # fmt: skip


def _cpu_shares(slots_j: NDArray[np.float64], load: Load, idle_fraction: float) -> Shares:
    """By slot; as a whole where the counter saw nothing of the slots."""
    if slots_j.sum() > 0:
        return share_by_cpu_time(
            slots_j,
            run_s=load.run_s,
            busy_s=load.busy_s,
            capacity_s=load.capacity_s,
            idle_fraction=idle_fraction,
        )
    return share_by_cpu_time(
        [1.0],
        run_s=[load.run_s.sum()],
        busy_s=[load.busy_s.sum()],
        capacity_s=[load.capacity_s.sum()],
        idle_fraction=idle_fraction,
    )


def _memory_shares(slots_j: NDArray[np.float64], load: Load) -> Shares:
    weight = slots_j if slots_j.sum() > 0 else np.diff(load.edge_s)
    installed_b = load.memory_b or float(load.used_b.max()) or 1.0
    return share_by_memory(weight, run_b=load.run_b, used_b=load.used_b, installed_b=installed_b)


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
            scaled(_cpu_shares(slots_j, load, idle), track.total_j) for idle in np.linspace(0, 1, _IDLE_GRID)
        )
        return cls(slots_j, load, track.total_j, table)

    def at(self, values: Values, part: int) -> Number:
        """At one idle fraction exactly; at many, between the points of the table."""
        idle = values["cpu_idle_fraction"]
        if isinstance(idle, float):
            return scaled(_cpu_shares(self.slots_j, self.load, idle), self.total_j)[part]
        points = [shares[part] for shares in self.table]
        drawn: NDArray[np.float64] = np.interp(idle, np.linspace(0, 1, _IDLE_GRID), points)
        return drawn


def _constant(shares: Shares, _values: Values, part: int) -> Number:
    return shares[part]
