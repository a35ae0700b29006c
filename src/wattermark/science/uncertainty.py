"""Intervals by shared draws: one factor is one error, wherever it is used.

Each factor has one vector of draws, made from its identity alone. A footprint is computed once
from the best values, exactly, and once from all draws together; the 5th and 95th percentile are
its interval. Two footprints that use one factor share its error without any bookkeeping.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from wattermark.values.boundary import Number
from wattermark.values.factors import Factor
from wattermark.values.footprint import Driver
from wattermark.values.range import Range

DRAWS = 2048
Z_95 = NormalDist().inv_cdf(0.95)
MOST_DRIVERS = 3

Values = Mapping[str, Number]
Evaluate = Callable[[Values], Mapping[str, Number]]


@lru_cache(maxsize=512)
def standard_draws(identity: str) -> NDArray[np.float64]:
    """Standard normal draws of a factor, shape (DRAWS,): one for each equal slice, in an order of its own.

    Parameters
    ----------
    identity : str
        Whose order; the same one gives the same draws in every process.
    """
    seed = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")
    shuffled: NDArray[np.float64] = np.random.Generator(np.random.PCG64(seed)).permutation(_slices())
    shuffled.setflags(write=False)  # it is cached, and shared
    return shuffled


@lru_cache(maxsize=1)
def _slices() -> NDArray[np.float64]:
    return np.array([NormalDist().inv_cdf((i + 0.5) / DRAWS) for i in range(DRAWS)])


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
    return np.maximum(np.where(z < 0, below, above), min(factor.least, value.low))


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
    drawn = evaluate({factor.name: draws(factor) for factor in known})
    return {name: _range(float(value), drawn[name]) for name, value in best.items()}


def _range(best: float, drawn: Number) -> Range:
    low, high = np.percentile(np.broadcast_to(drawn, DRAWS), [5, 95])
    return Range(min(float(low), best), best, max(float(high), best))


def drivers(evaluate: Evaluate, factors: Iterable[Factor], quantity: str) -> tuple[Driver, ...]:
    """The factors that make a quantity's interval wide, the widest first.

    Each is drawn alone, the others at their best; its share is its part of the variances' sum.

    Parameters
    ----------
    evaluate, factors
        As of ``intervals``.
    quantity : str
        Which of the formula's results.
    """
    known = list(factors)
    best: dict[str, Number] = {factor.name: factor.value.best for factor in known}
    variances = {}
    for factor in known:
        if not factor.value.is_exact:
            alone = evaluate({**best, factor.name: draws(factor)})[quantity]
            variances[factor.name] = float(np.var(np.broadcast_to(alone, DRAWS)))
    total = sum(variances.values())
    ranked = sorted(variances.items(), key=lambda item: -item[1])[:MOST_DRIVERS]
    return tuple(
        Driver(quantity=quantity, factor=name, share=variance / total)
        for name, variance in ranked
        if variance > 0
    )
