"""Runs made by hand: what the meters said, look by look, and factors that are easy to reckon with."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from wattermark.science.components import parts_of
from wattermark.science.footprint import Device, footprint
from wattermark.values.factors import Factor, Place
from wattermark.values.footprint import Component, Footprint
from wattermark.values.kinds import Kind, Node, Part, Scope, Status
from wattermark.values.range import Range
from wattermark.values.records import Channel, ReaderLog, Recorded, RunHeader, SpanMark
from wattermark.values.units import NS_PER_S

GB = 1_000_000_000
SECONDS = 10
"""How long a run is that says nothing else; a look each second, both ends included."""

PLACE = Place(
    asked="here", resolved="HERE", name="Here", steps=("here",), grid="HERE",
    scarcity_site="HERE", scarcity_grid="HERE",
)  # fmt: skip


def factor(
    name: str, low: float, best: float, high: float, *, key: str = "here", least: float = 0.0
) -> Factor:
    return Factor(
        name=name,
        value=Range(low, best, high),
        unit="-",
        key=key,
        year=2025,
        basis="b",
        source="s",
        least=least,
    )


FACTORS = (
    factor("pue", 1.1, 1.25, 1.5, least=1.0),
    factor("wue", 0.1, 0.4, 1.6),
    factor("carbon_intensity", 300, 400, 500),
    factor("water_thermal", 1, 2, 3),
    factor("water_hydro", 0, 1, 6),
    factor("scarcity_site", 5, 10, 20),
    factor("scarcity_grid", 10, 20, 40),
    factor("cpu_idle_fraction", 0.1, 0.2, 0.4),
    factor("cpu_idle_w_per_logical_cpu", 0.5, 1, 2),
    factor("cpu_full_w_per_logical_cpu", 2, 4, 9),
    factor("dram_power_w_per_gb", 0.2, 0.4, 0.5),
    factor("gpu_idle_fraction", 0.05, 0.1, 0.2),
    factor("gpu_busy_fraction", 0.3, 0.7, 1.0),
    factor("accelerator_tdp_w (NVIDIA X)", 390, 400, 410),
    factor("server_lifetime_years", 4, 5, 6),
    factor("accelerator_utilisation", 0.4, 0.7, 0.95),
    factor("meter_rapl_cpu", 0.95, 1, 1.05),
    factor("meter_rapl_dram", 0.85, 1, 1.15),
    factor("meter_nvml_energy", 0.95, 1, 1.05),
    factor("meter_nvml_power", 0.9, 1, 1.1),
    factor("meter_node", 0.9, 1, 1.1),
    factor("meter_other", 0.9, 1, 1.1),
    factor("gpu_share_weight", 0.5, 1, 2),
)

Meter = tuple[Channel, Sequence[int | None]]


def _channel(name: str, part: Part, *, kind: Kind = Kind.COUNTER, **more: object) -> Channel:
    return Channel(name=name, kind=kind, part=part, covers=name, **more)  # type: ignore[arg-type]


def counter(power_w: float, *, start: float = 0, unit: float = 1e6, looks: int = SECONDS + 1) -> list[int]:
    """What a counter shows at a steady power, a look each second; ``unit`` counts to the joule."""
    return [round((start + power_w * second) * unit) for second in range(looks)]


def cpu(values: Sequence[int | None], name: str = "cpu/package-0", **more: object) -> Meter:
    return _channel(name, Part.CPU, unit="uJ", **{"wrap": 262_143_328_851, **more}), values


def dram(values: Sequence[int | None], name: str = "dram/package-0") -> Meter:
    return _channel(name, Part.DRAM, unit="uJ", wrap=262_143_328_851), values


def psys(values: Sequence[int | None]) -> Meter:
    return _channel("platform/psys", Part.PLATFORM, unit="uJ", wrap=262_143_328_851, counted=False), values


def gpu(values: Sequence[int | None], name: str = "gpu/0", **more: object) -> Meter:
    """Its energy counter, in mJ."""
    return _channel(name, Part.GPU, unit="mJ", device="NVIDIA X", **more), values


def sampled_gpu(values: Sequence[int | None], name: str = "gpu/0", **more: object) -> Meter:
    """Its power, in mW."""
    return _channel(name, Part.GPU, kind=Kind.POWER, unit="mW", device="NVIDIA X", **more), values


def wall(power_w, name="platform/redfish-power", node=Node.INPUT, refresh_s=1.0, **more):
    """Samples of the node's power, in mW; a list where they differ."""
    watts = power_w if isinstance(power_w, list) else [power_w] * 11
    channel = Channel(
        name=name, kind=Kind.POWER, part=Part.PLATFORM, unit="mW", counted=False, node=node,
        refresh_s=refresh_s, power_max_w=20_000, **more,
    )  # fmt: skip
    return channel, [None if one is None else round(one * 1000) for one in watts]


def gpu_programs(
    *,
    run: float = 0.0,
    others: float = 0.0,
    held: float | Sequence[float] = 0.0,
    looks: tuple[Sequence[float], Sequence[float]] | None = None,
    silent: Iterable[int] = (),
    uuid: str = "GPU-a",
) -> list[Meter]:
    """Who keeps a GPU busy: parts of each second, or SM time of the run and of all up to each look. [s]

    The looks in ``silent`` gave no answer.
    """
    seconds = range(SECONDS + 1)
    run_s, all_s = looks or ([run * s for s in seconds], [(run + others) * s for s in seconds])
    held_s = [held * s for s in range(len(run_s))] if isinstance(held, float) else held
    quiet = set(silent)
    rows = {"run_sm": run_s, "all_sm": all_s, "held_by_others": held_s}
    return [
        (
            replace(_channel(f"gpu/0/{name}", Part.LOAD, unit="ns", uuid=uuid), covers=""),
            [None if i in quiet else round(time_s * NS_PER_S) for i, time_s in enumerate(times_s)],
        )
        for name, times_s in rows.items()
    ]


ALONE = gpu_programs(run=0.5)
"""The run keeps a GPU busy for half of each second, and nobody else holds it."""


def busy_gpu(percent: Sequence[int | None], name: str = "gpu/0", **more: object) -> Meter:
    """How busy it is, in %, where it tells nothing else."""
    told = {"kind": Kind.GAUGE, "device": "NVIDIA X", **more}
    return _channel(name, Part.GPU, unit="%", **told), percent


def load(
    *,
    run: Sequence[float | None],
    busy: Sequence[float | None],
    run_b: int = 2 * GB,
    used_b: int = 4 * GB,
    looks: int | None = None,
    group: Sequence[float | None] | None = None,
) -> list[Meter]:
    """Processor seconds used up to each look, the run's group's too; and memory held all the time."""
    looks = looks or len(run)
    rows = {
        "cpu_busy": [None if s is None else round(s * NS_PER_S) for s in busy],
        "run_cpu": [None if s is None else round(s * NS_PER_S) for s in run],
        "memory_used": [used_b] * looks,
        "run_memory": [run_b] * looks,
        "run_cgroup_cpu": [None if s is None else round(s * NS_PER_S) for s in group or [None] * looks],
    }
    return [(_channel(f"load/{name}", Part.LOAD, **_of_load(name)), values) for name, values in rows.items()]


def _of_load(name: str) -> dict[str, object]:
    return {"unit": "B", "kind": Kind.GAUGE} if "memory" in name else {"unit": "ns"}


HALF_BUSY = load(run=[float(s) for s in range(SECONDS + 1)], busy=[2.0 * s for s in range(SECONDS + 1)])
"""Of four CPUs the run keeps one busy, and others one more; of 8 GB it holds two, and others two."""


def recorded(
    *meters: Meter,
    load: Iterable[Meter] = (),
    at_s: Sequence[float] | None = None,
    end_s: float | None = None,
    spans: Iterable[SpanMark] = (),
    memory_b: int = 0,
    **header: object,
) -> Recorded:
    """A run whose meters were all looked at in the same moments; ``memory_b`` 0: memory is out of sight."""
    groups = {name: group for name, group in (("meters", meters), ("load", tuple(load))) if group}
    at_s = (
        at_s if at_s is not None else range(len(next(iter(groups.values()))[0][1]) if groups else SECONDS + 1)
    )
    begin_ns = 7 * NS_PER_S
    at_ns = [begin_ns + round(moment * NS_PER_S) for moment in at_s]
    return Recorded(
        header=RunHeader(
            run="r", name="r", host="h", pid=1, started_ns=0, mono_ns=begin_ns, interval_s=1.0,
            **{"logical_cpus": 4, "memory_b": memory_b, **header},  # type: ignore[arg-type]
        ),
        logs={
            name: ReaderLog(
                channels=tuple(channel for channel, _ in group),
                mono_ns=list(at_ns),
                values=[list(row) for row in zip(*(values for _, values in group), strict=True)],
            )
            for name, group in groups.items()
        },
        skipped={},
        spans=tuple(spans),
        status=Status.OK,
        detail="",
        begin_mono_ns=begin_ns,
        end_mono_ns=at_ns[-1] if end_s is None else begin_ns + round(end_s * NS_PER_S),
    )  # fmt: skip


def span(number: int, begin_s: float, end_s: float | None) -> SpanMark:
    end_ns = None if end_s is None else round((7 + end_s) * NS_PER_S)
    return SpanMark(
        number=number,
        name="epoch",
        label=str(number),
        begin_ns=round((7 + begin_s) * NS_PER_S),
        end_ns=end_ns,
    )


def account(
    run: Recorded,
    scope: Scope = Scope.MACHINE,
    *,
    devices: Iterable[Device] = (),
    factors: Iterable[Factor] = FACTORS,
    known_gpus: Iterable[str] = ("NVIDIA X",),
) -> Footprint:
    parts = parts_of(run, scope, known_gpus=tuple(known_gpus))
    return footprint(parts, factors, devices, place=PLACE)


def component(footprint: Footprint, name: str) -> Component:
    return next(one for one in footprint.components if one.name == name)


def best(footprint: Footprint) -> float:
    """IT energy at the best values. [J]"""
    assert footprint.it_energy_j is not None
    return footprint.it_energy_j.best


def steps(increments: Sequence[int]) -> list[int]:
    """A counter that rose by these."""
    return [0, *(int(total) for total in np.cumsum(increments))]
