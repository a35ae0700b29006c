"""Work that was not run, as terms of a footprint: the same formulas account for it as for a measured run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wattermark.science.footprint import Device, footprint_and, formula
from wattermark.science.generation import (
    ALONE,
    PARTS,
    Generation,
    gpu_energy_parts_j,
    gpu_seconds,
)
from wattermark.science.lazily import np_any, once, total
from wattermark.science.parts import Parts
from wattermark.science.serving import (
    Work,
    decode_energy_j,
    embedding_energy_j,
    idle_per_busy,
    prefill_energy_j,
)
from wattermark.science.terms import Energy, Term
from wattermark.science.training import accelerator_time_s, held_energy_j, wall_time_s
from wattermark.science.uncertainty import Evaluate, Values
from wattermark.values.boundary import Number
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor, Place
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Quality, Scope
from wattermark.values.range import Range
from wattermark.values.units import S_PER_HOUR

ESTIMATED = "estimated: nothing was measured; every part is a model"
PER_UNIT = ("facility_energy_j", "carbon_g", "water_l")
S_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Work that was not run: its terms, the accelerator time that it holds, and what else is asked.

    ``held_s`` are seconds times accelerators; ``amounts`` functions of the factors as well.
    """

    terms: tuple[Term, ...]
    held_s: Energy
    amounts: Mapping[str, Energy]


def training(
    flops: Number,
    *,
    peak_flops: Number,
    tdp_w: Number,
    count: Number,
    mfu: str = "training_mfu",
    power_w: Number | None = None,
    experiments: Number = 0.0,
) -> Sketch:
    """A training by its work.

    Parameters
    ----------
    flops : float or ndarray
        Model FLOPs. [FLOP]
    peak_flops, tdp_w : float or ndarray
        Of one accelerator. [FLOP/s], [W]
    count : float or ndarray
        Accelerators. [1]
    mfu : str
        Which factor tells the utilisation.
    power_w : float or ndarray, optional
        Mean power of an accelerator with its part of the host, where it is known. [W]
    experiments : float or ndarray
        Trials and failed runs, over the final one. [1]
    """

    @once
    def busy_s(values: Values) -> Number:
        return accelerator_time_s(flops, peak_flops=peak_flops, mfu=values[mfu])

    sketch = held(busy_s, tdp_w=tdp_w, count=count, power_w=power_w, experiments=experiments)
    amounts: dict[str, Energy] = {**sketch.amounts, "flops": lambda _: flops}
    return Sketch(terms=sketch.terms, held_s=sketch.held_s, amounts=amounts)


def held(
    busy_s: Energy,
    *,
    tdp_w: Number,
    count: Number,
    power_w: Number | None = None,
    experiments: Number = 0.0,
) -> Sketch:
    """A training by its accelerator time.

    Parameters
    ----------
    busy_s : callable
        From the factors to seconds times accelerators of the final run. [s]
    tdp_w, count, power_w, experiments
        As of ``training``.
    """

    @once
    def accelerators_j(values: Values) -> Number:
        mean_w = power_w if power_w is not None else tdp_w * values["training_power_fraction"]
        return held_energy_j(busy_s(values), mean_w)

    @once
    def hosts_j(values: Values) -> Number:
        return held_energy_j(busy_s(values), values["host_power_per_gpu_w"])

    parts: dict[str, Energy] = {"accelerators": accelerators_j}
    if power_w is None:
        parts["hosts"] = hosts_j
    final = tuple(parts.values())
    if np_any(experiments):
        parts["experiments"] = lambda values: experiments * total(part(values) for part in final)
    return Sketch(
        terms=tuple(_term(name, run) for name, run in parts.items()),
        held_s=lambda values: busy_s(values) * (1 + experiments),
        amounts={
            "accelerator_hours": lambda values: busy_s(values) / S_PER_HOUR,
            "wall_time_s": lambda values: wall_time_s(busy_s(values), count),
        },
    )


def serving(
    work: Work,
    *,
    tdp_w: Number,
    requests: Number,
    accelerators: Number,
    utilisation: Number | None,
    embed: bool,
) -> Sketch:
    """Requests by their work: prefill, decode, waiting, and the hosts around.

    Parameters
    ----------
    work : Work
        Of one request.
    tdp_w : float or ndarray
        Of one accelerator. [W]
    requests : float or ndarray
        How many. [1]
    accelerators : float or ndarray
        Of a replica. [1]
    utilisation : float or ndarray, optional
        Share of its time in which a replica works; else the factor ``serving_utilisation``. [1]
    embed : bool
        Whether the prompt is all there is.
    """
    parts = _working(work, requests, embed=embed)
    working = tuple(parts.values())

    @once
    def busy_s(values: Values) -> Number:
        return total(part(values) for part in working) / (tdp_w * values["serving_power_fraction"])

    amounts: dict[str, Energy] = {
        "accelerator_energy_per_request_j": lambda v: total(part(v) for part in working) / requests,
        "busy_time_per_request_s": lambda v: busy_s(v) / accelerators / requests,
        "replicas_busy": lambda v: busy_s(v) / accelerators / S_PER_DAY,
    }
    return _held_ready(parts, busy_s, tdp_w=tdp_w, utilisation=utilisation, amounts=amounts)


def _held_ready(
    parts: Mapping[str, Energy],
    busy_s: Energy,
    *,
    tdp_w: Number,
    utilisation: Number | None,
    amounts: Mapping[str, Energy],
) -> Sketch:
    """Accelerators that work for ``busy_s``, wait for the rest of the time that they are held, and hosts."""

    @once
    def idle_s(values: Values) -> Number:
        used = values["serving_utilisation"] if utilisation is None else utilisation
        return busy_s(values) * idle_per_busy(used)

    @once
    def held_s(values: Values) -> Number:
        return busy_s(values) + idle_s(values)

    held_parts: dict[str, Energy] = {
        **parts,
        "waiting accelerators": lambda v: held_energy_j(idle_s(v), tdp_w * v["gpu_idle_fraction"]),
        "hosts": lambda v: held_energy_j(held_s(v), v["host_power_per_gpu_w"]),
    }
    return Sketch(
        terms=tuple(_term(name, run) for name, run in held_parts.items()),
        held_s=held_s,
        amounts={"accelerator_hours": lambda v: held_s(v) / S_PER_HOUR, **amounts},
    )


def _working(work: Work, requests: Number, *, embed: bool) -> dict[str, Energy]:
    """What the accelerators do for the requests themselves."""
    if embed:
        return {"prefill": once(lambda v: requests * embedding_energy_j(work, v))}
    return {
        "prefill": once(lambda v: requests * prefill_energy_j(work, v)),
        "decode": once(lambda v: requests * decode_energy_j(work, v)),
    }


def api(*, input_tokens: Number, output_tokens: Number, requests: Number) -> Sketch:
    """Requests to a closed model: an anchored line through what was published of it.

    Parameters
    ----------
    input_tokens : float or ndarray
        Of a request, those that were read before aside. [1]
    output_tokens : float or ndarray
        Of a request, reasoning included. [1]
    requests : float or ndarray
        How many. [1]

    Notes
    -----
    The anchors are energies of the facility; they are divided by the PUE, which the footprint
    multiplies again.
    """

    @once
    def it_j(values: Values) -> Number:
        facility_j = (
            values["api_request_j"]
            + values["api_input_token_j"] * input_tokens
            + values["api_output_token_j"] * output_tokens
        )
        return requests * values["api_error"] * facility_j / values["pue"]

    return Sketch(
        terms=(_term("service", it_j),),
        held_s=lambda values: it_j(values) / values["api_power_per_accelerator_w"],
        amounts={"energy_per_request_j": lambda values: it_j(values) * values["pue"] / requests},
    )


def media(asked: Generation, *, tdp_w: Number, items: Number, utilisation: Number | None) -> Sketch:
    """Images or videos by what their model computes, waiting, and the hosts around.

    Parameters
    ----------
    asked : Generation
        Of one item.
    tdp_w : float or ndarray
        Of one accelerator. [W]
    items : float or ndarray
        How many. [1]
    utilisation : float or ndarray, optional
        As of ``serving``.
    """

    of_one = once(lambda v: gpu_energy_parts_j(v, asked))

    @once
    def busy_s(values: Values) -> Number:
        return items * gpu_seconds(values, asked)

    def part(name: str) -> Energy:
        return lambda v: items * of_one(v)[name]

    amounts: dict[str, Energy] = {
        "accelerator_energy_per_item_j": lambda v: total(of_one(v).values()),
        "busy_time_per_item_s": lambda v: busy_s(v) / asked.gpus / items,
    }
    names = PARTS if np_any(asked.gpus - 1) else ALONE
    return _held_ready(
        {name: part(name) for name in names}, busy_s, tdp_w=tdp_w, utilisation=utilisation, amounts=amounts
    )


def together(first: Sketch, second: Sketch) -> Sketch:
    """Two works that belong to one another; amounts of both names are added.

    Parameters
    ----------
    first : Sketch
        One of them; its other amounts go before those of the second.
    second : Sketch
        The other.
    """
    both = {**second.amounts, **first.amounts}
    added = {
        name: _sum(first.amounts[name], second.amounts[name])
        for name in first.amounts.keys() & second.amounts.keys()
    }
    return Sketch(
        terms=(*first.terms, *second.terms),
        held_s=_sum(first.held_s, second.held_s),
        amounts={**both, **added},
    )


def _sum(one: Energy, other: Energy) -> Energy:
    return lambda values: one(values) + other(values)


def estimate(
    sketch: Sketch,
    factors: Iterable[Factor],
    devices: Iterable[tuple[str, str]],
    *,
    kind: str,
    place: Place,
    units: Mapping[str, float],
    hardware: str,
    assumptions: Iterable[str] = (),
) -> Estimate:
    """Join a sketch with where it would run.

    Parameters
    ----------
    sketch : Sketch
        What would run.
    factors : iterable of Factor
        All that the formulas name; names differ.
    devices : iterable of (str, str)
        Names of the embodied factors, carbon and water, of all that is held for as long.
    kind : str
        What it is.
    place : Place
        Goes with the numbers.
    units : mapping
        How many of what it holds. [1]
    hardware : str
        What works on it, in words.
    assumptions : iterable of str
        What was taken, and not given.
    """
    known = list(factors)
    best: Values = {factor.name: factor.value.best for factor in known}
    wall = sketch.amounts.get("wall_time_s", sketch.held_s)
    parts = Parts(terms=sketch.terms, duration_s=float(wall(best)), scope=Scope.MACHINE, load=None)
    making = [Device(carbon, water, sketch.held_s) for carbon, water in devices]
    taken = tuple(assumptions)
    flags = (ESTIMATED, *(f"assumed: {one}" for one in taken))
    found, amounts = footprint_and(parts, known, making, sketch.amounts, place=place, flags=flags)
    return Estimate(
        kind=kind,
        footprint=found,
        amounts=amounts,
        units=units,
        per_unit={unit: _per(found, many) for unit, many in units.items()},
        hardware=hardware,
        assumptions=taken,
    )


def rows_of(sketch: Sketch, devices: Iterable[tuple[str, str]]) -> Evaluate:
    """The whole calculation for rows of what-if: from values or arrays of values to all quantities.

    Parameters
    ----------
    sketch, devices
        As of ``estimate``.
    """
    evaluate = formula(sketch.terms, [Device(carbon, water, sketch.held_s) for carbon, water in devices])

    def whole(values: Values) -> dict[str, Number]:
        return {**evaluate(values), **{name: one(values) for name, one in sketch.amounts.items()}}

    return whole


def _per(whole: Footprint, many: float) -> dict[str, Range]:
    ranges = whole.quantities()
    return {
        name: Range(value.low / many, value.best / many, value.high / many)
        for name in PER_UNIT
        if (value := ranges[name]) is not None
    }


def _term(name: str, run: Energy) -> Term:
    kind = {"hosts": "host", "experiments": "experiments", "service": "service"}.get(name, "gpu")
    return Term(name=name, kind=kind, quality=Quality.MODELLED, run=run, how="estimated")
