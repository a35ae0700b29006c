"""Estimate a service before it runs: a language model on accelerators, or an embedding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from wattermark.factors.accelerators import has_units
from wattermark.factors.hardware import host_power_factor
from wattermark.factors.serving import has_measurements, serving_factors
from wattermark.science.serving import output_tokens_of, request_work
from wattermark.science.sketch import Sketch
from wattermark.science.sketch_serving import (
    Idle,
    day_s,
    idle_by_share,
    idle_of_held,
    never_idle,
    serving,
    usual_idle,
    usual_idle_of_day,
)
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.jobs import Inference, Site
from wattermark.values.workload import Accelerator, Architecture, Requests
from wattermark.verbs.estimates.calibration_file import read_calibration
from wattermark.verbs.estimates.draft import Draft, asked, many, placed, size
from wattermark.verbs.estimates.ground import accelerator_of, defaults, model_of
from wattermark.verbs.estimates.replica import Replica, check_load, replica_for

HALF = 0.5
"""Of a replica: a load below it is served by one that usually waits for most of the day."""


def estimate_inference(job: Inference, site: Site | None = None) -> Estimate:
    """What a service would cost: a day of it where ``requests_per_day`` is given, else its requests.

    Parameters
    ----------
    job : Inference
        The model, the requests and the replica.
    site : Site, optional
        Where; the world by default, with a wide interval.

    Returns
    -------
    Estimate
        ``units`` tell how many requests and output tokens, reasoning included, the footprint holds.

    Raises
    ------
    UsageError
        If a name is not known, the model does not fit, or values contradict each other.

    Examples
    --------
    >>> import wattermark as wm
    >>> job = wm.Inference(model="llama-3.1-8b", gpu="h100", batch=64, input_tokens=150, output_tokens=400)
    >>> 20 < wm.estimate_inference(job).amounts["accelerator_energy_per_request_j"].best < 90
    True
    """
    asked(job, Inference)
    return placed(serving_draft(job), job, site)


def serving_draft(job: Inference, *, model: Architecture | None = None) -> Draft:
    """A service that is not placed yet; ``model`` where the job does not name it."""
    accelerator = accelerator_of(job.gpu)
    known = model or model_of(
        model=job.model, config=job.config, params=job.params, active_params=job.active_params
    )
    replica = replica_for(job, known, accelerator)
    requests = job.requests_per_day or job.requests or 1.0
    factors = (
        *_coefficients(job, accelerator),
        *defaults(("gpu_idle_fraction", "serving_utilisation")),
        host_power_factor(accelerator.tdp_w),
    )
    work = request_work(known, replica.requests)

    def sketch(idle: Idle) -> Sketch:
        return serving(
            work, tdp_w=accelerator.tdp_w, requests=requests, accelerators=replica.requests.accelerators,
            idle=idle, embed=job.kind == "embedding",
        )  # fmt: skip

    def busy() -> float:
        best = {factor.name: factor.value.best for factor in factors}
        return float(sketch(never_idle).amounts["replicas_busy"](best))

    idle, waits = _waiting(job, replica, busy)
    hardware = f"{replica.requests.accelerators:g} x {accelerator.id}"
    return Draft(
        kind=job.kind,
        subject=_subject(job, known, replica, hardware),
        accelerator=accelerator.id,
        hardware=hardware,
        sketch=_of_a_day(job, sketch(idle)),
        factors=factors,
        assumptions=(*replica.assumptions, *waits, *_said(job, known, accelerator, replica.requests)),
        units=_units(job, replica, requests),
    )


def _waiting(job: Inference, replica: Replica, busy: Callable[[], float]) -> tuple[Idle, tuple[str, ...]]:
    """How long accelerators wait, and what was assumed of it; ``busy`` replicas would do if never idle."""
    if job.utilisation == 1:
        return never_idle, ()
    if job.utilisation is not None:
        return idle_by_share(job.utilisation), ()
    accelerators = float(replica.requests.accelerators)
    if job.replicas is not None:
        check_load(busy(), job.replicas)
        return idle_of_held(day_s(accelerators, job.replicas)), ()
    said = "replicas wait as long as they work, 0.2 to 0.95 of their time (--utilisation, --replicas)"
    if job.requests_per_day is None:
        return usual_idle, (said,)
    if (share := busy()) < HALF:
        said = f"one replica is held all day, and works {share:.2%} of it (--replicas, --utilisation)"
    return usual_idle_of_day(day_s(accelerators, 1)), (said,)


def _of_a_day(job: Inference, sketch: Sketch) -> Sketch:
    """Replicas are a matter of days only."""
    if job.requests_per_day is not None:
        return sketch
    amounts = {name: one for name, one in sketch.amounts.items() if name != "replicas_busy"}
    return Sketch(terms=sketch.terms, held_s=sketch.held_s, amounts=amounts)


def _units(job: Inference, replica: Replica, requests: float) -> Mapping[str, float]:
    if job.kind == "embedding":
        return {"request": requests}
    tokens = output_tokens_of(requests, float(replica.requests.output_tokens))
    return {"request": requests, "output token": tokens}


def _subject(job: Inference, model: Architecture, replica: Replica, hardware: str) -> str:
    often = "a day of " if job.requests_per_day is not None else ""
    word = "text" if job.kind == "embedding" else "request"
    held = replica.requests
    tokens = f"{job.input_tokens:,.10g}"
    if job.kind != "embedding":
        tokens = f"{tokens} + {held.output_tokens:,.10g}"
    told = many(job.requests_per_day or job.requests or 1.0, word)
    shape = f"{size(model.params, model.active_params)}, {held.precision}"
    return f"{often}{told} to {model.name} ({shape}) on {hardware}, batch {job.batch:g}, {tokens} tokens"


def _coefficients(job: Inference, accelerator: Accelerator) -> list[Factor]:
    shipped = serving_factors(accelerator, job.batch)
    if job.fit is None:
        return shipped
    calibrated = read_calibration(Path(job.fit), accelerator.id)
    return [
        replace(one, value=calibrated[one.name], basis="calibrated", source="user")
        if one.name in calibrated
        else one
        for one in shipped
    ]


def _said(job: Inference, model: Architecture, accelerator: Accelerator, requests: Requests) -> Iterator[str]:
    if accelerator.peak_flops and not has_units(accelerator, requests.precision):
        yield f"{accelerator.id} has no units for {requests.precision}: weights are unpacked to 16 bit"
    if job.batch == 1:
        yield "one request at a time: the costliest way to serve (--batch)"
    if not has_measurements(accelerator.id):
        yield f"no measurements on {accelerator.id}: scaled by its data sheet, so the band is wide"
    if not (model.kv_values or model.kv_window_values):
        yield "only the model's size is known: keys, values, attention are not counted (--model, --config)"
