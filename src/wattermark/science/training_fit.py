"""What share of the peak trainings reached, from published runs, and how well that tells one not seen.

Many sizes of one paper share a cluster, a code and a team, so every paper counts the same, however many
runs it tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.science.serving_fit import model_weights

Array = NDArray[np.float64]
PERCENTILES: Final = (0.05, 0.5, 0.95)
ENOUGH: Final = 10
"""Papers, from which on their own percentiles are taken."""
_NORMAL_95: Final = 1.645


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Each run as the other papers tell it: what they expect, and whether their band holds it."""

    expected: Array
    inside: NDArray[np.bool_]


def spread(values: Array, papers: Sequence[str]) -> float:
    """Standard deviation of the logarithms; every paper counts the same. [1]

    Parameters
    ----------
    values : ndarray
        Above 0, shape (runs,).
    papers : sequence of str
        The paper of each run.
    """
    weights = model_weights(list(papers)) ** 2
    logs = np.log(values)
    around = logs - np.average(logs, weights=weights)
    return float(np.sqrt(np.average(around**2, weights=weights)))


def quantiles(values: Array, papers: Sequence[str], at: Sequence[float] = PERCENTILES) -> Array:
    """Percentiles in which every paper counts the same, shape (at,).

    Parameters
    ----------
    values : ndarray
        Shape (runs,).
    papers : sequence of str
        The paper of each run.
    at : sequence of float
        Which, between 0 and 1. [1]
    """
    order = np.argsort(values)
    weights = (model_weights(list(papers)) ** 2)[order]
    below = np.cumsum(weights) - weights / 2
    return np.asarray(np.interp(at, below / weights.sum(), values[order]), np.float64)


def percentiles(values: Array, papers: Sequence[str], *, usual_spread: float) -> Array:
    """The 5th, 50th and 95th percentile of a run that is to come, shape (3,).

    From ``ENOUGH`` papers on, those of the runs. Fewer do not know their own tails: then the middle is
    their geometric mean, and the ends are those of a log-normal as wide as ``usual_spread``, wider by
    ``sqrt(1 + 1 / papers)`` since the middle is not known either.

    Parameters
    ----------
    values : ndarray
        Above 0, shape (runs,).
    papers : sequence of str
        The paper of each run.
    usual_spread : float
        As of ``spread``, of a kind of runs of which there are enough. [1]

    References
    ----------
    .. [1] A. Gelman et al., "Bayesian Data Analysis", 3rd ed., section 2.5 and 5.4: prediction with a
       spread that groups share.
    """
    count = len(set(papers))
    if count >= ENOUGH:
        return quantiles(values, papers)
    middle = np.average(np.log(values), weights=model_weights(list(papers)) ** 2)
    wide = _NORMAL_95 * usual_spread * np.sqrt(1 + 1 / count)
    return np.asarray(np.exp(middle + wide * np.array([-1.0, 0.0, 1.0])), np.float64)


def leave_one_paper_out(values: Array, papers: Sequence[str], *, usual_spread: float) -> LeftOut:
    """Tell every paper's runs by those of all other papers.

    Parameters
    ----------
    values, papers, usual_spread
        As of ``percentiles``; of at least two papers.
    """
    names = np.asarray(papers)
    expected, inside = np.empty(len(values)), np.zeros(len(values), np.bool_)
    for name in np.unique(names):
        out = names == name
        low, best, high = percentiles(values[~out], names[~out].tolist(), usual_spread=usual_spread)
        expected[out], inside[out] = best, (values[out] >= low) & (values[out] <= high)
    return LeftOut(expected, inside)


def share_of(runs: NDArray[np.bool_], papers: Sequence[str]) -> float:
    """The share of runs of which something holds; every paper counts the same. [1]

    Parameters
    ----------
    runs : ndarray of bool
        Shape (runs,).
    papers : sequence of str
        The paper of each run.
    """
    return float(np.average(runs, weights=model_weights(list(papers)) ** 2))


def times_off(values: Array, expected: Array | float) -> Array:
    """How many times too large or too small, at least 1, shape (runs,). [1]

    Parameters
    ----------
    values : ndarray
        Above 0.
    expected : ndarray or float
        Above 0.
    """
    return np.asarray(np.exp(np.abs(np.log(values / expected))), np.float64)
