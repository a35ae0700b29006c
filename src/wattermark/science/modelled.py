"""Parts that no meter saw: their energy by a model of the load, and said to be so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wattermark.science.load import Load, within
from wattermark.science.metered import Track
from wattermark.science.node import walls_of
from wattermark.science.power_model import cpu_active_j, cpu_idle_j, memory_j
from wattermark.science.sharing.devices import Shares, scaled, share_by_memory
from wattermark.science.terms import Slots, Term
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.kinds import Part, Quality, Scope
from wattermark.values.records import Recorded


def modelled(
    tracks: Sequence[Track],
    load: Load | None,
    scope: Scope,
    duration_s: float,
    recorded: Recorded,
) -> Iterator[Term]:
    """CPU and memory where no counter told them.

    Where a container may use less than the machine, it is the machine: its limits, in any scope. But beside
    a meter of the whole node, which holds what is outside of the container too, the machine is the node.

    Parameters
    ----------
    tracks : sequence of (Channel, Timeline or None)
        What the meters saw.
    load : Load or None
        What the model goes by.
    scope : Scope
        Whose energy is asked for.
    duration_s : float
        Of the run. [s]
    recorded : Recorded
        For the processor's name, and the container's limits.
    """
    told = {c.part for c, track in tracks if track is not None}  # what is not added may lie in what is
    header = recorded.header
    if load is not None and not walls_of(tracks, duration_s):
        load = within(load, cpu_limit=header.cpu_limit, memory_limit_b=header.memory_limit_b)
    if Part.CPU not in told:
        yield _modelled_cpu(load, scope, duration_s, header.cpu_model)
    if Part.DRAM not in told:
        yield _modelled_memory(load, scope, duration_s)


def _modelled_cpu(load: Load | None, scope: Scope, duration_s: float, model: str) -> Term:
    if load is None:
        return Term(
            name="cpu", kind="cpu", quality=Quality.MISSING, run=None, how="neither counter nor load was seen"
        )
    run_s, busy_s = float(load.run_s.sum()), float(np.maximum(load.busy_s, load.run_s).sum())

    def active(values: Values, cpu_s: Number) -> Number:
        return cpu_active_j(
            cpu_s, idle_w=values["cpu_idle_w_per_logical_cpu"], full_w=values["cpu_full_w_per_logical_cpu"]
        )

    def idle(values: Values) -> Number:  # as long as was seen: the rest is filled as a gap
        return cpu_idle_j(
            load.seen_s, logical_cpus=load.logical_cpus, idle_w=values["cpu_idle_w_per_logical_cpu"]
        )

    def machine(values: Values) -> Number:
        return active(values, busy_s) + idle(values)

    whole = scope is Scope.MACHINE

    def by_slot(values: Values) -> NDArray[np.float64]:
        if not whole:
            return np.asarray(active(values, load.run_s), np.float64)
        idle_w = values["cpu_idle_w_per_logical_cpu"]
        rest_j = cpu_idle_j(np.diff(load.edge_s), logical_cpus=load.logical_cpus, idle_w=idle_w)
        return np.asarray(active(values, np.maximum(load.busy_s, load.run_s)) + rest_j, np.float64)

    return Term(
        name="cpu",
        kind="cpu",
        quality=Quality.MODELLED,
        run=machine if whole else lambda values: active(values, run_s),
        machine=machine,
        others=lambda values: 0.0 * active(values, 0.0) if whole else active(values, busy_s - run_s),
        idle=lambda values: 0.0 * idle(values) if whole else idle(values),
        seen_s=load.seen_s,
        unseen_s=max(0.0, duration_s - load.seen_s),
        device=model,
        how="processor time times power of one logical CPU; no counter here",
        slots=Slots(load.edge_s, by_slot),
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
    parts = Shares(1.0, 0.0, 0.0) if scope is Scope.MACHINE else scaled(shares, 1.0)

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
