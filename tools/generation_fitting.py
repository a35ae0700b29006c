"""The fit of the generation model, and how well it does on what it has not seen.

Work on one GPU is fitted for each model first (its own joules, and what sharing adds for all), then
explained by what the models compute. Everything is a least-squares fit of logarithms, so that ten
per cent are ten per cent for a small model and for a large one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from wattermark.factors.generation import BILLION, GROWING, POOLED, DiffusionModel, of_family, of_params
from wattermark.science.generation import (
    Generation,
    activations,
    denoise_flops,
    gpu_energy_j,
    gpu_seconds,
    waits,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Facts = Mapping[str, DiffusionModel]
SOFT = 0.1
"""Residuals above it count less: a few odd configurations do not lead the fit."""
TIERS = ("listed", "family", "params")


@dataclass(frozen=True, slots=True)
class Measured:
    """All measurements of one task on one GPU; arrays of shape (rows,)."""

    task: str
    tdp_w: float
    models: tuple[str, ...]
    asked: Generation
    energy_j: Array
    gpu_s: Array

    def only(self, keep: Flags) -> Measured:
        names = Generation.__dataclass_fields__
        asked = Generation(**{name: np.asarray(getattr(self.asked, name))[keep] for name in names})
        models = tuple(np.array(self.models)[keep].tolist())
        return Measured(self.task, self.tdp_w, models, asked, self.energy_j[keep], self.gpu_s[keep])

    def of(self, model: str) -> Flags:
        return np.asarray(np.array(self.models) == model)


@dataclass(frozen=True, slots=True)
class Shared:
    """What one task on one GPU gave: each model's joules and power alone, and what sharing adds."""

    alone_j: Mapping[str, float]
    busy_share: Mapping[str, float]
    gpu_exponent: float
    ring_exponent: float
    stall_j: float
    stall_s: float


def fit_logs(residuals: Callable[[Array], Array], start: Iterable[float]) -> Array:
    """Least squares with soft weights."""
    limits = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-12)
    found = least_squares(residuals, np.array([*start]), loss="soft_l1", f_scale=SOFT, **limits)
    return np.asarray(found.x, np.float64)


def fit_shared(rows: Measured, facts: Facts) -> Shared:
    """Each model's joules and power on one GPU, and what sharing adds for all."""
    names = sorted(set(rows.models))
    which = np.array([names.index(name) for name in rows.models])
    stalls = _waits(rows, facts)
    gpus, ring = np.asarray(rows.asked.gpus), np.asarray(rows.asked.ring)
    many = len(names)

    def energy(p: Array) -> Array:
        work_j = np.exp(p[which]) * gpus ** p[many] * ring ** p[many + 1]
        return np.asarray(np.log((work_j + stalls * np.exp(p[many + 2])) / rows.energy_j))

    def seconds(p: Array) -> Array:
        busy_s = rows.energy_j / (rows.tdp_w * np.exp(p[which]))
        return np.asarray(np.log((busy_s + stalls * np.exp(p[many])) / rows.gpu_s))

    start = [math.log(np.median(rows.energy_j[which == i])) for i in range(many)]
    j = fit_logs(energy, [*start, 0.1, 0.1, -1.5])
    s = fit_logs(seconds, [*[-0.1] * many, -6.5])
    return Shared(
        alone_j=dict(zip(names, np.exp(j[:many]).tolist(), strict=True)),
        busy_share=dict(zip(names, np.exp(s[:many]).tolist(), strict=True)),
        gpu_exponent=float(j[many]),
        ring_exponent=float(j[many + 1]),
        stall_j=math.exp(j[many + 2]),
        stall_s=math.exp(s[many]),
    )


def _waits(rows: Measured, facts: Facts) -> Array:
    values = {"generation_layers": np.array([facts[name].architecture["layers"] for name in rows.models])}
    return np.asarray(waits(values, rows.asked), np.float64)


def fit_work(alone_j: Mapping[str, float], asked: Mapping[str, Generation], facts: Facts) -> Array:
    """Joules of a FLOP, of an activation and of a pixel, from what each model takes alone."""
    terms = np.array([_terms(facts[name], asked[name]) for name in alone_j])
    told = np.log(np.array([*alone_j.values()]))
    scale = np.exp(told).mean() / terms.mean(axis=0)
    start = np.log(scale * np.array([0.6, 0.3, 0.1]))
    return np.exp(fit_logs(lambda p: np.log(terms @ np.exp(p)) - told, start))


def _terms(model: DiffusionModel, asked: Generation) -> list[float]:
    values = named(model)
    pixels = asked.height_px * asked.width_px * asked.frames
    return [float(denoise_flops(values, asked)), float(activations(values, asked)), float(pixels)]


def named(model: DiffusionModel) -> dict[str, float]:
    """The architecture by the names that the formulas use."""
    return {f"generation_{name}": value for name, value in model.architecture.items()}


def typical(rows: Measured) -> dict[str, Generation]:
    """What each model was asked, on one GPU and one at a time: its size and steps never change."""
    found = {}
    for name in sorted(set(rows.models)):
        first = int(np.argmax(rows.of(name)))
        size = {key: float(np.asarray(getattr(rows.asked, key))[first]) for key in SIZE}
        found[name] = Generation(**size)
    return found


SIZE = ("height_px", "width_px", "steps", "frames")


def scales(work: Array, shared: Shared, asked: Mapping[str, Generation], facts: Facts) -> dict[str, float]:
    """Of each model: measured over explained work."""
    explained = {name: float(np.dot(_terms(facts[name], asked[name]), work)) for name in shared.alone_j}
    return {name: told / explained[name] for name, told in shared.alone_j.items()}


def coefficients(work: Array, shared: Shared, *, scale: float, busy_w: float) -> dict[str, float]:
    """What the formulas need, without any error."""
    return {
        **dict(zip((f"generation_{name}" for name in POOLED), work.tolist(), strict=True)),
        "generation_gpu_exponent": shared.gpu_exponent,
        "generation_ring_exponent": shared.ring_exponent,
        "generation_stall_j": shared.stall_j,
        "generation_stall_s": shared.stall_s,
        "generation_scale": scale,
        "generation_busy_w": busy_w,
        "generation_transfer": 1.0,
        "generation_error": 1.0,
        "generation_time_error": 1.0,
    }


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Measured over predicted, for rows that the fit had not seen; ``time`` at the measured energy."""

    models: tuple[str, ...]
    energy: Array
    time: Array


def _ratios(rows: Measured, values: Mapping[str, float]) -> tuple[Array, Array]:
    energy = np.asarray(gpu_energy_j(values, rows.asked), np.float64)
    ratio = rows.energy_j / energy
    # GPU time at the energy that was measured: only its own error is left
    return ratio, rows.gpu_s / np.asarray(gpu_seconds({**values, "generation_error": ratio}, rows.asked))


def _joined(parts: Sequence[tuple[str, tuple[Array, Array]]]) -> LeftOut:
    return LeftOut(
        tuple(name for name, (energy, _) in parts for _ in energy),
        np.concatenate([energy for _, (energy, _) in parts]),
        np.concatenate([time for _, (_, time) in parts]),
    )


def leave_one_configuration_out(rows: Measured, work: Array, facts: Facts) -> LeftOut:
    """A measured model at a batch and a number of GPUs that no model was seen at."""
    asked, parts = typical(rows), []
    keys = np.stack([np.asarray(rows.asked.batch), np.asarray(rows.asked.gpus)], axis=1)
    for key in np.unique(keys, axis=0):
        out = (keys == key).all(axis=1)
        seen = rows.only(~out)
        shared = fit_shared(seen, facts)
        own = scales(work, shared, asked, facts)
        for name in sorted(set(np.array(rows.models)[out]) & set(own)):
            busy_w = shared.busy_share[name] * rows.tdp_w
            values = {**named(facts[name]), **coefficients(work, shared, scale=own[name], busy_w=busy_w)}
            parts.append((name, _ratios(rows.only(out & rows.of(name)), values)))
    return _joined(parts)


def leave_one_model_out(tasks: Sequence[Measured], facts: Facts) -> dict[str, LeftOut]:
    """A model that was not measured, by what is known of it: its layers, its family, its parameters."""
    parts: dict[str, list[tuple[str, tuple[Array, Array]]]] = {tier: [] for tier in TIERS}
    every = {rows.task: fit_shared(rows, facts) for rows in tasks}
    for rows in tasks:
        for name in sorted(set(rows.models)):
            shared = fit_shared(rows.only(~rows.of(name)), facts)
            known = [shared, *(fit for task, fit in every.items() if task != rows.task)]
            alone = {model: j for fit in known for model, j in fit.alone_j.items()}
            asked = {model: one for task in tasks for model, one in typical(task).items()}
            work = fit_work(alone, asked, facts)
            busy_w = rows.tdp_w * geometric_mean(shared.busy_share.values())
            values = coefficients(work, shared, scale=1.0, busy_w=busy_w)
            for tier, guess in _guesses(name, facts).items():
                parts[tier].append((name, _ratios(rows.only(rows.of(name)), {**values, **named(guess)})))
    return {tier: _joined(told) for tier, told in parts.items()}


def _guesses(name: str, facts: Facts) -> dict[str, DiffusionModel]:
    """The model as it is taken for, by tier; its family only where another one of it was measured."""
    own, others = facts[name], [one for key, one in facts.items() if key != name]
    laws = power_laws(others)
    found = {"listed": own, "params": of_params(own.task, own.params, laws)}
    if kin := [one for one in others if one.family == own.family]:
        found["family"] = of_family(own.params, kin, laws)
    return found


def power_laws(models: Sequence[DiffusionModel]) -> dict[str, float]:
    """How weights, width and layers grow with the parameters of models."""
    size = np.log([one.params / BILLION for one in models])
    found: dict[str, float] = {}
    for name in GROWING:
        slope, level = np.polyfit(size, np.log([one.architecture[name] for one in models]), 1)
        found |= {f"{name}_of_1e9": math.exp(level), f"{name}_exponent": float(slope)}
    return found


def geometric_mean(values: Iterable[float]) -> float:
    return math.exp(float(np.mean(np.log([*values]))))


def band(ratios: Array, models: Sequence[str]) -> tuple[float, float]:
    """The 5th and 95th percentile of ratios, each model with one weight; 1 lies inside."""
    order = np.argsort(ratios, kind="stable")
    counts = Counter(models)
    weight = np.array([1 / counts[name] for name in models])[order]
    reached = (np.cumsum(weight) - weight / 2) / weight.sum()
    low, high = np.interp([0.05, 0.95], reached, ratios[order])
    return min(float(low), 1.0), max(float(high), 1.0)


def inside(ratios: Array, low: float, high: float) -> float:
    """The part of the ratios within a band."""
    return float(np.mean((ratios >= low) & (ratios <= high)))
