"""Runs without meters: what each model's requests took by the estimator, told as estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from wattermark.errors import UsageError
from wattermark.factors.api import api_factors
from wattermark.factors.hardware import host_power_factor
from wattermark.factors.serving import TYPICAL, serving_factors
from wattermark.science.served.bearers import Bearers, RunShare, chosen, with_energy
from wattermark.science.served.events import Model
from wattermark.science.served.work import (
    batch_factor,
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
from wattermark.values.jobs import ApiCalls, Inference, Site
from wattermark.values.workload import Accelerator, Architecture
from wattermark.verbs.estimates.api import estimate_api
from wattermark.verbs.estimates.draft import Draft, many, placed
from wattermark.verbs.estimates.ground import accelerator_of, defaults
from wattermark.verbs.estimates.replica import replica_for
from wattermark.verbs.serving.priors import known_model, precision_of

POWER = "serving_power_fraction"
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

    @property
    def share(self) -> RunShare:
        quantities = self.estimate.footprint.quantities() if self.estimate else {}
        return RunShare(quantities=quantities, requests=self.requests, idle_s=np.zeros(0), idle_j=np.zeros(0))


def estimated(requests: Bearers, models: Sequence[Model], service: Service) -> list[Estimated]:
    """The requests by models, those of each with an energy where the estimator has a word on it.

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
        for generates in (True, False):
            mine = (requests.model == code) & (requests.generates == generates)
            if (told := mine & requests.told).any():
                of_model = chosen(requests, np.flatnonzero(told))
                found.append(_of_model(models[code], of_model, service, generates=generates))
            if (untold := mine & ~requests.told).any():
                silent = chosen(requests, np.flatnonzero(untold))
                found.append(Estimated(models[code][0], silent, None, _silence(silent)))
    return found


def _silence(requests: Bearers) -> str:
    """Requests that reached no model need no word."""
    many = int(requests.worked.sum())
    return f"{many:,} requests told no tokens" if many else ""


def _of_model(model: Model, requests: Bearers, service: Service, *, generates: bool) -> Estimated:
    name, provider = model
    known = known_model(name)
    if known is not None:
        return _open(name, known, requests, service, generates=generates)
    for who in dict.fromkeys((provider or None, None)):
        with suppress(UsageError):
            return _closed(name, who, requests, service)
    why = f"nothing is known of its energy ({len(requests):,} requests)"
    return Estimated(name or "(no name)", requests, None, why)


def _closed(name: str, provider: str | None, requests: Bearers, service: Service) -> Estimated:
    """By the line through what was published of it."""
    tokens = requests.tokens
    job = ApiCalls(
        model=name,
        provider=provider,
        input_tokens=mean_of(tokens["input_tokens"]),
        output_tokens=mean_of(tokens["output_tokens"]),
        cached=share_of(tokens["cached_tokens"], tokens["input_tokens"]),
        requests=float(len(requests)),
    )
    estimate = estimate_api(job, service.site)
    each = api(
        input_tokens=tokens["input_tokens"] - np.minimum(tokens["cached_tokens"], tokens["input_tokens"]),
        output_tokens=tokens["output_tokens"],
        requests=1.0,
    )
    line = (*api_factors(name, provider), *defaults(OF_API))
    return Estimated(name, with_energy(requests, np.asarray(it_energy_j(each, line))), estimate)


def _open(
    name: str, model: Architecture, requests: Bearers, service: Service, *, generates: bool
) -> Estimated:
    """By the serving model, at a batch that is known or may be anything usual."""
    tokens = requests.tokens
    embed = not generates or not tokens["output_tokens"].any()
    batch = batch_factor(service.batch)
    job = Inference(
        model=name,
        gpu=service.gpu or TYPICAL,
        input_tokens=mean_of(tokens["input_tokens"]),
        output_tokens=0.0 if embed else mean_of(tokens["output_tokens"]),
        cached=share_of(tokens["cached_tokens"], tokens["input_tokens"]),
        quantisation=precision_of(model),
        requests=float(len(requests)),
        kind="embedding" if embed else "inference",
    )
    accelerator = accelerator_of(job.gpu)
    replica = replica_for(job, model, accelerator)
    count = float(replica.requests.accelerators)
    each, whole = (
        sketch_of(work, accelerator, accelerators=count, idle=usual_idle, embed=embed)
        for work in works_of(model, tokens, precision=replica.requests.precision, accelerators=count)
    )
    factors = _factors(accelerator, batch)
    draft = Draft(
        kind=job.kind,
        subject=f"{many(job.requests or 1.0, 'request')} to {name}",
        accelerator=accelerator.id,
        hardware=f"{count:g} x {accelerator.id}",
        sketch=whole,
        factors=factors,
        assumptions=tuple(_assumed(service, replica.assumptions, batch)),
        units={"request": float(len(requests))},
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
