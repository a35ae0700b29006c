"""The front of a job that runs in whole cells: also the points that no weights find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from wattermark.errors import MissingExtra
from wattermark.science.schedule.pareto import Indices, front
from wattermark.science.schedule.steps import Array

LITTLE: Final = 1e-5
"""Of the mean cost of a cell: what two points of a front differ by at least, to be told apart."""


def whole_front(costs: ArrayLike, work: int, most: int | None = None) -> tuple[tuple[int, ...], ...]:
    """The front of a job that runs in whole cells, by rising first cost: which cells each point runs in.

    By the epsilon-constraint method: the least first cost with the second one limited, then the least second
    cost at that first one; then the limit a little below it, and again. The integer programs are solved by
    HiGHS to about 1e-6 of the costs' size: points that are nearer to each other may be missed.

    Parameters
    ----------
    costs : array-like
        What running in each cell costs, shape (n, 2); a cell with NaN is never run in.
    work : int
        How many cells it runs.
    most : int or None
        That many limits, evenly spread between the ends; None finds every point.

    Raises
    ------
    MissingExtra
        If highspy is not installed.

    References
    ----------
    .. [1] Y. Y. Haimes, L. S. Lasdon, D. A. Wismer, "On a bicriterion formulation of the problems of
       integrated system identification and system optimization", IEEE Trans. Syst. Man Cybern. 1 (1971) 296.
    """
    values = np.asarray(costs, np.float64).reshape(-1, 2)
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    if work < 1 or work > len(known):
        return ()
    cells = _Cells.of(values[known], work)
    found = list(cells.every() if most is None else cells.some(most))
    on = front([values[known[chosen]].sum(axis=0) for chosen in found])
    return tuple(tuple(known[found[i]].tolist()) for i in on)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The integer program: so many cells, the one cost least, the other limited."""

    solver: Any
    costs: Array
    endless: float

    @classmethod
    def of(cls, costs: Array, work: int) -> _Cells:
        """Costs are scaled to a mean of one, as the solver's tolerances are absolute."""
        try:
            import highspy
        except ImportError as error:
            raise MissingExtra.of("the front of a job that runs in whole cells", "highspy", "plan") from error
        sizes = np.abs(costs).mean(axis=0)
        scaled = costs / np.where(sizes > 0, sizes, 1.0)
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        cells = np.arange(len(costs), dtype=np.int32)
        solver.silent()
        for option in ("mip_rel_gap", "mip_abs_gap"):
            solver.setOptionValue(option, 0.0)
        solver.addVars(len(cells), np.zeros(len(cells)), np.ones(len(cells)))
        solver.changeColsIntegrality(len(cells), cells, np.full(len(cells), highspy.HighsVarType.kInteger))
        solver.addRow(work, work, len(cells), cells, np.ones(len(cells)))
        for column in scaled.T:
            solver.addRow(-highspy.kHighsInf, highspy.kHighsInf, len(cells), cells, column)
        return cls(solver, scaled, highspy.kHighsInf)

    def every(self) -> Iterator[Indices]:
        """From the least first cost on, each a little less in the second."""
        limit = self.endless
        while (chosen := self._best(limit)) is not None:
            yield chosen
            limit = float(self.costs[chosen, 1].sum()) - LITTLE

    def some(self, many: int) -> Iterator[Indices]:
        """At evenly spread limits of the second cost."""
        ends = self._best(self.endless), self._least(1, self.endless)
        if ends[0] is None or ends[1] is None:
            return
        yield ends[0]
        most, least = (float(self.costs[chosen, 1].sum()) for chosen in ends)
        for limit in np.linspace(most, least, many + 1)[1:]:
            chosen = self._best(float(limit) + LITTLE / 10)
            if chosen is not None:
                yield chosen

    def _best(self, limit: float) -> Indices | None:
        """The least first cost within a limit of the second; of equals the least second."""
        first = self._least(0, limit)
        if first is None:
            return None
        return self._least(1, float(self.costs[first, 0].sum()) + LITTLE / 10)

    def _least(self, quantity: int, limit: float) -> Indices | None:
        """The least of one quantity within a limit of the other."""
        cells = np.arange(len(self.costs), dtype=np.int32)
        self.solver.changeColsCost(len(cells), cells, self.costs[:, quantity])
        self.solver.changeRowBounds(1 + quantity, -self.endless, self.endless)
        self.solver.changeRowBounds(2 - quantity, -self.endless, limit)
        self.solver.run()
        if self.solver.modelStatusToString(self.solver.getModelStatus()) != "Optimal":
            return None
        return np.flatnonzero(np.array(self.solver.getSolution().col_value) > 0.5)
