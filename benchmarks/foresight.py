"""Forecasts and plans on real traces: ``python benchmarks/foresight.py --traces DIR``, two minutes.

``DIR/carboncast`` holds ``forecast96h_2021H2/*_lifecycle.csv`` (published forecasts beside what came) and
``actual_2020_2021/*_lifecycle_emissions.csv`` (https://github.com/aamyli/CarbonCast, Apache-2.0). No number
was fitted to NL, PJM, SE and ERCO, of which only the history is here: our own forecasts are their issues.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "tools")]

import foresight_plans  # noqa: E402
from factor_build.hours import FORECASTS, read_issues  # noqa: E402

from wattermark.factors.shapes_of_grids import shape_of, usual_errors  # noqa: E402
from wattermark.science.foresight.chances import (  # noqa: E402
    SHAPE_RECORD,
    USUAL_RECORD,
    Record,
    spread_of,
    time_in,
)
from wattermark.science.foresight.errors import Errors, errors_of_table  # noqa: E402
from wattermark.science.foresight.grid_forecast import Issues, forecast, past_forecasts  # noqa: E402
from wattermark.science.foresight.rolling import Task, planned  # noqa: E402
from wattermark.science.foresight.scores import error_by_day, mape  # noqa: E402
from wattermark.science.foresight.shape import shape_errors, shaped  # noqa: E402
from wattermark.science.foresight.trial import trial  # noqa: E402
from wattermark.science.foresight.verdict import is_worth  # noqa: E402
from wattermark.science.schedule.steps import Array, Steps  # noqa: E402
from wattermark.values.plan import Saving, Stretch  # noqa: E402
from wattermark.values.trial import Judgement, Trial  # noqa: E402

HOUR_S, DAY_S = 3600.0, 86400.0
JOB_S, WITHIN_S = 24 * HOUR_S, 96 * HOUR_S
BEGIN_S = 1625097600.0  # 2021-07-01, UTC: the first issue
HISTORY_S = 1577836800.0  # 2020-01-01
ISSUES = 181
PLAN_MOMENTS = 45
HELD_OUT = ("ERCO", "NL", "PJM", "SE")
GRID_OF = {
    **{"BPAT": "US-NWPP", "CISO": "US-CAMX", "DE": "DEU", "ES": "ESP", "ISNE": "US-NEWE", "PL": "POL"},
    **{"ERCO": "US-ERCT", "NL": "NLD", "PJM": "US-RFCE", "SE": "SWE"},
}
Trust = tuple[Errors, Record]
HOW = ("forward", "halved", "crossed")
ASKED = {"mape": 10.1, "covered": (75.0, 85.0), "worth_worse": 10.0, "zones_not_better": 1}


def published(traces: Path) -> dict[str, Issues]:
    """The forecasts of CarbonCast, issues 24 h apart (some of their labels repeat; their hours do not)."""
    found = {}
    for path in sorted((traces / FORECASTS).glob("*_lifecycle.csv")):
        actual, said = read_issues(path)
        issued_s = BEGIN_S + np.arange(len(actual)) * DAY_S
        zone = path.name.removesuffix("_lifecycle.csv")
        found[zone] = Issues(issued_s=issued_s, leads_s=np.arange(97) * HOUR_S, actual=actual, forecast=said)
    return found


def histories(traces: Path, issues: dict[str, Issues]) -> dict[str, Steps]:
    """All that is known of each zone: 2020 and 2021, or from the first issue on."""
    found = {}
    for zone, one in issues.items():
        values = np.concatenate((one.actual[:, :24].ravel(), one.actual[-1, 24:]))
        found[zone] = _steps(BEGIN_S, values)
    for path in sorted((traces / "carboncast" / "actual_2020_2021").glob("*_lifecycle_emissions.csv")):
        with path.open(encoding="utf-8") as file:
            header = next(file).split(",")
            at = header.index("carbon_intensity")
            values = np.array([float(line.split(",")[at]) for line in file])
        found[path.name.removesuffix("_lifecycle_emissions.csv")] = _steps(HISTORY_S, values)
    return found


def _steps(begin_s: float, values: Array) -> Steps:
    return Steps(begin_s + np.arange(len(values) + 1) * HOUR_S, values)


def ours(history: Steps) -> Issues:
    """What our forecast would have said at the moments of the published ones."""
    return past_forecasts(history, BEGIN_S + (ISSUES + 3) * DAY_S, WITHIN_S, most_days=ISSUES)


def of_shape(zone: str, history: Steps) -> Issues:
    """What the shape of 2022 says, around the mean of the twelve months before each issue."""
    rows = []
    for at in range(ISSUES):
        first = round((BEGIN_S - HISTORY_S) / HOUR_S) + 24 * at
        yearly = float(history.values[first - 365 * 24 : first].mean())
        edges = history.edges_s[first : first + 97]
        rows.append(
            (history.values[first : first + 96], shaped(yearly, shape_of(GRID_OF[zone]), edges).values)
        )
    came, said = (np.array(column) for column in zip(*rows, strict=True))
    issued_s = BEGIN_S + np.arange(ISSUES) * DAY_S
    return Issues(issued_s=issued_s, leads_s=np.arange(97) * HOUR_S, actual=came, forecast=said)


def errors_table(issues: dict[str, Issues], known: dict[str, Steps]) -> dict[str, object]:
    """Mean absolute relative error over 96 hours, zone by zone."""
    print("\nForecasts: mean absolute relative error over 96 h [%], and ours by day of lead")
    print(f"{'zone':8s} {'published':>9s} {'ours':>7s} {'shape':>7s}   day 1    2      3      4   issues")
    told: dict[str, object] = {}
    sums = []
    for zone in (*issues, *HELD_OUT):
        own = ours(known[zone])
        theirs = mape(issues[zone].actual, issues[zone].forecast) if zone in issues else None
        shape = of_shape(zone, known[zone]) if zone in GRID_OF else None
        flat = mape(shape.actual, shape.forecast) if shape else None
        mine = mape(own.actual, own.forecast)
        by_day = [one for one in error_by_day(own.actual, own.forecast, own.leads_s) if one is not None]
        days = " ".join(f"{100 * one:6.2f}" for one in by_day)
        print(f"{zone:8s} {_of(theirs, 9)} {_of(mine, 7)} {_of(flat, 7)}  {days}   {own.many}")
        told[zone] = {"published": theirs, "ours": mine, "shape": flat, "issues": own.many}
        if zone in issues and theirs is not None and mine is not None:
            sums.append((theirs, mine))
    means = np.mean(sums, axis=0)
    asked = f"zones whose forecasts are here; asked: at most {ASKED['mape']} %"
    print(f"{'mean of':8s} {_of(means[0], 9)} {_of(means[1], 7)}   {asked}")
    begin = time.process_time()
    for _ in range(10):
        forecast(known["CISO"], BEGIN_S, WITHIN_S)
    took = (time.process_time() - begin) / 10
    print(f"a fit, 96 h and a back-test of 84 issues: {1000 * took:.0f} ms of processor time")
    return {"zones": told, "published": means[0], "ours": means[1], "seconds": took}


def _of(share: float | None, width: int) -> str:
    return f"{'-' if share is None else f'{100 * share:.2f}':>{width}s}"


def plans_table(title: str, tried: dict[str, Trial]) -> dict[str, object]:
    """What planning saved, what was said of it, and whether that held."""
    print(f"\n{title}: savings against starting at once [%], and in brackets plans that ended worse [%]")
    ways = f"{'zone':8s} {'oracle':>6s} {'static':>11s} {'re-plan':>11s}"
    print(f"{ways}  | in the band [%]    | worth waiting [%]")
    print(f"{'':38s}  | known half crossed | said worse kept")
    for zone, one in tried.items():
        said = one.forward
        policies = " ".join(
            f"{100 * p.saving:5.1f} ({100 * p.worse:3.0f})" for p in (one.static, one.replanned)
        )
        bands = " ".join(_of(j.covered, 6)[:-3] for j in (one.forward, one.halved, one.crossed))
        worth = " ".join(_of(share, 7)[:-3] for share in (said.worth, said.worth_worse, said.kept))
        print(f"{zone:8s} {100 * one.oracle.saving:6.1f}  {policies}  | {bands}   | {worth}")
    told = {how: pooled([getattr(one, how) for one in tried.values()]) for how in HOW}
    for how, (covered, worth, worse) in told.items():
        print(
            f"  all zones, {how:8s}: in the band {100 * covered:.1f} % (asked: 75 to 85); worth waiting "
            f"{100 * worth:.0f} %, of which end worse {100 * worse:.1f} % (asked: at most 10)"
        )
    not_better = [zone for zone, one in tried.items() if one.replanned.saving <= one.static.saving]
    named = ", ".join(not_better) or "none"
    print(f"  planning anew does not beat the static plan in: {named} (asked: at most one)")
    return {"pooled": told, "not_better": not_better, "zones": {z: _summary(one) for z, one in tried.items()}}


def without_past(title: str, issues: dict[str, Issues], trusts: dict[str, Callable[[float], Trust]]) -> None:
    """What is told where a forecast has no past of its own, every second issue."""
    print(f"\n{title}")
    print(f"{'zone':8s} in the band  worth waiting  of which worse")
    sums = np.zeros(4)
    for zone, one in issues.items():
        found = np.zeros(4)
        for at in range(0, one.many, 2):
            begin_s = float(one.issued_s[at])
            saving, came = _one_plan(one, at, trusts[zone](begin_s))
            worth = is_worth(saving)
            held = saving.spread.p10 - 1e-9 <= came <= saving.spread.p90 + 1e-9
            found += (1, held, worth, worth and came < -1e-9)
        sums += found
        print(f"{zone:8s} {_counts(found)}")
    print(f"all      {_counts(sums)}")


def _counts(found: Array) -> str:
    plans, held, worth, worse = found
    return (
        f"{100 * held / plans:9.0f} %  {100 * worth / plans:11.0f} %  {100 * worse / max(worth, 1):12.1f} %"
    )


def _one_plan(issues: Issues, at: int, trusted: Trust) -> tuple[Saving, float]:
    """What is told of one plan, and what it came to save."""
    begin_s = float(issues.issued_s[at])
    said = Steps(begin_s + issues.leads_s, issues.forecast[at])
    task = Task(duration_s=JOB_S, earliest_s=begin_s, deadline_s=begin_s + WITHIN_S, interruptible=True)
    plan, now = planned(said, task), (Stretch(begin_s=begin_s, end_s=begin_s + JOB_S),)
    errors, record = trusted
    saving = spread_of(said, plan, now, issued_s=begin_s, errors=errors, record=record)
    took, started = (float(issues.actual[at] @ time_in(said, way)) for way in (plan, now))
    return saving, 1 - took / started


def of_year(grid: str, begin_s: float) -> Trust:
    """The shape of a grid, by how shapes have held."""
    return shape_errors(shape_of(grid), begin_s, WITHIN_S), SHAPE_RECORD


def all_but(zone: str, _: float) -> Trust:
    """The shipped errors, without those of one zone."""
    table = usual_errors()
    kept = [i for i, one in enumerate(table.zones) if one != zone]
    others = replace(
        table,
        relative=tuple(table.relative[i] for i in kept),
        variability=tuple(table.variability[i] for i in kept),
    )
    return errors_of_table(others), USUAL_RECORD


def pooled(judged: Sequence[Judgement]) -> tuple[float, float, float]:
    """Over all plans: within the band, called worth waiting, and of these ended worse."""
    plans = np.array([one.plans for one in judged], float)
    covered = np.array([one.covered or 0.0 for one in judged])
    worth = np.array([one.worth or 0.0 for one in judged]) * plans
    worse = np.array([one.worth_worse or 0.0 for one in judged])
    return (
        float((covered * plans).sum() / plans.sum()),
        float(worth.sum() / plans.sum()),
        float((worth * worse).sum() / max(worth.sum(), 1.0)),
    )


def _summary(one: Trial) -> dict[str, float | None]:
    return {
        **{name: getattr(one, name).saving for name in ("oracle", "static", "replanned")},
        **{f"{name}_worse": getattr(one, name).worse for name in ("static", "replanned")},
        **{f"covered_{how}": getattr(one, how).covered for how in ("forward", "halved", "crossed")},
        **{name: getattr(one.forward, name) for name in ("worth", "worth_worse", "kept")},
    }


def tried_all(issues: Iterable[tuple[str, Issues]], *, interruptible: bool = True) -> dict[str, Trial]:
    """A 24 h job within 96 h from each issue on."""
    return {
        zone: trial(one, job_s=JOB_S, within_s=WITHIN_S, interruptible=interruptible) for zone, one in issues
    }


def planner(known: dict[str, Steps]) -> dict[str, object]:
    """What ``wattermark plan`` says, asked as users do: with the hours before in a file, and with nothing."""
    year_s, end_s = BEGIN_S - 181 * DAY_S, BEGIN_S + 178 * DAY_S
    with_file = {
        days: foresight_plans.table_of(
            f"wattermark plan, a file of the last {days} days",
            foresight_plans.planned_all(
                known, HISTORY_S + 130 * DAY_S, end_s, moments=PLAN_MOMENTS, history_days=days
            ),
        )
        for days in (30, 120)
    }
    without = {
        year: foresight_plans.table_of(
            f"wattermark plan without a file, {year}",
            foresight_plans.planned_all(known, begin_s, last_s, moments=PLAN_MOMENTS),
        )
        for year, begin_s, last_s in ((2020, HISTORY_S, year_s), (2021, year_s, end_s))
    }
    return {"file": with_file, "no_file": without}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True, help="folder with carboncast/")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    issues = published(options.traces)
    if not issues:
        print(f"error: no forecasts in {options.traces / FORECASTS}", file=sys.stderr)
        return 1
    known = histories(options.traces, issues)
    figures = {
        "errors": errors_table(issues, known),
        "published": plans_table(
            "Published forecasts, 24 h within 96 h, may pause", tried_all(issues.items())
        ),
        "one_piece": plans_table("The same in one piece", tried_all(issues.items(), interruptible=False)),
        "ours": plans_table(
            "Our own forecasts, the same moments, may pause",
            tried_all((zone, ours(known[zone])) for zone in issues),
        ),
        "held_out": plans_table(
            "Our own forecasts, zones that no number was fitted to, may pause",
            tried_all((zone, ours(known[zone])) for zone in HELD_OUT),
        ),
    }
    without_past(
        "Published forecasts judged by the errors of the other eight zones",
        issues,
        {zone: partial(all_but, zone) for zone in issues},
    )
    without_past(
        "No forecast: the shape of 2022 in 2021",
        {zone: of_shape(zone, known[zone]) for zone in GRID_OF},
        {zone: partial(of_year, grid) for zone, grid in GRID_OF.items()},
    )
    figures["planner"] = planner(known)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
