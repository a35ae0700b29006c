"""Intervals by shared draws: one factor is one error, wherever it is used.

Each factor has one vector of draws, made from its identity alone. A footprint is computed once
from the best values, exactly, and once from all draws together; the 5th and 95th percentile are
its interval. Two footprints that use one factor share its error without any bookkeeping.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from wattermark.values.boundary import Number
from wattermark.values.factors import Factor
from wattermark.values.footprint import Driver
from wattermark.values.range import Range

FIFTH = 64
DRAWS = 20 * FIFTH + 10
"""So many that the 5th percentile is draw number FIFTH; other draws would move an end by 1 to 3 %."""
SLICES = 43
"""Values at which each factor is looked at, when it moves alone; a divisor of DRAWS."""
Z_95 = 1.6448536269514722
"""Standard deviations below which 95 % of a normal distribution lie."""
MOST_DRIVERS = 3
NO_SHARE = 1e-12
"""A share of the variance, or a variance, that is nothing but rounding."""

Values = Mapping[str, Number]
Evaluate = Callable[[Values], Mapping[str, Number]]


@lru_cache(maxsize=512)
def standard_draws(identity: str) -> NDArray[np.float64]:
    """Standard normal draws of a factor, shape (DRAWS,): one for each equal slice, in an order of its own.

    Parameters
    ----------
    identity : str
        Whose order; the same one gives the same draws in every process.

    References
    ----------
    .. [1] G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
       doi:10.1145/2660193.2660195: the mixing of a counter. (``numpy.random`` takes longer to import.)
    """
    counter = np.arange(1, DRAWS + 1, dtype=np.uint64) | np.uint64(zlib.crc32(identity.encode()) << 32)
    mixed = counter * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    shuffled = _slices()[np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")]
    shuffled.setflags(write=False)  # it is cached, and shared
    return shuffled


@lru_cache(maxsize=1)
def _slices() -> NDArray[np.float64]:
    """The middle of each of DRAWS equal slices of the normal distribution, to 1e-5.

    The ``statistics`` module has its inverse, and takes longer to import than all draws together.
    """
    z = np.linspace(-5.0, 5.0, 4001)
    below = [0.5 * (1 + erf(value / sqrt(2))) for value in z.tolist()]
    return np.interp((np.arange(DRAWS) + 0.5) / DRAWS, below, z)


@lru_cache(maxsize=4096)
def draws(factor: Factor) -> NDArray[np.float64]:
    """Values of a factor, shape (DRAWS,): median at best, 5 % below low, 5 % above high.

    Each side is lognormal where both its ends are above zero, else normal, and no draw passes
    the physical bound ``factor.least``.

    Parameters
    ----------
    factor : Factor
        In its own unit.
    """
    z = standard_draws(factor.identity)
    value = factor.value
    below = _side(z, value.best, value.low)
    above = _side(z, value.best, value.high)
    drawn: NDArray[np.float64] = np.maximum(np.where(z < 0, below, above), min(factor.least, value.low))
    drawn.setflags(write=False)  # it is cached, and shared
    return drawn


def _side(z: NDArray[np.float64], best: float, end: float) -> NDArray[np.float64]:
    reach = np.abs(z) / Z_95
    if best > 0 and end > 0:
        return best * np.asarray(np.exp(np.log(end / best) * reach), np.float64)
    return best + (end - best) * reach


def intervals(evaluate: Evaluate, factors: Iterable[Factor]) -> dict[str, Range]:
    """Every quantity of a formula as a range.

    Parameters
    ----------
    evaluate : callable
        From a value for each factor, by its name, to the quantities; takes numbers or arrays.
    factors : iterable of Factor
        Names must differ.

    Returns
    -------
    dict of Range
        Best: the formula at the best values. Ends: 5th and 95th percentile over the draws.
    """
    known = list(factors)
    best = evaluate({factor.name: factor.value.best for factor in known})
    drawn = evaluate({factor.name: _drawn(factor) for factor in known})
    found = {name: Range.exact(float(value)) for name, value in best.items()}
    for name, value in drawn.items():
        if isinstance(value, np.ndarray):
            found[name] = _around(found[name].best, value)
    return found


def _drawn(factor: Factor) -> Number:
    """Draws, or the value itself where nobody doubts it: it then widens no array."""
    return factor.value.best if factor.value.is_exact else draws(factor)


def _around(best: float, drawn: NDArray[np.float64]) -> Range:
    """From the 5th to the 95th percentile."""
    ordered = np.partition(drawn, (FIFTH, DRAWS - 1 - FIFTH))
    return Range(min(float(ordered[FIFTH]), best), best, max(float(ordered[-1 - FIFTH]), best))


def drivers(evaluate: Evaluate, factors: Iterable[Factor], quantities: Iterable[str]) -> tuple[Driver, ...]:
    """The factors that make each quantity's interval wide, the widest first.

    Each is moved alone, the others at their best; its share is its part of the variances' sum.
    All are moved in one evaluation: row i of every array holds the world in which factor i moves.

    Parameters
    ----------
    evaluate, factors
        As of ``intervals``.
    quantities : iterable of str
        Which of the formula's results.
    """
    known = list(factors)
    doubtful = [factor for factor in known if not factor.value.is_exact]
    if not doubtful:
        return ()
    worlds: dict[str, Number] = {factor.name: factor.value.best for factor in known}
    for i, factor in enumerate(doubtful):
        column = np.full((len(doubtful), SLICES), factor.value.best)
        column[i] = _sliced(factor)
        worlds[factor.name] = column
    moved = evaluate(worlds)
    shape = (len(doubtful), SLICES)
    return tuple(
        driver
        for quantity in quantities
        for driver in _ranked(quantity, doubtful, _relative(np.broadcast_to(moved[quantity], shape)))
    )


def _relative(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance of each row over the square of the mean, shape (rows,)."""
    return np.asarray(moved.var(axis=1) / max(float(moved.mean()) ** 2, np.finfo(float).tiny), np.float64)


def _ranked(quantity: str, factors: list[Factor], variances: NDArray[np.float64]) -> Iterator[Driver]:
    total = float(variances.sum())
    if total < NO_SHARE:
        return
    for i in np.argsort(-variances, kind="stable")[:MOST_DRIVERS]:
        if variances[i] > total * NO_SHARE:
            yield Driver(quantity=quantity, factor=factors[i].name, share=float(variances[i]) / total)


@lru_cache(maxsize=4096)
def _sliced(factor: Factor) -> NDArray[np.float64]:
    """The factor's draws in order, each slice of equal chance by its middle one, shape (SLICES,)."""
    step = DRAWS // SLICES
    return np.sort(draws(factor))[step // 2 :: step]
