"""Requests that no meter saw: their work together, at a batch that is known or is a factor itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace

import numpy as np

from wattermark.science.lazily import once, total
from wattermark.science.served.events import Floats
from wattermark.science.serving import BYTES, Work, request_work, touched_params
from wattermark.science.sharing.arrays import part_of
from wattermark.science.sketch import Sketch, term
from wattermark.science.sketch_serving import serving
from wattermark.science.terms import Energy
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.factors import Factor, of_this_run
from wattermark.values.range import Range
from wattermark.values.workload import Accelerator, Architecture, Requests

BATCH = "serving_batch"
USUAL_BATCH = Range(4.0, 64.0, 1024.0)
"""Requests that a replica runs at a time where nobody says so. [1]

The ML.ENERGY benchmark v3 (arXiv:2505.06371) covers 8 to 1,024 (5th and 95th percentile, median 73); services
do not tell, and a quiet one runs fewer.
"""
WORKING = "accelerator_energy_j"
"""What the accelerators take for all of the requests, neither waiting nor hosts counted. [J]"""
LEAST_TOKENS = 1e-6
WorkAt = Callable[[Number], Work]


def batch_factor(batch: float | None) -> Factor:
    """How many requests run at a time: as given, or anything that is usual. [1]

    Parameters
    ----------
    batch : float or None
        [1]
    """
    if batch is not None:
        return of_this_run(BATCH, Range.exact(batch), basis="given", note="requests at a time, as given")
    note = "requests at a time: the client of a service does not see them"
    return replace(of_this_run(BATCH, USUAL_BATCH, basis="assumed", note=note), least=1.0)


def works_of(
    model: Architecture,
    tokens: Mapping[str, Floats],
    many: Floats,
    *,
    precision: str,
    accelerators: float,
) -> tuple[WorkAt, WorkAt]:
    """The work of some requests as a function of the batch: of each of them, and of all together.

    Parameters
    ----------
    model : Architecture
        Its layers must be known.
    tokens : mapping
        ``input_tokens``, ``cached_tokens`` and ``output_tokens``, shape (u,). [1]
    many : ndarray, shape (u,)
        For how many requests each stands, whose tokens it adds. [1]
    precision : str
        Of the weights.
    accelerators : float
        That share one copy. [1]

    Returns
    -------
    callable, callable
        From the batch, a number, to the work of each request, arrays of shape (u,); and from the batch,
        a number or draws of it, to that of all of them.
    """
    each = {name: part_of(one, many) for name, one in tokens.items()}
    one_each = request_work(model, _requests(each, precision, accelerators))
    alone = Work(**{field.name: getattr(one_each, field.name) * many for field in fields(Work)})
    all_alone = Work(**{field.name: np.sum(getattr(alone, field.name)) for field in fields(Work)})

    def at(work: Work) -> WorkAt:
        return lambda batch: _at_batch(work, model, precision, batch)

    return at(alone), at(all_alone)


def _requests(tokens: Mapping[str, Floats], precision: str, accelerators: float) -> Requests:
    return Requests(
        batch=1.0,
        input_tokens=tokens["input_tokens"],
        output_tokens=tokens["output_tokens"],
        cached_tokens=np.minimum(tokens["cached_tokens"], tokens["input_tokens"]),
        accelerators=accelerators,
        precision=precision,
    )


def _at_batch(alone: Work, model: Architecture, precision: str, batch: Number) -> Work:
    """Work that was reckoned at a batch of one, at another: weights and steps are shared."""
    saved = touched_params(model, 1.0) - touched_params(model, batch) / batch
    return replace(
        alone,
        prefill_bytes=alone.prefill_bytes / batch,
        decode_bytes=alone.decode_bytes - alone.output_tokens * BYTES[precision] * saved,
        steps=alone.steps / batch,
    )


def sketch_of(
    work_at: WorkAt,
    accelerator: Accelerator,
    *,
    accelerators: float,
    idle: Callable[[Energy], Energy],
    embed: bool,
) -> Sketch:
    """Requests whose batch is one of the factors.

    Parameters
    ----------
    work_at : callable
        From the batch to their work.
    accelerator : Accelerator
        Its TDP. [W]
    accelerators : float
        Of a replica. [1]
    idle : callable
        As of ``sketch_serving.serving``.
    embed : bool
        Whether the prompt is all there is.
    """

    def at(batch: Number) -> Sketch:
        return serving(
            work_at(batch),
            tdp_w=accelerator.tdp_w,
            requests=1.0,
            accelerators=accelerators,
            idle=idle,
            embed=embed,
        )

    now = once(lambda values: at(values[BATCH]))

    def part(i: int) -> Energy:
        return lambda values: _known(now(values).terms[i].run)(values)

    return Sketch(
        terms=tuple(term(one.name, part(i)) for i, one in enumerate(at(1.0).terms)),
        held_s=lambda values: now(values).held_s(values),
        amounts={WORKING: lambda values: now(values).amounts["accelerator_energy_per_request_j"](values)},
    )


def _known(run: Energy | None) -> Energy:
    assert run is not None
    return run


def it_energy_j(sketch: Sketch, factors: Iterable[Factor]) -> Number:
    """IT energy at the best values: of each request where the work was of each. [J]

    Parameters
    ----------
    sketch : Sketch
        What would run.
    factors : iterable of Factor
        All that it names.
    """
    best: Values = {factor.name: factor.value.best for factor in factors}
    return total(_known(one.run)(best) for one in sketch.terms)


def power_between(low: Factor, best: Factor, high: Factor) -> Factor:
    """Power over TDP where the batch is not known: of all that it may be.

    Parameters
    ----------
    low, best, high : Factor
        At the least, the best and the largest batch. [1]
    """
    return replace(best, value=Range(low.value.low, best.value.best, max(best.value.high, high.value.high)))


def mean_of(tokens: Floats, many: Floats) -> float:
    """Tokens of a request in the mean; never nothing, as a job of no size cannot be meant. [1]

    Parameters
    ----------
    tokens : ndarray, shape (u,)
        [1]
    many : ndarray, shape (u,)
        Of how many requests. [1]
    """
    count = float(many.sum())
    return max(float(tokens.sum()) / count, LEAST_TOKENS) if count > 0 else LEAST_TOKENS


def each_of(tokens: Floats, many: Floats) -> Floats:
    """Tokens of one of the many requests that each stands for. [1]

    Parameters
    ----------
    tokens, many : ndarray, shape (u,)
        [1]
    """
    return part_of(tokens, many)


def share_of(part: Floats, whole: Floats) -> float:
    """What part all of one counts are of all others, at most all. [1]

    Parameters
    ----------
    part, whole : ndarray
        [1]
    """
    return min(float(part.sum()) / float(whole.sum()), 1.0) if whole.sum() > 0 else 0.0
