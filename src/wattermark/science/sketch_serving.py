"""Requests that were not served: language, embeddings, images and videos, closed models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from wattermark.science.generation import ALONE, PARTS, Generation, gpu_energy_parts_j, gpu_seconds
from wattermark.science.lazily import np_any, once, total
from wattermark.science.serving import (
    Work,
    decode_energy_j,
    embedding_energy_j,
    idle_per_busy,
    prefill_energy_j,
)
from wattermark.science.sketch import Sketch, term
from wattermark.science.terms import Energy
from wattermark.science.training import held_energy_j
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.units import S_PER_HOUR

FULL: Final = "prefill_power_fraction"
"""A prompt keeps an accelerator as busy as a large batch does."""
S_PER_DAY: Final = 86_400.0
Idle = Callable[[Energy], Energy]
"""From the time that accelerators work to the time that they wait, both functions of the factors. [s]"""


def serving(
    work: Work,
    *,
    tdp_w: Number,
    requests: Number,
    accelerators: Number,
    idle: Idle,
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
    idle : callable
        ``usual_idle``, ``idle_by_share``, ``idle_of_held`` ...: how long accelerators wait.
    embed : bool
        Whether the prompt is all there is.
    """
    parts = _working(work, requests, embed=embed)
    working = tuple(parts.values())
    drawn = {name: "serving_power_fraction" if embed or name == "decode" else FULL for name in parts}

    @once
    def busy_s(values: Values) -> Number:
        return total(part(values) / (tdp_w * values[drawn[name]]) for name, part in parts.items())

    def per_token_j(values: Values) -> Number:
        return total(part(values) for part in working) / requests / work.output_tokens

    amounts: dict[str, Energy] = {
        "accelerator_energy_per_request_j": lambda v: total(part(v) for part in working) / requests,
        **({} if embed else {"accelerator_energy_per_token_j": per_token_j}),
        "busy_time_per_request_s": lambda v: busy_s(v) / accelerators / requests,
        "replicas_busy": lambda v: busy_s(v) / accelerators / S_PER_DAY,
    }
    return _held_ready(parts, busy_s, tdp_w=tdp_w, idle=idle, amounts=amounts)


def _held_ready(
    parts: Mapping[str, Energy],
    busy_s: Energy,
    *,
    tdp_w: Number,
    idle: Idle,
    amounts: Mapping[str, Energy],
) -> Sketch:
    """Accelerators that work for ``busy_s``, wait for the rest of the time that they are held, and hosts."""

    idle_s = None if idle is never_idle else once(idle(busy_s))

    @once
    def held_s(values: Values) -> Number:
        return busy_s(values) if idle_s is None else busy_s(values) + idle_s(values)

    held_parts: dict[str, Energy] = dict(parts)
    if idle_s is not None:
        held_parts["waiting accelerators"] = lambda v: held_energy_j(
            idle_s(v), tdp_w * v["gpu_idle_fraction"]
        )
    held_parts["hosts"] = lambda v: held_energy_j(held_s(v), v["host_power_per_gpu_w"])
    return Sketch(
        terms=tuple(term(name, run) for name, run in held_parts.items()),
        held_s=held_s,
        amounts={"accelerator_hours": lambda v: held_s(v) / S_PER_HOUR, **amounts},
    )


def never_idle(_: Energy) -> Energy:
    """Accelerators that are given back as soon as they are done.

    Parameters
    ----------
    _ : callable
        From the factors to the time that they work. [s]
    """
    return lambda values: 0.0


def usual_idle(busy_s: Energy) -> Energy:
    """Accelerators that wait as long as those of services do. [s]

    Parameters
    ----------
    busy_s : callable
        From the factors to the time that they work. [s]
    """
    return lambda values: busy_s(values) * idle_per_busy(values["serving_utilisation"])


def usual_idle_of_day(day_s: Number) -> Idle:
    """Accelerators that wait as long as those of services do, and of which so many are held at least.

    Parameters
    ----------
    day_s : float or ndarray
        A day of the fewest: seconds times accelerators. [s]
    """

    def idle(busy_s: Energy) -> Energy:
        usual_s = usual_idle(busy_s)
        return lambda values: np.maximum(day_s - busy_s(values), usual_s(values))

    return idle


def idle_by_share(utilisation: Number) -> Idle:
    """Accelerators that work for a share of the time that they are held.

    Parameters
    ----------
    utilisation : float or ndarray
        The share, above 0. [1]
    """
    return lambda busy_s: lambda values: busy_s(values) * idle_per_busy(utilisation)


def idle_of_held(held_s: Number) -> Idle:
    """Accelerators that are held for a time, whatever they do in it.

    Parameters
    ----------
    held_s : float or ndarray
        Seconds times accelerators. [s]
    """
    return lambda busy_s: lambda values: np.maximum(held_s - busy_s(values), 0.0)


def day_s(accelerators: float, replicas: int) -> float:
    """A day of some replicas: seconds times accelerators. [s]

    Parameters
    ----------
    accelerators : float
        Of a replica. [1]
    replicas : int
        How many are held. [1]
    """
    return accelerators * replicas * S_PER_DAY


def _working(work: Work, requests: Number, *, embed: bool) -> dict[str, Energy]:
    """What the accelerators do for the requests themselves."""
    if embed:
        return {"prefill": once(lambda v: requests * embedding_energy_j(work, v))}
    return {
        "prefill": once(lambda v: requests * prefill_energy_j(work, v)),
        "decode": once(lambda v: requests * decode_energy_j(work, v)),
    }


def media(asked: Generation, *, tdp_w: Number, items: Number, idle: Idle) -> Sketch:
    """Images or videos by what their model computes, waiting, and the hosts around.

    Parameters
    ----------
    asked : Generation
        Of one item.
    tdp_w : float or ndarray
        Of one accelerator. [W]
    items : float or ndarray
        How many. [1]
    idle : callable
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
    return _held_ready({name: part(name) for name in names}, busy_s, tdp_w=tdp_w, idle=idle, amounts=amounts)


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
    The anchors are energies of their own facilities; they are divided by the PUE of these, and the
    footprint multiplies the PUE of the place.
    """

    @once
    def it_j(values: Values) -> Number:
        facility_j = (
            values["api_request_j"]
            + values["api_input_token_j"] * input_tokens
            + values["api_output_token_j"] * output_tokens
        )
        return requests * values["api_error"] * facility_j / values["api_anchor_pue"]

    return Sketch(
        terms=(term("service", it_j),),
        held_s=lambda values: it_j(values) / values["api_power_per_accelerator_w"],
        amounts={"energy_per_request_j": lambda values: it_j(values) * values["pue"] / requests},
    )
