"""What planning would have saved on forecasts that were made: the face of a back-test.

Each issue is the start of one job. It is priced as started at once, as planned on that issue, as planned
anew at every later issue, and as an oracle would have run it; and what the tool would have said of it is
held against what came, on issues that had no part in what it said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.science.foresight.chances import USUAL_RECORD, Record, record_of, time_in, told
from wattermark.science.foresight.days import DAY_S
from wattermark.science.foresight.errors import MOST_PATHS, base
from wattermark.science.foresight.grid_forecast import Issues, past_forecasts
from wattermark.science.foresight.rolling import Issue, Task, planned, replanned
from wattermark.science.foresight.scores import error_by_day, mape, mean_error
from wattermark.science.foresight.verdict import is_worth
from wattermark.science.schedule.steps import Array, Steps
from wattermark.values.plan import Saving, Stretch
from wattermark.values.trial import Fared, Judgement, Trial

LEAST_KNOWN: Final = 20
"""With fewer past issues nothing is said, and nothing is judged."""
REFIT: Final = 7
BLOCKS: Final = 9
MENDED: Final = "issue-times-mended: some labels repeat and jump; the issues are taken as evenly spaced"
SHORT: Final = "horizon-short: the forecasts end before the deadline, which was moved to their end"

Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Priced:
    """For each job that could be priced: costs of every way, and its saving on every issue's errors."""

    issued_s: Array
    now: Array
    oracle: Array
    static: Array
    rolling: Array
    promised: Array
    drawn: Array

    @property
    def realised(self) -> Array:
        return _saved(self.static, self.now)


def trial(
    issues: Issues,
    *,
    job_s: float,
    within_s: float,
    interruptible: bool,
    penalty: float = 0.0,
    least_saving: float | None = None,
) -> Trial:
    """Plan one job from each issue on, and see.

    Parameters
    ----------
    issues : Issues
        Forecasts that were made, and what came; in any steps, NaN for a gap.
    job_s, within_s : float
        How long the job is, and how long after the issue it must have ended. [s]
    interruptible : bool
        Whether it may pause, at no cost.
    penalty : float
        As of ``replanned``.
    least_saving : float, optional
        As of ``verdict``. [1]

    Raises
    ------
    ValueError
        If the job is longer than its deadline or than the forecasts, or no issue can be priced.
    """
    issues, flags = _mended(issues)
    horizon_s = float(issues.leads_s[-1])
    if within_s > horizon_s + 1e-6:
        flags, within_s = (*flags, SHORT), horizon_s
    if not 0 < job_s <= within_s:
        raise ValueError(f"a job of {job_s / 3600:g} h does not fit into {within_s / 3600:g} h")
    priced = _priced(issues, job_s, within_s, interruptible, penalty)
    if not len(priced.now):
        raise ValueError("no issue has what a job needs: too many gaps, or no issues at all")
    return Trial(
        jobs=len(priced.now),
        left_out=issues.many - len(priced.now),
        oracle=_policy(priced.oracle, priced.now),
        static=_policy(priced.static, priced.now),
        replanned=_policy(priced.rolling, priced.now),
        forward=_judged(priced, _forward(priced.issued_s, within_s), within_s, least_saving),
        halved=_judged(priced, _halved(priced.issued_s, within_s), within_s, least_saving),
        crossed=_judged(priced, _crossed(priced.issued_s, within_s), within_s, least_saving),
        error=mean_error(issues.actual, issues.forecast),
        mape=mape(issues.actual, issues.forecast),
        error_by_day=error_by_day(issues.actual, issues.forecast, issues.leads_s),
        flags=flags,
    )


def issues_of_history(history: Steps, end_s: float, *, within_s: float, every_s: float = DAY_S) -> Issues:
    """What our own forecast would have said in the past of a history, as issues.

    Parameters
    ----------
    history : Steps
        NaN for a gap.
    end_s : float
        Where it is taken to end. [s since 1970]
    within_s : float
        How far each looks. [s]
    every_s : float
        How often one is made; a part or a multiple of a day. [s]
    """
    a_day = max(round(DAY_S / every_s), 1)
    phases = [past_forecasts(history, end_s - i * DAY_S / a_day, within_s) for i in range(a_day)]
    order = np.argsort(np.concatenate([one.issued_s for one in phases]), kind="stable")
    order = order[:: max(round(every_s / DAY_S), 1)]
    return Issues(
        issued_s=np.concatenate([one.issued_s for one in phases])[order],
        leads_s=phases[0].leads_s,
        actual=np.concatenate([one.actual for one in phases])[order],
        forecast=np.concatenate([one.forecast for one in phases])[order],
    )


def record(issues: Issues, *, job_s: float, within_s: float, interruptible: bool) -> Record:
    """How plans of this kind have fared on past issues: for ``spread_of`` and ``saving_of``.

    The usual record where there are too few.

    Parameters
    ----------
    issues, job_s, within_s, interruptible
        As of ``trial``.
    """
    issues, _ = _mended(issues)
    within_s = min(within_s, float(issues.leads_s[-1]))
    if not 0 < job_s <= within_s or issues.many < LEAST_KNOWN:
        return USUAL_RECORD
    priced = _priced(issues, job_s, within_s, interruptible, None)
    return _record(priced, np.arange(len(priced.now)), within_s)


def _mended(issues: Issues) -> tuple[Issues, tuple[str, ...]]:
    """Issues in time; labels that repeat and then jump are taken as even where both ends agree with that."""
    times = issues.issued_s
    steps = np.diff(times)
    if not len(steps) or (steps > 0).all():
        return issues, ()
    even = times[0] + np.arange(len(times)) * float(np.median(steps))
    if abs(even[-1] - times[-1]) > 1 or (steps < 0).any():
        raise ValueError("the issues are not in the order of their time")
    return replace(issues, issued_s=even), (MENDED,)


def _priced(
    issues: Issues, job_s: float, within_s: float, interruptible: bool, penalty: float | None
) -> _Priced:
    """Without a penalty nothing is planned anew."""
    told_steps = [
        Issue(float(at), Steps(at + issues.leads_s, said))
        for at, said in zip(issues.issued_s, issues.forecast, strict=True)
    ]
    kept: list[int] = []
    hours: list[tuple[Array, ...]] = []
    for i, issue in enumerate(told_steps):
        begin_s = issue.issued_s
        task = Task(
            duration_s=job_s, earliest_s=begin_s, deadline_s=begin_s + within_s, interruptible=interruptible
        )
        came = Steps(issue.forecast.edges_s, issues.actual[i])
        now = (Stretch(begin_s=begin_s, end_s=begin_s + job_s),)
        static, oracle = planned(issue.forecast, task), planned(came, task)
        rolling = static if penalty is None else replanned(_of_job(told_steps, i, task), task, penalty)
        if static and oracle and rolling:
            used = tuple(time_in(came, way) for way in (now, oracle, static, rolling))
            if all(np.isfinite(issues.actual[i][one > 0]).all() for one in used):
                kept.append(i)
                hours.append(used)
    return _costs(issues, kept, hours)


def _of_job(issues: Sequence[Issue], first: int, task: Task) -> list[Issue]:
    """The issue that a job starts with, and those that come before its deadline."""
    found = [issues[first]]
    for issue in issues[first + 1 :]:
        if issue.issued_s >= task.deadline_s:
            break
        found.append(issue)
    return found


def _costs(issues: Issues, kept: Sequence[int], hours: Sequence[tuple[Array, ...]]) -> _Priced:
    rows = np.asarray(kept, np.intp)
    shape = (len(rows), issues.forecast.shape[1])
    now, oracle, static, rolling = (np.array([one[way] for one in hours]).reshape(shape) for way in range(4))
    actual, said = np.nan_to_num(issues.actual[rows]), np.nan_to_num(issues.forecast[rows])
    on = base(issues.forecast[rows])
    relative = np.nan_to_num((issues.actual[rows] - issues.forecast[rows]) / on)  # a gap: as was said
    on = np.nan_to_num(on)
    took = [(used * actual).sum(axis=1) for used in (now, oracle, static, rolling)]
    plan_said, now_said = (static * said).sum(axis=1), (now * said).sum(axis=1)
    plan_drawn = plan_said[:, None] + (static * on) @ relative.T
    now_drawn = now_said[:, None] + (now * on) @ relative.T
    return _Priced(
        issued_s=issues.issued_s[rows],
        now=took[0],
        oracle=took[1],
        static=took[2],
        rolling=took[3],
        promised=_saved(plan_said, now_said),
        drawn=_saved(plan_drawn, now_drawn),
    )


def _saved(cost: Array, now: Array) -> Array:
    some = np.abs(now) > 0
    return np.asarray(np.where(some, (now - cost) / np.where(some, np.abs(now), 1.0), 0.0), np.float64)


def _policy(cost: Array, now: Array) -> Fared:
    total = np.array([now.sum()])
    worse = float((cost > now + 1e-9 * np.abs(now)).mean())
    return Fared(saving=float(_saved(np.array([cost.sum()]), total)[0]), worse=worse)


def _forward(issued_s: Array, within_s: float) -> Iterator[tuple[Whole, Whole]]:
    """What was known when, and the issues that it is used for."""
    for first in range(0, len(issued_s), REFIT):
        of = np.arange(first, min(first + REFIT, len(issued_s)))
        yield np.flatnonzero(issued_s + within_s <= issued_s[first]), of


def _halved(issued_s: Array, within_s: float) -> Iterator[tuple[Whole, Whole]]:
    half = len(issued_s) // 2
    yield np.flatnonzero(issued_s + within_s <= issued_s[half]), np.arange(half, len(issued_s))


def _crossed(issued_s: Array, within_s: float) -> Iterator[tuple[Whole, Whole]]:
    for of in np.array_split(np.arange(len(issued_s)), BLOCKS):
        if len(of):
            apart = (issued_s + within_s <= issued_s[of[0]]) | (issued_s >= issued_s[of[-1]] + within_s)
            yield np.flatnonzero(apart), of


def _record(priced: _Priced, known: Whole, within_s: float) -> Record:
    """Of the known ones, each by those known ones that do not overlap it."""
    scored: list[int] = []
    drawn: list[Array] = []
    times = priced.issued_s
    for i in _thinned(known, MOST_PATHS // 2):
        others = known[np.abs(times[known] - times[i]) >= within_s]
        if len(others) >= LEAST_KNOWN // 2:
            scored.append(int(i))
            drawn.append(priced.drawn[i, _thinned(others, MOST_PATHS)])
    days = float(np.ptp(times[known])) / DAY_S + 1 if len(known) else 0.0
    if not scored:
        return USUAL_RECORD
    return record_of(drawn, priced.realised[scored], days=days)


def _thinned(items: Whole, most: int) -> Whole:
    """At most so many, evenly."""
    if len(items) <= most:
        return items
    return items[((np.arange(most) + 0.5) * len(items) / most).astype(np.intp)]


def _judged(
    priced: _Priced, folds: Iterator[tuple[Whole, Whole]], within_s: float, least_saving: float | None
) -> Judgement:
    said: list[Saving] = []
    of: list[int] = []
    for known, some in folds:
        if len(known) >= LEAST_KNOWN:
            mine = _record(priced, known, within_s)
            paths = _thinned(known, MOST_PATHS)
            for i in some:
                days = float(np.abs(priced.issued_s[known] - priced.issued_s[i]).min()) / DAY_S
                drawn = priced.drawn[i, paths]
                said.append(told("", float(priced.promised[i]), drawn, mine.aged(days)))
                of.append(int(i))
    return _held(said, priced.realised[of], least_saving)


def _held(said: Sequence[Saving], came: Array, least_saving: float | None) -> Judgement:
    if not said:
        return Judgement(plans=0, covered=None, below=None, worth=None, worth_worse=None, kept=None)
    bands = np.array([(one.spread.p10, one.spread.p90) for one in said if one.spread is not None])
    low, high = bands[:, 0] - 1e-9, bands[:, 1] + 1e-9
    worth = np.array([is_worth(one, least_saving) for one in said])
    total = float(came.sum())
    return Judgement(
        plans=len(said),
        covered=float(((came >= low) & (came <= high)).mean()),
        below=float((came < low).mean()),
        worth=float(worth.mean()),
        worth_worse=float((came[worth] < -1e-9).mean()) if worth.any() else None,
        kept=float(came[worth].sum() / total) if total > 0 else None,
    )
