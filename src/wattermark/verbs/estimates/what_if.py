"""Rows of what-if: the same question a hundred thousand times, at the best values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import UsageError
from wattermark.factors.accelerators import peak_flops
from wattermark.factors.hardware import host_power_factor
from wattermark.factors.serving import power_knots, serving_factors
from wattermark.factors.training import MOST_ACTIVE, mfu_factor
from wattermark.science.estimate import rows_of
from wattermark.science.serving import cached_tokens, power_at_batch, request_work
from wattermark.science.sketch import Sketch
from wattermark.science.sketch_serving import serving, usual_idle
from wattermark.science.sketch_training import training, with_experiments
from wattermark.science.training import mfu_by_kind, training_flops
from wattermark.values.factors import Factor
from wattermark.values.jobs import METHODS, PRECISIONS, Site, check_choice
from wattermark.values.workload import Requests
from wattermark.verbs.estimates.ground import (
    DEVICES,
    accelerator_of,
    defaults,
    ground,
    model_of,
    training_power,
)

Column = Sequence[Any] | NDArray[Any] | float | str
Columns = Mapping[str, Column]
Rows = dict[str, NDArray[Any]]

TRAINING = {
    "numbers": {"params": None, "active_params": None, "tokens": None, "count": 1.0, "experiments": 0.0},
    "words": {"gpu": None, "place": "", "method": "full", "precision": "bf16"},
    "factors": ("mfu", "pue", "wue", "carbon_intensity"),
}
INFERENCE = {
    "numbers": {"batch": 1.0, "input_tokens": None, "output_tokens": None, "cached": 0.0, "count": 1.0},
    "words": {"gpu": None, "place": "", "model": None, "quantisation": ""},
    "factors": ("serving_utilisation", "pue", "wue", "carbon_intensity"),
}


def what_if_training(columns: Columns) -> dict[str, NDArray[np.float64]]:
    """Trainings by rows.

    Parameters
    ----------
    columns : mapping
        ``gpu``, ``params`` (or ``active_params``), ``tokens``; optional ``count``, ``experiments``,
        ``method``, ``precision``, ``place``, and the factors ``mfu`` [1], ``pue`` [1], ``wue`` [L/kWh],
        ``carbon_intensity`` [g CO2e/kWh]. Each one value, or one for each row.

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
    known.setdefault("params", known.get("active_params", np.nan))
    known.setdefault("active_params", known["params"])
    return _answer(known, TRAINING, _training)


def what_if_inference(columns: Columns) -> dict[str, NDArray[np.float64]]:
    """Requests by rows, one request each.

    Parameters
    ----------
    columns : mapping
        ``gpu``, ``model``, ``input_tokens``, ``output_tokens``; optional ``batch``, ``cached`` [1],
        ``count``, ``quantisation``, ``place``, and the factors ``serving_utilisation`` [1], ``pue`` [1],
        ``wue`` [L/kWh], ``carbon_intensity`` [g CO2e/kWh]. Each one value, or one for each row.

    Returns
    -------
    dict of ndarray
        As of ``what_if_training``.

    Raises
    ------
    UsageError
        If a column is missing, not known, or holds what cannot be meant.
    """
    return _answer(columns, INFERENCE, _inference)


def _training(group: Rows, words: Mapping[str, str]) -> tuple[Sketch, list[Factor], dict[str, Any]]:
    check_choice("method", words["method"], METHODS)
    check_choice("precision", words["precision"], PRECISIONS)
    accelerator = accelerator_of(words["gpu"])
    power = training_power(accelerator)
    sketch = training(
        training_flops(group["active_params"], group["tokens"], method=words["method"]),
        peak_flops=peak_flops(accelerator, words["precision"]),
        powers=power.powers,
        count=group["count"],
    )
    sketch = with_experiments(sketch, group["experiments"])
    dense, mixture = (
        mfu_factor(accelerator, words["precision"], mixture=kind).value.best for kind in (False, True)
    )
    mfu = mfu_by_kind(
        group["params"], group["active_params"], dense=dense, mixture=mixture, most_active=MOST_ACTIVE
    )
    return sketch, list(power.factors), {"training_mfu": mfu}


def _inference(group: Rows, words: Mapping[str, str]) -> tuple[Sketch, list[Factor], dict[str, Any]]:
    accelerator = accelerator_of(words["gpu"])
    model = model_of(model=words["model"], config=None, params=None, active_params=None)
    precision = words["quantisation"] or model.precision
    check_choice("quantisation", precision, PRECISIONS)
    requests = Requests(
        batch=group["batch"],
        input_tokens=group["input_tokens"],
        output_tokens=group["output_tokens"],
        cached_tokens=cached_tokens(group["input_tokens"], group["cached"]),
        accelerators=group["count"],
        precision=precision,
    )
    sketch = serving(
        request_work(model, requests),
        tdp_w=accelerator.tdp_w, requests=1.0, accelerators=group["count"], idle=usual_idle, embed=False,
    )  # fmt: skip
    factors = [
        *serving_factors(accelerator, 1.0),
        *defaults(("gpu_idle_fraction", "serving_utilisation")),
        host_power_factor(accelerator.tdp_w),
    ]
    drawn = power_at_batch(group["batch"], *power_knots(accelerator))
    return sketch, factors, {"serving_power_fraction": drawn}


def _answer(columns: Columns, kind: Mapping[str, Any], sketch_of: Any) -> dict[str, NDArray[np.float64]]:
    rows = _rows(columns, kind)
    found: dict[str, NDArray[np.float64]] = {}
    for at, words in _groups(rows, tuple(kind["words"])):
        group = {name: rows[name][at] for name in kind["numbers"]}
        sketch, factors, more = sketch_of(group, words)
        accelerator = accelerator_of(words["gpu"])
        standing = ground(Site(place=words["place"] or None), accelerator.id)
        values: dict[str, Any] = {one.name: one.value.best for one in (*standing.factors, *factors)}
        own = {_factor_name(name): rows[name][at] for name in kind["factors"] if name in rows}
        answer = rows_of(sketch, DEVICES)({**values, **more, **own})
        for name, value in answer.items():
            found.setdefault(name, np.full(len(at), np.nan))[at] = value
    return found


def _factor_name(name: str) -> str:
    return "training_mfu" if name == "mfu" else name


def _rows(columns: Columns, kind: Mapping[str, Any]) -> Rows:
    """Every column as an array, all of one length."""
    known = {**kind["numbers"], **kind["words"]}
    strange = [name for name in columns if name not in known and name not in kind["factors"]]
    if strange:
        raise UsageError(
            f"there is no column {strange[0]!r}", fix=f"Columns: {', '.join((*known, *kind['factors']))}"
        )
    filled = {name: columns.get(name, value) for name, value in known.items()}
    missing = [name for name, value in filled.items() if value is None]
    if missing:
        raise UsageError(f"the column {missing[0]!r} is missing", fix="Give one value, or one for each row")
    filled |= {name: columns[name] for name in kind["factors"] if name in columns}
    words = {name: np.asarray(filled.pop(name), str) for name in kind["words"]}
    arrays: Rows = {**words, **{name: _numbers(name, value) for name, value in filled.items()}}
    try:
        shaped = np.broadcast_arrays(*(np.atleast_1d(one) for one in arrays.values()))
    except ValueError as error:
        raise UsageError("the columns differ in length", fix="Give one value, or one for each row") from error
    return dict(zip(arrays, shaped, strict=True))


def _numbers(name: str, value: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} holds what is no number", fix="Give numbers") from error
    may_be_zero = name in ("cached", "experiments", "wue", "carbon_intensity")
    if not np.all(np.isfinite(found) & ((found > 0) | (may_be_zero & (found == 0)))):
        raise UsageError(f"{name} holds what is not above 0", fix="Give finite numbers above 0")
    return found


def _groups(rows: Rows, words: tuple[str, ...]) -> Iterator[tuple[NDArray[np.bool_], dict[str, str]]]:
    """Rows that share all their words, and these words."""
    codes = [np.unique(rows[word], return_inverse=True) for word in words]
    key = np.stack([inverse for _, inverse in codes], axis=1)
    chosen, place = np.unique(key, axis=0, return_inverse=True)
    for i, one in enumerate(chosen):
        yield (
            place.ravel() == i,
            {word: str(codes[j][0][one[j]]) for j, word in enumerate(words)},
        )
