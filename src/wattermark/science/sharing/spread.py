"""Histograms that only grow, as monitoring wants them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np


class Spread:
    """A histogram that only grows: how many were at most as large as each edge, and their sum."""

    __slots__ = ("_counts", "_edges", "total")

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """One more."""
        self._counts[bisect_left(self._edges, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[float, int]]:
        """Each edge with how many were no larger; infinity at last."""
        sums = np.cumsum(self._counts).tolist()
        return list(zip([*self._edges, float("inf")], sums, strict=True))


def edges_by_decade(least: float, most: float, marks: Sequence[float]) -> list[float]:
    """Edges of a histogram that are the same in each decade.

    Parameters
    ----------
    least, most : float
        Powers of ten.
    marks : sequence of float
        In a decade, from 1 on.
    """
    decades = np.arange(round(np.log10(least)), round(np.log10(most)))
    return [float(f"{mark * 10.0**decade:.6g}") for decade in decades for mark in marks] + [float(most)]
