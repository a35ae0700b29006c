"""Many jobs on places of limited capacity, exactly: by HiGHS, on one binary for each choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wattermark.errors import MissingExtra
from wattermark.science.fleet.fleet import (
    Chosen,
    Fleet,
    Plan,
    Slots,
    Task,
    cost_of,
    costs_with,
    sums_before,
    true_cost,
)
from wattermark.science.fleet.prices import Priced
from wattermark.science.schedule.steps import Array

TOLERANCE = 1e-4
"""A plan is the best if none is proven to cost less by more than this share; HiGHS' own default."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exact:
    """The best plan that was found; ``bound`` is below what any plan of as many jobs costs."""

    plan: Plan
    bound: float
    proven: bool


@dataclass(frozen=True, slots=True)
class _Column:
    """A variable from 0 to 1: a start, a slot, the slot used in part, a place, or leaving a job out."""

    job: int
    kind: str
    place: int
    slots: Slots
    cost: float
    entries: dict[int, float]


def solve_exactly(fleet: Fleet, plan: Plan, priced: Priced, time_limit_s: float) -> Exact:
    """The cheapest of the plans that leave the fewest jobs out, or the best until time is up.

    Choices that the prices prove to be in no better plan than the given one are not looked at.

    Parameters
    ----------
    fleet : Fleet
        Jobs, capacity and choices.
    plan : list of Chosen or None
        To begin with; the answer is never worse.
    priced : Priced
        Prices and what each job would pay at them.
    time_limit_s : float
        [s]

    Raises
    ------
    MissingExtra
        If HiGHS is not installed.

    References
    ----------
    Q. Huangfu, J. A. J. Hall, "Parallelizing the dual revised simplex method", Mathematical Programming
    Computation 10 (2018), doi:10.1007/s12532-017-0130-5.
    """
    model = _Model(fleet, plan, priced)
    solved = model.solve(time_limit_s)
    best = min(plan, solved.plan, key=cost_of)
    return Exact(plan=best, bound=min(solved.bound, cost_of(best)[1]), proven=solved.proven)


class _Model:
    """Columns and rows: each job once, no slot beyond its capacity."""

    def __init__(self, fleet: Fleet, plan: Plan, priced: Priced) -> None:
        self.fleet, self.plan = fleet, plan
        self._rows: dict[tuple[object, ...], int] = {}
        self._low: list[float] = []
        self._high: list[float] = []
        self.left = cost_of(plan)[0]
        self.drop = _drop_cost(fleet)
        self.columns = list(self._columns(priced))

    def _row(self, key: tuple[object, ...], low: float, high: float) -> int:
        """The row of that name, new at its first use."""
        if key not in self._rows:
            self._rows[key] = len(self._low)
            self._low.append(low)
            self._high.append(high)
        return self._rows[key]

    def _columns(self, priced: Priced) -> Iterator[_Column]:
        sums = sums_before(priced.prices)
        cost = cost_of(self.plan)[1]
        room = cost * (1 + 1e-6) - float(priced.least.sum() - priced.rent) if not self.left else np.inf
        for j, (task, costs) in enumerate(zip(self.fleet.tasks, self.fleet.choices, strict=True)):
            once = self._row(("once", j), 1.0, 1.0)
            if self.left:
                yield _Column(j, "drop", -1, slice(0, 0), self.drop, {once: 1.0})
            if task.interruptible:
                yield from self._pausing(j, task, costs, once)
            else:
                near = costs_with(task, costs, sums, priced.prices) - priced.least[j] <= room
                yield from self._whole(j, task, np.where(near, costs, np.inf), once)

    def _whole(self, j: int, task: Task, costs: Array, once: int) -> Iterator[_Column]:
        for row, start in zip(*np.nonzero(np.isfinite(costs)), strict=True):
            place, begin = int(task.places[row]), task.first + int(start)
            taken = {self._full(place, t): task.units for t in range(begin, begin + task.slots)}
            slots = slice(begin, begin + task.slots)
            yield _Column(j, "start", place, slots, float(costs[row, start]), {once: 1.0, **taken})

    def _pausing(self, j: int, task: Task, costs: Array, once: int) -> Iterator[_Column]:
        for row, place in enumerate(task.places.tolist()):
            known = np.flatnonzero(np.isfinite(costs[row])) if costs.size else np.empty(0, np.intp)
            if len(known) < task.slots:
                continue
            many = self._row(("many", j, place), 0.0, 0.0)
            part = self._row(("part", j, place), 0.0, 0.0)
            here = {once: 1.0, many: -float(task.slots), part: -1.0}
            yield _Column(j, "place", place, slice(0, 0), float(task.moving[row]), here)
            for i in known.tolist():
                t, cost = task.first + i, float(costs[row, i])
                least = self._row(("within", j, place, t), -np.inf, 0.0)
                used = {many: 1.0, least: -1.0, self._full(place, t): task.units}
                yield _Column(j, "slot", place, slice(t, t + 1), cost, used)
                yield _Column(
                    j, "part", place, slice(t, t + 1), -(1 - task.part) * cost, {part: 1.0, least: 1.0}
                )

    def _full(self, place: int, t: int) -> int:
        return self._row(("full", place, t), -np.inf, float(self.fleet.capacity[place, t]))

    def solve(self, time_limit_s: float) -> Exact:
        solver, scale = _solver(time_limit_s), max(1e-300, abs(cost_of(self.plan)[1]), self.drop * self.left)
        self._pass(solver, scale)
        solver.run()
        info, status = solver.getInfo(), solver.getModelStatus()
        proven = "Optimal" in solver.modelStatusToString(status)
        values = np.asarray(solver.getSolution().col_value)
        plan = self._plan_of(values) if len(values) == len(self.columns) else self.plan
        bound = float(info.mip_dual_bound) * scale - cost_of(plan)[0] * self.drop
        return Exact(plan=plan, bound=bound, proven=proven)

    def _pass(self, solver: Any, scale: float) -> None:
        import highspy

        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.columns), len(self._low)
        lp.col_cost_ = np.array([column.cost for column in self.columns]) / scale
        lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.ones(lp.num_col_)
        lp.row_lower_, lp.row_upper_ = np.array(self._low), np.array(self._high)
        whole, free = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
        lp.integrality_ = [free if column.kind == "part" else whole for column in self.columns]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        counts = [len(column.entries) for column in self.columns]
        lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        lp.a_matrix_.index_ = np.array([row for c in self.columns for row in c.entries], np.int32)
        lp.a_matrix_.value_ = np.array([value for c in self.columns for value in c.entries.values()])
        solver.passModel(lp)
        begun = np.flatnonzero(self._begun()).astype(np.int32)
        every = np.arange(lp.num_col_, dtype=np.int32)
        start = np.zeros(lp.num_col_)
        start[begun] = 1.0
        solver.setSolution(lp.num_col_, every, start)

    def _begun(self) -> list[bool]:
        """Which columns the plan to begin with uses."""
        return [_uses(self.plan[c.job], c, self.fleet) for c in self.columns]

    def _plan_of(self, values: Array) -> Plan:
        plan: Plan = [None] * len(self.fleet.tasks)
        taken: dict[int, list[_Column]] = {}
        for column, value in zip(self.columns, values, strict=True):
            if value > 0.5 and column.kind in ("start", "slot"):
                taken.setdefault(column.job, []).append(column)
        for j, columns in taken.items():
            task, place = self.fleet.tasks[j], columns[0].place
            slots: Slots = columns[0].slots
            if task.interruptible:
                slots = np.array([c.slots.start for c in columns if isinstance(c.slots, slice)], np.intp)
            found = Chosen(place, slots, 0.0)
            plan[j] = Chosen(place, slots, true_cost(task, self.fleet.choices[j], found))
        return plan


def _uses(held: Chosen | None, column: _Column, fleet: Fleet) -> bool:
    if held is None or column.kind == "drop":
        return held is None and column.kind == "drop"
    if held.place != column.place:
        return False
    if column.kind == "place":
        return True
    assert isinstance(column.slots, slice)
    if isinstance(held.slots, slice):
        return bool(held.slots == column.slots)
    task, t = fleet.tasks[column.job], column.slots.start
    if column.kind == "slot":
        return t in held.slots
    costs = fleet.choices[column.job][int(np.searchsorted(task.places, held.place))]
    return bool(t == held.slots[np.argmax(costs[held.slots - task.first])])


def _drop_cost(fleet: Fleet) -> float:
    """More than all others could gain if one job were left out."""
    spans, top = 0.0, 0.0
    for task, costs in zip(fleet.tasks, fleet.choices, strict=True):
        known = costs[np.isfinite(costs)]
        many = task.slots if task.interruptible else 1
        if known.size:
            moved = float(np.ptp(task.moving)) if task.interruptible else 0.0
            spans += many * float(np.ptp(known)) + moved
            top = max(top, many * float(np.abs(known).max()) + moved)
    return spans + 2 * top


def _solver(time_limit_s: float) -> Any:
    try:
        import highspy
    except ImportError as error:
        raise MissingExtra.of("an exact plan of many jobs", "highspy", "plan") from error

    class Quiet(highspy.Highs):
        """Its first sign of life is a banner on stdout, where our documents go."""

        def enableCallbacks(self) -> None:
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()  # type: ignore[no-untyped-call]

    solver = Quiet()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", float(time_limit_s))
    solver.setOptionValue("mip_rel_gap", TOLERANCE)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.setOptionValue("mip_allow_restart", False)
    solver.setOptionValue("random_seed", 0)
    return solver
