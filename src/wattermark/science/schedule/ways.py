"""The ways to run a job at one place: when, with what pauses, its data brought there first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wattermark.science.schedule.fronts import supported, windows
from wattermark.science.schedule.moves import transfer_cost, transfer_energy_j, transfer_s
from wattermark.science.schedule.one import Stretches, stretches_of
from wattermark.science.schedule.pareto import front, levelled
from wattermark.science.schedule.rates import QUANTITIES, Rates, option_of, powered
from wattermark.science.schedule.steps import Steps
from wattermark.values.plan import Option, PlannedJob, Stretch

MOST_SUPPORTED = 24
"""So many weights are tried at a place where a job may pause."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A place and the job as it would run there: after its data came, and up to what is known."""

    rates: Rates
    job: PlannedJob
    home: Rates
    beyond_s: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether data must be brought."""
        return self.rates is not self.home and self.job.move_gb > 0


def site(rates: Rates, home: Rates, job: PlannedJob) -> Site:
    """A job as it would run at a place.

    Parameters
    ----------
    rates, home : Rates
        Of the place, and of where its data are; the same for home itself.
    job : PlannedJob
        As it was asked for.
    """
    away = rates is not home
    delay_s = transfer_s(job.move_gb, job.move_gbit_per_s) if away else 0.0
    horizon_s = float(rates.edges_s[-1])
    there = replace(
        job,
        earliest_s=job.earliest_s + delay_s,
        deadline_s=min(job.deadline_s, max(horizon_s, job.earliest_s)),
    )
    return Site(rates, there, home, max(0.0, job.deadline_s - horizon_s))


def way(site: Site, score: Steps) -> Option | None:
    """The way to run there that costs least by a score; None where there is none.

    Parameters
    ----------
    site : Site
        Of ``site``.
    score : Steps
        What a joule of IT energy adds.
    """
    running, held = powered(score, site.job)
    return _option(site, stretches_of(running, held, site.job))


def at_once(site: Site) -> Option | None:
    """In one piece, as soon as the data are there; None where that is not in time or not known.

    Parameters
    ----------
    site : Site
        Of ``site``.
    """
    begin_s, end_s = site.job.earliest_s, site.job.earliest_s + site.job.duration_s
    return None if end_s > site.job.deadline_s else _option(site, (Stretch(begin_s=begin_s, end_s=end_s),))


def ways(site: Site, quantities: Sequence[str]) -> list[Option]:
    """All ways to run there that could be best by some weights of some quantities, and more.

    Parameters
    ----------
    site : Site
        Of ``site``.
    quantities : sequence of str
        Of ``rates.QUANTITIES``; those that are known there.
    """
    pairs = [powered(site.rates.per_j[name], site.job) for name in quantities]
    running = [one for one, _ in pairs]
    if site.job.interruptible:
        held = [one for _, one in pairs if one is not None]
        found = supported(running, held or None, site.job, MOST_SUPPORTED)
    else:
        found = windows(running, site.job)
        ends = [one.stretches[-1].end_s - site.job.earliest_s for one in found]
        kept = front(levelled([[*one.costs, end_s] for one, end_s in zip(found, ends, strict=True)]))
        found = tuple(found[i] for i in kept)
    made = (_option(site, one.stretches) for one in found)
    return [one for one in made if one is not None]


def _option(site: Site, stretches: Stretches) -> Option | None:
    """What it costs, with the data that were brought; None where the carbon of either is not known."""
    if not stretches:
        return None
    try:
        option = option_of(site.rates, site.job, stretches)
    except ValueError:
        return None
    return _moved(option, site) if site.moves else option


def _moved(option: Option, site: Site) -> Option | None:
    job = site.job
    energy_j = transfer_energy_j(job.move_gb, job.move_kwh_per_gb)
    took_s = transfer_s(job.move_gb, job.move_gbit_per_s)
    more: dict[str, Any] = {}
    for name in QUANTITIES:
        before = getattr(option, name)
        way = [rates.per_j[name] for rates in (site.home, site.rates) if name in rates.per_j]
        cost = transfer_cost(energy_j, way, job.earliest_s - took_s, took_s) if len(way) > 1 else np.nan
        more[name] = None if before is None or np.isnan(cost) else before + cost
    if more["carbon_g"] is None:
        return None
    if more["cost_usd"] is not None:
        more["cost_usd"] += job.move_gb * job.move_usd_per_gb
    return replace(option, facility_energy_j=option.facility_energy_j + energy_j, **more)
