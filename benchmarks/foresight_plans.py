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
from wattermark.values.plan import Option, Plan, PlannedJob
from wattermark.verbs.moments import iso
from wattermark.verbs.planning import plan_job
from wattermark.wiring.config import Config

HOUR_S, DAY_S = 3600.0, 86400.0
PLACES = {"DE": "deu", "CISO": "US-CAMX", "PL": "pol", "SE": "swe"}
JOBS = [(hours, within) for hours in (8, 24) for within in (24, 48, 96) if within > hours]
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Said:
    """One plan, and what it came to save. [1]"""

    zone: str
    hours: int
    within: int
    interruptible: bool
    moved: bool
    worth: bool
    low: float
    mid: float
    high: float
    came: float


def planned_by_file(
    known: Mapping[str, Steps], *, begin_s: float, end_s: float, moments: int, history_days: int
) -> Iterator[Said]:
    """Plans with a file that ends at the moment of planning: the tool's own forecast follows from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carbon_lifecycle.csv"
        for zone, now_s, (hours, within), pauses in _cases(begin_s, end_s, moments):
            past = cut(known[zone], now_s - history_days * DAY_S, now_s)
            _write(path, zone, past)
            place = PLACES[zone]
            config = Config(place=place, signals_file=str(path))
            yield _said(zone, place, known[zone], config, now_s, hours, within, pauses)


def planned_by_year(
    known: Mapping[str, Steps], *, begin_s: float, end_s: float, moments: int
) -> Iterator[Said]:
    """Plans with nothing but the hours of a usual year."""
    for zone, now_s, (hours, within), pauses in _cases(begin_s, end_s, moments):
        place = PLACES[zone]
        yield _said(zone, place, known[zone], Config(place=place), now_s, hours, within, pauses)


def _cases(begin_s: float, end_s: float, moments: int) -> Iterator[tuple[str, float, tuple[int, int], bool]]:
    """Moments at all hours and weekdays; the jobs take turns."""
    jobs = [(job, pauses) for job in JOBS for pauses in (False, True)]
    for zone in PLACES:
        for i in range(moments):
            at_s = begin_s + (i + 0.5) / moments * (end_s - begin_s)
            now_s = at_s // HOUR_S * HOUR_S + (i * 7 % 24) * HOUR_S
            for job, pauses in (jobs[i % len(jobs)], jobs[(i + 5) % len(jobs)]):
                yield zone, now_s, job, pauses


def _said(
    zone: str, place: str, came: Steps, config: Config, now_s: float, hours: int, within: int, pauses: bool
) -> Said:
    job = PlannedJob(
        it_energy_j=hours * 3.6e6,
        duration_s=hours * HOUR_S,
        earliest_s=now_s,
        deadline_s=now_s + within * HOUR_S,
        interruptible=pauses,
    )
    plan = plan_job(job, [place], config=config, now_s=now_s)
    saving = plan.savings[0]
    spread = saving.spread
    assert spread is not None
    return Said(
        zone, hours, within, pauses, _moved(plan), plan.worth_it, spread.p10, spread.p50, spread.p90,
        1 - _cost(came, plan.considered) / _cost(came, plan.now),
    )  # fmt: skip


def _moved(plan: Plan) -> bool:
    return plan.considered.stretches != plan.now.stretches


def _cost(came: Steps, option: Option) -> float:
    used = time_in(came, option.stretches)
    return float(used[used > 0] @ came.values[used > 0])


def _write(path: Path, zone: str, past: Steps) -> None:
    rows = (f"{iso(at)},{value}" for at, value in zip(past.edges_s, past.values, strict=False))
    path.write_text("\n".join((f"datetime_utc,{zone}", *rows)), encoding="utf-8")


def table_of(title: str, said: list[Said]) -> dict[str, float]:
    """Print what was said against what came, for all of it and by job and zone."""
    print(
        f"\n{title}\n{'':34s} plans  moved  in the band  below  above  worth waiting  of which worse  saving kept"
    )
    groups: list[tuple[str, list[Said]]] = [("all", said)]
    groups += [(zone, [one for one in said if one.zone == zone]) for zone in PLACES]
    for hours, within in JOBS:
        for pauses in (False, True):
            name = f"{hours} h within {within} h{', may pause' if pauses else ''}"
            same = [
                one for one in said if (one.hours, one.within, one.interruptible) == (hours, within, pauses)
            ]
            groups.append((name, same))
    found = {name: _row(name, some) for name, some in groups if some}
    return found["all"]


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
        f"{name:34s} {len(said):5d} {100 * row['moved']:5.0f} %  {100 * row['covered']:9.1f} %"
        f" {100 * row['below']:5.1f}% {100 * row['above']:5.1f}%   {100 * row['worth']:10.0f} %"
        f"  {100 * row['worse']:12.1f} %  {100 * row['kept']:10.0f} %"
    )
    return row


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
