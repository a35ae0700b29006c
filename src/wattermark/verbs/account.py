"""Account: a recorded run and a place to a footprint. Raw first, so it can be done again, elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wattermark.errors import BadSpool
from wattermark.factors.hardware import device_factors, host_factors, tdp_factor
from wattermark.factors.places import NOT_OF_THEN, When
from wattermark.factors.processors import USUAL, cpu_power
from wattermark.factors.table import named
from wattermark.ledger.read import read_run
from wattermark.ledger.runs import spools_in
from wattermark.science.components import parts_of
from wattermark.science.footprint import Device, best_only, footprint, spans_of
from wattermark.science.hardware import device_time_s, host_time_s, models_cpu
from wattermark.science.metered import GAINS, NODE_GAIN, OTHER_GAIN
from wattermark.science.parts import Parts
from wattermark.science.running import Running
from wattermark.science.utilised import tdp_name, tells_only_how_busy
from wattermark.values.factors import Factor, Place
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Scope, Status
from wattermark.values.records import Recorded, RunHeader
from wattermark.verbs.beside import beside
from wattermark.verbs.place import check_place, factors_at, place_recorded
from wattermark.verbs.whole import account_whole

CPU_POWER = ("cpu_idle_w_per_logical_cpu", "cpu_full_w_per_logical_cpu")
MODEL_FACTORS = (
    "cpu_idle_fraction",
    "gpu_share_weight",
    *CPU_POWER,
    "dram_power_w_per_gb",
    "gpu_idle_fraction",
    "gpu_busy_fraction",
    "server_lifetime_years",
    "accelerator_utilisation",
    *sorted(set(GAINS.values())),
    NODE_GAIN,
    OTHER_GAIN,
)


def account_lines(spool: Path, waiting: bytes) -> Footprint:
    """A run as it stands now, with lines that wait for a full disk, and with what runs lie beside it.

    What was lost altogether is unknown, and said so.
    """
    try:
        records = read_run(spools_in(spool.parent), {spool: waiting})
    except BadSpool as error:
        return account_nothing(error.problem)
    return account_run(records, ledger=spool.parent.parent)


def account_run(records: Sequence[Recorded], *, ledger: Path, **options: Any) -> Footprint:
    """The footprint of a run of any number of processes and parts.

    Parameters
    ----------
    records : sequence of Recorded
        One at least, of one run.
    ledger : Path
        Where other runs lie, that may hold its energy as well.
    **options : optional
        As of ``account``.
    """
    return account_whole(
        records, lambda recorded: account(recorded, others=tuple(beside(recorded, ledger)), **options)
    )


def account_alone(records: Sequence[Recorded]) -> Footprint:
    """The same, with no word on other runs."""
    return account_whole(records, account)


def account_nothing(why: str) -> Footprint:
    """The footprint of a run of which nothing was kept: all unknown, nothing zero."""
    header = RunHeader(run="", name="", host="", pid=0, started_ns=0, mono_ns=0, interval_s=1.0)
    nothing = Recorded(
        header=header,
        logs={},
        skipped={},
        spans=(),
        status=Status.OK,
        detail="",
        begin_mono_ns=0,
        end_mono_ns=0,
    )
    return account(nothing, others=(f"not-recorded: {why}",))


def account(
    recorded: Recorded,
    *,
    place: str | None = None,
    when: When | None = None,
    pue: float | None = None,
    wue: float | None = None,
    market_intensity: float | None = None,
    scope: Scope | None = None,
    others: tuple[str, ...] = (),
) -> Footprint:
    """The footprint of a run, where it ran or elsewhere.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    place, when : optional
        Account as if it had run there, with the factors of that time.
    pue, wue, market_intensity : float, optional
        Instead of the place's. [1], [L/kWh], [g CO2e/kWh]
    scope : Scope, optional
        Instead of the one it was recorded with.
    others : tuple of str
        What is to be said about other runs beside it.
    """
    basis = basis_of(
        recorded, place, when, {"pue": pue, "wue": wue, "market_intensity": market_intensity}, scope
    )
    return footprint(
        basis.parts,
        basis.factors,
        basis.devices,
        place=basis.place,
        flags=(*_flags(recorded), *_doubts(basis.factors), *_cpu_doubts(basis, recorded.header), *others),
        spans=spans_of(
            recorded.spans,
            basis.parts,
            basis.factors,
            begin_ns=recorded.begin_mono_ns,
            end_ns=recorded.end_mono_ns,
        ),
    )


def account_briefly(recorded: Recorded) -> Running:
    """Best values only, at a fiftieth of the cost."""
    basis = basis_of(recorded)
    return best_only(basis.parts, basis.factors, basis.devices)


@dataclass(frozen=True, slots=True)
class Basis:
    """All that the formulas need to know of one run at one place."""

    place: Place
    parts: Parts
    factors: list[Factor]
    devices: list[Device]


def basis_of(
    recorded: Recorded,
    place: str | None = None,
    when: When | None = None,
    given: Mapping[str, float | None] = MappingProxyType({}),
    scope: Scope | None = None,
) -> Basis:
    """What one machine saw, and the factors of where it was or is to be; ``given`` goes before these."""
    header = recorded.header
    # what was given with the run belongs to the place where it ran
    kept = {
        "pue": header.pue,
        "wue": header.wue_l_per_kwh,
        "market_intensity": header.market_intensity_g_per_kwh,
    }
    used = {name: given.get(name) if given.get(name) is not None or place else kept[name] for name in kept}
    here = check_place(place) if place else place_recorded(header.place, header.place_from)
    whose = scope or header.scope
    tdps = _tdps(recorded)
    parts = parts_of(recorded, whose, known_gpus=tdps)
    held = list(_devices(parts, recorded))
    factors = [
        *factors_at(here, when=when, **used),
        *(named("defaults", name) for name in MODEL_FACTORS),
        *_cpu_power(header),
        *tdps.values(),
        *(factor for _, pair in held for factor in pair),
    ]
    known = list({factor.name: factor for factor in factors}.values())
    return Basis(here, parts, known, [device for device, _ in held])


def _cpu_power(header: RunHeader) -> tuple[Factor, Factor]:
    """What stands for a processor without a meter: by its TDP where that can be known."""
    return cpu_power(
        header.cpu_model,
        sockets=header.sockets,
        virtual=header.virtual,
        logical_cpus=header.logical_cpus,
    )


def _tdps(recorded: Recorded) -> dict[str, Factor]:
    """What each kind of GPU may draw that tells only how busy it is."""
    channels = (channel for log in recorded.logs.values() for channel in log.channels)
    kinds = {channel.device for channel in channels if tells_only_how_busy(channel)}
    found = {kind: tdp_factor(kind, tdp_name(kind)) for kind in sorted(kinds)}
    return {kind: factor for kind, factor in found.items() if factor is not None}


def _devices(parts: Parts, recorded: Recorded) -> Iterator[tuple[Device, tuple[Factor, Factor]]]:
    """The hardware that was held: each kind of GPU, and the machine around it."""
    kinds = Counter(channel.device for channel in parts.gpus)
    for kind in kinds:
        carbon, water = device_factors(kind)
        used_s = device_time_s([c.share for c in parts.gpus if c.device == kind], parts.duration_s)
        yield _device(carbon, water, used_s)
    carbon, water = host_factors(accelerators=bool(kinds))
    used_s = host_time_s(parts, recorded.header.logical_cpus, recorded.header.cpu_limit)
    yield _device(carbon, water, used_s)


def _device(carbon: Factor, water: Factor, used_s: float) -> tuple[Device, tuple[Factor, Factor]]:
    carbon = replace(carbon, name=f"{carbon.name} ({carbon.key})")
    water = replace(water, name=f"{water.name} ({water.key})")
    return Device(carbon.name, water.name, used_s), (carbon, water)


def _doubts(factors: Iterable[Factor]) -> Iterator[str]:
    """Factors that had to be taken from elsewhere."""
    for factor in factors:
        if factor.basis == "guessed":
            yield f"guessed: {factor.name}: no row fits this device; a typical one, with a wide interval"
        if factor.note.startswith(NOT_OF_THEN):
            yield f"not-of-then: {factor.name}: {factor.note}"


def _cpu_doubts(basis: Basis, header: RunHeader) -> Iterator[str]:
    """Whether nothing is known of a processor that has no meter."""
    usual = any(factor.key == USUAL for factor in basis.factors if factor.name in CPU_POWER)
    if usual and models_cpu(basis.parts):
        yield (
            f"cpu-unknown: {header.cpu_model or 'the processor'}: its TDP, or how many logical CPUs share "
            "it, is not known; the power of a usual cloud machine's is taken, with a wide interval"
        )


def _flags(recorded: Recorded) -> Iterator[str]:
    if recorded.status is Status.INTERRUPTED:
        yield "interrupted: the run was not closed; all up to its last beat is here"
    if recorded.status is Status.RUNNING:
        yield "running: this is what it has cost so far"
    if recorded.torn_bytes or recorded.bad_lines:
        yield (
            f"spool-damaged: {recorded.bad_lines} unreadable lines and {recorded.torn_bytes} bytes "
            "of a torn one were passed over; counters remember, so only resolution is lost"
        )
    if recorded.lost_beats:
        yield f"beats-lost: {recorded.lost_beats} lines could not be written to a full disk"
    if recorded.wall_step_s:
        yield (
            f"clock-step: the wall clock jumped by {recorded.wall_step_s:+.0f} s; "
            "times are by the steady clock"
        )
    for fault in recorded.faults:
        yield f"fault: {fault}"
