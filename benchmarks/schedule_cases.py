"""What others published of schedules on real traces, computed again with ours.

The tests take the same functions for the traces that are small enough to be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattermark.science.schedule.elastic import Level, cheapest_levels, cost_of_pieces
from wattermark.science.schedule.fronts import weighted
from wattermark.science.schedule.moves import Place, legs_of, ways
from wattermark.science.schedule.one import cost_of, stretches_of
from wattermark.science.schedule.steps import Steps
from wattermark.values.plan import PlannedJob

Array = NDArray[np.float64]
HOUR_S = 3600.0
JOB = PlannedJob(it_energy_j=1.0, duration_s=24 * HOUR_S, earliest_s=0.0, deadline_s=24 * HOUR_S)


def hourly(values: Sequence[float] | Array) -> Steps:
    """An hour a step, from 0 on. [s]"""
    return Steps(HOUR_S * np.arange(len(values) + 1), np.asarray(values, np.float64))


def job_at(hour: int, hours: int, within: int) -> PlannedJob:
    begin_s = hour * HOUR_S
    return replace(JOB, duration_s=hours * HOUR_S, earliest_s=begin_s, deadline_s=begin_s + within * HOUR_S)


# -- carbon and water of ten sites -----------------------------------------------------

LAMBDAS = (1.0, 0.75, 0.5, 0.25, 0.0)
"""The weight of carbon; the rest is that of water."""
TEN_SITES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "time": ((-4.8, -1.0), (-4.4, -3.6), (-3.6, -5.1), (-2.4, -5.7), (-1.4, -5.9)),
    "space": ((-63.6, -22.6), (-63.6, -22.6), (-63.6, -22.6), (-36.9, -33.1), (5.3, -43.2)),
    "both": ((-65.6, -22.3), (-65.3, -25.0), (-64.7, -26.0), (-22.3, -44.1), (2.9, -50.4)),
}
"""Change of carbon and water by what may be chosen, for each weight: what was told before. [%]"""
SITE_HOURS, SITE_WITHIN, SITE_EVERY = 24, 96, 6


@dataclass(frozen=True, slots=True)
class Site:
    """Carbon and water of an hour at one place, in any units."""

    name: str
    carbon: Steps
    water: Steps

    def costs(self, begin_s: float, hours: int) -> tuple[float, float]:
        job = job_at(round(begin_s / HOUR_S), hours, hours)
        stretch = stretches_of(self.carbon, None, job)
        return cost_of(stretch, self.carbon, None), cost_of(stretch, self.water, None)


def changes(sites: Sequence[Site], mode: str, carbon_weight: float) -> tuple[float, float]:
    """Of carbon and water, where one job starts at each site every six hours. [%]

    Each quantity counts in means over all sites and hours. The sums over all jobs are compared with those of
    starting at once, at home.
    """
    means = [np.mean([site.carbon.values for site in sites]), np.mean([site.water.values for site in sites])]
    weights = carbon_weight / means[0], (1 - carbon_weight) / means[1]
    mixes = {site.name: weighted((site.carbon, site.water), weights) for site in sites}
    by_name = {site.name: site for site in sites}
    last = len(sites[0].carbon.values) - SITE_WITHIN
    within = SITE_HOURS if mode == "space" else SITE_WITHIN
    before, after = np.zeros(2), np.zeros(2)
    for hour in range(0, last + 1, SITE_EVERY):
        job = job_at(hour, SITE_HOURS, within)
        places = {name: Place(name=name, rate=mix) for name, mix in mixes.items()}
        best = ways(list(places.values()), job)[0]
        for home in sites:
            way = ways([places[home.name]], job)[0] if mode == "time" else best
            before += home.costs(hour * HOUR_S, SITE_HOURS)
            after += by_name[way.place].costs(way.stretches[0].begin_s, SITE_HOURS)
    return tuple((100 * (after / before - 1)).tolist())


# -- running faster and slower ---------------------------------------------------------

ELASTIC: Mapping[str, tuple[float, float, float]] = {
    "CA-ON": (39.3, 45.6, 49.6),
    "AU-SA": (43.9, 53.7, 60.7),
    "US-CAL-CISO": (26.3, 29.5, 32.1),
    "DE": (15.5, 19.4, 23.8),
    "NL": (13.8, 18.1, 21.4),
    "PL": (7.8, 10.4, 12.0),
    "IN-MH": (1.0, 1.7, 2.1),
}
"""Savings against one node at once, with the profile of the larger problem, by deadline. [%]"""
ELASTIC_WITHIN, ELASTIC_STARTS, ELASTIC_EVERY = (24, 36, 48), 60, 146


def elastic_saving(intensity: Array, levels: Sequence[Level], within: int) -> float:
    """Of sixty jobs of a day on one node, 146 hours apart: the sum, against that of starting now. [%]"""
    price = hourly(intensity)
    one = next(level for level in levels if level.throughput > 0)
    now = scaled = 0.0
    for i in range(ELASTIC_STARTS):
        job, at_once = (job_at(ELASTIC_EVERY * i, 24, hours) for hours in (within, 24))
        work = one.throughput * job.duration_s
        pieces = cheapest_levels(price, levels, work, job.earliest_s, job.deadline_s)
        scaled += cost_of_pieces(pieces, price)
        now += one.power_w * cost_of(stretches_of(price, None, at_once), price, None)
    return 100 * (1 - scaled / now)


# -- moving once, and moving whenever it pays ------------------------------------------

WEEK = 168


def moved_once(intensities: Mapping[str, Array]) -> float:
    """What a job of all hours saves at the best place, over the mean of all of them; per hour."""
    hours = len(next(iter(intensities.values())))
    job = job_at(0, hours, hours)
    best = ways([Place(name=name, rate=hourly(values)) for name, values in intensities.items()], job)[0]
    return float(np.mean(list(intensities.values()))) - best.cost / job.duration_s


def moved_endlessly(intensities: Mapping[str, Array]) -> float:
    """The same where it moves whenever that pays, for nothing: week by week, by dynamic program.

    Places that are never the best of an hour are left out: they are of no use where moving is free.
    """
    rows = np.array(list(intensities.values()))
    useful = rows[np.unique(rows.argmin(axis=0))]
    total = sum(_week(useful[:, begin : begin + WEEK]) for begin in range(0, rows.shape[1], WEEK))
    return float(rows.mean()) - total / rows.shape[1]


def _week(rows: Array) -> float:
    hours = rows.shape[1]
    places = [Place(name=f"{i}", rate=hourly(row)) for i, row in enumerate(rows)]
    job = replace(job_at(0, hours, hours), interruptible=True, home="0")
    legs = legs_of(places, job)
    return sum(cost_of((leg.stretch,), places[int(leg.place)].rate, None) for leg in legs) / HOUR_S


def rows_of_sites(sites: Sequence[Site]) -> Iterator[dict[str, object]]:
    """Ours, what was told before, and the difference."""
    for mode, told in TEN_SITES.items():
        for weight, pair in zip(LAMBDAS, told, strict=True):
            ours = changes(sites, mode, weight)
            off = max(abs(a - b) for a, b in zip(ours, pair, strict=True))
            yield {
                "may choose": mode, "carbon weight": weight, "carbon": ours[0], "told": pair[0],
                "water": ours[1], "told of water": pair[1], "off by": off,
            }  # fmt: skip
