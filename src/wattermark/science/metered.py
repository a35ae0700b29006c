"""Parts that a meter saw: their energy, shared with other programs where the scope says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from wattermark.science.counters import are_mirrors
from wattermark.science.load import GpuLoad, Load
from wattermark.science.sharing.devices import (
    Shares,
    SharesBy,
    scaled,
    share_by_cpu_time,
    share_by_memory,
    share_by_sm_time,
    weighted_share,
)
from wattermark.science.terms import Term
from wattermark.science.timeline import Timeline, timeline
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.kinds import Kind, Part, Quality, Scope
from wattermark.values.records import Channel, Recorded
from wattermark.values.units import BASE_PER_RAW

TWIN_S = 0.005  # two dies that show one register are read this close to each other, at most
DEAD_S = 0.05  # in so long any processor draws more than one count
_DIE = re.compile(r"cpu/package-(\d+)-die-\d+")
_IDLE_FRACTIONS = np.linspace(0, 1, 33)
_WEIGHTS = np.geomspace(1 / 16, 16, 33)
IDLE, WEIGHT = "cpu_idle_fraction", "gpu_share_weight"

GAINS: Mapping[tuple[Part, Kind, str], str] = {
    (Part.CPU, Kind.COUNTER, "uJ"): "meter_rapl_cpu",
    (Part.DRAM, Kind.COUNTER, "uJ"): "meter_rapl_dram",
    (Part.CPU, Kind.COUNTER, "pWh"): "meter_rapl_cpu",  # the same counters, as Windows tells them
    (Part.DRAM, Kind.COUNTER, "pWh"): "meter_rapl_dram",
    (Part.GPU, Kind.COUNTER, "mJ"): "meter_nvml_energy",
    (Part.GPU, Kind.POWER, "mW"): "meter_nvml_power",
}
"""Which factor says how true a meter is; its raw unit tells whose it is."""
NODE_GAIN, OTHER_GAIN = "meter_node", "meter_other"
"""Of the whole node, which errs apart from the meters of its parts; and of all others."""


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
                begin_ns, end_ns = recorded.begin_mono_ns, recorded.end_mono_ns
                track = timeline(channel, log.mono_ns, raw, begin_ns=begin_ns, end_ns=end_ns)
                yield channel, None if _is_dead(channel, track) else track


def _is_dead(channel: Channel, track: Timeline | None) -> bool:
    """Whether a processor, or memory, would have drawn nothing: some virtual machines have such counters."""
    counter = channel.kind is Kind.COUNTER and channel.part in (Part.CPU, Part.DRAM)
    return counter and track is not None and track.total_j == 0 and track.seen_s > DEAD_S + channel.refresh_s


def twins_of(recorded: Recorded) -> set[str]:
    """Names of channels that repeat another die of their socket: registers, by where they stand.

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
            if die is None or channel.wrap is None:  # all that begin at zero stand alike
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


def metered(
    tracks: Iterable[Track], load: Load | None, scope: Scope, gpu_loads: Mapping[str, GpuLoad]
) -> Iterator[Term]:
    """A term for each metered channel.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What the meters saw. [J]
    load : Load or None
        What CPU and memory are shared by.
    scope : Scope
        ``machine`` shares nothing.
    gpu_loads : mapping
        By UUID: what GPUs are shared by.
    """
    for channel, track in tracks:
        if channel.kind is Kind.GAUGE:
            continue  # no energy: what can be made of it is for ``modelled``
        if track is None:
            yield _term(channel, None, Quality.MISSING, how="it gave no answer that can be believed")
            continue
        used = gpu_loads.get(channel.uuid) if scope is Scope.PROCESS and channel.part is Part.GPU else None
        if scope is Scope.PROCESS and load is not None and channel.part in (Part.CPU, Part.DRAM):
            yield _shared(channel, track, load)
        elif used is not None and not used.alone:
            yield _shared_gpu(channel, track, used)
        else:
            yield _whole(channel, track, "; no other program used it" if used is not None else "")


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
    if channel.node:
        return NODE_GAIN
    known = channel.name.startswith(f"{channel.part}/")  # hpu/0 has NVML's units, and none of its tests
    return GAINS.get((channel.part, channel.kind, channel.unit), OTHER_GAIN) if known else OTHER_GAIN


def _whole(channel: Channel, track: Timeline, told: str = "") -> Term:
    """All of a part, or a slice of a GPU."""
    gain = _gain(channel)
    note = f"; {channel.note}" if channel.note else ""

    return _term(
        channel, track, Quality.MEASURED,
        run=lambda values: track.total_j * share_taken(channel, values) * values[gain],
        machine=lambda values: track.total_j * values[gain],
        others=lambda values: track.total_j * (1 - share_taken(channel, values)) * values[gain],
        idle=lambda values: 0.0 * values[gain],
        how=_sampled(channel) + told + note,
    )  # fmt: skip


def share_taken(channel: Channel, values: Values) -> Number:
    """The run's part of a device of which it may hold a slice: others may draw more for theirs, or less. [1]

    Parameters
    ----------
    channel : Channel
        Of the device.
    values : mapping
        By name: ``gpu_share_weight``. [1]
    """
    return weighted_share(channel.share, values[WEIGHT]) if channel.share < 1 else 1.0


def _sampled(channel: Channel) -> str:
    return "power samples, each held until the next" if channel.kind is Kind.POWER else "energy counter"


def _shared(channel: Channel, track: Timeline, load: Load) -> Term:
    """A measured part whose energy is shared with other programs."""
    slots_j = np.diff(track.until_j(load.edge_s))
    if channel.part is Part.CPU:
        by = SharesBy.tabled(
            IDLE, lambda idle: scaled(_cpu_shares(slots_j, load, idle), track.total_j), _IDLE_FRACTIONS
        )
        return _parted(channel, track, partial(_by_factor, by), "shared by processor time")
    held = scaled(_memory_shares(slots_j, load), track.total_j)
    return _parted(channel, track, partial(_constant, held), "shared by memory held")


def _shared_gpu(channel: Channel, track: Timeline, used: GpuLoad) -> Term:
    """A GPU that other programs used as well."""
    slots_j = np.diff(track.until_j(used.edge_s))
    by = SharesBy.tabled(
        WEIGHT, lambda weight: scaled(_gpu_shares(slots_j, used, weight), track.total_j), _WEIGHTS
    )
    return _parted(channel, track, partial(_by_factor, by), "shared by SM time")


def _parted(channel: Channel, track: Timeline, pick: Callable[[Values, int], Number], how: str) -> Term:
    gain = _gain(channel)
    return _term(
        channel, track, Quality.MEASURED,
        run=lambda values: pick(values, 0) * values[gain],
        others=lambda values: pick(values, 1) * values[gain],
        idle=lambda values: pick(values, 2) * values[gain],
        machine=lambda values: track.total_j * values[gain],
        how=f"{_sampled(channel)}, {how}",
    )  # fmt: skip


def _by_factor(by: SharesBy, values: Values, part: int) -> Number:
    return by.at(values[by.factor], part)


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


def _gpu_shares(slots_j: NDArray[np.float64], used: GpuLoad, weight: float) -> Shares:
    """By slot; as a whole where the counter saw nothing of the slots."""
    slot_s = np.diff(used.edge_s)
    if slots_j.sum() > 0:
        return share_by_sm_time(
            slots_j, run_s=used.run_s, all_s=used.all_s, held=used.held_s / slot_s, weight=weight
        )
    return share_by_sm_time(
        [1.0],
        run_s=[used.run_s.sum()],
        all_s=[used.all_s.sum()],
        held=[used.held_s.sum() / slot_s.sum()],
        weight=weight,
    )


def _constant(shares: Shares, _values: Values, part: int) -> Number:
    return shares[part]
