"""How busy the machine and the run were, in slots between two looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattermark.values.records import Recorded
from wattermark.values.units import S_PER_NS

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
    wanted = [column[name] for name in names]
    looks = [
        (t, value)
        for t, value in zip(log.mono_ns, log.values, strict=True)
        if all(value[i] is not None for i in wanted)
    ]
    if len(looks) < 2:
        return None
    rows = [(t, *(value[i] for i in wanted)) for t, value in looks]
    time_ns, busy_ns, tree_ns, used_b, run_b = np.array(rows, np.int64).T
    group_ns = [value[column[CGROUP]] for _, value in looks] if CGROUP in column else [None]
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
