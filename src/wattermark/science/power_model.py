"""Load to energy, where no meter is. Linear between idle and full; the interval carries the doubt."""

from __future__ import annotations

import numpy as np

from wattermark.values.boundary import Number
from wattermark.values.units import BYTES_PER_GB


def cpu_active_j(cpu_s: Number, *, idle_w: Number, full_w: Number) -> Number:
    """Energy of processor time, above what the idle processor takes.

    Parameters
    ----------
    cpu_s : float or ndarray
        Processor time, of one logical CPU. [s]
    idle_w, full_w : float or ndarray
        Power of one logical CPU at rest and at work. [W]

    Returns
    -------
    energy_j : float or ndarray
        [J]

    References
    ----------
    .. [1] X. Fan, W.-D. Weber, L. A. Barroso (2007), "Power provisioning for a warehouse-sized
       computer", doi:10.1145/1250662.1250665: power grows about linearly with utilisation.
    """
    return cpu_s * np.maximum(full_w - idle_w, 0.0)  # work takes no less than rest


def cpu_idle_j(duration_s: Number, *, logical_cpus: int, idle_w: Number) -> Number:
    """Energy that the processors take at rest for the whole time. [J]

    Parameters
    ----------
    duration_s : float or ndarray
        [s]
    logical_cpus : int
        Of the machine.
    idle_w : float or ndarray
        Power of one logical CPU at rest. [W]
    """
    return duration_s * logical_cpus * idle_w


def memory_j(duration_s: Number, *, memory_b: float, w_per_gb: Number) -> Number:
    """Energy of installed memory: it takes about the same whether it is used or not.

    Parameters
    ----------
    duration_s : float or ndarray
        [s]
    memory_b : float
        [B]
    w_per_gb : float or ndarray
        [W / GB]

    Returns
    -------
    energy_j : float or ndarray
        [J]
    """
    return duration_s * memory_b / BYTES_PER_GB * w_per_gb
