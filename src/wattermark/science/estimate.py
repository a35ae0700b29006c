"""Join work that was not run with where it would run, by the formulas that account for a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wattermark.science.footprint import Device, footprint_and, formula
from wattermark.science.parts import Parts
from wattermark.science.sketch import Sketch
from wattermark.science.uncertainty import Evaluate, Values
from wattermark.values.boundary import Number
from wattermark.values.estimate import Estimate, Question
from wattermark.values.factors import Factor, Place
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Scope
from wattermark.values.range import Range

ESTIMATED: Final = "estimated: nothing was measured; every part is a model"
PER_UNIT: Final = ("facility_energy_j", "carbon_g", "water_l")


def estimate(
    sketch: Sketch,
    factors: Iterable[Factor],
    devices: Iterable[tuple[str, str]],
    question: Question,
    place: Place,
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
    question : Question
        What is asked, and what was assumed.
    place : Place
        Goes with the numbers.
    """
    known = list(factors)
    best: Values = {factor.name: factor.value.best for factor in known}
    wall = sketch.amounts.get("wall_time_s", sketch.held_s)
    parts = Parts(terms=sketch.terms, duration_s=float(wall(best)), scope=Scope.MACHINE, load=None)
    making = [Device(carbon, water, sketch.held_s) for carbon, water in devices]
    flags = (ESTIMATED, *(f"assumed: {one}" for one in question.assumptions))
    found, amounts = footprint_and(parts, known, making, sketch.amounts, place=place, flags=flags)
    return Estimate(
        question=question,
        footprint=found,
        amounts=amounts,
        per_unit={unit: _per(found, many) for unit, many in question.units.items()},
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
