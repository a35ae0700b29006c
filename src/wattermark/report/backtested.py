"""A backtest as a table, as sentences, and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from typing import Any

from wattermark.report.numbers import TIME, say
from wattermark.report.sheet import Section
from wattermark.values.backtest import PERCENTS, Backtest, Foretold, Judged, Rehearsed

HEADINGS = ("policy", "g/kWh", "saves", "p10", "p50", "p90", "worse", "ends later", "pauses")
LOOKS_AHEAD = "policies that look ahead know this history; with a forecast they save less"
_EACH = 5
"""Places that are shown one by one; of more, all together are."""


def backtest_title(found: Backtest) -> str:
    """What was tried, in one line."""
    job = found.job
    until = f"within {say(job.within_s, TIME)}" if isfinite(job.within_s) else "until the end of the history"
    if job.to_the_end and isfinite(job.within_s):
        until = f"with {say(job.slack_s, TIME)} of slack"
    every = say(found.every_s, TIME)
    return f"{found.trace}: a job of {say(job.duration_s, TIME)} {until}, one every {every}"


def tables(found: Backtest) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """A title and rows for each place, or for all together."""
    shown = found.places if found.together is None or len(found.places) <= _EACH else ()
    for one in (*shown, *((found.together,) if found.together else ())):
        name = one.place or f"all {len(found.places)} places, as their mean at each start"
        yield f"{name}: {one.starts:,} starts, {one.now_g_per_kwh:.1f} g/kWh at once", _rows(one)


FORETOLD = ("by forecasts", "saves", "worse", "in its band", "called worth it", "of these worse")


def foretold_table(found: Backtest) -> list[tuple[str, ...]]:
    """What plans by forecasts would have saved: a row for each place and way to plan."""
    return [row for one in found.foretold for row in _foretold(one)]


def _foretold(one: Foretold) -> Iterator[tuple[str, ...]]:
    tried, held = one.trial, one.trial.crossed
    said = (_known(held.covered), _known(held.worth), _known(held.worth_worse))
    yield (
        f"{one.place}: all known",
        _percent(tried.oracle.saving),
        _percent(tried.oracle.worse),
        "-",
        "-",
        "-",
    )
    yield (f"{one.place}: one plan", _percent(tried.static.saving), _percent(tried.static.worse), *said)
    anew = (_percent(tried.replanned.saving), _percent(tried.replanned.worse))
    yield (f"{one.place}: planned anew", *anew, "-", "-", "-")


def _known(share: float | None) -> str:
    return "-" if share is None else _percent(share)


def backtest_notes(found: Backtest) -> Section:
    """What to know of the numbers."""
    left_out = sum(one.left_out for one in found.places)
    sentences = [LOOKS_AHEAD, *found.flags]
    if left_out:
        sentences.append(f"{left_out:,} starts were left out: they would have run into a gap")
    for one in found.places:
        sentences += [f"{one.place}: {flag}" for flag in one.flags]
    for told in found.foretold:
        sentences.append(f"{told.place}: {told.trial.jobs} jobs by forecasts of {told.source}{_error(told)}")
        sentences += [f"{told.place}: {flag}" for flag in told.trial.flags]
    return Section("to know", sentences=tuple(dict.fromkeys(sentences)))


def _error(told: Foretold) -> str:
    return "" if told.trial.mape is None else f", off by {told.trial.mape:.1%} (MAPE)"


def _rows(one: Rehearsed) -> list[tuple[str, ...]]:
    return [_row(judged) for judged in one.policies]


def _row(one: Judged) -> tuple[str, ...]:
    of = dict(zip(PERCENTS, one.percentiles, strict=True))
    return (
        one.policy,
        f"{one.intensity_g_per_kwh:.1f}",
        *(_percent(share) for share in (one.saving, of[10], of[50], of[90], one.worse)),
        "-" if one.wait_s is None else say(one.wait_s, TIME),
        "-" if one.pauses is None else f"{one.pauses:.1f}",
    )


def _percent(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f} %"  # no -0.0


def backtest_document(found: Backtest) -> dict[str, Any]:
    """All of it for programs; what is not known is null."""
    job = found.job
    return {
        "schema": 1,
        "trace": found.trace,
        "begin_s": found.begin_s,
        "end_s": found.end_s,
        "step_s": found.step_s,
        "job": {
            "duration_s": job.duration_s,
            "within_s": job.within_s if isfinite(job.within_s) else None,
            "slack_s": job.slack_s if isfinite(job.slack_s) else None,
            "every_s": found.every_s,
            "interruptible": job.interruptible,
            "slack_ends_with_the_history": job.to_the_end,
            "expected_s": job.expected_s,
            "restart_s": job.restart_s,
        },
        "together": _place(found.together) if found.together else None,
        "places": [_place(one) for one in found.places],
        "foretold": [
            {"place": one.place, "source": one.source, **asdict(one.trial)} for one in found.foretold
        ],
        "flags": [LOOKS_AHEAD, *found.flags],
    }


def _place(one: Rehearsed) -> dict[str, Any]:
    return {
        "place": one.place or None,
        "starts": one.starts,
        "left_out": one.left_out,
        "now_g_per_kwh": one.now_g_per_kwh,
        "policies": {judged.policy: _judged(judged) for judged in one.policies},
        "flags": list(one.flags),
    }


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "intensity_g_per_kwh": one.intensity_g_per_kwh,
        "saving_percent": 100 * one.saving,
        "saving_of_means_percent": 100 * one.saving_of_means,
        "saving_g_per_kwh": one.saving_g_per_kwh,
        "percentiles_percent": {
            f"p{p}": 100 * share for p, share in zip(PERCENTS, one.percentiles, strict=True)
        },
        "worse_percent": 100 * one.worse,
        "ends_later_s": one.wait_s,
        "pauses": one.pauses,
    }
