"""Plan many jobs at once: when and where each runs, where capacity is limited."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wattermark.errors import NoPlan, UsageError, nearest
from wattermark.report.planned import plan_document
from wattermark.science.fleet.plan import FleetChoice, choose_for_all, plan_of
from wattermark.science.fleet.slots import grid_of
from wattermark.science.schedule.rates import rates_of
from wattermark.science.schedule.weights import CARBON_ONLY, check_weights
from wattermark.values.fleet import Capacity, FleetJob, FleetPlan
from wattermark.values.outlook import Outlook
from wattermark.verbs.moments import iso
from wattermark.verbs.outlook import home_of, outlook
from wattermark.verbs.planning import Limits, check_limits
from wattermark.wiring.config import Config

SLOT_S = 3600.0


def plan_fleet(
    jobs: Sequence[FleetJob],
    places: Sequence[str] = (),
    *,
    config: Config,
    now_s: float,
    capacity: Mapping[str, Capacity] | None = None,
    weights: Mapping[str, float] = CARBON_ONLY,
    price_usd_per_kwh: Mapping[str, float] | None = None,
    slot_s: float = SLOT_S,
    time_limit_s: float | None = None,
) -> FleetPlan:
    """The plan for all; ``places`` hold for jobs that name none, the first is where these would run now.

    With ``time_limit_s`` it is exact, or as good as it gets in that time. [s]

    Raises
    ------
    UsageError
        If a place, a weight or a capacity makes no sense.
    NoPlan
        If too little is known to compare anything, or no job finds a slot.
    MissingExtra
        If it is to be exact and HiGHS is not installed.
    """
    weighed = check_weights(weights)
    room, prices = capacity or {}, price_usd_per_kwh or {}
    usual = tuple(dict.fromkeys(places or (home_of(config),)))
    named = [place for one in jobs for place in one.places]
    anywhere = usual if places or any(not one.places for one in jobs) else ()
    asked = tuple(dict.fromkeys((*anywhere, *named)))
    _check(room, prices, asked)
    told = [one if one.places else replace(one, places=usual) for one in jobs]
    grid = grid_of(told, slot_s)
    outlooks = {
        place: outlook(place, grid.begin_s, grid.end_s, config=config, now_s=now_s, price=prices.get(place))
        for place in asked
    }
    choice = choose_for_all(
        told,
        [rates_of(one) for one in outlooks.values()],
        room,
        weights=weighed,
        grid=grid,
        time_limit_s=time_limit_s,
    )
    if not choice.placed:
        first = choice.unplaced[0]
        raise NoPlan(
            f"none of {len(jobs)} jobs finds a slot; {first.job.name}: {first.reason}",
            fix="Check deadlines, places and capacities",
        )
    return _whole(choice, outlooks, weighed, slot_s=slot_s, made_s=now_s)


def _check(
    capacity: Mapping[str, Capacity], price_usd_per_kwh: Mapping[str, float], asked: Sequence[str]
) -> None:
    check_limits(Limits(price_usd_per_kwh=price_usd_per_kwh), asked)
    for place in capacity:
        if place not in asked:
            near = nearest(place, asked, most=1)
            hint = f"Did you mean {near[0]}?" if near else f"Places are: {', '.join(asked)}"
            raise UsageError(f"there is a capacity for {place!r}, where no job may run", fix=hint)
    if len({one.in_watts for one in capacity.values()}) > 1:
        raise UsageError(
            "some capacities are in units and some in kW", fix="Give all in one of them, as 8 or 40kW"
        )


def _whole(
    choice: FleetChoice,
    outlooks: Mapping[str, Outlook],
    weights: Mapping[str, float],
    *,
    slot_s: float,
    made_s: float,
) -> FleetPlan:
    solved = choice.solved
    flags = (*choice.flags, *(flag for one in outlooks.values() for flag in one.flags))
    return FleetPlan(
        placed=choice.placed,
        unplaced=choice.unplaced,
        plans=tuple(plan_of(one, outlooks, weights, made_s) for one in choice.placed),
        sums=choice.sums,
        cost=solved.cost,
        bound=solved.bound,
        gap=solved.gap,
        proven=solved.proven,
        weights=tuple(weights.items()),
        slot_s=slot_s,
        made_s=made_s,
        flags=tuple(dict.fromkeys(flags)),
    )


def write_plans(plan: FleetPlan, folder: Path) -> list[Path]:
    """One JSON document a job, as of ``wattermark plan --json``; answers the files.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    written: list[Path] = []
    taken: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in plan.plans:
            path = folder / _file_name(one.job.name, taken)
            path.write_text(json.dumps(plan_document(one, iso), allow_nan=False) + "\n", encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}", fix="Name another folder"
        ) from error
    return written


def _file_name(name: str, taken: set[str]) -> str:
    """The job's name as every system allows it, with a number where another has it."""
    plain = re.sub(r"[^\w.+-]+", "_", name).strip("._")[:100] or "job"
    free = next(
        one for i in itertools.count(1) if (one := plain if i == 1 else f"{plain}-{i}").lower() not in taken
    )
    taken.add(free.lower())
    return f"{free}.json"
