"""Estimate images and videos before they are made."""

from __future__ import annotations

from collections.abc import Iterator

from wattermark.factors.generation import GenerationFactors, generation_factors
from wattermark.factors.hardware import host_power_factor
from wattermark.science.generation import Generation
from wattermark.science.sizes import memory_gigabytes, weights_gigabytes
from wattermark.science.sketch_serving import idle_by_share, media, usual_idle
from wattermark.values.estimate import Estimate
from wattermark.values.jobs import Media, Site
from wattermark.values.workload import Accelerator
from wattermark.verbs.estimates.draft import Draft, asked, many, placed
from wattermark.verbs.estimates.ground import accelerator_of, defaults


def estimate_media(job: Media, site: Site | None = None) -> Estimate:
    """What images or videos cost to make.

    Parameters
    ----------
    job : Media
        The model, what is asked of it, and the accelerators.
    site : Site, optional
        Where; the world by default, with a wide interval.

    Returns
    -------
    Estimate
        ``amounts``: ``accelerator_energy_per_item_j``, ``busy_time_per_item_s``, ``accelerator_hours``.

    Raises
    ------
    UsageError
        If a name is not known, or values contradict each other.

    Examples
    --------
    >>> import wattermark as wm
    >>> job = wm.Media(kind="image", model="flux.1-dev", gpu="h100")
    >>> 5000 < wm.estimate_media(job).amounts["accelerator_energy_per_item_j"].best < 15000
    True
    """
    asked(job, Media)
    accelerator = accelerator_of(job.gpu)
    known = generation_factors(job.kind, job.model, job.params, accelerator.id)
    item = _asked(job, known)
    idle = usual_idle if job.utilisation is None else idle_by_share(job.utilisation)
    hardware = f"{job.count} x {accelerator.id}"
    draft = Draft(
        kind=job.kind,
        subject=f"{many(job.items, job.kind)} by {known.model.id} on {hardware}, {_size(item, job.kind)}",
        accelerator=accelerator.id,
        hardware=hardware,
        sketch=media(item, tdp_w=accelerator.tdp_w, items=float(job.items), idle=idle),
        factors=(
            *known.factors,
            *defaults(("gpu_idle_fraction", "serving_utilisation")),
            host_power_factor(accelerator.tdp_w),
        ),
        assumptions=(*known.notes, *_said(job, known), *_memory(known, accelerator)),
        units={job.kind: float(job.items)},
    )
    return placed(draft, job, site)


def _memory(known: GenerationFactors, accelerator: Accelerator) -> Iterator[str]:
    """Each accelerator holds all weights, however many share a pass."""
    needed, there = weights_gigabytes(known.model.params), memory_gigabytes(accelerator, 1)
    if needed > there:
        yield (
            f"the weights take {needed:,.3g} GB in 16 bit, more than the {there:,.3g} GB of {accelerator.id}:"
            " moving them in and out is not counted"
        )


def _size(asked: Generation, kind: str) -> str:
    frames = f", {asked.frames:g} frames" if kind == "video" else ""
    return f"{asked.width_px:g} x {asked.height_px:g} px{frames}, {asked.steps:g} steps"


def _asked(job: Media, known: GenerationFactors) -> Generation:
    usual = known.model.request
    return Generation(
        height_px=job.height or usual["height_px"],
        width_px=job.width or usual["width_px"],
        steps=job.steps or usual["steps"],
        frames=job.frames or usual["frames"],
        batch=float(job.batch),
        gpus=float(job.count),
        ring=float(job.ring),
    )


def _said(job: Media, known: GenerationFactors) -> Iterator[str]:
    usual = known.model.request
    taken = {
        "steps": f"{usual['steps']:g} steps (--steps)",
        "height": f"{usual['height_px']:g} px high (--height)",
        "width": f"{usual['width_px']:g} px wide (--width)",
        "frames": f"{usual['frames']:g} frames (--frames)" if job.kind == "video" else "",
    }
    words = [text for name, text in taken.items() if text and getattr(job, name) is None]
    if words:
        yield f"as is usual for the model: {', '.join(words)}"
    if job.utilisation is None:
        yield "accelerators wait as long as they work, 0.2 to 0.95 of their time (--utilisation)"
