"""Runs without meters: what each model's requests took by the estimator, told as estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from wattermark.factors.hardware import host_power_factor
from wattermark.factors.serving import TYPICAL, serving_factors
from wattermark.science.served.bearers import Bearers, RunShare, chosen, with_energy
from wattermark.science.served.events import Model
from wattermark.science.served.work import (
    batch_factor,
    each_of,
    it_energy_j,
    mean_of,
    power_between,
    share_of,
    sketch_of,
    works_of,
)
from wattermark.science.sketch_serving import api, usual_idle
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.footprint import QUANTITIES
from wattermark.values.jobs import ApiCalls, Inference, Site
from wattermark.values.range import Range
from wattermark.values.workload import Accelerator, Architecture
from wattermark.verbs.estimates.api import estimate_by_line
from wattermark.verbs.estimates.draft import Draft, placed
from wattermark.verbs.estimates.draft import many as counted
from wattermark.verbs.estimates.ground import accelerator_of, defaults
from wattermark.verbs.estimates.replica import replica_for
from wattermark.verbs.serving.closed import GUESSED, closed_line
from wattermark.verbs.serving.priors import known_model, precision_of

POWER = "serving_power_fraction"
NOTHING = Range.exact(0.0)
OF_API = ("api_anchor_pue", "api_power_per_accelerator_w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is known of who serves: the accelerator, how many requests run at a time, where."""

    gpu: str | None = None
    batch: float | None = None
    site: Site = field(default_factory=Site)


@dataclass(frozen=True, slots=True)
class Estimated:
    """Requests of one model, and what they took; None where nothing is known of the model."""

    name: str
    requests: Bearers
    estimate: Estimate | None
    why_not: str = ""
    flag: str = ""

    @property
    def share(self) -> RunShare:
        none = dict.fromkeys(QUANTITIES, NOTHING) if not self.requests.energy_j.any() else {}
        quantities = self.estimate.footprint.quantities() if self.estimate else none
        return RunShare(quantities=quantities, requests=self.requests, idle_s=np.zeros(0), idle_j=np.zeros(0))


def estimated(requests: Bearers, models: Sequence[Model], service: Service) -> list[Estimated]:
    """The requests by models, those of each with an energy where the estimator has a word on it.

    Requests that took no tokens, as a cache answered them or they ask no model, took nothing.

    Parameters
    ----------
    requests : Bearers
        None with an energy yet.
    models : sequence of (str, str)
        By the requests' ``model``.
    service : Service
        Who serves.
    """
    found = []
    for code in np.unique(requests.model).tolist():
        mine = requests.model == code
        if (nothing := mine & requests.told & ~requests.worked).any():
            found.append(_took_nothing(models[code], chosen(requests, np.flatnonzero(nothing))))
        for generates in (True, False):
            told = mine & requests.told & requests.worked & (requests.generates == generates)
            if told.any():
                of_model = chosen(requests, np.flatnonzero(told))
                found.append(_of_model(models[code], of_model, service, generates=generates))
        if (untold := mine & ~requests.told).any():
            silent = chosen(requests, np.flatnonzero(untold))
            found.append(Estimated(models[code][0], silent, None, _silence(silent)))
    return found


def _took_nothing(model: Model, requests: Bearers) -> Estimated:
    return Estimated(model[0], with_energy(requests, np.zeros(len(requests))), None)


def _silence(requests: Bearers) -> str:
    """Requests that reached no model need no word."""
    untold = requests.count(requests.worked)
    return f"{untold:,} requests told no tokens" if untold else ""


def _of_model(model: Model, requests: Bearers, service: Service, *, generates: bool) -> Estimated:
    name, provider = model
    known = known_model(name)
    if known is not None:
        return _open(name, known, requests, service, generates=generates)
    line = closed_line(name, provider)
    if line is not None:
        return _closed(name, line, requests, service)
    why = f"nothing is known of its energy ({requests.total:,} requests)"
    return Estimated(name or "(no name)", requests, None, why)


def _closed(name: str, line: Sequence[Factor], requests: Bearers, service: Service) -> Estimated:
    """By the line through what was published of it, or of others like it."""
    tokens, many = requests.tokens, requests.many
    job = ApiCalls(
        model=name,
        input_tokens=mean_of(tokens["input_tokens"], many),
        output_tokens=mean_of(tokens["output_tokens"], many),
        cached=share_of(tokens["cached_tokens"], tokens["input_tokens"]),
        requests=float(requests.total),
    )
    estimate = estimate_by_line(job, line, service.site)
    uncached = tokens["input_tokens"] - np.minimum(tokens["cached_tokens"], tokens["input_tokens"])
    each = api(
        input_tokens=each_of(uncached, many),
        output_tokens=each_of(tokens["output_tokens"], many),
        requests=many,
    )
    energy_j = np.asarray(it_energy_j(each, (*line, *defaults(OF_API))))
    guessed = f"guessed: {line[0].note}" if line[0].basis == GUESSED else ""
    return Estimated(name, with_energy(requests, energy_j), estimate, flag=guessed)


def _open(
    name: str, model: Architecture, requests: Bearers, service: Service, *, generates: bool
) -> Estimated:
    """By the serving model, at a batch that is known or may be anything usual."""
    tokens, many = requests.tokens, requests.many
    embed = not generates or not tokens["output_tokens"].any()
    batch = batch_factor(service.batch)
    job = Inference(
        model=name,
        gpu=service.gpu or TYPICAL,
        input_tokens=mean_of(tokens["input_tokens"], many),
        output_tokens=0.0 if embed else mean_of(tokens["output_tokens"], many),
        cached=share_of(tokens["cached_tokens"], tokens["input_tokens"]),
        quantisation=precision_of(model),
        requests=float(requests.total),
        kind="embedding" if embed else "inference",
    )
    accelerator = accelerator_of(job.gpu)
    replica = replica_for(job, model, accelerator)
    count = float(replica.requests.accelerators)
    each, whole = (
        sketch_of(work, accelerator, accelerators=count, idle=usual_idle, embed=embed)
        for work in works_of(model, tokens, many, precision=replica.requests.precision, accelerators=count)
    )
    factors = _factors(accelerator, batch)
    draft = Draft(
        kind=job.kind,
        subject=f"{counted(job.requests or 1.0, 'request')} to {name}",
        accelerator=accelerator.id,
        hardware=f"{count:g} x {accelerator.id}",
        sketch=whole,
        factors=factors,
        assumptions=tuple(_assumed(service, replica.assumptions, batch)),
        units={"request": float(requests.total)},
    )
    energy_j = np.asarray(it_energy_j(each, factors))
    return Estimated(name, with_energy(requests, energy_j), placed(draft, job, service.site))


def _factors(accelerator: Accelerator, batch: Factor) -> tuple[Factor, ...]:
    low, best, high = (_by_name(serving_factors(accelerator, one)) for one in batch.value.ends)
    drawn = {**best, POWER: power_between(low[POWER], best[POWER], high[POWER])}
    return (
        *drawn.values(),
        batch,
        *defaults(("gpu_idle_fraction", "serving_utilisation")),
        host_power_factor(accelerator.tdp_w),
    )


def _by_name(factors: Sequence[Factor]) -> Mapping[str, Factor]:
    return {factor.name: factor for factor in factors}


def _assumed(service: Service, of_replica: Sequence[str], batch: Factor) -> Iterator[str]:
    yield from of_replica
    if service.gpu is None:
        yield f"served on {TYPICAL}, as nobody said on what (--gpu)"
    if service.batch is None:
        least, most = batch.value.low, batch.value.high
        yield f"{least:g} to {most:g} requests at a time, as nobody said how many (--batch)"
    yield "replicas wait as long as they work, 0.2 to 0.95 of their time"
