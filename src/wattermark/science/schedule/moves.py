"""Where to run a job, its data moved there first; and moving it while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from wattermark.science.schedule.grid import Grid, grid_of
from wattermark.science.schedule.lengths import rules_of, to_length
from wattermark.science.schedule.one import cost_of, stretches_of
from wattermark.science.schedule.overhead import cheapest_path
from wattermark.science.schedule.states import Moving, Path
from wattermark.science.schedule.steps import Array, Steps, common, integrals
from wattermark.values.plan import PlannedJob, Stretch
from wattermark.values.units import J_PER_KWH

BITS_PER_BYTE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job may run: what a second of it costs there, and what it takes to bring its data.

    ``rate`` and ``held_rate`` as of ``stretches_of``; the data are there ``move_s`` after the earliest start,
    for ``move_cost`` in the unit of the rates (NaN: not known).
    """

    name: str
    rate: Steps
    held_rate: Steps | None = None
    move_s: float = 0.0
    move_cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The cheapest way to run a job at one place, the move in its cost."""

    place: str
    stretches: tuple[Stretch, ...]
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of a job that moves."""

    place: str
    stretch: Stretch


def transfer_s(data_gb: float, bandwidth_gbit_per_s: float) -> float:
    """How long data are under way. [s]

    Parameters
    ----------
    data_gb : float
        [GB]
    bandwidth_gbit_per_s : float
        What is had of the link. [Gbit/s]

    Raises
    ------
    ValueError
        If there are data and no link.
    """
    if data_gb and bandwidth_gbit_per_s <= 0:
        raise ValueError("data need a bandwidth above zero to move")
    return data_gb * BITS_PER_BYTE / bandwidth_gbit_per_s if data_gb else 0.0


def transfer_energy_j(data_gb: float, energy_kwh_per_gb: float) -> float:
    """What the network takes for data that move. [J]

    Parameters
    ----------
    data_gb : float
        [GB]
    energy_kwh_per_gb : float
        Of the network on the way. [kWh/GB]

    References
    ----------
    .. [1] J. Aslan, K. Mayers, J. G. Koomey, C. France, "Electricity intensity of Internet data
       transmission", J. Industrial Ecology 22 (2018) 785, doi:10.1111/jiec.12630.
    """
    return data_gb * energy_kwh_per_gb * J_PER_KWH


def transfer_cost(energy_j: float, on_the_way: Sequence[Steps], begin_s: float, duration_s: float) -> float:
    """What the energy of moving costs: at the mean of the places on the way, while the data move.

    Parameters
    ----------
    energy_j : float
        [J]
    on_the_way : sequence of Steps
        What a joule costs at each place, the first and the last at least; in any unit.
    begin_s, duration_s : float
        When the data leave [s since 1970], and how long they take [s].

    Returns
    -------
    cost : float
        NaN where a place's cost is not known for all of that time, unless no energy is needed.
    """
    if not energy_j:
        return 0.0
    taken_s = max(duration_s, 1.0)  # what takes no time is priced by its first second
    sums = [float(integrals(steps, begin_s, begin_s + taken_s)) for steps in on_the_way]
    return energy_j * float(np.mean(sums)) / taken_s


def ways(places: Sequence[Place], job: PlannedJob) -> tuple[Way, ...]:
    """The cheapest way at each place, cheapest first; a place that does not hold it is left out.

    So is one whose way to it costs an unknown amount. Of equals, the place that was named first.

    Parameters
    ----------
    places : sequence of Place
        Home needs no move: its ``move_s`` and ``move_cost`` are 0.
    job : PlannedJob
        Its ``move_gb`` is in the places already.
    """
    found = []
    for place in places:
        late = replace(job, earliest_s=job.earliest_s + place.move_s)
        stretches = stretches_of(place.rate, place.held_rate, late)
        cost = cost_of(stretches, place.rate, place.held_rate) + place.move_cost
        if stretches and not np.isnan(cost):
            found.append(Way(place=place.name, stretches=stretches, cost=cost))
    return tuple(sorted(found, key=lambda way: way.cost))


def legs_of(
    places: Sequence[Place],
    job: PlannedJob,
    *,
    move_s: float = 0.0,
    move_costs: ArrayLike = 0.0,
    most_moves: int | None = None,
) -> tuple[Leg, ...]:
    """When and where a job runs that may move on its way; nothing where it finds no place.

    By ``cheapest_path`` on a grid, over the time for which all places are known: exact where its lengths fall
    on the grid; else lengths are rounded up, and cut off again after it, as in ``stretches_of``. A move is a
    pause, and what starts after it is restarted. A job that is not interruptible is paused by moves alone.

    Parameters
    ----------
    places : sequence of Place
        Their own ``move_s`` and ``move_cost`` are not used.
    job : PlannedJob
        It starts at ``home``.
    move_s : float
        How long a move takes. [s]
    move_costs : array-like
        What a move costs, from each place (row) to each other; one number for all.
    most_moves : int or None
        One that is made before the start is one, too.

    Raises
    ------
    ValueError
        If no place is the job's home.
    """
    names = [place.name for place in places]
    if job.home not in names:
        raise ValueError(f"none of the places is {job.home!r}, where the data are")
    rates = common([place.rate for place in places])
    layers = len(places) * (1 if most_moves is None else most_moves + 1)
    grid = grid_of(rates[0], job, layers, (move_s,)) if len(rates[0].values) else None
    if grid is None:
        return ()
    running = np.array([grid.over(rate) for rate in rates])
    costs = np.broadcast_to(np.asarray(move_costs, np.float64), (len(places), len(places)))
    moving = Moving(names.index(job.home), costs, grid.cells(move_s), most_moves)
    held, rules = _held(places, grid), rules_of(job, grid)
    waits = held if job.interruptible else np.full_like(held, np.nan)
    if not job.interruptible:  # nor does it begin late in a cell, after a move
        rules = replace(rules, restart=float(ceil(rules.restart - 1e-9)))
    path = cheapest_path(running, waits, grid.cells(job.duration_s), rules, moving)
    here, kept = (_at(path, costs) for costs in (running, held))
    stretches = to_length(tuple((begin, end) for begin, end, _ in path), grid, here, kept, job)
    at = (names[place] for _, _, place in path)
    return tuple(Leg(place=name, stretch=one) for name, one in zip(at, stretches, strict=True))


def _held(places: Sequence[Place], grid: Grid) -> Array:
    """What being held costs in each cell, a place a row; nothing where nothing is held."""
    free = np.zeros(len(grid.edges_s) - 1)
    return np.array([free if place.held_rate is None else grid.over(place.held_rate) for place in places])


def _at(path: Path, costs: Array) -> Array:
    """What each cell costs at the place where it is used."""
    here = np.zeros(costs.shape[1])
    for begin, end, place in path:
        here[begin:end] = costs[place, begin:end]
    return here
