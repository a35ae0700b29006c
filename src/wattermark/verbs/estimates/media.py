"""Estimate images and videos before they are made."""

from __future__ import annotations

from collections.abc import Iterator

from wattermark.factors.generation import GenerationFactors, generation_factors
from wattermark.science.estimate import estimate
from wattermark.science.generation import Generation
from wattermark.science.sketch_serving import media
from wattermark.values.estimate import Estimate
from wattermark.values.jobs import Media, Site
from wattermark.verbs.estimates.ground import DEVICES, accelerator_of, defaults, ground

HELD = ("gpu_idle_fraction", "host_power_per_gpu_w", "serving_utilisation")


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
    accelerator = accelerator_of(job.gpu)
    standing = ground(site or Site(), accelerator.id)
    known = generation_factors(job.kind, job.model, job.params, accelerator.id)
    sketch = media(
        _asked(job, known), tdp_w=accelerator.tdp_w, items=float(job.items), utilisation=job.utilisation
    )
    return estimate(
        sketch,
        (*standing.factors, *known.factors, *defaults(HELD)),
        DEVICES,
        kind=job.kind,
        place=standing.place,
        units={job.kind: float(job.items)},
        hardware=f"{job.count} x {accelerator.id}",
        assumptions=(*known.notes, *_said(job, known), *standing.assumptions),
    )


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
