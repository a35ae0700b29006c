"""What fits where: memory of a replica, and replicas for a load."""

from __future__ import annotations

import math

from wattermark.science.serving import cache_bytes, weight_bytes
from wattermark.values.workload import Accelerator, Architecture, Requests

USABLE = 0.95
"""Part of the memory that weights may take; keys and values are moved out or queued where they do not fit."""
BYTES_PER_GB = 1e9


def fits(model: Architecture, requests: Requests, accelerator: Accelerator) -> bool:
    """Whether the weights fit in the memory of a replica.

    Parameters
    ----------
    model : Architecture
        Its parameters.
    requests : Requests
        Its precision and accelerators count.
    accelerator : Accelerator
        Its memory.
    """
    room = float(requests.accelerators) * accelerator.memory_bytes * USABLE
    return weight_bytes(model, requests.precision) <= room


def fewest_accelerators(model: Architecture, requests: Requests, accelerator: Accelerator) -> int:
    """The fewest accelerators, a power of two, that hold the weights and the running requests.

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``.
    """
    needed = weight_bytes(model, requests.precision) + float(cache_bytes(model, requests))
    return int(2 ** max(0, math.ceil(math.log2(needed / (accelerator.memory_bytes * USABLE)))))


def gigabytes(model: Architecture, requests: Requests) -> float:
    """Memory of the weights. [GB]

    Parameters
    ----------
    model, requests
        As of ``fits``.
    """
    return weight_bytes(model, requests.precision) / BYTES_PER_GB


def fewest_replicas(busy: float) -> int:
    """Replicas for a load.

    Parameters
    ----------
    busy : float
        Replicas that work all the time. [1]
    """
    return math.ceil(busy)


def daily_utilisation(busy: float, replicas: int) -> float:
    """Share of its time in which each replica works.

    Parameters
    ----------
    busy : float
        Replicas that would work all the time. [1]
    replicas : int
        Those that are held. [1]
    """
    return busy / replicas
