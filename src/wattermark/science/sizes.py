"""What the size of a model tells: its shape where nothing else is known, and the memory that it takes."""

from __future__ import annotations

from typing import Final

from wattermark.values.units import BYTES_PER_GB
from wattermark.values.workload import Accelerator

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


def weights_gigabytes(params: float) -> float:
    """Memory of weights in 16 bit. [GB]

    Parameters
    ----------
    params : float
        All of them. [1]
    """
    return params * 2 / BYTES_PER_GB


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


def experts_like(params: float, active_params: float) -> int:
    """Experts of a mixture of which only the sizes are known, if a token goes through one of them.

    Parameters
    ----------
    params, active_params : float
        All, and those that a token passes through. [1]
    """
    return max(1, round(params / active_params))


def layers_like(params: float) -> float:
    """How deep a model of that size usually is; for models of which only the size is known.

    Parameters
    ----------
    params : float
        All parameters. [1]
    """
    return float(min(max(32.0 * (params / 8e9) ** (1 / 3), 6.0), 128.0))
