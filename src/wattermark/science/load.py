"""How busy the machine and the run were, in slots between two looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattermark.values.kinds import Part
from wattermark.values.records import ReaderLog, Recorded
from wattermark.values.units import S_PER_NS

GPU_ROWS = ("run_sm", "all_sm", "held_by_others")
"""What is told of the programs on a GPU, behind its name."""
CGROUP = "load/run_cgroup_cpu"
"""Processor time of the control group that holds the run and nobody else; None while it holds others."""


@dataclass(frozen=True)
class Load:
    """How busy the machine and the run were, in slots between two looks.

    Shapes: ``edge_s`` (n + 1,), all others (n,). Processor times in s, memory in B. ``alone`` is True
    where the run had a control group, such as a container, to itself at each look.
    """

    edge_s: NDArray[np.float64]
    run_s: NDArray[np.float64]
    busy_s: NDArray[np.float64]
    run_b: NDArray[np.float64]
    used_b: NDArray[np.float64]
    logical_cpus: float
    memory_b: float
    alone: bool = False

    @property
    def seen_s(self) -> float:
        """From the first look to the last. [s]"""
        return float(self.edge_s[-1] - self.edge_s[0])

    @cached_property
    def capacity_s(self) -> NDArray[np.float64]:
        return np.diff(self.edge_s) * self.logical_cpus


def load_of(recorded: Recorded) -> Load | None:
    """The run's load in slots; None where it was looked at less than twice.

    The run's processor time is that of its control group where it had one to itself at every look, as this
    holds what exited and orphaned processes took; else that of its tree of processes.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it: processor times in ns, memory in B.
    """
    log = recorded.logs.get("load")
    if log is None:
        return None
    column = {channel.name: i for i, channel in enumerate(log.channels)}
    names = [f"load/{name}" for name in ("cpu_busy", "run_cpu", "memory_used", "run_memory")]
    if not set(names) <= column.keys():
        return None
    looks = _whole_rows(log, [column[name] for name in names])
    if len(looks) < 2:
        return None
    time_ns, busy_ns, tree_ns, used_b, run_b = np.array(looks, np.int64).T
    group_ns = _at(log, column[CGROUP], time_ns) if CGROUP in column else [None]
    alone = None not in group_ns
    slots = np.diff(np.array(group_ns, np.int64) if alone else tree_ns) * S_PER_NS
    return Load(
        edge_s=(time_ns - recorded.begin_mono_ns) * S_PER_NS,
        run_s=np.maximum(slots, 0.0),
        busy_s=np.maximum(np.diff(busy_ns) * S_PER_NS, 0.0),
        run_b=np.maximum(run_b[:-1], run_b[1:]).astype(float),  # at its start and end a command holds none
        used_b=_middle(used_b),
        logical_cpus=max(1, recorded.header.logical_cpus),
        memory_b=float(recorded.header.memory_b),
        alone=alone,
    )


@dataclass(frozen=True, slots=True)
class GpuLoad:
    """Who used a GPU, in slots between two looks.

    Shapes: ``edge_s`` (n + 1,), all others (n,). SM time of the run and of all programs, and the time in
    which nobody computed and other programs held the GPU, in s.
    """

    edge_s: NDArray[np.float64]
    run_s: NDArray[np.float64]
    all_s: NDArray[np.float64]
    held_s: NDArray[np.float64]

    @property
    def alone(self) -> bool:
        """Whether no other program computed on it, or held it while nobody did."""
        return bool(np.all(self.all_s <= self.run_s) and not np.any(self.held_s))


def gpu_loads_of(recorded: Recorded) -> dict[str, GpuLoad]:
    """Who used each GPU, by its UUID; those that were looked at twice at least.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it: times in ns.
    """
    found = {}
    for log in recorded.logs.values():
        columns: dict[str, dict[str, int]] = {}
        for i, channel in enumerate(log.channels):
            row = channel.name.rpartition("/")[2]
            if channel.part is Part.LOAD and channel.uuid and row in GPU_ROWS:
                columns.setdefault(channel.uuid, {})[row] = i
        for uuid, column in columns.items():
            load = _gpu_load(log, column, recorded.begin_mono_ns)
            if load is not None:
                found[uuid] = load
    return found


def _gpu_load(log: ReaderLog, column: Mapping[str, int], begin_ns: int) -> GpuLoad | None:
    if set(GPU_ROWS) != column.keys():
        return None
    looks = _whole_rows(log, [column[row] for row in GPU_ROWS])
    if len(looks) < 2:
        return None
    time_ns, *counters = np.array(looks, np.int64).T
    run_s, all_s, held_s = (np.maximum(np.diff(one) * S_PER_NS, 0.0) for one in counters)
    return GpuLoad((time_ns - begin_ns) * S_PER_NS, run_s, all_s, held_s)


def _whole_rows(log: ReaderLog, wanted: Sequence[int]) -> list[tuple[int, ...]]:
    """Moments in which all of some channels answered, and what they said."""
    rows = []
    for moment_ns, values in zip(log.mono_ns, log.values, strict=True):
        told = [value for value in (values[i] for i in wanted) if value is not None]
        if len(told) == len(wanted):
            rows.append((moment_ns, *told))
    return rows


def _at(log: ReaderLog, i: int, time_ns: NDArray[np.int64]) -> list[int | None]:
    """What a channel said at some of the looks."""
    wanted = set(time_ns.tolist())
    return [
        values[i] for moment_ns, values in zip(log.mono_ns, log.values, strict=True) if moment_ns in wanted
    ]


def within(load: Load, *, cpu_limit: float | None, memory_limit_b: float | None) -> Load:
    """The load of a container, as if it were the machine: its limits, and no more work than they allow.

    What others do in it is not told apart from what is done outside of it. Where the run is alone in its
    control group it is all that works there; else as much as the machine, up to the limits.

    Parameters
    ----------
    load : Load
        Of the machine.
    cpu_limit : float, optional
        How many CPUs it may use. [1]
    memory_limit_b : float, optional
        [B]
    """
    cpus = min(load.logical_cpus, cpu_limit or load.logical_cpus)
    memory_b = min(load.memory_b, memory_limit_b or load.memory_b)
    busy_s, used_b = load.busy_s, load.used_b
    if cpus < load.logical_cpus:
        busy_s = load.run_s if load.alone else np.minimum(busy_s, np.diff(load.edge_s) * cpus)
    if memory_b < load.memory_b:
        used_b = load.run_b if load.alone else np.minimum(used_b, memory_b)
    return replace(load, busy_s=busy_s, used_b=used_b, logical_cpus=cpus, memory_b=memory_b)


def _middle(gauge: NDArray[np.int64]) -> NDArray[np.float64]:
    return (gauge[:-1] + gauge[1:]) / 2.0
