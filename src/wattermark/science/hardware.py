"""How long hardware was held."""

from __future__ import annotations

from collections.abc import Iterable

from wattermark.science.parts import Parts
from wattermark.values.kinds import Quality, Scope


def device_time_s(shares: Iterable[float], duration_s: float) -> float:
    """Device time of accelerators of one kind. [s]

    Parameters
    ----------
    shares : iterable of float
        The part of each device that was ours. [1]
    duration_s : float
        [s]
    """
    return sum(shares) * duration_s


def host_time_s(parts: Parts, logical_cpus: int, cpu_limit: float | None = None) -> float:
    """Device time of the machine around the work, in the unit that its making is counted in. [s]

    Around accelerators: theirs. Else processor time: of the run, or of the whole machine.

    Parameters
    ----------
    parts : Parts
        What the run held.
    logical_cpus : int
        Of the machine.
    cpu_limit : float, optional
        Of the container, which is the machine where no meter tells of the CPU or of the node. [1]
    """
    if parts.gpus:
        return device_time_s((channel.share for channel in parts.gpus), parts.duration_s)
    if parts.scope is Scope.PROCESS and parts.load is not None:
        return float(parts.load.run_s.sum())
    in_container = models_cpu(parts) and not parts.wall
    held = min(logical_cpus, cpu_limit or logical_cpus) if in_container else logical_cpus
    return held * parts.duration_s


def models_cpu(parts: Parts) -> bool:
    """Whether the processor's energy is a model's, as no meter told it.

    Parameters
    ----------
    parts : Parts
        Of a run.
    """
    return any(term.kind == "cpu" and term.quality is Quality.MODELLED for term in parts.terms)
