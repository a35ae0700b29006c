"""What a way to run saves against starting now, and how sure that is.

The plan and "now" are priced on the same paths that may come. As the plan's hours were chosen because their
forecast is low, they turn out dearer than was said (the winner's curse): how past plans, made in the same
way, fared within their own paths is the record that shifts and widens what is told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.science.foresight.errors import MOST_PATHS, Errors, paths
from wattermark.science.schedule.steps import Array, Steps
from wattermark.values.plan import PlannedJob, Saving, Spread, Stretch

Z_90: Final = 1.2815515655446004
"""Standard deviations below which 90 % of a normal distribution lie."""
ALIKE_DAYS: Final = 8.0
"""Errors of forecasts that lie closer than this are one weather and count as one, when it is asked how
well the record is known."""
AGES_DAYS, OLD_DAYS = 240.0, 45.0
"""A record that is so old is trusted so much less that the variance of its band doubles; half a season counts
at most."""
USUAL: Final = 20
"""How many plans of one's own the usual record counts for."""
LEAST_WIDTH, WORSE = 1e-9, 1e-9
"""Less than this is rounding: of the width of a band, and of a loss. [1]"""
LEAST_SIDE: Final = 0.125
"""No side of a band is narrower than this part of it."""
QUANTILES: Final = (0.1, 0.5, 0.9)
NO_LEVEL: Final[Array] = np.zeros(1)
BELIEVED, BELIEVED_PLANS = 0.05, 10
"""Of plans that look safe so many are believed to end worse, and that counts for so many plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How plans fared within their paths, whose P10, P50 and P90 are -1, 0 and 1.

    ``low``, ``mid`` and ``high`` are where the 10th, 50th and 90th percentile of past plans lay. ``chances``
    are those to end worse than now that these plans would have been told, rising, and ``worse`` how many of
    the first 0, 1, 2 ... of them did.
    """

    low: float
    mid: float
    high: float
    chances: tuple[float, ...] = ()
    worse: tuple[int, ...] = (0,)

    @property
    def plans(self) -> int:
        """How many plans of one's own it rests on."""
        return len(self.chances)

    def chance(self, told: float) -> float:
        """The chance to end worse than now, given what past plans came to that looked no worse. [1]"""
        alike = bisect_right(self.chances, told)
        seen = (self.worse[alike] + BELIEVED * BELIEVED_PLANS) / (alike + BELIEVED_PLANS)
        return max(told, seen if self.chances else 0.0)

    def aged(self, days: float) -> Record:
        """The same, so long after the last plan in it: seasons change, and errors with them. [d]"""
        wider = float(np.sqrt(1 + min(max(days, 0.0), OLD_DAYS) / AGES_DAYS))
        low, high = (self.mid + wider * (end - self.mid) for end in (self.low, self.high))
        return replace(self, low=low, high=high)


USUAL_RECORD: Final = Record(low=-1.5, mid=-0.1, high=1.0)
"""For errors that are others': of nine zones, each judged by the published errors of the other eight."""
SHAPE_RECORD: Final = Record(low=-2.4, mid=-0.4, high=1.1)
"""For a shape of the year in place of a forecast: of ten zones in 2021, by the shapes of 2022."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part:
    """What a way to run takes of one signal at one place.

    ``rate`` is what a joule takes at each moment (the signal, times whatever does not change), with gaps only
    where ``energy_j`` (shape (n,), drawn in each step) is zero; ``issued_s`` is when it was told. Parts with
    one ``apart`` err together; others do not. ``level`` of shape (k,) is what else all hours may be off by,
    such as the PUE [1]; it is of a site, and parts with one ``site`` are off alike.
    """

    rate: Steps
    energy_j: Array
    errors: Errors
    issued_s: float
    apart: int = 0
    level: Array = field(default_factory=lambda: NO_LEVEL)
    site: int = 0


def energy_of(job: PlannedJob, stretches: Sequence[Stretch], steps: Steps) -> Array:
    """The energy that a job draws in each step, while it runs and while it holds its devices, shape (n,). [J]

    Parameters
    ----------
    job : PlannedJob
        Whose power it is.
    stretches : sequence of Stretch
        When it runs, in their order.
    steps : Steps
        Their edges count, their values do not.
    """
    paused = [Stretch(begin_s=a.end_s, end_s=b.begin_s) for a, b in pairwise(stretches)]
    return time_in(steps, stretches) * job.power_w + time_in(steps, paused) * job.held_power_w


def time_in(steps: Steps, stretches: Sequence[Stretch]) -> Array:
    """How much of each step lies in some stretches, shape (n,). [s]

    Parameters
    ----------
    steps : Steps
        Their edges count, their values do not.
    stretches : sequence of Stretch
        That do not overlap.
    """
    edges = steps.edges_s
    inside = np.zeros(len(steps.values))
    for one in stretches:
        inside += np.clip(np.minimum(edges[1:], one.end_s) - np.maximum(edges[:-1], one.begin_s), 0.0, None)
    return inside


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
    planned, started = (
        Part(rate=forecast, energy_j=time_in(forecast, way), errors=errors, issued_s=issued_s)
        for way in (plan, now)
    )
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
        What hangs on no forecast. [as rate times energy]
    record : Record
        How such plans fared.

    Returns
    -------
    Saving
        All zero where "now" takes nothing, as no share of nothing can be saved.
    """
    planned = _share(_said(plan) + plan_fixed, np.asarray(_said(now) + now_fixed))
    many = max(min(max(part.errors.many, len(part.level)), MOST_PATHS) for part in (*plan, *now))
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
    paths_saved = np.asarray(drawn, np.float64)
    low, mid, high = _band(np.quantile(paths_saved, QUANTILES), record)
    chance = record.chance(_worse(paths_saved, record)) if low < high else float(mid < 0)
    return Saving(quantity=quantity, planned=planned, spread=Spread(low, mid, high), worse_chance=chance)


def record_of(drawn: Sequence[Array], realised: ArrayLike, *, days: float) -> Record:
    """How past plans fared within their paths.

    A quantile of the past is a guess of the quantile to come: plans of the same weather are one, and
    Student's t of so many tells how much wider the band must be to hold what it says (split conformal
    prediction on scores, with fewer independent scores than plans).

    Parameters
    ----------
    drawn : sequence of ndarray
        The savings of each plan on its paths, its own issue and those that overlap it not among these. [1]
    realised : array-like
        What each came to save, shape (m,). [1]
    days : float
        How long a time the plans cover. [d]

    References
    ----------
    .. [1] J. Lei et al., "Distribution-free predictive inference for regression", JASA 113 (2018),
       arXiv:1604.04173: scores scaled by a spread of one's own.
    """
    came = np.asarray(realised, np.float64)
    q = np.array([np.quantile(one, QUANTILES) for one in drawn]).reshape(-1, 3)
    down, up = _sides(q.T)
    moves = q[:, 2] - q[:, 0] > LEAST_WIDTH  # else the plan is to start now
    off = (came - q[:, 1])[moves]
    scores = off / np.where(off < 0, down[moves], up[moves])
    usual = np.interp((np.arange(USUAL) + 0.5) / USUAL, [0, 0.1, 0.5, 0.9, 1], [-2.0, -1.0, 0.0, 1.0, 2.0])
    low, mid, high = (float(one) for one in np.quantile(np.concatenate((scores, usual)), QUANTILES))
    wider = _wider(max(days / ALIKE_DAYS, 1.5))
    record = Record(low=mid - wider * (mid - low), mid=mid, high=mid + wider * (high - mid))
    chances = np.array([_worse(one, record) for one, moved in zip(drawn, moves, strict=True) if moved])
    order = np.argsort(chances, kind="stable")
    worse = np.cumsum(came[moves][order] < -WORSE)
    return replace(
        record,
        chances=tuple(float(one) for one in chances[order]),
        worse=(0, *(int(one) for one in worse)),
    )


def _sides(q: Array) -> tuple[Array, Array]:
    """How far P10 and P90 lie from P50, none less than a part of both; ``q`` of shape (3, ...)."""
    least = LEAST_SIDE * (q[2] - q[0])
    down, up = np.maximum(q[1] - q[0], least), np.maximum(q[2] - q[1], least)
    return np.maximum(down, LEAST_WIDTH), np.maximum(up, LEAST_WIDTH)


def _moved(scores: Array, q: Array) -> Array:
    """What lies so many sides from P50."""
    down, up = _sides(q)
    return np.asarray(q[1] + np.where(scores < 0, scores * down, scores * up), np.float64)


def _band(q: Array, record: Record) -> tuple[float, float, float]:
    """P10, P50 and P90 as they are told, from those of the paths."""
    if q[2] - q[0] <= LEAST_WIDTH:
        return float(q[0]), float(q[1]), float(q[2])
    low, mid, high = _moved(np.array([record.low, record.mid, record.high]), q)
    return float(low), float(mid), float(high)


def _worse(drawn: Array, record: Record) -> float:
    """The share of paths that end worse than now, each moved as its quantiles are; never none for sure."""
    q = np.quantile(drawn, QUANTILES)
    down, up = _sides(q)
    scores = (drawn - q[1]) / np.where(drawn < q[1], down, up)
    told = record.mid + scores * np.where(scores < 0, record.mid - record.low, record.high - record.mid)
    return (float((_moved(told, q) < -WORSE).sum()) + 0.5) / (len(drawn) + 1)


def _wider(independent: float) -> float:
    """How much wider a band must be that rests on so many."""
    z, n = Z_90, independent
    student = z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    return float(np.sqrt(1 + 1 / n) * student / z)


def _share(plan: Array | float, now: Array) -> Array:
    """1 - plan / now; 0 where now is nothing."""
    some = np.abs(now) > 0
    return np.asarray(np.where(some, (now - plan) / np.where(some, np.abs(now), 1.0), 0.0), np.float64)


def _said(parts: Sequence[Part]) -> float:
    return float(sum(_priced(part.rate.values, part.energy_j) for part in parts))


def _costs(parts: Sequence[Part], many: int) -> Array:
    """By each path, shape (many,)."""
    total = np.zeros(many)
    for part in parts:
        priced = _priced(paths(part.rate, part.issued_s, part.errors), part.energy_j)
        level = part.level[_pairing(len(part.level), many, part.site)]
        total += priced[_pairing(part.errors.many, many, part.apart)] * (1 + level)
    return total


def _priced(rates: Array, energy_j: Array) -> Array:
    used = energy_j > 0
    return np.asarray(rates[..., used] @ energy_j[used], np.float64)


def _pairing(own: int, many: int, apart: int) -> NDArray[np.intp]:
    """Which path of a part goes with each draw: in order, or in an order of its own for another place."""
    order = np.arange(many)
    if apart:
        order = np.argsort((order * (0.6180339887498949 * apart)) % 1.0, kind="stable")
    return np.asarray((order * own) // many, np.intp)
