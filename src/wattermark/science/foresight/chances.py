"""What a way to run saves against starting now, and how sure that is.

The plan and "now" are priced on the same paths that may come. As the plan's hours were chosen because their
forecast is low, they turn out dearer than was said (the winner's curse): how past plans, made in the same
way, fared within their own paths is the record that shifts and widens what is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.foresight.errors import MOST_PATHS, Errors, paths
from wattermark.science.schedule.steps import Array, Steps
from wattermark.values.plan import Saving, Spread, Stretch

J_PER_KWH: Final = 3.6e6
Z_90: Final = 1.2815515655446004
"""Standard deviations below which 90 % of a normal distribution lie."""
ALIKE_DAYS: Final = 12.0
"""Errors of forecasts that lie closer than this are one weather and count as one, when it is asked how
well the record is known."""
USUAL: Final = 20
"""How many plans of one's own the usual record counts for."""
QUANTILES: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How plans fared within their paths: 0 is the paths' median, 1 is half of their P10 to P90.

    ``low``, ``mid`` and ``high`` are where the 10th, 50th and 90th percentile of past plans lay. ``plans`` is
    how many of one's own it rests on.
    """

    low: float
    mid: float
    high: float
    plans: int = 0


USUAL_RECORD: Final = Record(low=-1.6, mid=-0.2, high=1.1)
"""Where nobody has a past of their own: of nine zones, each judged by the errors of the other eight."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part:
    """What a way to run takes of one signal at one place.

    ``forecast`` in the signal's unit per kWh, with gaps only where ``energy_kwh`` (shape (n,), of each step)
    is zero; ``issued_s`` is when it was made. Parts with one ``apart`` err together; others do not.
    """

    forecast: Steps
    energy_kwh: Array
    errors: Errors
    issued_s: float
    apart: int = 0


def energy_on(steps: Steps, stretches: Sequence[Stretch], power_w: float) -> Array:
    """The energy that a job draws in each step, shape (n,). [kWh]

    Parameters
    ----------
    steps : Steps
        Their edges count, their values do not.
    stretches : sequence of Stretch
        When it runs.
    power_w : float
        While it runs. [W]
    """
    edges = steps.edges_s
    ran = np.zeros(len(steps.values))
    for one in stretches:
        ran += np.clip(np.minimum(edges[1:], one.end_s) - np.maximum(edges[:-1], one.begin_s), 0.0, None)
    return ran * power_w / J_PER_KWH


def spread_of(
    forecast: Steps,
    plan: Sequence[Stretch],
    now: Sequence[Stretch],
    *,
    issued_s: float,
    errors: Errors,
    quantity: str = "carbon",
    record: Record = USUAL_RECORD,
) -> Saving:
    """What running in other hours saves at one place, at the same power.

    Parameters
    ----------
    forecast : Steps
        Of the signal; covers both ways to run.
    plan, now : sequence of Stretch
        The hours that were chosen, and those of starting at once.
    issued_s, errors, quantity, record
        As of ``saving_of`` and ``Part``.
    """
    ways = (
        Part(forecast=forecast, energy_kwh=energy_on(forecast, way, 1e3), errors=errors, issued_s=issued_s)
        for way in (plan, now)
    )
    planned, started = ways
    return saving_of(quantity, [planned], [started], record=record)


def saving_of(
    quantity: str,
    plan: Sequence[Part],
    now: Sequence[Part],
    *,
    plan_fixed: float = 0.0,
    now_fixed: float = 0.0,
    record: Record = USUAL_RECORD,
) -> Saving:
    """What one way to run saves against another, as a share of that other.

    Parameters
    ----------
    quantity : str
        What is saved, for the answer.
    plan, now : sequence of Part
        What each takes; parts add up.
    plan_fixed, now_fixed : float
        What hangs on no forecast. [the signals' unit, without the kWh]
    record : Record
        How such plans fared.

    Returns
    -------
    Saving
        All zero where "now" takes nothing, as no share of nothing can be saved.
    """
    planned = _share(_said(plan) + plan_fixed, np.asarray(_said(now) + now_fixed))
    many = max(min(part.errors.many, MOST_PATHS) for part in (*plan, *now))
    drawn = _share(_costs(plan, many) + plan_fixed, _costs(now, many) + now_fixed)
    return told(quantity, float(planned), np.atleast_1d(drawn), record)


def told(quantity: str, planned: float, drawn: ArrayLike, record: Record) -> Saving:
    """Savings on paths as a value, shifted and widened by the record.

    Parameters
    ----------
    quantity : str
        What is saved.
    planned : float
        By the forecast as it is. [1]
    drawn : array-like
        By each path, shape (k,). [1]
    record : Record
        How such plans fared.
    """
    q = np.quantile(np.asarray(drawn, np.float64), QUANTILES)
    moved = _moved(np.asarray(drawn, np.float64), q, record)
    low, mid, high = (float(value) for value in banded(q, record))
    worse = (float((moved < -1e-12).sum()) + (0.5 if low < mid else 0.0)) / (len(moved) + 1)
    return Saving(quantity=quantity, planned=planned, spread=Spread(low, mid, high), worse_chance=worse)


def banded(quantiles: Array, record: Record) -> Array:
    """P10, P50, P90 of paths, shape (..., 3), as they must be told, given the record."""
    mid, half = quantiles[..., 1:2], (quantiles[..., 2:] - quantiles[..., :1]) / 2
    return np.asarray(mid + half * np.array([record.low, record.mid, record.high]), np.float64)


def record_of(quantiles: ArrayLike, realised: ArrayLike, *, days: float) -> Record:
    """How past plans fared within their paths.

    A quantile of the past is a guess of the quantile to come: plans of the same weather are one, and
    Student's t of so many tells how much wider the band must be to hold what it says (split conformal
    prediction on scores, with fewer independent scores than plans).

    Parameters
    ----------
    quantiles : array-like
        P10, P50, P90 of the savings of each plan on its paths, shape (m, 3); its own issue and those that
        overlap it not among these. [1]
    realised : array-like
        What each came to save, shape (m,). [1]
    days : float
        How long a time the plans cover. [d]

    References
    ----------
    .. [1] J. Lei et al., "Distribution-free predictive inference for regression", JASA 113 (2018),
       arXiv:1604.04173: scores scaled by a spread of one's own.
    """
    q, came = np.asarray(quantiles, np.float64).reshape(-1, 3), np.asarray(realised, np.float64)
    half = (q[:, 2] - q[:, 0]) / 2
    moves = half > 1e-9  # else the plan is to start now
    scores = (came[moves] - q[moves, 1]) / half[moves]
    usual = np.interp((np.arange(USUAL) + 0.5) / USUAL, [0, 0.1, 0.5, 0.9, 1], [-2.0, -1.0, 0.0, 1.0, 2.0])
    low, mid, high = np.quantile(np.concatenate((scores, usual)), QUANTILES)
    wider = _wider(max(days / ALIKE_DAYS, 1.5))
    return Record(
        low=float(mid - wider * (mid - low)),
        mid=float(mid),
        high=float(mid + wider * (high - mid)),
        plans=len(scores),
    )


def _wider(independent: float) -> float:
    """How much wider a band must be that rests on so many."""
    z, n = Z_90, independent
    student = z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    return float(np.sqrt(1 + 1 / n) * student / z)


def _moved(drawn: Array, q: Array, record: Record) -> Array:
    """Each path's saving, moved as its quantiles are."""
    half = (q[2] - q[0]) / 2
    if half <= 0:
        return drawn
    low, mid, high = banded(q, record)
    below, above = q[1] - q[0], q[2] - q[1]
    down = (mid - low) / below if below > 0 else 1.0
    up = (high - mid) / above if above > 0 else 1.0
    off = drawn - q[1]
    return np.asarray(mid + np.where(off < 0, off * down, off * up), np.float64)


def _share(plan: Array | float, now: Array) -> Array:
    """1 - plan / now; 0 where now is nothing."""
    some = np.abs(now) > 0
    return np.asarray(np.where(some, (now - plan) / np.where(some, np.abs(now), 1.0), 0.0), np.float64)


def _said(parts: Sequence[Part]) -> float:
    return float(sum(_priced(part.forecast.values, part.energy_kwh) for part in parts))


def _costs(parts: Sequence[Part], many: int) -> Array:
    """By each path, shape (many,)."""
    total = np.zeros(many)
    for part in parts:
        priced = _priced(paths(part.forecast, part.issued_s, part.errors), part.energy_kwh)
        total += priced[_pairing(part.errors.many, many, part.apart)]
    return total


def _priced(values: Array, energy_kwh: Array) -> Array:
    used = energy_kwh > 0
    return np.asarray(values[..., used] @ energy_kwh[used], np.float64)


def _pairing(own: int, many: int, apart: int) -> NDArray[np.intp]:
    """Which path of a part goes with each draw: in order, or in an order of its own for another place."""
    order = np.arange(many)
    if apart:
        order = np.argsort((order * (0.6180339887498949 * apart)) % 1.0, kind="stable")
    return np.asarray((order * own) // many, np.intp)
