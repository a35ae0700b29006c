"""A run's energy along its time: between any moments, so that stretches that follow each other add up to it.

A metered part grows as its meter rose, a processor without a meter as it worked, all else evenly. What is
left of a meter of the whole node by the other parts grows evenly too: it has not the same gaps as these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wattermark.values.units import S_PER_NS

if TYPE_CHECKING:  # an estimate has no time, and answers sooner without
    from wattermark.science.parts import Parts
    from wattermark.science.terms import Slots, Term
    from wattermark.science.timeline import Timeline
    from wattermark.science.uncertainty import Values
    from wattermark.values.factors import Factor
    from wattermark.values.records import Recorded

Floats = NDArray[np.float64]


def best_values(parts: Parts, factors: Iterable[Factor]) -> Values:
    """The best value of each factor, those of the run's own gaps too.

    Parameters
    ----------
    parts : Parts
        The energy of each part of the machine.
    factors : iterable of Factor
        All that the formulas name.
    """
    return {factor.name: factor.value.best for factor in [*factors, *parts.gaps]}


def counted(parts: Parts) -> list[Term]:
    """The parts that are added, and whose energy is known.

    Parameters
    ----------
    parts : Parts
        Of a run.
    """
    return [term for term in parts.terms if term.counted and term.run is not None]


def stretches_j(parts: Parts, best: Values, edge_s: ArrayLike) -> Floats:
    """Energy of the run between successive moments, gaps filled as its footprint fills them.

    Parameters
    ----------
    parts : Parts
        The energy of each part of the machine.
    best : mapping
        The value of each factor, as of ``best_values``.
    edge_s : array_like, shape (n + 1,)
        Moments since the run began, in order. [s]

    Returns
    -------
    ndarray, shape (n,)
        Sums to the run's IT energy where the edges reach from its beginning to its end. [J]
    """
    return sum(stretches_by_part_j(parts, best, edge_s).values(), np.zeros(np.size(edge_s) - 1))


def stretches_by_part_j(parts: Parts, best: Values, edge_s: ArrayLike) -> Mapping[str, Floats]:
    """The same for each part of the machine, by its name.

    Parameters
    ----------
    parts, best, edge_s
        As of ``stretches_j``.
    """
    return {term.name: np.diff(until_j(term, parts, best, edge_s)) for term in counted(parts)}


def until_j(term: Term, parts: Parts, best: Values, time_s: ArrayLike) -> Floats:
    """Energy of one part from the run's beginning to each moment, gaps filled. [J]

    Parameters
    ----------
    term : Term
        Whose energy is known.
    parts, best
        As of ``stretches_j``.
    time_s : array_like
        Since the run began. [s]
    """
    seen = seen_until_j(term, parts, best, time_s)
    if term.run is None or (term.track is None and term.slots is None):
        return seen
    filled_j = float(term.run(best)) - float(term.run(_unfilled(parts, best)))
    return seen + filled_j * _gaps(term, parts.duration_s, np.asarray(time_s, float))


def seen_until_j(term: Term, parts: Parts, best: Values, time_s: ArrayLike) -> Floats:
    """The same, where what nobody saw is left out; a part that nothing saw in time grows evenly. [J]

    Parameters
    ----------
    term, parts, best, time_s
        As of ``until_j``.
    """
    at_s = np.asarray(time_s, float)
    if term.run is None:
        return np.zeros(at_s.shape)
    seen_j = float(term.run(_unfilled(parts, best)))
    if term.track is not None:
        return seen_j * _of_track(term.track, parts.duration_s, at_s)
    if term.slots is not None:
        return seen_j * _of_slots(term.slots, best, at_s)
    return float(term.run(best)) * _evenly(parts.duration_s, at_s)


def _unfilled(parts: Parts, best: Values) -> Values:
    return {**best, **{gap.name: 0.0 for gap in parts.gaps}}


def _of_track(track: Timeline, duration_s: float, at_s: Floats) -> Floats:
    whole_j = float(track.until_j([duration_s])[0])
    return track.until_j(at_s) / whole_j if whole_j > 0 else np.zeros(at_s.shape)


def _of_slots(slots: Slots, best: Values, at_s: Floats) -> Floats:
    summed = np.concatenate([[0.0], np.cumsum(slots.energy_j(best))])
    if not summed[-1] > 0:
        summed = slots.edge_s - slots.edge_s[0]
    return np.asarray(np.interp(at_s, slots.edge_s, summed) / summed[-1], np.float64)


def _evenly(duration_s: float, at_s: Floats) -> Floats:
    part = at_s / duration_s if duration_s > 0 else np.zeros(at_s.shape)
    return np.asarray(np.clip(part, 0.0, 1.0), np.float64)


def _gaps(term: Term, duration_s: float, at_s: Floats) -> Floats:
    """The part of the gaps that lies before each moment; of the whole run if it has none."""
    if term.track is not None:
        unseen = np.where(term.track.known, 0.0, np.diff(term.track.edge_s))
        before = np.interp(at_s, term.track.edge_s, np.concatenate([[0.0], np.cumsum(unseen)]))
        whole = float(unseen.sum())
    else:
        assert term.slots is not None
        first, last = term.slots.edge_s[[0, -1]]
        before = np.minimum(at_s, first) + np.clip(at_s - last, 0.0, None)
        whole = float(max(first, 0.0) + max(duration_s - last, 0.0))
    if whole > 0:
        return np.asarray(np.clip(before / whole, 0.0, 1.0), np.float64)
    return _evenly(duration_s, at_s)


def looks_s(recorded: Recorded, least_s: float) -> Floats:
    """The moments at which meters were looked at, from the run's beginning to its end, not too close. [s]

    Parameters
    ----------
    recorded : Recorded
        What one machine saw.
    least_s : float
        Of looks that are closer to each other only the first is taken. [s]

    Returns
    -------
    ndarray, shape (n + 1,)
        In order; none at all of a run without length. [s]
    """
    end_s = (recorded.end_mono_ns - recorded.begin_mono_ns) * S_PER_NS
    looks = [np.asarray(log.mono_ns, np.int64) for log in recorded.logs.values()]
    told = np.unique(np.concatenate([np.zeros(0, np.int64), *looks])) - recorded.begin_mono_ns
    inside = told[(told > 0) & (told * S_PER_NS < end_s)] * S_PER_NS
    slot = np.floor(inside / least_s)
    first = np.concatenate([[True], np.diff(slot) > 0])[: len(slot)]
    kept = inside[first & (slot > 0)]
    return np.concatenate([[0.0], kept, [end_s]]) if end_s > 0 else np.zeros(0)
