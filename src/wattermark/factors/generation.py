"""Models that make images and videos: what is known of one, and the coefficients of its GPU.

A model that was measured has its own work and power. One that is only listed is told by its layers;
one of a known family, by its nearest relative; any other by its parameters, with a wide band.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from wattermark.errors import UsageError, nearest
from wattermark.factors.accelerators import accelerator_named, peak_flops
from wattermark.factors.kinds import asked_elsewhere
from wattermark.factors.table import Index, Row, factor, number, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range
from wattermark.values.workload import Accelerator

IMAGE, VIDEO = "text-to-image", "text-to-video"
TASKS = {"image": IMAGE, "video": VIDEO, IMAGE: IMAGE, VIDEO: VIDEO}
ANY = "any"
TYPICAL_GPU = "h100-sxm"
MOST_GAIN = 2.5
"""How much nearer to its peak a slow GPU can get: the typical one reaches about 0.35 of its own."""
MEASURED_GPUS = (TYPICAL_GPU, "b200")
BILLION = 1e9

U_NET = re.compile(
    r"sdxl|xl-base|sd-?turbo|stable-diffusion-(v?[12]([.-]|$)|xl)|\bsd-?v?[12]\b", re.IGNORECASE
)
"""Names of models whose work does not follow from layers of one width."""

GROWING = ("token_params", "layers_width", "layers")
"""What grows with a model's parameters, each by a power of its own."""
ARCHITECTURE = (
    *("token_params", "layers_width", "attention_width", "layers", "pixels_per_token"),
    *("frames_per_latent", "latents_per_token", "text_tokens", "passes"),
)
REQUEST = ("steps", "height_px", "width_px", "frames")
USUAL = {
    **{"pixels_per_token": 256.0, "frames_per_latent": 4.0, "latents_per_token": 1.0},
    **{"text_tokens": 256.0, "passes": 2.0},
}
"""An autoencoder of 8 x 8 pixels under patches of 2 x 2, and classifier-free guidance."""
USUAL_REQUEST = {
    IMAGE: {"steps": 28.0, "height_px": 1024.0, "width_px": 1024.0, "frames": 1.0},
    VIDEO: {"steps": 50.0, "height_px": 480.0, "width_px": 832.0, "frames": 81.0},
}
POOLED = {"flop_j": "J/FLOP", "activation_j": "J", "pixel_j": "J/px"}
OF_TASK = {"gpu_exponent": "1", "ring_exponent": "1", "stall_j": "J", "stall_s": "s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusionModel:
    """A model as far as its energy goes; ``request`` is what it is usually asked."""

    id: str
    task: str
    params: float
    architecture: Mapping[str, float]
    request: Mapping[str, float]
    family: str = ""
    year: int = 0
    basis: str = "given"
    source: str = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFactors:
    """All values that ``science.generation`` names, and what they rest on.

    ``tier`` is ``measured``, ``listed`` (by its layers), ``family`` (by its nearest relative) or
    ``params``; each has an error of its own.
    """

    model: DiffusionModel
    tier: str
    gpu: str
    factors: tuple[Factor, ...]
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def generation_factors(
    task: str,
    model: str | None,
    params: float | None,
    gpu_id: str,
    *,
    passes: float | None = None,
    pixels_per_token: float | None = None,
) -> GenerationFactors:
    """What making an image or a video with a model takes on a GPU.

    Parameters
    ----------
    task : str
        ``image`` or ``video``.
    model : str, optional
        Its id (``wan2.1-t2v-14b``), its page (``black-forest-labs/FLUX.1-dev``) or a short name.
    params : float, optional
        Parameters of the part that denoises, for a model that is not listed. [1]
    gpu_id : str
        Any name of an accelerator; one without measurements is taken by its data sheet.
    passes : float, optional
        Of a step: 1 where guidance is distilled or off, else 2. [1]
    pixels_per_token : float, optional
        Pixels of a frame under one token: 256 for most, 1024 for strong autoencoders. [px]

    Raises
    ------
    UsageError
        If the task or the model is not known and no parameters are given, or a number is not above zero.
    """
    if task not in TASKS:
        raise UsageError(f"{task!r} is nothing to make", fix="Use image or video")
    for name, value in (("params", params), ("passes", passes), ("pixels_per_token", pixels_per_token)):
        if value is not None and not value > 0:
            raise UsageError(f"{name} is {value:g}", fix="Give a number above zero")
    tier, found = _model(TASKS[task], model, params)
    given = {"passes": passes, "pixels_per_token": pixels_per_token}
    more = {name: value for name, value in given.items() if value is not None}
    known = replace(found, architecture={**found.architecture, **more})
    gpu = accelerator_named(gpu_id)
    return GenerationFactors(
        model=known,
        tier=tier,
        gpu=gpu.id,
        factors=(*_architecture(known), *_coefficients(known, tier, gpu), _transfer(gpu)),
        notes=tuple(_notes(known, tier, gpu)),
    )


# -- which model -----------------------------------------------------------------------


def _model(task: str, name: str | None, params: float | None) -> tuple[str, DiffusionModel]:
    row = _names(task).get(_plain(name.rpartition("/")[2])) if name else None
    if row is not None:
        if params is not None:
            raise UsageError(f"{row['id']} is known, with its parameters", fix="Leave --params out")
        return row["basis"], model_of(row)
    if name and U_NET.search(name):
        raise UsageError(
            f"{name} is a U-Net, and this knows transformers only",
            fix="Measure it: wattermark run -- COMMAND",
        )
    if params is None:
        fix = asked_elsewhere(name or "", task.removeprefix("text-to-")) or _nearest(task, name or "")
        raise UsageError(f"the {task} model {name!r} is not known", fix=fix)
    kin = [model_of(row) for row in _of_task(task) if name and _is_named(row["family"], name)]
    asked = name or f"a model of {params / BILLION:g}e9 parameters"
    if kin:
        return "family", replace(of_family(params, kin, power_laws()), id=asked)
    return "params", replace(of_params(task, params, power_laws()), id=asked)


def model_of(row: Row) -> DiffusionModel:
    """A model from its row."""
    return DiffusionModel(
        id=row["id"],
        task=row["task"],
        params=number(row, "params"),
        architecture={name: number(row, name) for name in ARCHITECTURE},
        request={name: number(row, name) for name in REQUEST},
        family=row["family"],
        year=int(row["year"]),
        basis=row.get("basis", "published"),
        source=row["source"],
    )


def of_family(params: float, kin: Collection[DiffusionModel], laws: Mapping[str, float]) -> DiffusionModel:
    """The nearest relative, made larger or smaller as models of all families are."""
    near = min(kin, key=lambda one: max(one.params / params, params / one.params))
    ratio = params / near.params
    grown = {name: near.architecture[name] * ratio ** laws[f"{name}_exponent"] for name in GROWING}
    # weights are a fixed part of the parameters in a family: that depends on how it treats its text
    grown["token_params"] = near.architecture["token_params"] * ratio
    grown["attention_width"] = (
        near.architecture["attention_width"] * grown["layers_width"] / near.architecture["layers_width"]
    )
    return replace(near, params=params, architecture={**near.architecture, **grown}, basis="family")


def of_params(task: str, params: float, laws: Mapping[str, float]) -> DiffusionModel:
    """A model as those of its size usually are."""
    size = params / BILLION
    grown = {name: laws[f"{name}_of_1e9"] * size ** laws[f"{name}_exponent"] for name in GROWING}
    usual = {**USUAL, **grown, "attention_width": grown["layers_width"]}
    return DiffusionModel(
        id="", task=task, params=params, architecture=usual, request=USUAL_REQUEST[task], basis="params"
    )


@cache
def power_laws() -> Mapping[str, float]:
    """How weights, width and layers grow with parameters over the measured models."""
    laws = (row for row in table("generation_fit") if row["basis"] == "power law")
    return {row["name"]: number(row, "best") for row in laws}


def _of_task(task: str) -> list[Row]:
    return [row for row in table("generation_models") if row["task"] == task]


@cache
def _names(task: str) -> Mapping[str, Row]:
    rows = _of_task(task)
    known = {_plain(one.rpartition("/")[2]): row for row in rows for one in row["match"].split(";")}
    return {**known, **{_plain(row["id"]): row for row in rows}}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("diffusers")


def _is_named(family: str, name: str) -> bool:
    """Whether a name holds the words of a family: ``wan`` is no part of ``swan``."""
    words = r"[\s._-]?".join(map(re.escape, family.split("-")))
    return re.search(rf"(?<![a-z]){words}", name.rpartition("/")[2].lower()) is not None


def _nearest(task: str, name: str) -> str:
    near = nearest(_plain(name), _names(task))
    ids = list(dict.fromkeys(_names(task)[one]["id"] for one in near))
    if ids:
        return f"Did you mean {' or '.join(ids)}? Or give its --params"
    return f"Known are {', '.join(row['id'] for row in _of_task(task))}; or give its --params"


# -- what its GPU adds -----------------------------------------------------------------


def _architecture(model: DiffusionModel) -> Iterator[Factor]:
    for name, value in model.architecture.items():
        unit = "px" if name == "pixels_per_token" else "1"
        yield Factor(
            name=f"generation_{name}", value=Range.exact(value), unit=unit, key=model.id,
            year=model.year or 2025, basis=model.basis, source=model.source,
        )  # fmt: skip


def _coefficients(model: DiffusionModel, tier: str, gpu: Accelerator) -> Iterator[Factor]:
    """Of the GPU's own measurements, or of the typical one's; power is a share of its own TDP."""
    base = gpu.id if gpu.id in MEASURED_GPUS else TYPICAL_GPU
    for name in POOLED:
        yield _fitted(base, ANY, name, f"generation_{name}", base)
    for name in OF_TASK:
        yield _fitted(base, model.task, name, f"generation_{name}", f"{model.task} on {base}")
    key = f"{model.id} on {base}"
    seen = tier == "measured"
    task = model.task if seen else ANY
    yield _fitted(base, task, f"error_{tier}", "generation_error", key)
    yield _fitted(base, task, "time_measured" if seen else "time_unmeasured", "generation_time_error", key)
    scale, share = _own(model, base)
    usual = _fitted(base, model.task, "busy_share", "generation_busy_w", key)
    watts = Range.exact(gpu.tdp_w * (share or usual.value.best))
    yield replace(usual, value=watts, unit="W", key=f"{model.id} on {gpu.id}")
    note = "measured over explained work"
    yield replace(usual, name="generation_scale", value=Range.exact(scale), basis=tier, note=note)


def _own(model: DiffusionModel, gpu: str) -> tuple[float, float | None]:
    """A model's measured over explained work, and its share of TDP; a twin has those of its twin."""
    for row in _of_task(model.task):
        if row["id"] == model.id and row[f"scale_{gpu}"]:
            return number(row, f"scale_{gpu}"), number(row, f"busy_share_{gpu}")
    return 1.0, None


def _fitted(gpu: str, task: str, name: str, called: str, key: str) -> Factor:
    row = _rows()[gpu, task, name]
    columns = ("low", "best", "high")
    return factor(row, called, key=key, columns=columns, unit=row["unit"], note=row["note"])


@cache
def _rows() -> Mapping[tuple[str, str, str], Row]:
    rows = table("generation_fit")
    return Index("generation_fit", (((row["gpu"], row["task"], row["name"]), row) for row in rows))


def _transfer(gpu: Accelerator) -> Factor:
    """Energy of a FLOP on a GPU without measurements over that on the typical one: as TDP, and as time.

    A slower GPU gets nearer to its peak: time grows with a power of the peaks below one, as far as the
    typical GPU's own distance from its peak allows.
    """
    row = _fitted(ANY, ANY, "transfer", "generation_transfer", gpu.id)
    if gpu.id in MEASURED_GPUS:
        return replace(row, value=Range.exact(1.0), note="measured on this GPU")
    usual, value = accelerator_named(TYPICAL_GPU), row.value
    slower = peak_flops(usual, "bf16") / peak_flops(gpu, "bf16")
    speed = _fitted(ANY, ANY, "speed_exponent", "generation_speed_exponent", gpu.id)
    ratio = gpu.tdp_w / usual.tdp_w * max(slower**speed.value.best, slower / MOST_GAIN)
    scaled = Range(value.low * ratio, value.best * ratio, value.high * ratio)
    return replace(row, source=speed.source, note=speed.note, value=scaled)


def _notes(model: DiffusionModel, tier: str, gpu: Accelerator) -> Iterable[str]:
    if tier != "measured":
        by = {"listed": "its layers", "family": f"others of {model.family}", "params": "its parameters"}[tier]
        yield f"{model.id} was not measured: estimated by {by}"
    if gpu.id not in MEASURED_GPUS:
        yield f"{gpu.id} was not measured: scaled from {TYPICAL_GPU} by its TDP and peak"
