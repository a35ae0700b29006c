"""From the first steps of a run to all of it: what is left, and how sure that is.

The first steps warm up (they compile, fill caches, choose kernels) and say nothing of the others. The
rest vary about a level, which may drift; an interval holds the noise to come, what is not known of the
level, and a drift where one was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.science.uncertainty import Z_95
from wattermark.values.range import Range

Steps = NDArray[np.float64]

ODD: Final = 4.0
"""How many robust deviations from the middle make a leading step one of the warm-up."""
LEAST_SPREAD: Final = 0.02
"""Of the middle: steps that are nearer to each other are still told apart by no less."""
PRIOR_SPREAD, PRIOR_STEPS = 0.05, 2.0
"""What steps usually vary by, over their mean, and for how many steps of one's own that counts."""
ONE_STEP: Final = (0.3, 1.5)
"""What a single step leaves open: it may have been the warm-up, as may two."""
WANDERS: Final = 0.3
"""How far a level wanders unseen over a run, in deviations of a step."""
FLOOR: Final = 0.01
"""No forecast is surer than this, over its best value."""
BLOCKS: Final = 4
DRIFTS: Final = 2.6
"""Blocks whose means differ by more than so many times what noise makes (chi-squared, 95 %) drift."""


def warm_up_steps(steps: Sequence[float]) -> int:
    """How many of the first steps are unlike the others.

    Parameters
    ----------
    steps : sequence of float
        Of energy or time, each above zero.
    """
    if len(steps) < 2:
        return 0
    x = np.asarray(steps, np.float64)
    later = x[max(1, len(x) // 3) :]
    middle = float(np.median(later))
    spread = 1.4826 * float(np.median(np.abs(later - middle)))
    limit = ODD * max(spread, LEAST_SPREAD * middle)
    odd = np.abs(x[:-1] - middle) > limit
    return int(np.argmin(odd)) if not odd.all() else len(x) - 1


def what_is_left(steps: Sequence[float], left: int) -> Range:
    """The sum of the steps to come, 90 %.

    Parameters
    ----------
    steps : sequence of float
        Those that are done, in their order, warm-up included; at least one.
    left : int
        How many are to come. [1]

    Returns
    -------
    Range
        In the unit of the steps.
    """
    if left <= 0:
        return Range.exact(0.0)
    x = np.asarray(steps, np.float64)
    y = x[warm_up_steps(steps) :]
    if len(x) == 1:
        best = float(x[0]) * left
        return Range(ONE_STEP[0] * best, best, ONE_STEP[1] * best)
    level, level_var, drift_var = _level(y, left)
    noise_var, freedom = _noise(y)
    unseen_var = WANDERS**2 * noise_var * left / (left + len(y))
    spread = np.sqrt(left**2 * (level_var + drift_var + unseen_var) + left * noise_var)
    best = level * left
    reach = max(_student(freedom) * float(spread), FLOOR * best)
    low = best - reach if len(x) > 2 else ONE_STEP[0] * best
    return Range(max(low, 0.0), best, best + reach)


def _noise(y: Steps) -> tuple[float, float]:
    """Variance of a step, and its degrees of freedom; a few steps lean on what is usual."""
    own = float(((y - y.mean()) ** 2).sum())
    usual = (PRIOR_SPREAD * float(y.mean())) ** 2
    freedom = len(y) - 1 + PRIOR_STEPS
    return (own + PRIOR_STEPS * usual) / freedom, freedom


def _level(y: Steps, left: int) -> tuple[float, float, float]:
    """The level to come, the variance of what is known of it, and of where it may drift."""
    noise_var, _ = _noise(y)
    if len(y) < 2 * BLOCKS:
        return float(y.mean()), noise_var / len(y), 0.0
    size = len(y) // BLOCKS
    means = y[len(y) - size * BLOCKS :].reshape(BLOCKS, size).mean(axis=1)
    within = _within(y) / size
    between = float(means.var(ddof=1))
    if between <= DRIFTS * within:
        return float(y.mean()), max(noise_var, between * size) / len(y), 0.0
    per_block = between - within
    return float(means[-2:].mean()), between / 2, per_block * left / size / 3


def _within(y: Steps) -> float:
    """Variance of the noise alone, by neighbours: a drift hardly moves these."""
    return float((np.diff(y) ** 2).mean()) / 2


def _student(freedom: float) -> float:
    """The 95th percentile of Student's t.

    References
    ----------
    .. [1] Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5.
    """
    z, n = Z_95, freedom
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


def as_wide_as_both(first: Range, second: Range) -> Range:
    """A product of two independent ranges: best values multiply, logarithmic reaches add as squares.

    Parameters
    ----------
    first, second : Range
        Best values above zero.
    """
    best = first.best * second.best
    if best <= 0:
        return Range.exact(0.0)
    down = np.hypot(_reach(first.best, first.low), _reach(second.best, second.low))
    up = np.hypot(_reach(first.high, first.best), _reach(second.high, second.best))
    return Range(best * float(np.exp(-down)), best, best * float(np.exp(up)))


def _reach(large: float, small: float) -> float:
    return float(np.log(large / max(small, large * 1e-3)))


def remaining(to_come: Range, under_way: float) -> Range:
    """What is left of steps of which one is under way for some time.

    Parameters
    ----------
    to_come : Range
        All steps that are not closed.
    under_way : float
        Since the last one was closed; in the same unit.
    """
    return Range(*(max(end - under_way, 0.0) for end in (to_come.low, to_come.best, to_come.high)))


def later(left: Range, now: float) -> Range:
    """A moment, by what is left until it.

    Parameters
    ----------
    left : Range
        From now on.
    now : float
        In the same unit.
    """
    return left.plus(Range.exact(now))


def whole_over_done(done: float, left: Range) -> Range:
    """How many times what is done all of it will be. [1]

    Parameters
    ----------
    done : float
        Above zero.
    left : Range
        In the same unit.
    """
    return Range(1 + left.low / done, 1 + left.best / done, 1 + left.high / done)
