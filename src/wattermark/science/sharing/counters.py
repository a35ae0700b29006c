"""What a token costs, from an engine's counters beside a meter: least squares that a prior holds in place.

In each window the meter's joules are taken for the sum of what was read, written, looked at and waited:
``E = read * x_read + written * x_written + steps * x_step + context * x_context + seconds * x_idle``. Windows
of one server are much alike, so some of these cannot be told apart by data alone: each coefficient is drawn
towards the serving prior, as strongly as data leave it open, and it is said which ones the data told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Cost, Floats
from wattermark.science.sharing.nnls import nnls
from wattermark.science.sharing.rounds import Counted, Rounds
from wattermark.values.range import Range

NINETY = 1.645
"""Standard deviations on either side that hold 90 % of a Gaussian. [1]"""
SPREAD = 1.0
"""Standard deviation of the prior over its value: a factor of two, either way. [1]"""
FINE = 1e-3
"""No meter is truer than so much of a window's energy. [1]"""
LEAST_J = 1e-9
"""A meter that saw less tells nothing. [J]"""
EXACT = Range.exact(1.0)
FEW = 3
"""Fewer windows tell the scale of the prior, and nothing else."""
TURNS = 4
VARIES = 1e-3
"""Windows that differ by less than this part of their mean have nothing to explain. [1]"""
OF_ENGINE = {
    "read": ("input token", "J/token"),
    "written": ("output token", "J/token"),
    "step": ("engine step", "J/step"),
    "context": ("token of context looked at", "J/token"),
}
IDLE = ("waiting", "W")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What the columns of one engine cost before anything was measured [J], and the power at rest.

    ``absolute`` is False where the model or the accelerator is not known: then only the proportions hold.
    The power at rest is ``idle_fraction`` of ``rated_w``, or of the highest power that was seen where that is
    None. ``error`` is what was measured elsewhere over what is expected so. [1]
    """

    cost: Cost
    absolute: bool
    idle_fraction: float
    rated_w: float | None = None
    error: Range = EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the fit: whose it is (None: the time of all), its name, amounts (n,), its prior. [J]"""

    engine: int | None
    name: str
    amount: Floats
    prior_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Coefficients by column (k,) [J], their priors, how far the data told each [1], and what is left.

    ``residual_j`` (n,) is nan where a window was not used. ``r2`` and ``condition`` as of ``Watched``.
    """

    value_j: Floats
    prior_j: Floats
    told: Floats
    residual_j: Floats
    r2: float | None
    condition: float | None

    @property
    def range_j(self) -> tuple[Floats, Floats]:
        """The ends of their 90 % intervals, (k,) each; none below zero. [J]"""
        off = NINETY * SPREAD * self.prior_j * np.sqrt(1 - self.told)
        return np.maximum(self.value_j - off, 0.0), self.value_j + off


def columns_of(rounds: Rounds, priors: Sequence[Prior], energy_j: Floats) -> list[Column]:
    """The columns of all engines, and the time.

    Parameters
    ----------
    rounds : Rounds
        What was counted.
    priors : sequence of Prior
        One an engine.
    energy_j : ndarray, shape (n,)
        Of the windows, for the power at rest where nobody knows it; nan is a gap. [J]
    """
    found = [column for i, one in enumerate(rounds.engines) for column in _of_engine(i, one, priors[i])]
    power_w = energy_j / rounds.length_s
    highest_w = float(np.nanmax(power_w)) if np.isfinite(power_w).any() else 0.0
    rest_w = [one.idle_fraction * (highest_w if one.rated_w is None else one.rated_w) for one in priors[:1]]
    return [*found, Column(engine=None, name="idle", amount=rounds.length_s, prior_j=sum(rest_w))]


def _of_engine(i: int, one: Counted, prior: Prior) -> list[Column]:
    cost = prior.cost
    running = max(float(np.nanmean(one.running[one.busy])) if _any(one.running[one.busy]) else 1.0, 1.0)
    step_j = cost.step_j + cost.experts_j * (1 - cost.missed**running)
    steps, context = _any(one.steps), _any(one.context)
    priors = {
        "read": cost.read_token_j,
        "written": cost.written_token_j + (0.0 if steps else step_j / running),
        "step": step_j if steps else 0.0,
        "context": cost.context_token_j + _in_sight_j(one, cost) + 2 * cost.pair_j if context else 0.0,
    }
    amounts = {"read": one.read, "written": one.written, "step": one.steps, "context": one.context}
    return [
        Column(engine=i, name=name, amount=np.nan_to_num(amounts[name]), prior_j=prior_j)
        for name, prior_j in priors.items()
        if prior_j > 0 and _any(amounts[name])
    ]


def _in_sight_j(one: Counted, cost: Cost) -> float:
    """What layers that see so many tokens at most cost for each token of context, in the mean. [J]"""
    written, context = float(np.nansum(one.written)), float(np.nansum(one.context))
    each = context / written if written > 0 else 0.0
    return cost.window_token_j * min(1.0, cost.window_tokens / each) if each > 0 else cost.window_token_j


def _any(amount: Floats) -> bool:
    return bool(np.nan_to_num(amount).any())


def fit_columns(
    columns: Sequence[Column], energy_j: Floats, usable: NDArray[np.bool_], *, absolute: bool
) -> Fit:
    """Coefficients at or above zero: the most likely ones, given data and prior.

    First one scale for all priors and the power at rest, then each by itself. How far windows scatter is
    taken from what is left over, and weighs them against the prior.

    Parameters
    ----------
    columns : sequence of Column
        Shape (n,) each; the time among them.
    energy_j : ndarray, shape (n,)
        What the meter saw. [J]
    usable : ndarray of bool, shape (n,)
        Windows to fit to.
    absolute : bool
        Whether the prior's scale is known; else only its proportions are.

    Returns
    -------
    Fit
        With no usable window, the prior itself.

    References
    ----------
    .. [1] A. Tarantola, Inverse Problem Theory (2005), doi:10.1137/1.9780898717921, chapter 3: a Gaussian
       prior, and the part of its variance that data resolve.
    """
    a = np.column_stack([one.amount for one in columns])[usable]
    e = energy_j[usable]
    prior = np.array([one.prior_j for one in columns])
    timed = np.array([one.engine is None for one in columns])
    if e.sum() <= LEAST_J:
        return _as_held(prior, len(energy_j))
    prior, left = _scaled(a, e, prior, timed, absolute=absolute)
    size = float(np.sqrt(np.mean(e**2)))
    sigma = max(left, FINE * size) if len(e) >= FEW else size
    found, told = prior, np.zeros(len(prior))
    for _ in range(TURNS):
        found, told = _drawn(a, e, prior, sigma)
        if len(e) >= FEW:
            freedom = max(len(e) - float(told.sum()), 1.0)
            sigma = max(float(np.sqrt(np.sum((e - a @ found) ** 2) / freedom)), FINE * size)
    residual = np.full(len(energy_j), np.nan)
    residual[usable] = e - a @ found
    return Fit(
        value_j=found,
        prior_j=prior,
        told=told,
        residual_j=residual,
        r2=_r2(e, a @ found),
        condition=_condition(a),
    )


def _as_held(prior: Floats, windows: int) -> Fit:
    """The prior, where nothing was measured."""
    left = np.full(windows, np.nan)
    told = np.zeros(len(prior))
    return Fit(value_j=prior, prior_j=prior, told=told, residual_j=left, r2=None, condition=None)


def _scaled(
    a: Floats, e: Floats, prior: Floats, timed: NDArray[np.bool_], *, absolute: bool
) -> tuple[Floats, float]:
    """The prior at the scale that fits, the power at rest as well; and how far windows then scatter. [J]"""
    work, waited = a[:, ~timed] @ prior[~timed], a[:, timed].sum(1)
    rest = float(prior[timed].sum())
    both = np.column_stack([work, waited])
    pull = np.array([1.0 if absolute else 0.0, 1 / rest**2 if rest > 0 else 0.0]) / SPREAD**2
    mean = np.array([1.0, rest])
    scatter = float(np.mean(e)) / 4
    gram = both.T @ both / scatter**2 + np.diag(pull)
    scale, rest_w = nnls(gram, both.T @ e / scatter**2 + pull * mean)
    scale = max(float(scale), 0.05 * float(e.sum()) / max(float(work.sum()), 1e-300) if work.any() else 1.0)
    scaled = np.where(timed, rest_w if rest_w > 0 else rest, prior * scale)
    left = e - a @ scaled
    return scaled, float(np.sqrt(np.sum(left**2) / max(len(e) - 2, 1)))


def _drawn(a: Floats, e: Floats, prior: Floats, sigma: float) -> tuple[Floats, Floats]:
    """The most likely coefficients, and the part of each one's prior variance that the data took away."""
    held = np.where(prior > 0, prior, 1.0)
    scaled = a * held / sigma  # in units of the prior
    pull = np.where(prior > 0, 1 / SPREAD**2, 1e12)
    gram = scaled.T @ scaled + np.diag(pull)
    found = nnls(gram, scaled.T @ e / sigma + pull * (prior > 0))
    told = 1 - np.diag(np.linalg.inv(gram)) * pull
    return np.asarray(found * held, np.float64), np.clip(np.where(prior > 0, told, 0.0), 0.0, 1.0)


def _r2(e: Floats, fitted: Floats) -> float | None:
    around = float(np.sum((e - e.mean()) ** 2))
    if len(e) < FEW or around <= len(e) * (VARIES * e.mean()) ** 2:
        return None
    return 1 - float(np.sum((e - fitted) ** 2)) / around


def _condition(a: Floats) -> float | None:
    """Of the columns at equal size. [1]"""
    size = np.linalg.norm(a, axis=0)
    if len(a) < FEW or not (size > 0).all():
        return None
    found = float(np.linalg.cond(a / size))
    return found if np.isfinite(found) else None
