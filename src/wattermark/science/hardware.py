"""How long hardware was held."""

from __future__ import annotations

from collections.abc import Iterable

from wattermark.science.parts import Parts
from wattermark.values.kinds import Scope


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


def host_time_s(parts: Parts, logical_cpus: int) -> float:
    """Device time of the machine around the work, in the unit that its making is counted in. [s]

    Around accelerators: theirs. Else processor time: of the run, or of the whole machine.

    Parameters
    ----------
    parts : Parts
        What the run held.
    logical_cpus : int
        Of the machine.
    """
    if parts.gpus:
        return device_time_s((channel.share for channel in parts.gpus), parts.duration_s)
    if parts.scope is Scope.PROCESS and parts.load is not None:
        return float(parts.load.run_s.sum())
    return logical_cpus * parts.duration_s
