"""What a batch script needs, before it runs: how long, and how much energy."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from wattermark.errors import FactorNotFound, UsageError
from wattermark.factors.table import named
from wattermark.levers.sbatch_options import Asked
from wattermark.report.numbers import ENERGY, TIME, say
from wattermark.science.schedule.queued import NOMINAL_W, asked_power_w, energy_over_j, power_of_w
from wattermark.verbs.estimates.ground import accelerator_of, training_power
from wattermark.verbs.look import Seen, last_of
from wattermark.verbs.pausing import worked_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """How long and how much, and how that is known. Without ``known`` only the time is planned."""

    duration_s: float
    it_energy_j: float
    known: bool
    said: tuple[str, ...]


def needs_of(
    asked: Asked, name: str, ledger: Path, *, duration_s: float | None, it_energy_j: float | None
) -> Needs:
    """As given, as in the last run of that name, else as asked of SLURM.

    Raises
    ------
    UsageError
        If nobody knows how long it takes.
    """
    last = last_of(ledger, name) if duration_s is None or it_energy_j is None else None
    lasted_s = worked_s(ledger, last) if last else 0.0
    length_s, how_long = _length(asked, name, duration_s, last, lasted_s)
    if it_energy_j is not None:
        return Needs(duration_s=length_s, it_energy_j=it_energy_j, known=True, said=(how_long,))
    power_w, how_much = _power(asked, last, lasted_s)
    if power_w is None:
        nominal_j = energy_over_j(NOMINAL_W, length_s)
        return Needs(duration_s=length_s, it_energy_j=nominal_j, known=False, said=(how_long, how_much))
    energy_j = energy_over_j(power_w, length_s)
    said = (how_long, f"it takes {say(energy_j, ENERGY)} of IT energy, {how_much}")
    return Needs(duration_s=length_s, it_energy_j=energy_j, known=True, said=said)


def _length(
    asked: Asked, name: str, given_s: float | None, last: Seen | None, lasted_s: float
) -> tuple[float, str]:
    if given_s is not None:
        return given_s, f"it runs {say(given_s, TIME)}, as given"
    limit_s = asked.limit_s if asked.limit_s is not None and isfinite(asked.limit_s) else None
    if last is not None:
        length_s = lasted_s if limit_s is None else min(lasted_s, limit_s)
        return length_s, f"it runs {say(length_s, TIME)}, as {last.run} did"
    if limit_s is not None:
        return limit_s, f"it runs {say(limit_s, TIME)} at most, as its --time says"
    raise UsageError(
        f"how long {name} runs is not known: it has no --time, and no run of that name ended well",
        fix="Give --hours",
    )


def _power(asked: Asked, last: Seen | None, lasted_s: float) -> tuple[float | None, str]:
    """Mean power, and how it is known; None where it is not. [W]"""
    if last is not None and last.footprint.it_energy_j is not None:
        power_w = power_of_w(last.footprint.it_energy_j.best, lasted_s)
        return power_w, f"by the mean power of {last.run}"
    cpu = named("defaults", "cpu_full_w_per_logical_cpu")
    if not asked.gpus:
        power_w = asked_power_w(cpus=asked.cpus, gpus=0, cpu=cpu, gpu_powers={}, gpu_factors=())
        return power_w, f"by the usual power of {asked.cpus} logical CPUs at work (--energy knows better)"
    if not asked.gpu:
        return (
            None,
            "its GPUs have no name, so that its energy is not known: only the time is planned (--energy)",
        )
    try:
        accelerator = accelerator_of(asked.gpu)
    except (UsageError, FactorNotFound):
        return None, f"no GPU {asked.gpu!r} is known, nor its energy: only the time is planned (--energy)"
    power = training_power(accelerator)
    power_w = asked_power_w(
        cpus=asked.cpus, gpus=asked.gpus, cpu=cpu, gpu_powers=power.powers, gpu_factors=power.factors
    )
    return power_w, f"by the usual power of {asked.gpus} {accelerator.id} that train (--energy knows better)"
