"""Estimate a training before it runs."""

from __future__ import annotations

from dataclasses import replace

from wattermark.errors import UsageError
from wattermark.factors.accelerators import peak_flops
from wattermark.factors.training import mfu_factor
from wattermark.science.estimate import estimate
from wattermark.science.sketch import Sketch, known_besides, together
from wattermark.science.sketch_training import held, training
from wattermark.science.training import hours_to_s, implied_mfu, training_flops
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.jobs import Inference, Site, Training
from wattermark.values.workload import Accelerator, Architecture
from wattermark.verbs.estimates.ground import (
    DEVICES,
    Draft,
    TrainingPower,
    accelerator_of,
    given_factor,
    ground,
    model_of,
    training_power,
)

GENERATION_BATCH = 64.0


def estimate_training(job: Training, site: Site | None = None) -> Estimate:
    """What a training would cost.

    Parameters
    ----------
    job : Training
        Its size and its hardware.
    site : Site, optional
        Where; the world by default, with a wide interval.

    Returns
    -------
    Estimate
        ``amounts``: ``accelerator_hours``, ``wall_time_s``, ``flops`` where it is known.

    Raises
    ------
    UsageError
        If a name is not known, or values contradict each other.

    Examples
    --------
    >>> import wattermark as wm
    >>> job = wm.Training(params=7e9, tokens=2e12, gpu="a100-sxm-80")
    >>> round(wm.estimate_training(job).amounts["accelerator_hours"].best)
    240470
    """
    where = site or Site()
    accelerator = accelerator_of(job.gpu)
    standing = ground(where, accelerator.id)
    draft = training_draft(job, accelerator)
    units = {"training token": job.tokens} if job.tokens else {}
    return estimate(
        draft.sketch,
        (*standing.factors, *draft.factors),
        DEVICES,
        kind="training",
        place=standing.place,
        units=units,
        hardware=draft.hardware,
        assumptions=(*draft.assumptions, *standing.assumptions),
    )


def training_draft(job: Training, accelerator: Accelerator) -> Draft:
    """A training that is not placed yet."""
    hardware = f"{job.count:g} x {accelerator.id}"
    model, power = _model(job), training_power(accelerator, job.power_w)
    flops = _flops(job, model)
    if job.gpu_hours is not None:
        busy_s = hours_to_s(job.gpu_hours)
        sketch = held(lambda _: busy_s, powers=power.powers, count=job.count, experiments=job.experiments)
        told = {} if flops is None else _told(flops, job.gpu_hours, job.precision, accelerator)
        return Draft(known_besides(sketch, told), power.factors, _said(job, power), hardware)
    if flops is None:
        raise UsageError("the training is known by half", fix="Give a model and --tokens")
    mfu = _mfu(job, model, accelerator)
    sketch = training(
        flops,
        peak_flops=peak_flops(accelerator, job.precision),
        powers=power.powers,
        count=job.count,
        mfu=mfu.name,
        experiments=job.experiments,
    )
    draft = Draft(sketch, (mfu, *power.factors), _said(job, power), hardware)
    return draft if job.method != "rl" or model is None else _with_sampling(job, model, draft)


def _with_sampling(job: Training, model: Architecture, draft: Draft) -> Draft:
    sampling = _sampling(job, model)
    known = {one.name: one for one in (*sampling.factors, *draft.factors)}
    return Draft(
        together(draft.sketch, sampling.sketch),
        tuple(known.values()),
        (*draft.assumptions, *sampling.assumptions),
        draft.hardware,
    )


def _told(flops: float, hours: float, precision: str, accelerator: Accelerator) -> dict[str, float]:
    """Work beside hours: the utilisation that they imply, which no accelerator exceeds."""
    if not accelerator.peak_flops:
        return {"flops": flops}
    peak = peak_flops(accelerator, precision)
    mfu = float(implied_mfu(flops, peak_flops=peak, accelerator_hours=hours))
    if mfu > 1:
        raise UsageError(
            f"{hours:g} hours are too few for {flops:.3g} FLOP: {mfu:.2g} of the peak of {accelerator.id}",
            fix="Give one of them, or mend the other",
        )
    return {"flops": flops, "implied_mfu": mfu}


def _model(job: Training) -> Architecture | None:
    if not job.names_model:
        return None
    model = model_of(model=job.model, config=job.config, params=job.params, active_params=job.active_params)
    if job.sequence is not None and not model.attention_width:
        raise UsageError(
            "the attention of a model of which only the size is known cannot be counted",
            fix="Give --model or --config, or leave --sequence out",
        )
    return model


def _flops(job: Training, model: Architecture | None) -> float | None:
    """The work, where it was told; hours alone do not tell it."""
    if job.flops is not None or model is None or job.tokens is None:
        return job.flops
    return float(
        training_flops(
            model.active_params,
            job.tokens,
            method=job.method,
            attention_width=model.attention_width,
            sequence_tokens=job.sequence or 0.0,
        )
    )


def _mfu(job: Training, model: Architecture | None, accelerator: Accelerator) -> Factor:
    mixture = model is not None and model.active_params < model.params
    known = mfu_factor(accelerator, job.precision, mixture=mixture)
    return known if job.mfu is None else given_factor(known.name, job.mfu, "1")


def _said(job: Training, power: TrainingPower) -> tuple[str, ...]:
    said = []
    if job.mfu is None and job.gpu_hours is None:
        said.append("model FLOPs utilisation as in published runs (--mfu)")
    if power.assumption:
        said.append(power.assumption)
    if job.count == 1:
        said.append("one accelerator: wall time is accelerator time (--count)")
    if job.method == "qlora":
        said.append("unpacking four-bit weights is not counted")
    return tuple(said)


def _sampling(job: Training, model: Architecture) -> Draft:
    """The tokens that reinforcement learning samples: serving, at a batch of its own."""
    from wattermark.verbs.estimates.inference import serving_draft

    sampled = job.generated_tokens or job.tokens or 0.0
    asked = Inference(
        gpu=job.gpu, model=job.model, config=job.config, params=job.params,
        active_params=job.active_params, input_tokens=1.0, output_tokens=1.0,
        batch=GENERATION_BATCH, utilisation=1.0,
    )  # fmt: skip
    draft = serving_draft(asked, requests=sampled, model=model)
    terms = tuple(replace(term, name=f"sampling: {term.name}") for term in draft.sketch.terms)
    said = f"samples are generated at a batch of {GENERATION_BATCH:g}; wall time is that of the updates"
    amounts = {"accelerator_hours": draft.sketch.amounts["accelerator_hours"]}
    many = () if job.generated_tokens else ("as many tokens are sampled as trained on",)
    return replace(
        draft,
        sketch=Sketch(terms=terms, held_s=draft.sketch.held_s, amounts=amounts),
        assumptions=(said, *many, *draft.assumptions),
    )
