"""Estimate a service before it runs: a language model on accelerators, or an embedding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wattermark.errors import UsageError
from wattermark.factors.serving import is_measured, serving_factors
from wattermark.science.capacity import (
    daily_utilisation,
    fewest_accelerators,
    fewest_replicas,
    fits,
    gigabytes,
)
from wattermark.science.estimate import estimate
from wattermark.science.serving import BYTES, cached_tokens, output_tokens_of, request_work
from wattermark.science.sketch import Sketch
from wattermark.science.sketch_serving import serving
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.jobs import Inference, Site
from wattermark.values.workload import Accelerator, Architecture, Requests
from wattermark.verbs.estimates.calibration_file import read_calibration
from wattermark.verbs.estimates.ground import DEVICES, Draft, accelerator_of, defaults, ground, model_of


def estimate_inference(job: Inference, site: Site | None = None) -> Estimate:
    """What a service would cost: a day of it where ``requests_per_day`` is given, else one request.

    Parameters
    ----------
    job : Inference
        The model, the requests and the replica.
    site : Site, optional
        Where; the world by default, with a wide interval.

    Returns
    -------
    Estimate
        ``units`` tell how many requests and output tokens the footprint holds.

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
    standing = ground(site or Site(), accelerator_of(job.gpu).id)
    requests = job.requests_per_day or 1.0
    draft = serving_draft(job, requests=requests)
    units = {"request": requests}
    if job.kind == "generate":
        units["output token"] = output_tokens_of(requests, job.output_tokens)
    return estimate(
        draft.sketch,
        (*standing.factors, *draft.factors),
        DEVICES,
        kind=job.kind,
        place=standing.place,
        units=units,
        hardware=draft.hardware,
        assumptions=(*draft.assumptions, *standing.assumptions),
    )


def serving_draft(job: Inference, *, requests: float, model: Architecture | None = None) -> Draft:
    """A service that is not placed yet."""
    accelerator = accelerator_of(job.gpu)
    known = model or model_of(
        model=job.model, config=job.config, params=job.params, active_params=job.active_params
    )
    replica = _replica(job, known, accelerator)
    factors = (
        *_coefficients(job, accelerator),
        *defaults(("gpu_idle_fraction", "host_power_per_gpu_w", "serving_utilisation")),
    )
    work = request_work(known, replica.requests)
    utilisation = job.utilisation

    def sketch(used: float | None) -> Sketch:
        return serving(
            work, tdp_w=accelerator.tdp_w, requests=requests, accelerators=replica.requests.accelerators,
            utilisation=used, embed=job.kind == "embed",
        )  # fmt: skip

    if job.replicas is not None:
        best = {factor.name: factor.value.best for factor in factors}
        busy = float(sketch(1.0).amounts["replicas_busy"](best))
        utilisation = _utilisation(busy, job.replicas)
    return Draft(
        sketch(utilisation),
        factors,
        (*replica.taken, *_said(job, known, accelerator)),
        f"{replica.requests.accelerators:g} x {accelerator.id}",
    )


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


@dataclass(frozen=True, slots=True)
class _Replica:
    requests: Requests
    taken: tuple[str, ...]


def _replica(job: Inference, model: Architecture, accelerator: Accelerator) -> _Replica:
    precision = job.quantisation or model.precision
    if precision not in BYTES:
        raise UsageError(
            f"weights in {precision!r} have no size here", fix=f"Give --quantisation: {', '.join(BYTES)}"
        )
    asked = Requests(
        batch=float(job.batch),
        input_tokens=float(job.input_tokens),
        output_tokens=float(job.output_tokens) + float(job.reasoning_tokens),
        cached_tokens=cached_tokens(job.input_tokens, job.cached),
        accelerators=float(job.count or 1),
        precision=precision,
    )
    if job.count is None:
        count = fewest_accelerators(model, asked, accelerator)
        taken = (f"{count} {accelerator.id} for one copy of the model: the fewest that hold it (--count)",)
        return _Replica(replace(asked, accelerators=float(count)), taken)
    if not fits(model, asked, accelerator):
        raise UsageError(
            f"{model.name} at {precision} takes {gigabytes(model, asked):.0f} GB, more than"
            f" {job.count} x {accelerator.id} hold",
            fix=f"Give --count {fewest_accelerators(model, asked, accelerator)}, or a --quantisation",
        )
    return _Replica(asked, ())


def _utilisation(busy: float, replicas: int) -> float:
    if busy > replicas:
        raise UsageError(
            f"{replicas} replicas cannot serve that many requests a day",
            fix=f"Give --replicas {fewest_replicas(busy)} at least, or a larger --batch",
        )
    return daily_utilisation(busy, replicas)


def _said(job: Inference, model: Architecture, accelerator: Accelerator) -> Iterator[str]:
    if job.batch == 1:
        yield "one request at a time: the costliest way to serve (--batch)"
    if job.utilisation is None and job.replicas is None:
        yield "replicas wait as long as they work, 0.2 to 0.95 of their time (--utilisation, --replicas)"
    if not is_measured(accelerator):
        yield f"no measurements on {accelerator.id}: scaled by its data sheet, so the band is wide"
    if not (model.kv_values or model.kv_window_values):
        yield "only the model's size is known: keys, values, attention are not counted (--model, --config)"
