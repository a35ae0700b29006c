"""How busy the machine and the run were, in slots between two looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattermark.values.kinds import Part
from wattermark.values.records import ReaderLog, Recorded
from wattermark.values.units import S_PER_NS

GPU_ROWS = ("run_sm", "all_sm", "held_by_others")
"""What is told of the programs on a GPU, behind its name."""


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

    @property
    def seen_s(self) -> float:
        """From the first look to the last. [s]"""
        return float(self.edge_s[-1] - self.edge_s[0])

    @cached_property
    def capacity_s(self) -> NDArray[np.float64]:
        return np.diff(self.edge_s) * self.logical_cpus


def load_of(recorded: Recorded) -> Load | None:
    """The run's load in slots; None where it was looked at less than twice.

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
    rows = _whole_rows(log, [column[name] for name in names])
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


def _middle(gauge: NDArray[np.int64]) -> NDArray[np.float64]:
    return (gauge[:-1] + gauge[1:]) / 2.0
