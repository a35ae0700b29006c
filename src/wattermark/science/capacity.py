"""What fits where: memory of a replica, and replicas for a load."""

from __future__ import annotations

import math
from typing import Final

from wattermark.science.serving import cache_bytes, weight_bytes
from wattermark.values.units import BYTES_PER_GB
from wattermark.values.workload import Accelerator, Architecture, Requests

USABLE: Final = 0.95
"""Part of the memory that weights may take; the rest is the engine's."""


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
    needed = weight_bytes(model, requests.precision) + float(cache_bytes(model, requests))
    return int(2 ** max(0, math.ceil(math.log2(needed / (accelerator.memory_bytes * USABLE)))))


def fill(model: Architecture, requests: Requests, accelerator: Accelerator) -> float:
    """Weights, keys and values of all running requests, over the memory of a replica. [1]

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``.
    """
    needed = weight_bytes(model, requests.precision) + requests.batch * cache_bytes(model, requests)
    return float(needed / (requests.accelerators * accelerator.memory_bytes))


def most_batch(model: Architecture, requests: Requests, accelerator: Accelerator) -> int:
    """How many such requests fit at a time beside the weights, at least one. [1]

    Parameters
    ----------
    model, requests, accelerator
        As of ``fits``.
    """
    room = requests.accelerators * accelerator.memory_bytes * USABLE
    left = room - weight_bytes(model, requests.precision)
    return max(1, int(left / cache_bytes(model, requests)))


TRAINING_BYTES: Final = {"full": 16.0, "dpo": 18.0, "rl": 18.0, "lora": 2.0, "qlora": 0.6}
"""Memory of a parameter while training: weights, gradients and Adam's moments in mixed precision; a reference
model beside them; frozen weights, in 16 or in 4 bits."""


def training_gigabytes(params: float, method: str) -> float:
    """Memory that the parameters take while training, activations aside. [GB]

    Parameters
    ----------
    params : float
        All of them. [1]
    method : str
        One of ``TRAINING_BYTES``.

    References
    ----------
    .. [1] S. Rajbhandari et al., "ZeRO", arXiv:1910.02054, section 3: 16 bytes a parameter.
    """
    return params * TRAINING_BYTES[method] / BYTES_PER_GB


def memory_gigabytes(accelerator: Accelerator, count: float) -> float:
    """Memory of some accelerators. [GB]

    Parameters
    ----------
    accelerator : Accelerator
        Of one kind.
    count : float
        [1]
    """
    return accelerator.memory_bytes * count / BYTES_PER_GB


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
