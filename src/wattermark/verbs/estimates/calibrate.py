"""Refit the serving model to what was measured here, drawn towards what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wattermark.errors import BadSpool, MissingExtra, UsageError
from wattermark.factors.serving import serving_factors
from wattermark.ledger.read import read_spool
from wattermark.ledger.runs import header_of_run, runs
from wattermark.science.serving_fit import (
    COEFFICIENTS,
    Measured,
    fit_to_prior,
    measured_over_predicted,
    measured_per_token,
    relative_errors,
    run_weights,
    terms_of,
    wider_band,
)
from wattermark.values.jobs import PRECISIONS, check_choice
from wattermark.values.kinds import Part, Status
from wattermark.values.records import Recorded, RunHeader
from wattermark.values.workload import Accelerator, Requests
from wattermark.verbs.account import account
from wattermark.verbs.estimates.ground import accelerator_of, model_of

NEEDED = ("model", "gpu", "batch", "input_tokens", "output_tokens", "requests")
"""Tags of a run that make it a measurement of serving; ``count`` and ``quantisation`` may stand beside."""
PRIOR_ROWS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Coefficients of one accelerator, before and after, and the errors of both on the same runs.

    ``serving_error`` is what measured over predicted may be (5-95 %): the shipped band, wider where
    these runs leave it; never narrower, as they are what the coefficients were made of.
    """

    gpu: str
    runs: tuple[str, ...]
    before: Mapping[str, float]
    after: Mapping[str, float]
    error_before: float
    error_after: float
    serving_error: Mapping[str, float]


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
        If no run is tagged so, or a tagged one cannot be meant; it names the run.
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
    return _fitted(accelerator, [name for name, _ in found], [row for _, row in found], prior_rows)


def _fitted(
    accelerator: Accelerator, names: Sequence[str], rows: Sequence[Measured], prior_rows: float
) -> Calibration:
    shipped = {one.name: one.value for one in serving_factors(accelerator, 1.0)}
    prior = np.array([shipped[name].best for name in COEFFICIENTS])
    error = shipped["serving_error"]
    terms, energy_j = terms_of(rows), np.array([row.energy_per_token_j for row in rows])
    models = [row.model.name for row in rows]
    after = fit_to_prior(
        terms, energy_j, run_weights(models), prior=prior, strength=prior_rows, solve=_solver()
    )
    ratios = measured_over_predicted(terms, energy_j, after)
    low, high = wider_band((error.low, error.high), ratios, models)
    return Calibration(
        gpu=accelerator.id,
        runs=tuple(names),
        before=dict(zip(COEFFICIENTS, prior.tolist(), strict=True)),
        after=dict(zip(COEFFICIENTS, after.tolist(), strict=True)),
        error_before=float(np.median(relative_errors(terms, energy_j, prior))),
        error_after=float(np.median(relative_errors(terms, energy_j, after))),
        serving_error={"low": low, "best": error.best, "high": high},
    )


def _solver() -> Any:
    try:
        from scipy.optimize import nnls
    except ImportError as error:
        raise MissingExtra.of("calibrate", "scipy", "calibrate") from error
    return lambda matrix, vector: np.asarray(nnls(matrix, vector)[0], np.float64)


# -- runs as measurements --------------------------------------------------------------


def _measured(ledger: Path, accelerator: Accelerator) -> Iterator[tuple[str, Measured]]:
    for header, spool in _tagged(ledger):
        try:
            if accelerator_of(header.tags["gpu"]).id != accelerator.id:
                continue
            recorded = read_spool(spool)
            if recorded.status is Status.OK:
                yield header.run, _row(recorded)
        except UsageError as error:
            raise UsageError(f"the run {header.run}: {error.problem}", fix=error.fix) from error


def _tagged(ledger: Path) -> Iterator[tuple[RunHeader, Path]]:
    """Runs with all the tags that are needed; a spool that cannot be read is no measurement."""
    for place in runs(ledger):
        try:
            header = header_of_run(place)
        except BadSpool:
            continue
        if all(name in header.tags for name in NEEDED):
            yield header, place.spool


def _row(recorded: Recorded) -> Measured:
    tags = recorded.header.tags
    model = model_of(model=tags["model"], config=None, params=None, active_params=None)
    check_choice("the tag quantisation", tags.get("quantisation"), PRECISIONS)
    numbers = {name: _number(name, tags.get(name, "1")) for name in (*NEEDED[2:], "count")}
    requests = Requests(
        batch=numbers["batch"],
        input_tokens=numbers["input_tokens"],
        output_tokens=numbers["output_tokens"],
        accelerators=numbers["count"],
        precision=tags.get("quantisation", model.precision),
    )
    per_token = measured_per_token(_gpu_energy_j(recorded), numbers["requests"], numbers["output_tokens"])
    return Measured(model=model, requests=requests, energy_per_token_j=per_token)


def _gpu_energy_j(recorded: Recorded) -> float:
    """What the accelerators took; a run that saw none, or none at work, measured nothing."""
    gpus = [one for one in account(recorded).components if one.kind == Part.GPU and one.counted]
    energy_j = sum(one.energy_j.best for one in gpus if one.energy_j is not None)
    if not energy_j > 0:
        raise UsageError("it saw no energy of an accelerator", fix="See: wattermark doctor")
    return energy_j


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"the tag {name} is {text[:40]!r}", fix="Tag it with a number above 0")
    return value
