"""What a model's requests would take, before anything of them was measured."""

from __future__ import annotations

from functools import lru_cache
from math import nan

import numpy as np

from wattermark.errors import UsageError
from wattermark.factors.serving import TYPICAL
from wattermark.science.served.work import USUAL_BATCH
from wattermark.science.sharing.rates import ENDS, KNOTS, Rates, pairs, rates_table
from wattermark.values.factors import Factor
from wattermark.values.jobs import ApiCalls, Site
from wattermark.values.range import Range
from wattermark.verbs.estimates.api import estimate_by_line
from wattermark.verbs.estimates.what_if import what_if_inference
from wattermark.verbs.serving.closed import closed_line
from wattermark.verbs.serving.priors import MOST_MODELS, known_model

TYPICAL_GPU = TYPICAL
TYPICAL_BATCH = USUAL_BATCH.best
"""Requests at a time of a service that nobody told anything about, as reports take it."""
QUANTITIES = ("it_energy_j", "carbon_g", "water_l")


@lru_cache(maxsize=MOST_MODELS)
def rates_named(
    model: str, site: Site, provider: str = "", gpu: str = TYPICAL_GPU, batch: float = TYPICAL_BATCH
) -> Rates | None:
    """What requests to a model are estimated to take at a place; None where nothing is known of it.

    An open one by its shape, on such accelerators, so many requests at a time; a closed one by what was
    published of it, or of others like it.
    """
    try:
        if known_model(model) is not None:
            return _open(model, site, gpu, batch)
        line = closed_line(model, provider)
        return None if line is None else _closed(model, line, site)
    except UsageError:
        return None


def _closed(model: str, line: list[Factor], site: Site) -> Rates | None:
    """Lines, so that their ends tell all of them."""
    asked = (
        estimate_by_line(
            ApiCalls(model=model, input_tokens=read, output_tokens=written), line, site
        ).footprint
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
