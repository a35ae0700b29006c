"""What share of an accelerator's peak a training reaches, where nobody says: by published runs."""

from __future__ import annotations

from dataclasses import replace

from wattermark.factors.accelerators import EIGHT_BITS
from wattermark.factors.table import factor, named, rows_by
from wattermark.values.factors import Factor
from wattermark.values.workload import Accelerator

TABLE = "training_fit"
SHARES = (0.25, 0.7)
"""Of active parameters: up to the first a model is a mixture of experts (the published ones have a fifth or
less), from the second on it is dense, embeddings aside."""
GENERATIONS = {"ampere": ("a100", "a800"), "hopper": ("h100", "h200", "h800", "h20", "gh200")}
"""Accelerators by how their ids begin."""


def system_power_factor(accelerator_id: str) -> Factor | None:
    """Mean power of an accelerator with its part of the host while training, where it was measured. [W]

    Parameters
    ----------
    accelerator_id : str
        Of our table.
    """
    row = rows_by("accelerators", "id")[accelerator_id]
    if not row["system_w"]:
        return None
    columns = ("system_w_low", "system_w", "system_w_high")
    found = factor(row, "training_system_w", key=accelerator_id, columns=columns, unit="W")
    return replace(found, basis="measured", source=row["system_source"])


def mfu_factor(accelerator: Accelerator, precision: str, *, mixture: bool) -> Factor:
    """MFU from end to end, of the dense peak at a precision.

    Parameters
    ----------
    accelerator : Accelerator
        Without units for eight bits it computes in sixteen.
    precision : str
        Of the work; eight bits have a larger peak, and reach less of it.
    mixture : bool
        Whether a token passes through a part of the parameters only. In 16 bit mixtures of experts
        reach less than dense models; in eight bits only mixtures have told their hours, and for a
        dense model the gain over 16 bit lies between none and theirs.
    """
    eight = precision in EIGHT_BITS and precision in accelerator.peak_flops
    if eight:
        kind = "training_mfu_8bit" if mixture else "training_mfu_8bit_dense"
        return replace(named(TABLE, kind), name="training_mfu", key=f"{_kind(mixture)}, 8 bit")
    if mixture:
        return replace(named(TABLE, "training_mfu_mixture"), name="training_mfu", key=_kind(mixture))
    generation = generation_of(accelerator.id)
    row = f"training_mfu_{generation}" if generation else "training_mfu"
    return replace(named(TABLE, row), name="training_mfu", key=f"dense, {generation or 'any accelerator'}")


def _kind(mixture: bool) -> str:
    return "mixture of experts" if mixture else "dense"


def generation_of(accelerator_id: str) -> str:
    """The generation of which enough trainings told their hours; empty for all others.

    Parameters
    ----------
    accelerator_id : str
        Of our table.
    """
    kin = (name for name, ids in GENERATIONS.items() if accelerator_id.startswith(ids))
    return next(kin, "")
