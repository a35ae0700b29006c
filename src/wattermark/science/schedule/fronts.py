"""Ways to run one job that may lie on a front of several quantities: where to look, and nothing missed.

A job of one piece: every start at which a cost bends. A job that may pause: the ways that are best by some
weights (the supported ones), which are all that matter where pauses are free and may begin at any moment, as
then the front is the line between them. Where only whole cells are run, ``whole_front`` finds the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np

from wattermark.science.schedule.one import cost_of, stretches_of
from wattermark.science.schedule.pareto import front
from wattermark.science.schedule.steps import Steps, common, integrals
from wattermark.science.schedule.window import starts_to_try
from wattermark.values.plan import PlannedJob, Stretch

COARSE_S: Final = 1200.0
"""Of the cells where pauses cost something: a front is many plans, and each is put right to the second."""
SAME: Final = 1e-9
"""Costs that differ by less than this, over their size, are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A way to run a job, and what it costs in each quantity."""

    stretches: tuple[Stretch, ...]
    costs: tuple[float, ...]


def weighted(several: Sequence[Steps], weights: Sequence[float]) -> Steps:
    """The sum of several costs, each times its weight; a gap in one of them is a gap.

    Parameters
    ----------
    several : sequence of Steps
        At least one.
    weights : sequence of float
        One each.
    """
    parts = common(several)
    values = sum((weight * part.values for part, weight in zip(parts, weights, strict=True)), np.zeros(1))
    return Steps(parts[0].edges_s, values)


def windows(rates: Sequence[Steps], job: PlannedJob) -> tuple[Candidate, ...]:
    """A job of one piece at every start where a cost bends; those that reach into a gap are left out.

    Parameters
    ----------
    rates : sequence of Steps
        What a second of running costs in each quantity.
    job : PlannedJob
        Its length and its moments are used.
    """
    edges = np.unique(np.concatenate([rate.edges_s for rate in rates]))
    starts = starts_to_try(edges, job.duration_s, job.earliest_s, job.deadline_s)
    costs = np.array([integrals(rate, starts, starts + job.duration_s) for rate in rates])
    return tuple(
        Candidate(stretches=(Stretch(begin_s=begin_s, end_s=begin_s + job.duration_s),), costs=tuple(row))
        for begin_s, row in zip(starts.tolist(), costs.T.tolist(), strict=True)
        if not any(map(np.isnan, row))
    )


def supported(
    rates: Sequence[Steps], held_rates: Sequence[Steps] | None, job: PlannedJob, most: int = 64
) -> tuple[Candidate, ...]:
    """The ways that are best by some weights of the quantities, by rising first cost.

    Two quantities: all of them, by the weights at which two neighbours are equal until nothing lies below
    their chord (at most ``most``, then the widest gaps are filled first). More: ``most`` weights at least, on
    a lattice.

    Parameters
    ----------
    rates, held_rates : sequence of Steps
        In each quantity, as of ``stretches_of``.
    job : PlannedJob
        As of ``stretches_of``.
    most : int
        How many are wanted.

    References
    ----------
    .. [1] J. L. Cohon, "Multiobjective Programming and Planning", Academic Press 1978: the search between
       neighbours.
    """

    def best_by(weights: Sequence[float]) -> Candidate | None:
        held = None if held_rates is None else weighted(held_rates, weights)
        stretches = stretches_of(weighted(rates, weights), held, job, COARSE_S)
        if not stretches:
            return None
        kept = [None] * len(rates) if held_rates is None else held_rates
        costs = tuple(cost_of(stretches, rate, one) for rate, one in zip(rates, kept, strict=True))
        return Candidate(stretches=stretches, costs=costs)

    sizes = [_size(rate) for rate in rates]
    if len(rates) == 2:
        found = _neighbours(best_by, sizes, most)
    else:
        found = [
            best_by([w / size for w, size in zip(row, sizes, strict=True)])
            for row in _lattice(len(rates), most)
        ]
    ways = [way for way in found if way is not None]
    return tuple(ways[i] for i in front([way.costs for way in ways]))


def _neighbours(
    best_by: Callable[[Sequence[float]], Candidate | None], sizes: Sequence[float], most: int
) -> list[Candidate | None]:
    """Between two neighbours, the way that is best by the weights at which they are equal."""
    little = 1e-6  # so that of those which are best in one quantity, the best in the other is taken
    ends = [best_by([a / sizes[0], b / sizes[1]]) for a, b in ((1.0, little), (little, 1.0))]
    found, gaps = [ends[0]], [tuple(ends)]
    while gaps and len(found) < most:
        gaps.sort(key=lambda gap: _area(gap, sizes))
        one, other = gaps.pop()
        if one is None or other is None:
            break
        weights = one.costs[1] - other.costs[1], other.costs[0] - one.costs[0]
        if min(weights) <= 0:
            continue
        between = best_by(weights)
        chord = np.dot(weights, one.costs)
        if between is not None and np.dot(weights, between.costs) < chord - SAME * abs(chord):
            found.append(between)
            gaps += [(one, between), (between, other)]
    return [*found, ends[1]]


def _size(rate: Steps) -> float:
    """The mean of what is known of it, so that quantities of any unit compare; never 0."""
    known = np.abs(rate.values[np.isfinite(rate.values)])
    return float(known.mean()) or 1.0 if len(known) else 1.0


def _area(gap: tuple[Candidate | None, ...], sizes: Sequence[float]) -> float:
    """What two neighbours leave open between them, whatever the units."""
    one, other = gap
    if one is None or other is None:
        return 0.0
    return float(
        np.prod([abs(a - b) / size for a, b, size in zip(one.costs, other.costs, sizes, strict=True)])
    )


def _lattice(quantities: int, least: int) -> Iterator[tuple[float, ...]]:
    """Weights that sum to one, evenly spread, as many as asked for or a few more."""
    parts = 1
    if quantities == 1:
        least = 1
    while _count(quantities, parts) < least:
        parts += 1
    yield from _split(quantities, parts, parts)


def _count(quantities: int, parts: int) -> int:
    return comb(parts + quantities - 1, quantities - 1)


def _split(quantities: int, left: int, parts: int) -> Iterator[tuple[float, ...]]:
    if quantities == 1:
        yield (left / parts,)
        return
    for first in range(left + 1):
        for rest in _split(quantities - 1, left - first, parts):
            yield (first / parts, *rest)
