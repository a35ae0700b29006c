"""What is known of models and of the hardware that serves them: the proportions of their work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from wattermark.errors import FactorNotFound, UsageError
from wattermark.factors.accelerators import accelerator_named
from wattermark.factors.serving import TYPICAL, serving_factors
from wattermark.factors.shapes.models import architecture_named
from wattermark.science.parts import Parts
from wattermark.science.serving import BYTES
from wattermark.science.sharing.columns import Cost, cost_of
from wattermark.values.workload import Accelerator, Architecture

GENERIC = "llama-3.1-8b"
"""A dense model of usual proportions, where a name tells nothing."""
UNPACKED = "int4"
"""Four-bit weights of any format take about as many bytes."""
MOST_MODELS = 256
"""Whose costs are kept."""


@dataclass(frozen=True, slots=True)
class Server:
    """The accelerators that serve, how many of them, and what must be said of that."""

    accelerator: Accelerator
    count: float
    flags: tuple[str, ...] = ()


def known_model(name: str) -> Architecture | None:
    """An open model by the name that a request had; None where no table has it."""
    try:
        return architecture_named(name) if name else None
    except UsageError:
        return None


def precision_of(model: Architecture) -> str:
    """The format of its weights, as the serving model knows it."""
    return model.precision if model.precision in BYTES else UNPACKED


def server_of(parts: Parts, asked: str | None) -> Server:
    """The accelerators of a machine: those that were metered, else the one that is asked for."""
    count = max(1, len(parts.gpus))
    if asked is not None:
        return Server(accelerator_named(asked), count)
    for channel in parts.gpus:
        try:
            return Server(accelerator_named(channel.device), count)
        except (UsageError, FactorNotFound):
            continue
    if not parts.gpus:
        return Server(accelerator_named(TYPICAL), count)
    flag = (
        f"accelerator-unknown: {parts.gpus[0].device}: requests are shared in the proportions of {TYPICAL} "
        "(--gpu names another)"
    )
    return Server(accelerator_named(TYPICAL), count, (flag,))


def costs_of(bases: Iterable[str], server: Server) -> list[Cost]:
    """What each model's work weighs, by its place in the names."""
    return [cost_named(name, server.accelerator.id, server.count) for name in bases]


def base_of(name: str) -> str:
    """The model behind a name: aliases of one are one, as they share its weights in a step.

    Names that no table has (adapters of a base model, mostly) are taken for one model together: it is empty.
    """
    model = known_model(name)
    return "" if model is None else model.name


def places_of(names: Iterable[str]) -> tuple[list[int], list[str]]:
    """The place of each name's base, and the bases; where one alone is known, the others adapt it."""
    found = [base_of(name) for name in names]
    known = [base for base in dict.fromkeys(found) if base]
    bases = known if len(known) == 1 else list(dict.fromkeys(found))
    alone = len(known) == 1
    return [0 if alone else bases.index(base) for base in found], bases


@lru_cache(maxsize=MOST_MODELS)
def cost_named(name: str, gpu: str = TYPICAL, count: float = 1.0) -> Cost:
    """What a model's work weighs on so many accelerators; that of a usual one where no table knows it."""
    model = known_model(name) or architecture_named(GENERIC)
    values = {factor.name: factor.value.best for factor in serving_factors(accelerator_named(gpu), 1.0)}
    return cost_of(model, precision=precision_of(model), accelerators=count, values=values)


def word_of_models(names: Iterable[str]) -> Iterator[str]:
    """Once for each model that no table has."""
    for name in dict.fromkeys(names):
        if known_model(name) is None:
            yield (
                f"model-unknown: {name or '(no name)'}: its requests are shared in the proportions of a "
                f"dense model ({GENERIC}); the sums are not touched"
            )
