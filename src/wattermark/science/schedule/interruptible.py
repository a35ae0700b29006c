"""The best times for a job that may pause whenever it wants, at no cost."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wattermark.science.schedule.steps import Array, Steps, cut
from wattermark.science.schedule.window import ROUNDING_S
from wattermark.values.plan import Stretch


def cheapest_stretches(
    steps: Steps, duration_s: float, earliest_s: float, deadline_s: float
) -> tuple[Stretch, ...]:
    """The cheapest steps that hold a job between them; of equals the earliest; nothing where they do not.

    Exact, by exchange: whoever runs in a dearer step could run in a cheaper one instead. Only the dearest
    chosen step is used in part: its end next to a chosen neighbour where there is one, so that pauses are
    few.

    Parameters
    ----------
    steps : Steps
        What an hour of running costs; gaps are never chosen.
    duration_s, earliest_s, deadline_s : float
        As of ``best_window``.
    """
    inside = cut(steps, earliest_s, deadline_s)
    lengths = np.where(np.isfinite(inside.values), inside.lengths_s, 0.0)
    if lengths.sum() < duration_s - ROUNDING_S:
        return ()
    order = np.argsort(inside.values, kind="stable")  # NaN last
    used = np.zeros(len(order))
    before = np.concatenate(([0.0], np.cumsum(lengths[order])[:-1]))
    used[order] = np.clip(duration_s - before, 0.0, lengths[order])
    used[used < ROUNDING_S] = 0.0  # what only rounding leaves is no pause
    return joined(_pieces(inside, used))


def joined(pieces: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Pieces as they are, those that touch as one.

    Parameters
    ----------
    pieces : iterable of Stretch
        In their order.
    """
    found: list[Stretch] = []
    for piece in pieces:
        if found and piece.begin_s - found[-1].end_s <= ROUNDING_S:
            found[-1] = Stretch(begin_s=found[-1].begin_s, end_s=piece.end_s)
        else:
            found.append(piece)
    return tuple(found)


def _pieces(steps: Steps, used_s: Array) -> Iterable[Stretch]:
    """What is used of each step: its beginning, or its end where only the step after it is used, too."""
    for i in np.flatnonzero(used_s > 0):
        begin_s, end_s, length_s = float(steps.edges_s[i]), float(steps.edges_s[i + 1]), float(used_s[i])
        after, before = used_s[i + 1 : i + 2].any(), i > 0 and used_s[i - 1] > 0
        if after and not before:
            begin_s = end_s - min(length_s, end_s - begin_s)
        else:
            end_s = min(begin_s + length_s, end_s)
        yield Stretch(begin_s=begin_s, end_s=end_s)
