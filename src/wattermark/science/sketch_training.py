"""A training that was not run, by its work or by its time."""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.science.lazily import np_any, once, total
from wattermark.science.sketch import Sketch, term
from wattermark.science.terms import Energy
from wattermark.science.training import accelerator_time_s, held_energy_j, wall_time_s
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.units import S_PER_HOUR


def training(
    flops: Number,
    *,
    peak_flops: Number,
    powers: Mapping[str, Energy],
    count: Number,
) -> Sketch:
    """A training by its work.

    Parameters
    ----------
    flops : float or ndarray
        Model FLOPs. [FLOP]
    peak_flops : float or ndarray
        Of one accelerator. [FLOP/s]
    powers : mapping
        As of ``held``.
    count : float or ndarray
        Accelerators. [1]
    """

    @once
    def busy_s(values: Values) -> Number:
        return accelerator_time_s(flops, peak_flops=peak_flops, mfu=values["training_mfu"])

    sketch = held(busy_s, powers=powers, count=count)
    amounts: dict[str, Energy] = {**sketch.amounts, "flops": lambda _: flops}
    return Sketch(terms=sketch.terms, held_s=sketch.held_s, amounts=amounts)


def held(busy_s: Energy, *, powers: Mapping[str, Energy], count: Number) -> Sketch:
    """A training by its accelerator time.

    Parameters
    ----------
    busy_s : callable
        From the factors to seconds times accelerators. [s]
    powers : mapping
        ``sheet_powers`` or ``system_power``: mean power of each part, for one accelerator. [W]
    count
        As of ``training``.
    """
    return Sketch(
        terms=tuple(term(name, _drawn(busy_s, power_w)) for name, power_w in powers.items()),
        held_s=busy_s,
        amounts={
            "accelerator_hours": lambda values: busy_s(values) / S_PER_HOUR,
            "wall_time_s": lambda values: wall_time_s(busy_s(values), count),
        },
    )


def with_experiments(sketch: Sketch, experiments: Number) -> Sketch:
    """A final run, and the trials and failed runs before it as a part of their own.

    Parameters
    ----------
    sketch : Sketch
        The final run; its hours and wall time stay those of it alone.
    experiments : float or ndarray
        All others, over the final one. [1]
    """
    if not np_any(experiments):
        return sketch
    final = [one.run for one in sketch.terms if one.run is not None]
    before = term("experiments", lambda values: experiments * total(part(values) for part in final))
    hours = sketch.amounts["accelerator_hours"]
    return Sketch(
        terms=(*sketch.terms, before),
        held_s=lambda values: sketch.held_s(values) * (1 + experiments),
        amounts={**sketch.amounts, "experiment_hours": lambda values: experiments * hours(values)},
    )


def _drawn(busy_s: Energy, power_w: Energy) -> Energy:
    return once(lambda values: held_energy_j(busy_s(values), power_w(values)))


def sheet_powers(tdp_w: Number) -> dict[str, Energy]:
    """Mean power of an accelerator by its data sheet, and of its part of the host. [W]

    Parameters
    ----------
    tdp_w : float or ndarray
        Of one accelerator. [W]
    """
    return {
        "accelerators": lambda values: tdp_w * values["training_power_fraction"],
        "hosts": lambda values: values["host_power_per_gpu_w"],
    }


def system_power() -> dict[str, Energy]:
    """Mean power of an accelerator with its part of the host, where it was measured or is given. [W]"""
    return {"accelerators and hosts": lambda values: values["training_system_w"]}
