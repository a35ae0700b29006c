"""Load to energy, where no meter is. Linear between idle and full; the interval carries the doubt.

A load curve may bend to either side of the line, by processor and by what it runs. A cubic of the load,
as some trackers take, lies far below it: at half load it tells an eighth of what is above idle.
"""

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


def cpu_idle_j(duration_s: Number, *, logical_cpus: float, idle_w: Number) -> Number:
    """Energy that the processors take at rest for the whole time. [J]

    Parameters
    ----------
    duration_s : float or ndarray
        [s]
    logical_cpus : float
        Of the machine, or of the part of it that a container may use. [1]
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


def device_j(
    seen_s: float, busy_s: float, *, tdp_w: Number, idle_fraction: Number, busy_fraction: Number
) -> Number:
    """Energy of a device that tells only how busy it is.

    Parameters
    ----------
    seen_s : float
        How long it was looked at. [s]
    busy_s : float
        How much of this it was busy: the integral of its utilisation. [s]
    tdp_w : float or ndarray
        What it may draw. [W]
    idle_fraction, busy_fraction : float or ndarray
        Power at rest and at work, over ``tdp_w``. [1]

    Returns
    -------
    energy_j : float or ndarray
        [J]
    """
    rising = np.maximum(busy_fraction - idle_fraction, 0.0)  # work takes no less than rest
    return tdp_w * (idle_fraction * seen_s + rising * busy_s)
