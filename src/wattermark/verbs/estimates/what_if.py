"""Rows of what-if: the same question a hundred thousand times, at the best values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import UsageError
from wattermark.factors.accelerators import peak_flops
from wattermark.factors.hardware import host_power_factor
from wattermark.factors.serving import power_knots, serving_factors
from wattermark.factors.training import SHARES, mfu_factor
from wattermark.science.capacity import fewest_for, has_room
from wattermark.science.estimate import rows_of
from wattermark.science.serving import cached_tokens, power_at_batch, request_work
from wattermark.science.sketch import Sketch
from wattermark.science.sketch_serving import serving, usual_idle
from wattermark.science.sketch_training import training, with_experiments
from wattermark.science.training import mfu_by_share, training_flops
from wattermark.values.factors import Factor
from wattermark.values.jobs import ARITHMETIC, METHODS, PRECISIONS, Site, check_choice
from wattermark.values.workload import Requests
from wattermark.verbs.estimates.columns import Columns, Rows, Table, groups, rows_of_columns
from wattermark.verbs.estimates.ground import (
    DEVICES,
    accelerator_of,
    defaults,
    ground,
    model_of,
    training_power,
)

SITE = ("pue", "wue", "intensity")
TRAINING = Table(
    numbers={"params": None, "active_params": None, "tokens": None, "count": 1.0, "experiments": 0.0},
    words={"gpu": None, "place": "", "method": "full", "precision": "bf16"},
    factors=("mfu", *SITE),
)
INFERENCE = Table(
    numbers={"batch": 1.0, "input_tokens": None, "output_tokens": None, "cached": 0.0},
    words={"gpu": None, "place": "", "model": None, "quantisation": ""},
    factors=("utilisation", *SITE),
    optional=("count",),
)
FACTORS = {"mfu": "training_mfu", "utilisation": "serving_utilisation", "intensity": "carbon_intensity"}


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that share their words: what runs, its factors, values of their own, and which can be."""

    sketch: Sketch
    factors: tuple[Factor, ...]
    values: Mapping[str, Any]
    possible: Any = True


def what_if_training(columns: Columns) -> dict[str, NDArray[np.float64]]:
    """Trainings by rows.

    Parameters
    ----------
    columns : mapping
        ``gpu``, ``params`` (or ``active_params``), ``tokens``; optional ``count``, ``experiments``,
        ``method``, ``precision``, ``place``, and instead of what the tables know ``mfu`` [1], ``pue`` [1],
        ``wue`` [L/kWh], ``intensity`` [g CO2e/kWh]. Each one value, or one for each row.

    Returns
    -------
    dict of ndarray
        Every quantity of a footprint, ``accelerator_hours`` and ``wall_time_s``, shape (rows,), best
        values: the interval of a row is ``estimate_training``'s to tell.

    Raises
    ------
    UsageError
        If a column is missing, not known, or holds what cannot be meant.
    """
    known = dict(columns)
    known.setdefault("params", known.get("active_params", 0.0))
    known.setdefault("active_params", known["params"])
    rows = rows_of_columns(known, TRAINING)
    if np.any(rows["active_params"] > rows["params"]):
        raise UsageError("active_params are more than all params", fix="Mend the columns")
    return _answer(rows, TRAINING, _training)


def what_if_inference(columns: Columns) -> dict[str, NDArray[np.float64]]:
    """Requests by rows, one request each.

    Parameters
    ----------
    columns : mapping
        ``gpu``, ``model``, ``input_tokens``, ``output_tokens``; optional ``batch``, ``cached`` [1],
        ``count`` (else the fewest accelerators that hold the model), ``quantisation``, ``place``, and
        instead of what the tables know ``utilisation`` [1], ``pue`` [1], ``wue`` [L/kWh], ``intensity``
        [g CO2e/kWh]. Each one value, or one for each row.

    Returns
    -------
    dict of ndarray
        As of ``what_if_training``; NaN in rows that do not fit into the memory of their accelerators.

    Raises
    ------
    UsageError
        If a column is missing, not known, or holds what cannot be meant.
    """
    return _answer(rows_of_columns(columns, INFERENCE), INFERENCE, _inference)


def _training(group: Rows, words: Mapping[str, str]) -> _Group:
    check_choice("method", words["method"], METHODS)
    check_choice("precision", words["precision"], ARITHMETIC)
    if words["method"] == "rl":
        raise UsageError("rows of what-if do not sample", fix="Use estimate_training for the method rl")
    accelerator = accelerator_of(words["gpu"])
    power = training_power(accelerator)
    sketch = training(
        training_flops(group["active_params"], group["tokens"], method=words["method"]),
        peak_flops=peak_flops(accelerator, words["precision"]),
        powers=power.powers,
        count=group["count"],
    )
    dense, mixture = (
        mfu_factor(accelerator, words["precision"], mixture=kind).value.best for kind in (False, True)
    )
    mfu = mfu_by_share(group["params"], group["active_params"], dense=dense, mixture=mixture, shares=SHARES)
    return _Group(with_experiments(sketch, group["experiments"]), power.factors, {"training_mfu": mfu})


def _inference(group: Rows, words: Mapping[str, str]) -> _Group:
    accelerator = accelerator_of(words["gpu"])
    model = model_of(model=words["model"], config=None, params=None, active_params=None)
    precision = words["quantisation"] or model.precision
    check_choice("quantisation", precision, PRECISIONS)
    requests = Requests(
        batch=group["batch"],
        input_tokens=group["input_tokens"],
        output_tokens=group["output_tokens"],
        cached_tokens=cached_tokens(group["input_tokens"], group["cached"]),
        accelerators=group.get("count", 1.0),
        precision=precision,
    )
    if "count" not in group:
        requests = fewest_for(model, requests, accelerator)
    sketch = serving(
        request_work(model, requests),
        tdp_w=accelerator.tdp_w,
        requests=1.0,
        accelerators=requests.accelerators,
        idle=usual_idle,
        embed=False,
    )
    factors = (
        *serving_factors(accelerator, 1.0),
        *defaults(("gpu_idle_fraction", "serving_utilisation")),
        host_power_factor(accelerator.tdp_w),
    )
    drawn = power_at_batch(group["batch"], *power_knots(accelerator))
    return _Group(sketch, factors, {"serving_power_fraction": drawn}, has_room(model, requests, accelerator))


def _answer(
    rows: Rows, table: Table, group_of: Callable[[Rows, Mapping[str, str]], _Group]
) -> dict[str, NDArray[np.float64]]:
    found: dict[str, NDArray[np.float64]] = {}
    many = len(rows["gpu"])
    words = [word for word in table.words if word != "place"]
    for at, said in groups(rows, words):
        numbers = {name: column[at] for name, column in rows.items() if name not in table.words}
        group = group_of(numbers, said)
        own = {FACTORS.get(name, name): numbers[name] for name in table.factors if name in numbers}
        values: dict[str, Any] = {one.name: one.value.best for one in group.factors}
        values |= {**_sites(rows["place"][at], accelerator_of(said["gpu"]).id), **group.values, **own}
        for name, value in rows_of(group.sketch, DEVICES)(values).items():
            found.setdefault(name, np.full(many, np.nan))[at] = np.where(group.possible, value, np.nan)
    return found


def _sites(places: NDArray[np.str_], accelerator_id: str) -> dict[str, Any]:
    """The best value of each factor at the place of each row."""
    named, of_row = np.unique(places, return_inverse=True)
    every = [
        {one.name: one.value.best for one in ground(Site(place=str(name) or None), accelerator_id).factors}
        for name in named
    ]
    return {name: np.array([one[name] for one in every])[of_row.ravel()] for name in every[0]}
