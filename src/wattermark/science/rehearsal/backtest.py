"""A job on the histories of many places: each on its own, and all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import UsageError
from wattermark.science.rehearsal.judge import judge
from wattermark.science.rehearsal.regular import grid_s, regular
from wattermark.science.rehearsal.rehearse import PAUSING, POLICIES, History, Tried, now, rehearse
from wattermark.science.schedule.steps import Array, Steps
from wattermark.values.backtest import Backtest, Judged, Rehearsal, Rehearsed

Progress = Callable[[int, int], object]
MOST_STEPS: Final = 5e9
"""So many steps of windows are looked at in minutes; more is not what anybody meant."""


def chosen_policies(job: Rehearsal, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """The policies that a job can follow, or those that were asked for.

    Parameters
    ----------
    job : Rehearsal
        Which may pause or not, and for which restarts cost something or not.
    asked : sequence of str
        Names; of none, all that make sense.
    """
    if asked:
        return tuple(dict.fromkeys(asked))
    same = {"wait-awhile"} | (set() if job.restart_s else {"pause-resume"})  # as best-pauses, as k-min
    pausing = set() if job.interruptible else set(PAUSING)
    return tuple(name for name in POLICIES if name not in same | pausing)


def backtest(
    trace: str,
    histories: Mapping[str, Steps],
    job: Rehearsal,
    *,
    policies: Sequence[str],
    flags: Mapping[str, tuple[str, ...]],
    progress: Progress | None = None,
) -> Backtest:
    """What each policy would have saved against starting at once.

    Parameters
    ----------
    trace : str
        What the histories are from.
    histories : mapping of str to Steps
        By place. [g/kWh]
    job : Rehearsal
        Its times are multiples of the history's steps, or the steps are cut finer.
    policies : sequence of str
        Of ``POLICIES``.
    flags : mapping of str to tuple of str
        What is to be said of each history.
    progress : callable, optional
        Is told how many places are done, and of how many.

    Raises
    ------
    UsageError
        If the job does not fit before its deadline, or the time that all histories share is too short for it.
    """
    _check(job)
    begin_s = max(float(one.edges_s[0]) for one in histories.values())
    end_s = min(float(one.edges_s[-1]) for one in histories.values())
    if end_s - begin_s < (job.duration_s if job.to_the_end else job.within_s):
        raise UsageError(
            f"the history that all places share is {max(end_s - begin_s, 0.0) / 3600:g} hours long",
            fix="Give a shorter --within, fewer places, or a longer history",
        )
    every_s = job.every_s or _usual_s(histories)
    lengths_s = (every_s, *(() if job.within_s == inf else (job.within_s,)))
    step_s = grid_s(histories.values(), *lengths_s)
    starts = _starts(job, every_s, step_s, end_s - begin_s)
    _check_effort(len(starts), min(job.within_s, end_s - begin_s), step_s)
    together = _Together(len(starts))
    places = []
    for done, (place, steps) in enumerate(histories.items(), 1):
        history = _history(regular(steps, step_s, begin_s, end_s), begin_s, step_s, starts, job)
        places.append(_place(place, history, policies, together, flags.get(place, ())))
        if progress is not None:
            progress(done, len(histories))
    return Backtest(
        trace=trace,
        job=job,
        begin_s=begin_s,
        end_s=end_s,
        step_s=step_s,
        every_s=every_s,
        places=tuple(places),
        together=together.judged(step_s, len(places)) if len(places) > 1 else None,
    )


def _check(job: Rehearsal) -> None:
    if not job.duration_s > 0:
        raise UsageError("a job takes time", fix="Give --hours as in 24, 90m or 2d")
    if job.within_s < job.duration_s:
        raise UsageError(
            f"a job of {job.duration_s / 3600:g} hours does not end within {job.within_s / 3600:g} hours",
            fix="Give a --within that is longer than --hours, or a --slack",
        )
    if job.every_s is not None and not job.every_s > 0:
        raise UsageError("jobs cannot arrive every 0 hours", fix="Give --every as in 24h")


def _usual_s(histories: Mapping[str, Steps]) -> float:
    """The step that is most common in the first history: a start at each."""
    lengths, often = np.unique(next(iter(histories.values())).lengths_s, return_counts=True)
    return float(lengths[np.argmax(often)])


def _check_effort(starts: int, wide_s: float, step_s: float) -> None:
    if starts * wide_s / step_s > MOST_STEPS:
        raise UsageError(
            f"{starts:.3g} starts in steps of {step_s:g} s are more than can be tried",
            fix="Give a longer --every, or a shorter part of the history with --from and --to",
        )


def _starts(job: Rehearsal, every_s: float, step_s: float, span_s: float) -> NDArray[np.intp]:
    """When jobs arrive, in steps: those whose deadline the history knows, or all that fit before its end.

    The published tables leave the very last start out where the slack is shorter than the history.
    """
    last_s = span_s - (job.duration_s if job.to_the_end else job.within_s)
    found = np.arange(0, int(np.floor(last_s / step_s + 1e-9)) + 1, round(every_s / step_s))
    if job.to_the_end and job.within_s < span_s:
        found = found[found * step_s < last_s - 1e-6 * step_s]
    return found.astype(np.intp)


def _history(
    steps: Steps, begin_s: float, step_s: float, starts: NDArray[np.intp], job: Rehearsal
) -> History:
    expected_s = job.duration_s if job.expected_s is None else job.expected_s
    return History(
        values=steps.values,
        begin_s=begin_s,
        step_s=step_s,
        starts=starts,
        length=_in_steps(job.duration_s, step_s),
        slack=_in_steps(job.within_s, step_s) - _in_steps(job.duration_s, step_s),
        expected=max(round(expected_s / step_s), 1),
        restart=job.restart_s / step_s,
        interruptible=job.interruptible,
        offset_s=job.offset_s,
    )


def _in_steps(length_s: float, step_s: float) -> float:
    """Whole where only rounding makes it less than that, as of 1.1 hours in minutes."""
    steps = length_s / step_s
    near = np.rint(steps)
    return float(near if abs(steps - near) <= 1e-9 * max(steps, 1.0) else steps) if steps < inf else inf


class _Together:
    """Sums over places at each start; NaN from one place on, that start is not known of all."""

    def __init__(self, starts: int) -> None:
        self.now: Array = np.zeros(starts)
        self.costs: dict[str, Array] = {}
        self.waits: dict[str, Array] = {}
        self.pauses: dict[str, Array] = {}

    def add(self, policy: str, tried: Tried) -> None:
        for sums, values in ((self.costs, tried.cost), (self.waits, tried.wait), (self.pauses, tried.pauses)):
            sums[policy] = sums.get(policy, 0.0) + values

    def judged(self, step_s: float, places: int) -> Rehearsed:
        found = (
            judge(
                policy,
                self.now / places,
                Tried(cost / places, self.waits[policy] / places, self.pauses[policy] / places),
                step_s,
            )
            for policy, cost in self.costs.items()
        )
        return _rehearsed("", self.now / places, found)


def _place(
    place: str, history: History, policies: Sequence[str], together: _Together, flags: tuple[str, ...]
) -> Rehearsed:
    at_once = now(history)
    together.now = together.now + at_once

    def found() -> Iterator[Judged | None]:
        for policy in policies:
            tried = rehearse(history, policy)
            together.add(policy, tried)
            yield judge(policy, at_once, tried, history.step_s)

    return _rehearsed(place, at_once, found(), flags)


def _rehearsed(
    place: str, at_once: Array, found: Iterator[Judged | None], flags: tuple[str, ...] = ()
) -> Rehearsed:
    policies = tuple(one for one in found if one is not None)
    known = at_once[np.isfinite(at_once)]
    return Rehearsed(
        place=place,
        starts=len(known),
        left_out=len(at_once) - len(known),
        now_g_per_kwh=float(known.mean()) if len(known) else 0.0,
        policies=policies,
        flags=flags,
    )
