"""What ``wattermark plan`` says of real hours, as users call it, against what came.

At moments spread over a year the planner gets a signals file that ends there, or none; the way that it found
is then priced on the hours that came.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wattermark.science.foresight.chances import time_in
from wattermark.science.schedule.steps import Array, Steps, cut
from wattermark.values.plan import Option, PlannedJob
from wattermark.verbs.moments import iso
from wattermark.verbs.planning import plan_job
from wattermark.wiring.config import Config

HOUR_S, DAY_S = 3600.0, 86400.0
PLACES = {"DE": "deu", "CISO": "US-CAMX", "PL": "pol", "SE": "swe"}
JOBS = [(hours, within) for hours in (8, 24) for within in (24, 48, 96) if within > hours]
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A job at a moment, planned with the hours of some days before it, or none."""

    zone: str
    now_s: float
    hours: int
    within: int
    interruptible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of one plan, and what it came to save. [1]"""

    asked: Asked
    moved: bool
    worth: bool
    low: float
    high: float
    came: float


def asked(begin_s: float, end_s: float, moments: int) -> Iterator[Asked]:
    """Moments at all hours and weekdays between two; the jobs take turns."""
    jobs = [(hours, within, pauses) for hours, within in JOBS for pauses in (False, True)]
    for zone in PLACES:
        for i in range(moments):
            at_s = begin_s + (i + 0.5) / moments * (end_s - begin_s)
            now_s = at_s // DAY_S * DAY_S + (i * 7 % 24) * HOUR_S
            for hours, within, pauses in (jobs[i % len(jobs)], jobs[(i + 5) % len(jobs)]):
                yield Asked(zone=zone, now_s=now_s, hours=hours, within=within, interruptible=pauses)


def planned_all(
    known: Mapping[str, Steps], begin_s: float, end_s: float, *, moments: int, history_days: int = 0
) -> list[Said]:
    """Plans with a file that ends at the moment of planning, or with no file but a usual year."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carbon_lifecycle.csv"
        found = []
        for one in asked(begin_s, end_s, moments):
            came = known[one.zone]
            if history_days:
                _write(path, one.zone, cut(came, one.now_s - history_days * DAY_S, one.now_s))
            file = str(path) if history_days else None
            found.append(_said(one, came, Config(place=PLACES[one.zone], signals_file=file)))
        return found


def _said(one: Asked, came: Steps, config: Config) -> Said:
    job = PlannedJob(
        it_energy_j=one.hours * 3.6e6,
        duration_s=one.hours * HOUR_S,
        earliest_s=one.now_s,
        deadline_s=one.now_s + one.within * HOUR_S,
        interruptible=one.interruptible,
    )
    plan = plan_job(job, [PLACES[one.zone]], config=config, now_s=one.now_s)
    spread = plan.savings[0].spread
    assert spread is not None
    return Said(
        asked=one,
        moved=plan.considered.stretches != plan.now.stretches,
        worth=plan.worth_it,
        low=spread.p10,
        high=spread.p90,
        came=1 - _cost(came, plan.considered) / _cost(came, plan.now),
    )


def _cost(came: Steps, option: Option) -> float:
    used = time_in(came, option.stretches)
    return float(used[used > 0] @ came.values[used > 0])


def _write(path: Path, zone: str, past: Steps) -> None:
    column = "US-CAL-CISO" if zone == "CISO" else zone
    rows = (f"{iso(at)},{value}" for at, value in zip(past.edges_s, past.values, strict=False))
    path.write_text("\n".join((f"datetime_utc,{column}", *rows)), encoding="utf-8")


def table_of(title: str, said: list[Said]) -> dict[str, dict[str, float]]:
    """Print what was said against what came: all of it, by zone, and by how the job may run."""
    print(
        f"\n{title}\n{'':10s} plans moved in the band below above  worth waiting  of which worse  saving kept"
    )
    groups = {"all": said}
    groups |= {zone: [one for one in said if one.asked.zone == zone] for zone in PLACES}
    groups |= {
        name: [one for one in said if one.asked.interruptible is pauses]
        for name, pauses in (("one piece", False), ("may pause", True))
    }
    return {name: _row(name, some) for name, some in groups.items()}


def _row(name: str, said: list[Said]) -> dict[str, float]:
    moved = np.array([one.moved for one in said])
    came, low, high = (np.array([getattr(one, what) for one in said]) for what in ("came", "low", "high"))
    worth = np.array([one.worth for one in said])
    row = {
        "plans": float(len(said)),
        "moved": float(moved.mean()),
        "covered": _mean(((came >= low - ROUNDING) & (came <= high + ROUNDING))[moved]),
        "below": _mean((came < low - ROUNDING)[moved]),
        "above": _mean((came > high + ROUNDING)[moved]),
        "worth": float(worth.mean()),
        "worse": _mean((came < -ROUNDING)[worth]),
        "kept": float(came[worth].sum() / came.sum()),
    }
    print(
        f"{name:10s} {len(said):5d}  {_percent(row['moved'])}  {_percent(row['covered'])}       "
        f"{_percent(row['below'])}  {_percent(row['above'])}  {_percent(row['worth'])}           "
        f"{_percent(row['worse'])}            {_percent(row['kept'])}"
    )
    return row


def _percent(share: float) -> str:
    return "   -" if np.isnan(share) else f"{100 * share:4.1f}"


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
