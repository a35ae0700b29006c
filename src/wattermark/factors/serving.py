"""Coefficients of the serving model: of the accelerator where it was measured, else by its data sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise

from wattermark.errors import BadFactorTable
from wattermark.factors.accelerators import peak_flops
from wattermark.factors.table import Index, Row, factor, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range
from wattermark.values.workload import Accelerator

ANY = "any"
TYPICAL = "h100-sxm"
COEFFICIENTS = ("serving_byte_j", "serving_flop_j", "serving_step_j", "serving_token_j")
POWER = "power_fraction_"


@cache
def _fitted() -> Mapping[str, Mapping[str, Row]]:
    found: dict[str, dict[str, Row]] = Index("serving_fit", ())
    for row in table("serving_fit"):
        found.setdefault(row["gpu"], Index("serving_fit", ()))[row["name"]] = row
    return found


def has_measurements(accelerator_id: str) -> bool:
    """Whether the model was fitted to measurements on this accelerator."""
    return accelerator_id in _fitted()


def serving_factors(accelerator: Accelerator, batch: float) -> list[Factor]:
    """The four coefficients, how far off they are, and the power drawn at a batch and by prompts.

    Parameters
    ----------
    accelerator : Accelerator
        One without measurements gets coefficients by TDP over bandwidth and over peak, with a wide band.
    batch : float
        Sequences that run at a time. [1]
    """
    known = has_measurements(accelerator.id)
    gpu = accelerator.id if known else ANY
    key = accelerator.id if known else f"{accelerator.id}, by its data sheet"
    units = dict(zip(COEFFICIENTS, ("J/B", "J/FLOP", "J", "J"), strict=True))
    scales = _scales(accelerator)
    found = []
    for name in COEFFICIENTS:
        one = _row_factor(gpu, name, name, key, units[name])
        found.append(one if known else replace(one, value=_times(one.value, scales[name]), basis="transfer"))
    found.append(_row_factor(gpu, "serving_error", "serving_error", key, "1"))
    points = _power_points(accelerator.id)
    full = replace(points[max(points)], name="prefill_power_fraction")
    return [*found, power_fraction(accelerator, batch), full]


def power_fraction(accelerator: Accelerator, batch: float) -> Factor:
    """Mean power over TDP while a replica works, between the batches that were measured."""
    points = _power_points(accelerator.id)
    knots = list(points)
    at = math.log(min(max(batch, knots[0]), knots[-1]))
    for left, right in pairwise(knots):
        if at <= math.log(right):
            part = (at - math.log(left)) / (math.log(right) - math.log(left))
            return replace(points[left], value=_between(points[left].value, points[right].value, part))
    return points[knots[-1]]


def power_knots(accelerator: Accelerator) -> tuple[list[float], list[float]]:
    """The batches that were measured, and the best power over TDP at each."""
    points = _power_points(accelerator.id)
    return list(points), [point.value.best for point in points.values()]


@cache
def _power_points(accelerator_id: str) -> Mapping[float, Factor]:
    gpu = accelerator_id if has_measurements(accelerator_id) else TYPICAL
    knots = sorted(_knot(name) for name in _fitted()[gpu] if name.startswith(POWER))
    return {
        float(knot): _row_factor(gpu, f"{POWER}{knot}", "serving_power_fraction", accelerator_id, "1")
        for knot in knots
    }


def _between(one: Range, other: Range, part: float) -> Range:
    ends = zip((one.low, one.best, one.high), (other.low, other.best, other.high), strict=True)
    return Range(*(a + (b - a) * part for a, b in ends))


def _scales(accelerator: Accelerator) -> dict[str, float]:
    tdp_w = accelerator.tdp_w
    ratios = (
        tdp_w / accelerator.bandwidth_bytes_per_s,
        tdp_w / peak_flops(accelerator, "bf16"),
        tdp_w,
        tdp_w,
    )
    return dict(zip(COEFFICIENTS, ratios, strict=True))


def _knot(name: str) -> int:
    """The batch that a row of power fractions is of. [1]"""
    if not name.removeprefix(POWER).isdecimal():
        raise BadFactorTable(f"{name} in serving_fit.csv names no batch", fix="Mend the table")
    return int(name.removeprefix(POWER))


def _times(value: Range, scale: float) -> Range:
    return Range(value.low * scale, value.best * scale, value.high * scale)


@cache
def _row_factor(gpu: str, name: str, called: str, key: str, unit: str) -> Factor:
    row = _fitted()[gpu][name]
    return factor(row, called, key=key, unit=unit, columns=("low", "best", "high"), note=row["note"])
