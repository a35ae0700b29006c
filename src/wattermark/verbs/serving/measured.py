"""Runs with meters: what each request bears of what these saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wattermark.factors.table import named
from wattermark.ledger.columns import RequestColumns
from wattermark.science.served.bearers import Bearers, RunShare, whole_requests, with_idle
from wattermark.science.served.charge import Machine as Charged
from wattermark.science.served.charge import charge
from wattermark.science.served.events import Events, Model, Names, columns_of, events_of, one_after_another
from wattermark.science.sharing.pools import handed_over, joined, pooled
from wattermark.science.stretches import best_values, looks_s, stretches_j
from wattermark.science.timeline import began_s
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Quality, Scope
from wattermark.values.policy import ActiveIdle, Idle
from wattermark.values.records import RunHeader
from wattermark.verbs.account import basis_of
from wattermark.verbs.elsewhere import account_elsewhere
from wattermark.verbs.serving.priors import Server, costs_of, places_of, server_of
from wattermark.verbs.serving.requests_of import Machine, ServingRun

IDLE_FRACTIONS = {True: "gpu_idle_fraction", False: "cpu_idle_fraction"}
"""Of machines with accelerators, and without."""
Row = str | float
"""What a row is named by: a text, or the beginning of an hour [s since 1970]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How runs are read: which row a request stands in, who bears idle capacity, and by what."""

    models: Names[Model]
    rows: Names[Row]
    row_of: Callable[[RequestColumns, RunHeader, Names[Row]], Any]
    idle: Idle
    active_idle: ActiveIdle
    window_s: float
    gpu: str | None
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """A run whose energy is known, and what its requests bear of it."""

    run: str
    footprint: Footprint
    share: RunShare
    server: Server
    flags: tuple[str, ...]


def footprint_of(run: ServingRun, ledger: Path, options: Mapping[str, Any]) -> Footprint:
    """What the run took, all that its meters saw: whoever serves holds the machine."""
    scope = {"scope": Scope.MACHINE.value} if options.get("scope") is None else {}
    return account_elsewhere(run.records, ledger, **{**options, **scope})


def measured_run(run: ServingRun, footprint: Footprint, reading: Reading) -> MeasuredRun:
    """Share what each machine saw among the requests that it served; events that belong together are one."""
    scope = Scope(reading.options.get("scope") or Scope.MACHINE)
    by_machine = events_on(run, reading)
    events = _by_wall(run, by_machine)
    join = joined(events.request, events.begin_s)
    places = np.split(np.arange(len(events)), np.cumsum([len(one) for one in by_machine])[:-1])
    found = [
        _machine(machine, its, join.first[mine], reading, scope)
        for machine, its, mine in zip(run.machines, by_machine, places, strict=True)
    ]
    shared = pooled([one.machine.shared for one in found], places, join)
    share = RunShare(
        quantities=footprint.quantities(),
        requests=whole_requests(events, join, dynamic_j=shared.dynamic_j, active_idle_j=shared.active_idle_j),
        idle_s=np.concatenate([one.window_s for one in found]),
        idle_j=np.nan_to_num(shared.provisioned_idle_j),
    )
    return MeasuredRun(
        run=run.run,
        footprint=footprint,
        share=with_idle(share, reading.idle),
        server=found[0].server,
        flags=(*run.flags, *dict.fromkeys(flag for one in found for flag in one.flags)),
    )


def quality_of(footprints: Sequence[Footprint]) -> str:
    """Whether the parts that are added were measured."""
    kinds = {
        part.quality
        for footprint in footprints
        for part in footprint.components
        if part.counted and part.energy_j is not None
    }
    if kinds == {Quality.MEASURED}:
        return "measured"
    return "modelled" if kinds == {Quality.MODELLED} else "measured, partly modelled"


@dataclass(frozen=True, slots=True)
class _Charged:
    """One machine: its requests, what they bear, and when its windows began [s since 1970]."""

    events: Events
    machine: Charged
    window_s: Any
    server: Server
    flags: tuple[str, ...]


def events_on(run: ServingRun, reading: Reading) -> list[Events]:
    """The requests of each machine as arrays, by its clock."""
    requests: Names[str] = Names()
    return [
        events_of(
            machine.requests,
            begin_ns=machine.recorded.begin_mono_ns,
            models=reading.models,
            row=reading.row_of(machine.requests, machine.recorded.header, reading.rows),
            requests=requests,
        )
        for machine in run.machines
    ]


def _by_wall(run: ServingRun, events: Sequence[Events]) -> Events:
    return one_after_another(events, [began_s(machine.recorded) for machine in run.machines])


def unmetered(run: ServingRun, reading: Reading) -> tuple[Bearers, tuple[str, ...]]:
    """The requests of a run, none of which has an energy; and what is to be said of their tokens."""
    events = _by_wall(run, events_on(run, reading))
    join = joined(events.request, events.begin_s)
    nothing = np.full(join.requests, np.nan)
    return whole_requests(events, join, dynamic_j=nothing, active_idle_j=nothing), tuple(_half_told(events))


def _machine(machine: Machine, events: Events, first: Any, reading: Reading, scope: Scope) -> _Charged:
    basis = basis_of(machine.recorded, scope=scope)
    edge_s = looks_s(machine.recorded, reading.window_s)
    server = server_of(basis.parts, reading.gpu)
    fraction = named("defaults", IDLE_FRACTIONS[bool(basis.parts.gpus)]).value.best
    places, bases = places_of(name for name, _ in reading.models.all)
    columns = columns_of(events)
    columns = replace(columns, model=np.array(places, np.int64)[columns.model])
    charged = charge(
        edge_s,
        stretches_j(basis.parts, best_values(basis.parts, basis.factors), edge_s) if len(edge_s) else edge_s,
        columns if first.all() else handed_over(columns, first),
        costs_of(bases, server),
        idle_fraction=fraction,
        active_idle=reading.active_idle,
    )
    seen = np.isfinite(charged.shared.dynamic_j)
    flags = [*server.flags, *_outside(events, seen)]
    if len(edge_s):
        flags += [*_untold(events), *_of_idle(charged, fraction)]
    return _Charged(events, charged, charged.edge_s[:-1] + began_s(machine.recorded), server, tuple(flags))


def _outside(events: Events, seen: Any) -> Iterator[str]:
    """Requests that ran when no meter looked."""
    many, every = events.count(~seen), events.total
    if many and many == every:
        yield (
            "clocks-apart: no request lies between the first and the last look of the meters, so none has an "
            "energy; the two clocks differ (another machine, or a restart), or the meters were off"
        )
    elif many:
        yield f"outside: {many:,} of {every:,} requests ran when no meter looked; they have no energy"


def _untold(events: Events) -> Iterator[str]:
    many = events.count(events.worked & ~events.told)
    if many:
        yield (
            f"tokens-untold: {many:,} of {events.total:,} requests told no tokens; they bear energy as the "
            "others of their model did for the time that they ran, and are not in figures for tokens"
        )


def _half_told(events: Events) -> Iterator[str]:
    """An estimate goes by what was told, and holds nothing for what was not."""
    for word, tokens, due in (
        ("input", events.input_tokens, events.told),
        ("output", events.output_tokens, events.told & events.generates),
    ):
        many = events.count(np.isnan(tokens) & due)
        if many:
            yield (
                f"half-told: {many:,} of {events.total:,} requests told no {word} tokens; their estimate is "
                "without these, and too low"
            )


def _of_idle(charged: Charged, fraction: float) -> Iterator[str]:
    if not charged.idle.measured and len(charged.shared.dynamic_j):
        yield (
            f"idle-unseen: the server was hardly ever without requests; at rest it is taken to draw "
            f"{charged.idle.power_w:.4g} W, {fraction:.0%} of its highest power or its lowest"
        )
