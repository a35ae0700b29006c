"""The same requests otherwise: measured energy times ratios of the estimator, told as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wattermark.science.served.bearers import Quantities, RunShare
from wattermark.science.served.events import Floats
from wattermark.science.served.work import WorkAt
from wattermark.science.serving import decode_energy_j, embedding_energy_j, prefill_energy_j
from wattermark.science.uncertainty import Values
from wattermark.values.footprint import QUANTITIES
from wattermark.values.range import Range

MADE = {"carbon_embodied_g", "water_embodied_l"}
"""What making the hardware took: it is held as long, whatever runs on it."""
SUMS = {
    "carbon_g": ("carbon_operational_g", "carbon_embodied_g"),
    "water_l": ("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l", "water_embodied_l"),
}


def mean_batch(begin_s: Floats, ran_s: Floats) -> float:
    """How many requests ran at a time, while any did. [1]

    Parameters
    ----------
    begin_s, ran_s : ndarray, shape (u,)
        When each began, and how long it ran. [s]

    Returns
    -------
    float
        At least 1.
    """
    order = np.argsort(begin_s, kind="stable")
    begin, end = begin_s[order], begin_s[order] + ran_s[order]
    until = np.maximum.accumulate(end) if len(end) else end
    fresh = np.maximum(end - np.maximum(begin, np.concatenate([begin[:1], until[:-1]])), 0.0)
    busy_s = float(fresh.sum())
    return max(float(ran_s.sum()) / busy_s, 1.0) if busy_s > 0 else 1.0


def work_energy_j(work_at: WorkAt, batch: float, values: Values, *, embed: bool) -> float:
    """Energy of the accelerators for all work at a batch, by the serving model. [J]

    Parameters
    ----------
    work_at : callable
        From the batch to the work of all requests.
    batch : float
        [1]
    values : mapping
        The coefficients of the serving model.
    embed : bool
        Whether the prompts are all there is.
    """
    work = work_at(batch)
    if embed:
        return float(embedding_energy_j(work, values))
    return float(prefill_energy_j(work, values) + decode_energy_j(work, values))


def energy_by_model(share: RunShare) -> Mapping[int, float]:
    """Work and rest while somebody ran, by the code of a model. [J]

    Parameters
    ----------
    share : RunShare
        A measured run.
    """
    requests = share.requests
    energy_j = np.where(requests.known, requests.dynamic_j + requests.active_idle_j, 0.0)
    summed = np.bincount(requests.model, energy_j) if len(requests) else np.zeros(0)
    return {code: float(one) for code, one in enumerate(summed.tolist()) if one > 0}


def energy_ratio(share: RunShare, ratios: Mapping[int, float]) -> float:
    """All of a run's energy over what it was, where that of each model changes by a ratio. [1]

    Parameters
    ----------
    share : RunShare
        A measured run.
    ratios : mapping
        By the code of a model; others, and idle capacity, stay. [1]
    """
    of_models = energy_by_model(share)
    changed_j = sum((ratios.get(code, 1.0) - 1.0) * energy_j for code, energy_j in of_models.items())
    return (share.total_j + changed_j) / share.total_j if share.total_j > 0 else 1.0


def otherwise(quantities: Quantities, ratio: float) -> dict[str, Range | None]:
    """A footprint at another energy; what making the hardware took stays, and sums are made anew.

    Parameters
    ----------
    quantities : mapping
        As it is.
    ratio : float
        Of the energies. [1]
    """
    found = {name: _times(quantities.get(name), 1.0 if name in MADE else ratio) for name in QUANTITIES}
    for name, parts in SUMS.items():
        found[name] = _held(found[name], [found[part] for part in parts])
    return found


def _times(value: Range | None, ratio: float) -> Range | None:
    return None if value is None else Range(*(end * ratio for end in value.ends))


def _held(scaled: Range | None, parts: Sequence[Range | None]) -> Range | None:
    """A sum whose best value is that of its parts; the interval as wide as the scaled one's, around it."""
    if scaled is None or not scaled.best > 0 or any(part is None for part in parts):
        return None
    best = sum(part.best for part in parts if part is not None)
    return Range(*(end * (best / scaled.best) for end in scaled.ends))


def ratio_of(then_j: float, now_j: float) -> float:
    """One energy over another; 1 where there was none. [1]

    Parameters
    ----------
    then_j, now_j : float
        [J]
    """
    return then_j / now_j if now_j > 0 else 1.0
