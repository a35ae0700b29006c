"""What a model's requests weigh, and would take, before anything of them was measured."""

from __future__ import annotations

from functools import lru_cache
from math import nan

import numpy as np

from wattermark.errors import UsageError
from wattermark.factors.serving import TYPICAL, serving_factors
from wattermark.factors.shapes.models import architecture_named
from wattermark.science.serving import BYTES
from wattermark.science.sharing.columns import Cost, cost_of
from wattermark.science.sharing.rates import ENDS, KNOTS, Rates, pairs, rates_table
from wattermark.values.jobs import ApiCalls, Site
from wattermark.values.range import Range
from wattermark.verbs.estimates.api import estimate_api
from wattermark.verbs.estimates.ground import accelerator_of
from wattermark.verbs.estimates.what_if import what_if_inference

TYPICAL_GPU = TYPICAL
TYPICAL_BATCH = 32.0
"""Requests at a time of a service that nobody told anything about."""
GENERIC = "llama-3.1-8b"
"""For a model that no table knows: shares need proportions only."""
UNPACKED = "int4"
"""Four-bit weights of any format take about as many bytes."""
QUANTITIES = ("it_energy_j", "carbon_g", "water_l")
MOST_MODELS = 256


@lru_cache(maxsize=MOST_MODELS)
def cost_named(model: str, gpu: str = TYPICAL_GPU) -> Cost:
    """The costs of a model by its name; those of a usual one where no table knows it."""
    try:
        shape = architecture_named(model)
    except UsageError:
        shape = architecture_named(GENERIC)
    values = {one.name: one.value.best for one in serving_factors(accelerator_of(gpu), 1.0)}
    precision = shape.precision if shape.precision in BYTES else UNPACKED
    return cost_of(shape, precision=precision, accelerators=1.0, values=values)


@lru_cache(maxsize=MOST_MODELS)
def rates_named(model: str, site: Site, gpu: str = TYPICAL_GPU, batch: float = TYPICAL_BATCH) -> Rates | None:
    """What requests to a model are estimated to take at a place; None where no table knows the model.

    A closed one by what was published of it, an open one by its shape, on such accelerators, so many
    requests at a time.
    """
    try:
        return _closed(model, site)
    except UsageError:
        pass
    try:
        return _open(model, site, gpu, batch)
    except UsageError:
        return None


def _closed(model: str, site: Site) -> Rates | None:
    """Lines, so that their ends tell all of them."""
    asked = (
        estimate_api(ApiCalls(model=model, input_tokens=read, output_tokens=written), site).footprint
        for read, written in pairs(ENDS)
    )
    ranges = [footprint.quantities() for footprint in asked]
    best = {name: np.array([_best(one[name]) for one in ranges]) for name in QUANTITIES}
    return rates_table(ENDS, best)


def _open(model: str, site: Site, gpu: str, batch: float) -> Rates | None:
    read, written = np.array(pairs(KNOTS)).T
    given = {"place": site.place, "pue": site.pue, "wue": site.wue, "intensity": site.intensity}
    asked = {"gpu": gpu, "model": model, "batch": batch, "input_tokens": read, "output_tokens": written}
    known = {name: value for name, value in given.items() if value is not None}
    return rates_table(KNOTS, what_if_inference({**asked, **known}))


def _best(value: Range | None) -> float:
    return nan if value is None else value.best
