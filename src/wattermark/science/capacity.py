"""What fits where: memory of a replica, and replicas for a load."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from wattermark.science.serving import cache_bytes, weight_bytes
from wattermark.values.boundary import Number
from wattermark.values.units import BYTES_PER_GB
from wattermark.values.workload import Accelerator, Architecture, Requests

USABLE: Final = 0.95
"""Part of the memory that weights may take; the rest is the engine's."""
CROWDED: Final = 0.95
OVERFULL: Final = 2.0
"""Of the memory, by weights, keys and values: above the one requests wait, the other nobody measured."""


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
    """The fewest accelerators, a power of two, that hold the weights and one request.

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``; a larger batch does not make the replica larger.
    """
    return int(fewest_for(model, requests, accelerator).accelerators)


def fewest_for(model: Architecture, requests: Requests, accelerator: Accelerator) -> Requests:
    """The same requests, on as few accelerators as ``fewest_accelerators``; rows of what-if as well.

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``.
    """
    needed = weight_bytes(model, requests.precision) + cache_bytes(model, requests)
    doublings = np.ceil(np.log2(needed / (accelerator.memory_bytes * USABLE)))
    return replace(requests, accelerators=np.asarray(2.0 ** np.maximum(0.0, doublings), np.float64))


def has_room(model: Architecture, requests: Requests, accelerator: Accelerator) -> Number:
    """Whether the weights fit, and the rest is not far beyond what was ever measured.

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``; rows of what-if as well.
    """
    room = requests.accelerators * accelerator.memory_bytes * USABLE
    holds = np.greater_equal(room, weight_bytes(model, requests.precision))
    return np.logical_and(holds, np.less_equal(fill(model, requests, accelerator), OVERFULL))


def fill(model: Architecture, requests: Requests, accelerator: Accelerator) -> Number:
    """Weights, keys and values of all running requests, over the memory of a replica. [1]

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``.
    """
    needed = weight_bytes(model, requests.precision) + requests.batch * cache_bytes(model, requests)
    return needed / (requests.accelerators * accelerator.memory_bytes)


def most_batch(model: Architecture, requests: Requests, accelerator: Accelerator) -> int:
    """How many such requests fit at a time beside the weights, at least one. [1]

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``.
    """
    room = requests.accelerators * accelerator.memory_bytes * USABLE
    left = room - weight_bytes(model, requests.precision)
    kept = float(cache_bytes(model, requests))
    return max(1, int(float(left) / kept)) if kept else int(requests.batch)


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
