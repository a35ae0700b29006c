"""Which replica answers, what fits into it, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wattermark.errors import UsageError
from wattermark.science.capacity import (
    CROWDED,
    OVERFULL,
    fewest_accelerators,
    fewest_replicas,
    fill,
    fits,
    gigabytes,
    most_batch,
)
from wattermark.science.serving import BYTES, cached_tokens
from wattermark.values.jobs import Inference
from wattermark.values.workload import Accelerator, Architecture, Requests

MOST_ACCELERATORS = 64
"""Of one copy: nobody shares a model among more without saying so."""


@dataclass(frozen=True, slots=True)
class Replica:
    """Accelerators that hold one copy of a model, what they are asked, and what was assumed of them."""

    requests: Requests
    assumptions: tuple[str, ...]


def replica_for(job: Inference, model: Architecture, accelerator: Accelerator) -> Replica:
    """The replica that was asked for, or the smallest that holds the model.

    Raises
    ------
    UsageError
        If the weights do not fit, or far too many requests are to run at a time.
    """
    precision = job.quantisation or model.precision
    if precision not in BYTES:
        raise UsageError(
            f"weights in {precision!r} have no size here", fix=f"Give --quantisation: {', '.join(BYTES)}"
        )
    asked = Requests(
        batch=float(job.batch),
        input_tokens=float(job.input_tokens),
        output_tokens=float(job.output_tokens) + float(job.reasoning_tokens),
        cached_tokens=cached_tokens(job.input_tokens, job.cached),
        accelerators=float(job.count or 1),
        precision=precision,
    )
    if job.count is not None:
        _check_weights(model, asked, accelerator)
        return Replica(asked, _crowd(model, asked, accelerator))
    count = fewest_accelerators(model, asked, accelerator)
    if count > MOST_ACCELERATORS:
        raise UsageError(
            f"{model.name} and one such request take {count} x {accelerator.id}",
            fix="Give fewer tokens, or the --count yourself",
        )
    held = replace(asked, accelerators=float(count))
    said = f"{count} x {accelerator.id} for one copy of the model: the fewest that hold it (--count)"
    return Replica(held, (said, *_crowd(model, held, accelerator)))


def _check_weights(model: Architecture, asked: Requests, accelerator: Accelerator) -> None:
    if not fits(model, asked, accelerator):
        raise UsageError(
            f"{model.name} at {asked.precision} takes {gigabytes(model, asked):.0f} GB, more than"
            f" {asked.accelerators:g} x {accelerator.id} hold",
            fix=f"Give --count {fewest_accelerators(model, asked, accelerator)}, or a --quantisation",
        )


def _crowd(model: Architecture, asked: Requests, accelerator: Accelerator) -> tuple[str, ...]:
    """Keys and values of all that run: what is too much is told, what cannot be is refused."""
    full = float(fill(model, asked, accelerator))
    if full <= CROWDED:
        return ()
    most = most_batch(model, asked, accelerator)
    if full > OVERFULL:
        raise UsageError(
            f"{asked.batch:g} requests of that length at a time take {full:.2g} times the memory of"
            f" {asked.accelerators:g} x {accelerator.id}",
            fix=f"Give --batch {most} at most, or a larger --count",
        )
    return (f"about {most} such requests fit at a time; of {asked.batch:g}, some wait for memory",)


def check_load(busy: float, replicas: int) -> None:
    """Whether so many replicas can serve what is asked of them.

    Raises
    ------
    UsageError
        If they cannot.
    """
    if busy > replicas:
        raise UsageError(
            f"{replicas} {'replica' if replicas == 1 else 'replicas'} cannot serve that many requests a day",
            fix=f"Give --replicas {fewest_replicas(busy)} at least, or a larger --batch",
        )
