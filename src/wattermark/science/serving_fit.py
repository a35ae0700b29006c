"""Fit the serving model to measurements, and tell how far off it is where it has not looked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.science.serving import Work, decode_energy_j, prefill_energy_j, request_work
from wattermark.values.workload import Architecture, Requests

Array = NDArray[np.float64]
Solve = Callable[[Array, Array], Array]

COEFFICIENTS: Final = ("serving_byte_j", "serving_flop_j", "serving_step_j", "serving_token_j")
BAND: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Measured energy per output token of one model in one replica. [J]"""

    model: Architecture
    requests: Requests
    energy_per_token_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Predictions for each model by a fit that never saw it; ``ratios`` are measured over predicted."""

    models: tuple[str, ...]
    ratios: Array
    coverage: float

    @property
    def errors(self) -> Array:
        """Relative errors: predicted over measured, less one, without its sign."""
        return np.abs(1 / self.ratios - 1)


def terms_of(rows: Sequence[Measured]) -> Array:
    """The four terms of each measurement per output token, shape (rows, 4).

    Parameters
    ----------
    rows : sequence of Measured
        One each.
    """
    return np.array([_terms(request_work(row.model, row.requests), row) for row in rows], np.float64)


def _terms(work: Work, row: Measured) -> list[float]:
    ones = dict.fromkeys(COEFFICIENTS, 0.0) | {"serving_error": 1.0}
    found = []
    for name in COEFFICIENTS:
        alone = {**ones, name: 1.0}
        energy = decode_energy_j(work, alone) + prefill_energy_j(work, alone)
        found.append(float(energy / row.requests.output_tokens))
    return found


def fit(terms: Array, energy_j: Array, weights: Array, solve: Solve) -> Array:
    """Coefficients, none below zero, that make the weighted relative errors least.

    Parameters
    ----------
    terms : ndarray
        Shape (rows, 4).
    energy_j : ndarray
        Measured, shape (rows,). [J]
    weights : ndarray
        Shape (rows,). [1]
    solve : callable
        Non-negative least squares: from a matrix and a vector to the solution.
    """
    scaled = terms / energy_j[:, None] * weights[:, None]
    size = np.linalg.norm(scaled, axis=0)
    size[size == 0] = 1.0  # a term that is nowhere stays at zero
    return np.asarray(solve(scaled / size, weights) / size, np.float64)


def fit_to_prior(
    terms: Array, energy_j: Array, weights: Array, *, prior: Array, strength: float, solve: Solve
) -> Array:
    """As ``fit``, drawn towards coefficients that were found before.

    Parameters
    ----------
    terms, energy_j, weights, solve
        As of ``fit``.
    prior : ndarray
        Shape (4,).
    strength : float
        How many measurements the prior counts for. [1]
    """
    held = prior > 0
    pulls = np.diag(np.where(held, 1 / np.where(held, prior, 1.0), 0.0))[held]
    pull = np.sqrt(strength / max(1, held.sum()))
    rows = np.vstack([terms / energy_j[:, None] * weights[:, None], pull * pulls])
    wanted = np.concatenate([weights, np.full(int(held.sum()), pull)])
    size = np.linalg.norm(rows, axis=0)
    size[size == 0] = 1.0
    return np.asarray(solve(rows / size, wanted) / size, np.float64)


def model_weights(models: Sequence[str]) -> Array:
    """Weights that let every model count the same, however often it was measured, shape (rows,).

    Parameters
    ----------
    models : sequence of str
        The model of each row.
    """
    _, place, times = np.unique(np.asarray(models), return_inverse=True, return_counts=True)
    return np.asarray(1 / np.sqrt(times[place]), np.float64)


def run_weights(models: Sequence[str]) -> Array:
    """As ``model_weights``, and together as heavy as there are runs, shape (rows,).

    So a prior that counts for eight measurements weighs as much as eight runs, also where all of them
    are of one model.

    Parameters
    ----------
    models : sequence of str
        The model of each row.
    """
    return np.asarray(model_weights(models) * np.sqrt(len(models) / len(set(models))), np.float64)


def wider_band(shipped: tuple[float, float], ratios: Array, models: Sequence[str]) -> tuple[float, float]:
    """A band of measured over predicted that holds the shipped one and what was seen here.

    It never shrinks: a few runs that a fit was made of do not tell how far off it is elsewhere.

    Parameters
    ----------
    shipped : pair of float
        Its ends. [1]
    ratios : ndarray
        Measured over predicted, of the runs here, shape (rows,). [1]
    models : sequence of str
        The model of each row.
    """
    low, high = band(ratios, models)
    return min(shipped[0], low), max(shipped[1], high)


def measured_over_predicted(terms: Array, energy_j: Array, coefficients: Array) -> Array:
    """How many times more was measured than coefficients say, shape (rows,). [1]

    Parameters
    ----------
    terms, energy_j : ndarray
        As of ``fit``.
    coefficients : ndarray
        Shape (4,).
    """
    return np.asarray(energy_j / (terms @ coefficients), np.float64)


def leave_one_model_out(rows: Sequence[Measured], solve: Solve) -> LeftOut:
    """Predict every model by the others, and count how often the band of the others holds it.

    Parameters
    ----------
    rows : sequence of Measured
        Of at least three models.
    solve : callable
        As of ``fit``.
    """
    models = np.array([row.model.name for row in rows])
    terms, energy_j = terms_of(rows), np.array([row.energy_per_token_j for row in rows])
    ratios = _left_out(models, terms, energy_j, solve)
    inside = 0
    for name in np.unique(models):
        out = models == name
        others = _left_out(models[~out], terms[~out], energy_j[~out], solve)
        low, high = band(others, models[~out])
        inside += int(np.sum((ratios[out] >= low) & (ratios[out] <= high)))
    return LeftOut(models=tuple(models), ratios=ratios, coverage=inside / len(rows))


def _left_out(models: NDArray[np.str_], terms: Array, energy_j: Array, solve: Solve) -> Array:
    ratios = np.empty(len(models))
    for name in np.unique(models):
        out = models == name
        found = fit(terms[~out], energy_j[~out], model_weights(models[~out].tolist()), solve)
        ratios[out] = energy_j[out] / (terms[out] @ found)
    return ratios


def band(ratios: Array, models: Sequence[str] | NDArray[np.str_]) -> tuple[float, float]:
    """The 5th and 95th percentile of measured over predicted; every model counts the same.

    Parameters
    ----------
    ratios : ndarray
        Shape (rows,).
    models : sequence of str
        The model of each row.
    """
    weights = model_weights(list(models)) ** 2
    order = np.argsort(ratios)
    below = np.cumsum(weights[order]) - weights[order] / 2
    low, high = np.interp(BAND, below / weights.sum(), ratios[order])
    return float(low), float(high)


def by_model(left_out: LeftOut) -> Mapping[str, Array]:
    """Ratios of each model.

    Parameters
    ----------
    left_out : LeftOut
        Of all models.
    """
    names = np.array(left_out.models)
    return {str(name): left_out.ratios[names == name] for name in np.unique(names)}


def power_at(batches: Array, fractions: Array, knots: Sequence[float]) -> Array:
    """Power over TDP at some batch sizes: 5th, 50th and 95th percentile, shape (knots, 3).

    Around each knot measurements within a factor of two count. A larger batch never draws less:
    it does at most as much waiting.

    Parameters
    ----------
    batches : ndarray
        Sequences at a time, shape (rows,). [1]
    fractions : ndarray
        Mean power of an accelerator over its TDP, shape (rows,). [1]
    knots : sequence of float
        [1]
    """
    near = [np.abs(np.log2(batches / knot)) <= 1 for knot in knots]
    found = np.array([np.quantile(fractions[one], (0.05, 0.5, 0.95)) for one in near])
    return np.maximum.accumulate(found, axis=0)


def relative_errors(terms: Array, energy_j: Array, coefficients: Array) -> Array:
    """How far off coefficients are on each row, without sign, shape (rows,). [1]

    Parameters
    ----------
    terms, energy_j : ndarray
        As of ``fit``.
    coefficients : ndarray
        Shape (4,).
    """
    return np.asarray(np.abs(terms @ coefficients / energy_j - 1), np.float64)


def measured_per_token(energy_j: float, requests: float, output_tokens: float) -> float:
    """Energy of a generated token. [J]

    Parameters
    ----------
    energy_j : float
        Of the accelerators over the whole run. [J]
    requests : float
        Served in it. [1]
    output_tokens : float
        Of each. [1]
    """
    return energy_j / (requests * output_tokens)
