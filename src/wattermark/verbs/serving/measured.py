"""Runs with meters: what each request bears of what these saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wattermark.factors.table import named
from wattermark.science.served.bearers import Bearers, RunShare, joined, whole_requests, with_idle
from wattermark.science.served.charge import Charged, charge
from wattermark.science.served.events import Events, Model, Names, events_of
from wattermark.science.stretches import best_values, looks_s, stretches_j
from wattermark.science.timeline import began_s
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Quality, Scope
from wattermark.values.records import RunHeader
from wattermark.values.served import Served
from wattermark.values.serving_report import ActiveIdle, Idle
from wattermark.verbs.account import basis_of
from wattermark.verbs.elsewhere import account_elsewhere
from wattermark.verbs.serving.priors import Server, costs_of, server_of
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
    row_of: Callable[[RunHeader], Callable[[Served], Row]]
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
    """Share what each machine saw among the requests that it served."""
    scope = Scope(reading.options.get("scope") or Scope.MACHINE)
    found = [_machine(machine, reading, scope) for machine in run.machines]
    flags = [flag for one in found for flag in one.flags]
    share = RunShare(
        quantities=footprint.quantities(),
        requests=joined([one.requests for one in found]),
        idle_s=np.concatenate([one.idle_s for one in found]),
        idle_j=np.concatenate([one.idle_j for one in found]),
    )
    return MeasuredRun(
        run=run.run,
        footprint=footprint,
        share=with_idle(share, reading.idle),
        server=found[0].server,
        flags=(*run.flags, *dict.fromkeys(flags)),
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
class _Shared:
    requests: Bearers
    idle_s: Any
    idle_j: Any
    server: Server
    flags: tuple[str, ...]


def events_on(machine: Machine, reading: Reading) -> Events:
    """The requests of a machine as arrays, by its clock."""
    return events_of(
        machine.served,
        begin_ns=machine.recorded.begin_mono_ns,
        models=reading.models,
        rows=reading.rows,
        row_of=reading.row_of(machine.recorded.header),
    )


def unmetered(machine: Machine, reading: Reading) -> tuple[Bearers, tuple[str, ...]]:
    """The requests of a machine, none of which has an energy; and what is to be said of their tokens."""
    events = events_on(machine, reading)
    nothing = np.zeros(len(events))
    requests = whole_requests(
        events,
        began_s(machine.recorded),
        dynamic_j=nothing,
        active_idle_j=nothing,
        known=np.zeros(len(events), bool),
    )
    return requests, tuple(_half_told(events))


def _machine(machine: Machine, reading: Reading, scope: Scope) -> _Shared:
    basis = basis_of(machine.recorded, scope=scope)
    edge_s = looks_s(machine.recorded, reading.window_s)
    events = events_on(machine, reading)
    began = began_s(machine.recorded)
    server = server_of(basis.parts, reading.gpu)
    if len(edge_s) < 2:
        flags = tuple(_outside(events, np.zeros(len(events), bool)))
        return _Shared(unmetered(machine, reading)[0], np.zeros(0), np.zeros(0), server, flags)
    fraction = named("defaults", IDLE_FRACTIONS[bool(basis.parts.gpus)])
    charged = charge(
        edge_s,
        stretches_j(basis.parts, best_values(basis.parts, basis.factors), edge_s),
        events,
        costs_of([name for name, _ in reading.models.all], server),
        idle_fraction=fraction.value.best,
        active_idle=reading.active_idle,
    )
    requests = whole_requests(
        events,
        began,
        dynamic_j=charged.dynamic_j,
        active_idle_j=charged.active_idle_j,
        known=charged.seen,
    )
    flags = (
        *server.flags,
        *_outside(events, charged.seen),
        *_untold(events),
        *_of_idle(charged, fraction.value.best),
    )
    return _Shared(requests, charged.edge_s[:-1] + began, charged.provisioned_idle_j, server, flags)


def _outside(events: Events, seen: Any) -> Iterator[str]:
    """Requests that ran when no meter looked."""
    many = int((~seen).sum())
    if many and many == len(events):
        yield (
            "clocks-apart: no request lies between the first and the last look of the meters, so none has an "
            "energy; the two clocks differ (another machine, or a restart), or the meters were off"
        )
    elif many:
        yield f"outside: {many:,} of {len(events):,} requests ran when no meter looked; they have no energy"


def _untold(events: Events) -> Iterator[str]:
    many = int((events.worked & ~events.told).sum())
    if many:
        yield (
            f"tokens-untold: {many:,} of {len(events):,} requests told no tokens; they bear energy as the "
            "others of their model did for the time that they ran, and are not in figures for tokens"
        )


def _half_told(events: Events) -> Iterator[str]:
    """An estimate goes by what was told, and holds nothing for what was not."""
    for word, tokens, due in (
        ("input", events.input_tokens, events.told),
        ("output", events.output_tokens, events.told & events.generates),
    ):
        many = int((np.isnan(tokens) & due).sum())
        if many:
            yield (
                f"half-told: {many:,} of {len(events):,} requests told no {word} tokens; their estimate is "
                "without these, and too low"
            )


def _of_idle(charged: Charged, fraction: float) -> Iterator[str]:
    if not charged.idle_seen and len(charged.dynamic_j):
        yield (
            f"idle-unseen: the server was hardly ever without requests; at rest it is taken to draw "
            f"{charged.idle_w:.4g} W, {fraction:.0%} of its highest power or its lowest"
        )
