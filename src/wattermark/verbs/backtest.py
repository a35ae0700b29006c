"""Try a job on a history: what each way to choose its time would have saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from wattermark.errors import UsageError, nearest
from wattermark.science.foresight.expected import OWN_FORECAST
from wattermark.science.foresight.tried import issues_told, own_issues, try_job
from wattermark.science.rehearsal.backtest import Progress, backtest, chosen_policies
from wattermark.science.rehearsal.rehearse import POLICIES
from wattermark.science.schedule.steps import Steps, cut, steps_of
from wattermark.signals.files import read_trace
from wattermark.values.backtest import Backtest, Foretold, Rehearsal
from wattermark.values.issues import Issues
from wattermark.values.series import Series, Signal

MOST_OWN = 3
"""At so many places our own forecast is tried: it is made anew for each day of a history."""
_CARBON = (Signal.CARBON, Signal.CARBON_MARGINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a trace is looked at; all of it by default. [s since 1970]"""

    zones: tuple[str, ...] = ()
    basis: str = ""
    begin_s: float = -inf
    end_s: float = inf


def backtest_trace(
    path: Path,
    job: Rehearsal,
    *,
    policies: Sequence[str] = (),
    part: Part | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """What each policy would have saved on a trace file, against starting at once.

    Raises
    ------
    BadTrace
        If the file cannot be understood.
    UsageError
        If a zone or a policy is not known, the job cannot be meant, or the history is too short for it.
    """
    _check(policies)
    part = part or Part()
    trace = read_trace(path)
    series, flags = _chosen(trace.series, part)
    found = backtest(
        path.name,
        {place: _cut(one, part) for place, one in series.items()},
        job,
        policies=chosen_policies(job, policies),
        flags={place: one.flags for place, one in series.items()},
        progress=progress,
    )
    return with_forecasts(replace(found, flags=flags), [*trace.issues], series)


def with_forecasts(found: Backtest, issues: Sequence[Issues], series: Mapping[str, Series]) -> Backtest:
    """What policies save that know a forecast only: those of the file, else our own from its history."""
    foretold: list[Foretold] = []
    flags: list[str] = []
    own = {} if issues or len(series) > MOST_OWN else series
    for place, source, told in (
        *((one.place, one.source, issues_told(one)) for one in issues),
        *((name, OWN_FORECAST, own_issues(steps_of(one), found.job)) for name, one in own.items()),
    ):
        try:
            foretold.append(Foretold(place=place, source=source, trial=try_job(told, found.job)))
        except ValueError as error:
            flags.append(f"not-foretold: {place}: {error}")
    if len(series) > MOST_OWN and not issues:
        flags.append(f"not-foretold: forecasts are tried at {MOST_OWN} places at most; name them with --zone")
    return replace(found, foretold=tuple(foretold), flags=(*found.flags, *flags))


def _check(policies: Sequence[str]) -> None:
    for name in policies:
        if name not in POLICIES:
            near = nearest(name, POLICIES, most=1)
            fix = f"Did you mean {near[0]!r}?" if near else f"Policies are: {', '.join(POLICIES)}"
            raise UsageError(f"there is no policy {name!r}", fix=fix)


def _chosen(series: Sequence[Series], part: Part) -> tuple[Mapping[str, Series], tuple[str, ...]]:
    """One history for each place that was asked for: of carbon, and of one basis."""
    carbon = [one for one in series if one.signal in _CARBON]
    if not carbon:
        told = ", ".join(dict.fromkeys(one.signal.value for one in series))
        raise UsageError(f"the file holds no carbon intensity, but {told}", fix="Give a file that does")
    bases = tuple(dict.fromkeys(one.basis for one in carbon))
    basis = part.basis or ("lifecycle" if "lifecycle" in bases else bases[0])
    if basis not in bases:
        raise UsageError(
            f"the file tells no {basis} intensity", fix=f"It tells: {', '.join(filter(None, bases)) or 'one'}"
        )
    places = {one.place: one for one in reversed(carbon) if one.basis == basis}
    known = {one.place: places[one.place] for one in carbon if one.place in places}
    flags = (f"of {' and '.join(bases)} intensity the {basis} one was taken",) if len(bases) > 1 else ()
    return {zone: _known(zone, known) for zone in part.zones or known}, flags


def _known(zone: str, places: Mapping[str, Series]) -> Series:
    if zone in places:
        return places[zone]
    near = nearest(zone, places, most=3)
    fix = f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(list(places)[:20])}"
    raise UsageError(f"the file has no zone {zone!r}", fix=fix)


def _cut(series: Series, part: Part) -> Steps:
    steps = steps_of(series)
    found = cut(steps, max(part.begin_s, series.begin_s), min(part.end_s, series.end_s))
    if not len(found.values):
        raise UsageError(
            f"{series.place} has nothing between --from and --to", fix="See when its history begins and ends"
        )
    return found
