"""Estimate a training before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wattermark.errors import UsageError
from wattermark.factors.accelerators import has_units, peak_flops
from wattermark.factors.training import SHARES, generation_of, mfu_factor
from wattermark.report.numbers import COUNT, say
from wattermark.science.sizes import memory_gigabytes, training_gigabytes
from wattermark.science.sketch import Sketch, known_besides, together
from wattermark.science.sketch_training import held, training, with_experiments
from wattermark.science.training import hours_to_s, implied_mfu, mfu_by_share, training_flops
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.jobs import Site, Training
from wattermark.values.range import Range
from wattermark.values.workload import Accelerator, Architecture
from wattermark.verbs.estimates.draft import Draft, asked, placed, size
from wattermark.verbs.estimates.ground import (
    TrainingPower,
    accelerator_of,
    given_factor,
    model_of,
    training_power,
)


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
        ``amounts``: ``accelerator_hours`` and ``wall_time_s`` of the final run, ``flops`` where it is known.

    Raises
    ------
    UsageError
        If a name is not known, or values contradict each other.

    Examples
    --------
    >>> import wattermark as wm
    >>> job = wm.Training(params=7e9, tokens=2e12, gpu="a100-sxm-80")
    >>> round(wm.estimate_training(job).amounts["accelerator_hours"].best)
    213066
    """
    asked(job, Training)
    accelerator = accelerator_of(job.gpu)
    model = _model(job)
    draft = _draft(job, model, accelerator)
    if job.method == "rl" and model is not None and job.gpu_hours is None:
        from wattermark.verbs.estimates.sampling import sampling_draft

        draft = _both(draft, sampling_draft(job, model))
    return placed(replace(draft, sketch=with_experiments(draft.sketch, job.experiments)), job, site)


def _draft(job: Training, model: Architecture | None, accelerator: Accelerator) -> Draft:
    """A training that is not placed yet."""
    power = training_power(accelerator, job.power_w)
    sketch, factors = _sketch(job, model, accelerator, power)
    hardware = f"{job.count:,.10g} x {accelerator.id}"
    return Draft(
        kind="training",
        subject=f"{_work(job, model)} on {hardware}",
        accelerator=accelerator.id,
        hardware=hardware,
        sketch=sketch,
        factors=(*factors, *power.factors),
        assumptions=tuple(_said(job, model, accelerator, power)),
        units={"training token": job.tokens} if job.tokens else {},
    )


def _sketch(
    job: Training, model: Architecture | None, accelerator: Accelerator, power: TrainingPower
) -> tuple[Sketch, tuple[Factor, ...]]:
    flops = _flops(job, model)
    if job.gpu_hours is not None:
        busy_s = hours_to_s(job.gpu_hours)
        sketch = held(lambda _: busy_s, powers=power.powers, count=job.count)
        told = {} if flops is None else _implied(flops, job.gpu_hours, job.precision, accelerator)
        return known_besides(sketch, told), ()
    if flops is None:
        raise UsageError("the training is known by half", fix="Give a model and --tokens")
    peak = peak_flops(accelerator, job.precision)
    sketch = training(flops, peak_flops=peak, powers=power.powers, count=job.count)
    return sketch, (_mfu(job, model, accelerator),)


def _both(draft: Draft, sampling: Draft) -> Draft:
    known = {one.name: one for one in (*sampling.factors, *draft.factors)}
    return replace(
        draft,
        sketch=together(draft.sketch, sampling.sketch),
        factors=tuple(known.values()),
        assumptions=(*draft.assumptions, *sampling.assumptions),
    )


def _implied(flops: float, hours: float, precision: str, accelerator: Accelerator) -> dict[str, float]:
    """Work beside hours: the utilisation that they imply, which no accelerator exceeds."""
    if not accelerator.peak_flops:
        return {"flops": flops}
    peak = peak_flops(accelerator, precision)
    mfu = float(implied_mfu(flops, peak_flops=peak, accelerator_hours=hours))
    if mfu > 1:
        raise UsageError(
            f"{hours:g} hours are too few for {flops:.3g} FLOP: {mfu:.2g} times the peak of {accelerator.id}",
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
    dense, mixture = (mfu_factor(accelerator, job.precision, mixture=kind) for kind in (False, True))
    if job.mfu is not None:
        return given_factor(dense.name, job.mfu, "1")
    if model is None:
        return dense
    ends = (
        float(mfu_by_share(model.params, model.active_params, dense=one, mixture=other, shares=SHARES))
        for one, other in zip(dense.value.ends, mixture.value.ends, strict=True)
    )
    found = Range(*ends)
    if found in (dense.value, mixture.value):
        return dense if found == dense.value else mixture
    return replace(mixture, value=found, key="between a mixture of experts and a dense model")


def _work(job: Training, model: Architecture | None) -> str:
    """What is trained, in words."""
    name = "a training"
    if model is not None:
        name = f"{name} of {model.name}"
        if job.params is None or job.active_params is not None:
            name = f"{name} ({size(model.params, model.active_params)})"
    told = (
        f"{say(job.tokens, COUNT)} tokens" if job.tokens else "",
        f"{job.flops:.3g} FLOP" if job.flops else "",
        f"{job.gpu_hours:,.10g} accelerator hours" if job.gpu_hours else "",
        job.method if job.method != "full" else "",
    )
    return ", ".join((name, *filter(None, told), job.precision))


def _said(
    job: Training, model: Architecture | None, accelerator: Accelerator, power: TrainingPower
) -> Iterator[str]:
    if job.mfu is None and job.gpu_hours is None:
        yield "model FLOPs utilisation as in published runs (--mfu)"
        if not generation_of(accelerator.id):
            yield f"no or few trainings on {accelerator.id} told their hours: utilisation as on others"
        if job.method != "full":
            yield "utilisation as in pre-training; fine-tuning on few accelerators may reach less"
    if accelerator.peak_flops and not has_units(accelerator, job.precision):
        yield f"{accelerator.id} has no units for {job.precision}: computed in 16 bit (--precision)"
    if power.assumption:
        yield power.assumption
    if job.count == 1:
        yield "one accelerator: wall time is accelerator time (--count)"
    if job.method == "qlora":
        yield "unpacking four-bit weights is not counted"
    if model is not None:
        yield from _memory(job, model, accelerator)


def _memory(job: Training, model: Architecture, accelerator: Accelerator) -> Iterator[str]:
    needed, there = training_gigabytes(model.params, job.method), memory_gigabytes(accelerator, job.count)
    if needed > there:
        yield (
            f"its weights and optimizer take about {needed:,.3g} GB, more than the {there:,.3g} GB of"
            f" {job.count:g} x {accelerator.id}: moving them in and out is not counted (--count, --method)"
        )
