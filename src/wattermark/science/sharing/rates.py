"""What requests to a model are estimated to take: a table by tokens that is read in a microsecond."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

KNOTS: Final = (1.0, *(2.0**power for power in range(4, 18)))
"""Tokens read and written at which the estimator is asked: up to 131,072."""
ENDS: Final = (1.0, 1000.0)
"""Enough where it is a line."""


def pairs(knots: Sequence[float]) -> list[tuple[float, float]]:
    """Tokens read and written, for each row that a table needs.

    Parameters
    ----------
    knots : sequence of float
        [1]
    """
    return list(product(knots, knots))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a request to a model is estimated to take, by its tokens: a table, and lines between its rows.

    ``read`` and ``written`` are the tokens of rows and columns [1]; ``energy_j`` [J], ``carbon_g``
    [g CO2e] and ``water_l`` [L] one list for each of ``read``.
    """

    read: Sequence[float]
    written: Sequence[float]
    energy_j: Sequence[Sequence[float]]
    carbon_g: Sequence[Sequence[float]]
    water_l: Sequence[Sequence[float]]

    def of(self, read: float, written: float) -> tuple[float, float, float]:
        """Energy [J], carbon [g CO2e] and water [L] of a request; beyond the table the last line goes on."""
        i, x = _between(self.read, read)
        j, y = _between(self.written, written)
        corners = (
            (i, j, (1 - x) * (1 - y)),
            (i + 1, j, x * (1 - y)),
            (i, j + 1, (1 - x) * y),
            (i + 1, j + 1, x * y),
        )
        energy, carbon, water = 0.0, 0.0, 0.0
        for row, column, part in corners:
            energy += part * self.energy_j[row][column]
            carbon += part * self.carbon_g[row][column]
            water += part * self.water_l[row][column]
        return energy, carbon, water


def rates_table(knots: Sequence[float], found: Mapping[str, NDArray[np.float64]]) -> Rates | None:
    """Make a table of rows that were estimated for each pair of knots, in order.

    Rows that were not possible (a request that does not fit into memory) end the table.

    Parameters
    ----------
    knots : sequence of float
        Tokens read, and tokens written. [1]
    found : mapping
        ``it_energy_j`` [J], ``carbon_g`` [g CO2e], ``water_l`` [L], shape (knots ** 2,).

    Returns
    -------
    Rates or None
        None if not even the smallest requests are possible.
    """
    names = ("it_energy_j", "carbon_g", "water_l")
    square = {name: np.broadcast_to(found[name], len(knots) ** 2).reshape(len(knots), -1) for name in names}
    many = next((n for n in range(len(knots), 1, -1) if np.isfinite(square["it_energy_j"][:n, :n]).all()), 0)
    if many == 0:
        return None
    energy_j, carbon_g, water_l = (square[name][:many, :many].tolist() for name in names)
    few = [float(knot) for knot in knots[:many]]
    return Rates(read=few, written=few, energy_j=energy_j, carbon_g=carbon_g, water_l=water_l)


def _between(knots: Sequence[float], value: float) -> tuple[int, float]:
    place = min(max(bisect_right(knots, value) - 1, 0), len(knots) - 2)
    return place, max((value - knots[place]) / (knots[place + 1] - knots[place]), 0.0)
