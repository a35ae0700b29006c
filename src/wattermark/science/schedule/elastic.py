"""Jobs that run faster or slower: replicas, a power cap, clocks, a batch size are one knob.

Each level of the knob has a throughput and a power. Where a level is worth its power at all it lies on the
upper concave envelope of throughput over power, and there each further level buys work at a higher price:
so the cheapest steps of all hours, in order, until the work is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from wattermark.science.schedule.steps import Array, Steps, cut, integrals

NEAR: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A setting of the knob: work per second in any unit, and what it draws. [unit/s, W]"""

    name: str
    throughput: float
    power_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of time at one level. [s since 1970]"""

    begin_s: float
    end_s: float
    level: Level


OFF = Level(name="off", throughput=0.0, power_w=0.0)


def envelope(levels: Sequence[Level], off: Level = OFF) -> tuple[Level, ...]:
    """The levels on the upper concave envelope of throughput over power, from ``off`` to the fastest.

    The others are never worth their power: going between two of these does the same work for less.

    Parameters
    ----------
    levels : sequence of Level
        In any order; ``off`` may be one of them.
    off : Level
        Doing nothing; its power is that of a device which is kept.

    References
    ----------
    .. [1] W. A. Hanafy et al., "CarbonScaler: leveraging cloud workload elasticity for optimizing
       carbon-efficiency", Proc. ACM Meas. Anal. Comput. Syst. 7 (2023) 57, doi:10.1145/3626788.
    """
    found = [off]
    faster = sorted(
        (level for level in levels if level.throughput > off.throughput),
        key=lambda level: (level.throughput, -level.power_w),
    )
    for level in faster:
        while len(found) > 1 and _price(found[-2], found[-1]) >= _price(found[-2], level):
            found.pop()
        found.append(level)
    return tuple(found)


def _price(slower: Level, faster: Level) -> float:
    """Energy per unit of work in going from one level to a faster one. [J/unit]"""
    return (faster.power_w - slower.power_w) / (faster.throughput - slower.throughput)


def cheapest_levels(
    price: Steps, levels: Sequence[Level], work: float, earliest_s: float, deadline_s: float
) -> tuple[Piece, ...]:
    """At which level to run when, so that some work costs least; nothing where it cannot be done in time.

    Exact, by exchange (as is a linear program over all levels and steps): in each step the levels of the
    envelope buy work at rising prices. The last one is used for a part of its step. Steps of equal price are
    taken in their order. O(n m log(n m)) for m levels.

    Parameters
    ----------
    price : Steps
        What a joule costs, in any unit; in gaps the job is off. Energy is not drawn for its own sake: what
        costs less than nothing counts as nothing.
    levels : sequence of Level
        Off is one of them where that draws power, too.
    work : float
        In the unit of the throughput times seconds, above zero.
    earliest_s, deadline_s : float
        [s since 1970]

    Returns
    -------
    pieces : tuple of Piece
        In order, those in which it runs.
    """
    off = min((level for level in levels if level.throughput == 0), key=lambda one: one.power_w, default=OFF)
    steps, ladder = cut(price, earliest_s, deadline_s), envelope(levels, off)
    gained = np.array([faster.throughput - slower.throughput for slower, faster in pairwise(ladder)])
    prices = np.array([_price(slower, faster) for slower, faster in pairwise(ladder)])
    known = np.isfinite(steps.values)
    costs = np.where(known[:, None], np.fmax(steps.values, 0.0)[:, None] * prices, np.inf)
    offered = np.where(known, steps.lengths_s, 0.0)[:, None] * gained
    if not offered.sum() >= work * (1 - 1e-12):
        return ()
    return tuple(_pieces(steps, ladder, _bought(costs, offered, work)))


def cost_of_pieces(pieces: Sequence[Piece], price: Steps) -> float:
    """What running in them costs; NaN where one reaches into a gap. In the unit of ``price``.

    Parameters
    ----------
    pieces : sequence of Piece
        Of a job that is off between them.
    price : Steps
        What a joule costs.
    """
    begins_s, ends_s = (np.array([getattr(piece, end) for piece in pieces]) for end in ("begin_s", "end_s"))
    powers_w = np.array([piece.level.power_w for piece in pieces])
    return float((integrals(price, begins_s, ends_s) * powers_w).sum())


def _bought(costs: Array, offered: Array, work: float) -> Array:
    """How much of each level's step is used in each step of time, shape (n, levels), from 0 to 1."""
    order = np.argsort(costs, axis=None, kind="stable")
    amounts = offered.ravel()[order]
    before = np.concatenate(([0.0], np.cumsum(amounts)[:-1]))
    used = np.zeros(costs.size)
    used[order] = np.clip((work - before) / np.where(amounts > 0, amounts, np.inf), 0.0, 1.0)
    return used.reshape(costs.shape)


def _pieces(steps: Steps, ladder: Sequence[Level], used: Array) -> Iterator[Piece]:
    """What is used as stretches, those that touch at one level as one; ``used`` sums to how far up it is."""
    heights = used.sum(axis=1)
    last: Piece | None = None
    for i in np.flatnonzero(heights > 0):
        for piece in _of_step(steps, ladder, heights, int(i)):
            if last is not None and last.level == piece.level and piece.begin_s - last.end_s <= 1e-6:
                last = replace(last, end_s=piece.end_s)
                continue
            if last is not None:
                yield last
            last = piece
    if last is not None:
        yield last


def _of_step(steps: Steps, ladder: Sequence[Level], heights: Array, i: int) -> Iterator[Piece]:
    """A step at one level, or at two with the faster next to the faster neighbour."""
    begin_s, end_s, height = float(steps.edges_s[i]), float(steps.edges_s[i + 1]), float(heights[i])
    full, part = int(height + NEAR), height - int(height + NEAR)
    if part <= NEAR:
        yield Piece(begin_s=begin_s, end_s=end_s, level=ladder[full])
        return
    before, after = heights[i - 1] if i else 0.0, heights[i + 1] if i + 1 < len(heights) else 0.0
    first, second = (full, full + 1) if after > before else (full + 1, full)
    share = part if first > second else 1 - part
    middle_s = begin_s + share * (end_s - begin_s)
    for level, left_s, right_s in ((first, begin_s, middle_s), (second, middle_s, end_s)):
        if level:
            yield Piece(begin_s=left_s, end_s=right_s, level=ladder[level])
