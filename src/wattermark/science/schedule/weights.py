"""Carbon, water and cost as one score: each over what starting now, here, would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from wattermark.errors import UsageError, nearest
from wattermark.science.schedule.rates import Rates
from wattermark.science.schedule.steps import Steps
from wattermark.values.plan import Option

Weights = Mapping[str, float]
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "carbon": ("carbon_g",),
    "carbon-marginal": ("carbon_marginal_g",),
    "water": ("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l"),
    "water-thermal": ("water_onsite_l", "water_offsite_thermal_l"),
    "cost": ("cost_usd",),
}
"""What may be weighed, and the quantities that it is the sum of; ``water-thermal`` counts no reservoirs."""
CARBON_ONLY: Final[Weights] = {"carbon": 1.0}


def check_weights(weights: Weights) -> dict[str, float]:
    """Weights that add up to 1; those of 0 are left out.

    Parameters
    ----------
    weights : mapping
        From names of ``PARTS`` to numbers. [1]

    Raises
    ------
    UsageError
        If one is no such thing, below zero or not finite, or all are zero.
    """
    for name, weight in weights.items():
        if name not in PARTS:
            near = nearest(name, PARTS, most=1)
            fix = f"Did you mean {near[0]}?" if near else f"Choose from: {', '.join(PARTS)}"
            raise UsageError(f"there is no weight for {name!r}", fix=fix)
        if not np.isfinite(weight) or weight < 0:
            raise UsageError(f"the weight of {name} is {weight:g}", fix="Give numbers of 0 and above")
    if {"water", "water-thermal"} <= {name for name, weight in weights.items() if weight}:
        raise UsageError(
            "water and water-thermal are weighed both, and the one holds the other", fix="Choose one of them"
        )
    total = sum(weights.values())
    if not total:
        raise UsageError("all weights are zero", fix="Write, for instance, --weights carbon=1,water=0.5")
    return {name: weight / total for name, weight in weights.items() if weight}


def amount(option: Option, what: str) -> float | None:
    """The carbon, water or cost of a way to run, None where a part of it is not known. [g], [L] or [USD]

    Parameters
    ----------
    option : Option
        A way to run.
    what : str
        A name of ``PARTS``.
    """
    parts = [getattr(option, name) for name in PARTS[what]]
    return None if any(part is None for part in parts) else float(sum(parts))


def score_of(option: Option, reference: Option, weights: Weights) -> float:
    """A way to run over the size of another, weighed: less is better; NaN where something weighed is not
    known. [1]

    Parameters
    ----------
    option, reference : Option
        The reference has a score of 1, if each quantity of it is above zero.
    weights : mapping
        As of ``check_weights``.
    """
    pairs = {what: (amount(option, what), amount(reference, what)) for what in weights}
    return sum(
        np.nan if mine is None or theirs is None else _per_unit(weights, what, theirs) * mine
        for what, (mine, theirs) in pairs.items()
    )


def _per_unit(weights: Weights, what: str, theirs: float) -> float:
    """What a unit of a quantity scores. Where the reference takes nothing of it, nothing tells how it weighs
    against others; alone it needs no scale."""
    if theirs:
        return weights[what] / abs(theirs)
    return 1.0 if len(weights) == 1 else np.nan


def scored(rates: Rates, reference: Option, weights: Weights) -> Steps | None:
    """The score that each joule adds at a place, over time; None where something weighed is not known there.

    Parameters
    ----------
    rates : Rates
        Of the place.
    reference, weights
        As of ``score_of``.
    """
    total = np.zeros(len(rates.edges_s) - 1)
    for what in weights:
        theirs = amount(reference, what)
        if theirs is None or not all(name in rates.per_j for name in PARTS[what]):
            return None
        scale = _per_unit(weights, what, theirs)
        total += scale * sum(rates.per_j[name].values for name in PARTS[what])
    return Steps(rates.edges_s, total)
