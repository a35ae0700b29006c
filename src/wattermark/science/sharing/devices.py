"""Who used the energy: what a device drew, shared among the run, other programs and idle.

Whatever the weights, the parts add up to the whole: no joule is lost, none is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.sharing.arrays import part_of
from wattermark.values.boundary import Number


class Shares(NamedTuple):
    """Three parts of one energy, all in J."""

    run_j: float
    others_j: float
    idle_j: float


def share_by_cpu_time(
    energy_j: ArrayLike,
    *,
    run_s: ArrayLike,
    busy_s: ArrayLike,
    capacity_s: ArrayLike,
    idle_fraction: float,
) -> Shares:
    """Share a processor's energy by processor time, idle apart.

    At rest a processor draws ``idle_fraction`` of its full power, and grows linearly with load
    from there: what it would have drawn at rest is idle, the rest is shared by time.

    Parameters
    ----------
    energy_j : array_like, shape (n,)
        What the processor drew in each slot. [J]
    run_s, busy_s, capacity_s : array_like, shape (n,)
        Processor time of the run, of all programs, and of all processors together. [s]
    idle_fraction : float
        Idle power over full power. [1]

    Returns
    -------
    Shares
        ``run_j + others_j + idle_j`` is ``energy_j.sum()``. [J]

    References
    ----------
    .. [1] X. Fan et al. (2007), doi:10.1145/1250662.1250665 (power linear in utilisation).

    Examples
    --------
    >>> share_by_cpu_time([100.0], run_s=[1.0], busy_s=[2.0], capacity_s=[4.0], idle_fraction=0.0)
    Shares(run_j=50.0, others_j=50.0, idle_j=0.0)
    """
    energy, capacity = np.asarray(energy_j, float), np.asarray(capacity_s, float)
    run = np.clip(np.asarray(run_s, float), 0, capacity)
    busy = np.clip(np.asarray(busy_s, float), run, capacity)
    load = part_of(busy, capacity)
    idle_j = energy * part_of(
        idle_fraction * np.ones_like(load), idle_fraction + (1 - idle_fraction) * load, empty=1.0
    )
    run_j = (energy - idle_j) * part_of(run, busy)
    return Shares(float(run_j.sum()), float((energy - idle_j - run_j).sum()), float(idle_j.sum()))


def share_by_memory(
    energy_j: ArrayLike, *, run_b: ArrayLike, used_b: ArrayLike, installed_b: float
) -> Shares:
    """Share the memory's energy by the memory held; what nobody holds is idle.

    Parameters
    ----------
    energy_j : array_like, shape (n,)
        [J]
    run_b, used_b : array_like, shape (n,)
        Memory of the run, and of all programs. [B]
    installed_b : float
        [B]

    Returns
    -------
    Shares
        The parts add up to ``energy_j.sum()``. [J]
    """
    energy = np.asarray(energy_j, float)
    run = np.clip(np.asarray(run_b, float) / installed_b, 0, 1)
    used = np.clip(np.asarray(used_b, float) / installed_b, run, 1)
    run_j, idle_j = energy * run, energy * (1 - used)
    return Shares(float(run_j.sum()), float((energy - run_j - idle_j).sum()), float(idle_j.sum()))


def share_by_sm_time(
    energy_j: ArrayLike, *, run_s: ArrayLike, all_s: ArrayLike, held: ArrayLike, weight: float
) -> Shares:
    """Share a GPU's energy by the time in which kernels of the run and of others ran.

    In a slot in which anybody computed all of the energy is shared, the rest of the slot too. Where nobody
    did, it is the run's, who holds the GPU; but idle as far as other programs held it as well.

    Parameters
    ----------
    energy_j : array_like, shape (n,)
        What the GPU drew in each slot. [J]
    run_s, all_s : array_like, shape (n,)
        SM time of the run, and of all programs. [s]
    held : array_like, shape (n,)
        Part of the slot in which other programs held the GPU. [1]
    weight : float
        Energy of a second of the run's SM time over that of one of the others'. [1]

    Returns
    -------
    Shares
        ``run_j + others_j + idle_j`` is ``energy_j.sum()``. [J]

    References
    ----------
    .. [1] The Kepler project, GPU power attribution: one user is charged with all, several by SM utilisation.

    Examples
    --------
    >>> share_by_sm_time([80.0, 10.0], run_s=[1.0, 0.0], all_s=[4.0, 0.0], held=[0.0, 1.0], weight=1.0)
    Shares(run_j=20.0, others_j=60.0, idle_j=10.0)
    """
    energy = np.asarray(energy_j, float)
    run = np.maximum(np.asarray(run_s, float), 0.0)
    others = np.maximum(np.asarray(all_s, float) - run, 0.0)
    computed = run + others > 0
    idle_j = np.where(computed, 0.0, energy * np.clip(np.asarray(held, float), 0, 1))
    run_j = np.where(computed, energy * weighted_share(part_of(run, run + others), weight), energy - idle_j)
    return Shares(float(run_j.sum()), float((energy - idle_j - run_j).sum()), float(idle_j.sum()))


def weighted_share(share: Number, weight: Number) -> Number:
    """A share, where a unit of it takes ``weight`` times the energy of a unit of the rest.

    Parameters
    ----------
    share : float or ndarray
        At equal energy. [1]
    weight : float or ndarray
        [1]

    Returns
    -------
    float or ndarray
        Within 0 and 1; ``share`` itself where the weight is 1. [1]

    Examples
    --------
    >>> weighted_share(0.25, 3.0)
    0.5
    """
    mine = share * weight
    return mine / (mine + 1.0 - share)


@dataclass(frozen=True, slots=True)
class SharesBy:
    """Shares as a function of one factor: exact at one value, between the points of a table at many."""

    factor: str
    of: Callable[[float], Shares]
    points: NDArray[np.float64]
    table: NDArray[np.float64]

    @classmethod
    def tabled(cls, factor: str, of: Callable[[float], Shares], points: NDArray[np.float64]) -> SharesBy:
        """Reckon the shares at increasing values of the factor."""
        return cls(factor, of, points, np.array([of(point) for point in points.tolist()]))

    def at(self, value: Number, part: int) -> Number:
        """One of the three shares. [J]"""
        if not isinstance(value, np.ndarray):
            return self.of(value)[part]
        drawn: NDArray[np.float64] = np.interp(value, self.points, self.table[:, part])
        return drawn


def scaled(shares: Shares, total_j: float) -> Shares:
    """The shares of the slots, for the whole: what lies outside any slot is shared alike.

    Parameters
    ----------
    shares : Shares
        Of the slots. [J], or any weight
    total_j : float
        The whole. [J]
    """
    slots_j = sum(shares)
    if slots_j <= 0:
        return Shares(0.0, 0.0, total_j)
    return Shares(*(one_j * (total_j / slots_j) for one_j in shares))


def share_alike(energy_j: Number, like: tuple[Number, Number, Number]) -> tuple[Number, Number, Number]:
    """Another energy, shared as a first one was; idle where there was no first one.

    Parameters
    ----------
    energy_j : float or ndarray
        What is to be shared. [J]
    like : tuple of float or ndarray
        The first one: of the run, of others, idle. [J]

    Returns
    -------
    tuple of float or ndarray
        The same three; they add up to ``energy_j``. [J]
    """
    run, others, idle = (np.asarray(part, float) for part in like)
    whole = run + others + idle
    run_j: Number = energy_j * part_of(run, whole)[()]
    others_j: Number = energy_j * part_of(others, whole)[()]
    return run_j, others_j, energy_j - run_j - others_j
