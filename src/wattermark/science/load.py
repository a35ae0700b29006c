"""How busy the machine and the run were, in slots between two looks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattermark.values.records import Recorded
from wattermark.values.units import S_PER_NS


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
    wanted = [column[name] for name in names]
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
