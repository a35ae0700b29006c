"""Refit the serving model to what was measured here, drawn towards what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wattermark.errors import MissingExtra, UsageError
from wattermark.factors.serving import serving_factors
from wattermark.ledger.read import read_spool
from wattermark.ledger.runs import runs
from wattermark.science.serving_fit import (
    COEFFICIENTS,
    Measured,
    fit_to_prior,
    measured_per_token,
    model_weights,
    relative_errors,
    terms_of,
)
from wattermark.values.records import Part, Recorded, Status
from wattermark.values.workload import Accelerator, Requests
from wattermark.verbs.account import account
from wattermark.verbs.ground import accelerator_of, model_of

NEEDED = ("model", "gpu", "batch", "input_tokens", "output_tokens", "requests")
"""Tags of a run that make it a measurement of serving; ``count`` and ``quantisation`` may stand beside."""
PRIOR_ROWS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Coefficients of one accelerator, before and after, and the errors of both on the same runs."""

    gpu: str
    runs: tuple[str, ...]
    before: Mapping[str, float]
    after: Mapping[str, float]
    error_before: float
    error_after: float


def calibrate(ledger: Path, gpu: str, *, prior_rows: float = PRIOR_ROWS) -> Calibration:
    """Coefficients from the runs of a ledger that are tagged as measurements of serving.

    Parameters
    ----------
    ledger : Path
        Its folder.
    gpu : str
        Which accelerator's.
    prior_rows : float
        For how many measurements the shipped coefficients count. [1]

    Raises
    ------
    UsageError
        If no run is tagged so.
    MissingExtra
        If scipy is not installed.
    """
    accelerator = accelerator_of(gpu)
    found = list(_measured(ledger, accelerator))
    if not found:
        raise UsageError(
            f"no finished run in {ledger} is a measurement of serving on {accelerator.id}",
            fix="Tag runs: wattermark run "
            + " ".join(f"--tag {name}=..." for name in NEEDED)
            + " -- the benchmark",
        )
    rows = [row for _, row in found]
    prior = np.array([one.value.best for one in serving_factors(accelerator, 1.0)[: len(COEFFICIENTS)]])
    terms, energy_j = terms_of(rows), np.array([row.energy_per_token_j for row in rows])
    weights = model_weights([row.model.name for row in rows])
    after = fit_to_prior(terms, energy_j, weights, prior=prior, strength=prior_rows, solve=_solver())
    return Calibration(
        gpu=accelerator.id,
        runs=tuple(name for name, _ in found),
        before=dict(zip(COEFFICIENTS, prior.tolist(), strict=True)),
        after=dict(zip(COEFFICIENTS, after.tolist(), strict=True)),
        error_before=float(np.median(relative_errors(terms, energy_j, prior))),
        error_after=float(np.median(relative_errors(terms, energy_j, after))),
    )


def _solver() -> Any:
    try:
        from scipy.optimize import nnls
    except ImportError as error:
        raise MissingExtra(
            "calibrate needs scipy", fix="Install it: pip install 'wattermark[calibrate]'"
        ) from error
    return lambda matrix, vector: np.asarray(nnls(matrix, vector)[0], np.float64)


def _measured(ledger: Path, accelerator: Accelerator) -> Iterator[tuple[str, Measured]]:
    for place in runs(ledger):
        recorded = read_spool(place.spool)
        tags = dict(recorded.header.tags)
        if recorded.status is not Status.OK or any(name not in tags for name in NEEDED):
            continue
        if accelerator_of(tags["gpu"]).id == accelerator.id:
            yield recorded.header.run, _row(recorded, tags)


def _row(recorded: Recorded, tags: Mapping[str, str]) -> Measured:
    model = model_of(model=tags["model"], config=None, params=None, active_params=None)
    numbers = {name: _number(recorded, name, tags[name]) for name in NEEDED[2:]}
    requests = Requests(
        batch=numbers["batch"],
        input_tokens=numbers["input_tokens"],
        output_tokens=numbers["output_tokens"],
        accelerators=_number(recorded, "count", tags.get("count", "1")),
        precision=tags.get("quantisation", model.precision),
    )
    gpus = [
        one.energy_j.best
        for one in account(recorded).components
        if one.kind == Part.GPU and one.counted and one.energy_j is not None
    ]
    if not gpus:
        raise UsageError(
            f"the run {recorded.header.run} saw no energy of an accelerator", fix="See: wattermark doctor"
        )
    per_token = measured_per_token(sum(gpus), numbers["requests"], numbers["output_tokens"])
    return Measured(model=model, requests=requests, energy_per_token_j=per_token)


def _number(recorded: Recorded, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(
            f"the run {recorded.header.run} has the tag {name}={text}", fix="Give it a number above 0"
        )
    return value
