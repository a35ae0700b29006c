"""Jobs and capacities of real times, on slots; and back from slots to times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import UsageError
from wattermark.science.fleet.fleet import Chosen, Task
from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.steps import Array, Steps
from wattermark.values.fleet import Capacity, FleetJob
from wattermark.values.plan import PlannedJob, Stretch

SLACK = 1e-9
"""Of a slot: a job of 3 h takes three hours, whatever the rounding."""
MOST_SLOTS = 100_000


@dataclass(frozen=True, slots=True)
class Grid:
    """``count`` slots from a moment on, all of one length; it is a multiple of that. [s since 1970], [s]"""

    begin_s: float
    slot_s: float
    count: int

    @property
    def edges_s(self) -> Array:
        """Shape (count + 1,). [s since 1970]"""
        return self.begin_s + self.slot_s * np.arange(self.count + 1, dtype=np.float64)

    @property
    def end_s(self) -> float:
        return self.begin_s + self.slot_s * self.count

    def at(self, moment_s: float) -> float:
        """How many slots lie before a moment."""
        return (moment_s - self.begin_s) / self.slot_s


def grid_of(jobs: Sequence[FleetJob], slot_s: float) -> Grid:
    """Slots that hold all of the jobs' windows, on whole multiples of their length (UTC).

    Parameters
    ----------
    jobs : sequence of FleetJob
        At least one.
    slot_s : float
        [s]

    Raises
    ------
    UsageError
        If slots are shorter than a minute or longer than a day, or there are too many of them.
    """
    if not 60 <= slot_s <= 86400:
        raise UsageError("a slot of that length does not plan well", fix="Give from 1m to 1d, as --slot 15m")
    begin_s = floor(min(one.job.earliest_s for one in jobs) / slot_s) * slot_s
    end_s = max(max(one.job.deadline_s, one.job.earliest_s + one.job.duration_s) for one in jobs)
    count = max(1, ceil((end_s - begin_s) / slot_s - SLACK))
    if count > MOST_SLOTS:
        raise UsageError(
            f"from the first start to the last deadline there are {count} slots, more than {MOST_SLOTS}",
            fix="Check the deadlines, or give longer slots, as --slot 6h",
        )
    return Grid(begin_s, slot_s, count)


def energy_j(power_w: float, duration_s: float) -> float:
    """What a power comes to over a time. [J]

    Parameters
    ----------
    power_w, duration_s : float
        [W], [s]
    """
    return power_w * duration_s


def task_of(one: FleetJob, places: Sequence[int], grid: Grid, *, in_watts: bool) -> Task:
    """A job on slots: it may start as soon as it may, and then a whole number of slots later.

    One that may pause takes whole slots, where its window has enough of them.

    Parameters
    ----------
    one : FleetJob
        The job.
    places : sequence of int
        Where it may run.
    grid : Grid
        The slots.
    in_watts : bool
        Whether capacity is in watts.
    """
    whole = _pausing(one.job, grid) if one.job.interruptible else None
    first, end, slots, head, part = whole or _in_one_piece(one.job, grid)
    rising = np.unique(np.asarray(places, np.intp))
    return Task(
        slots=slots,
        weight=one.job.power_w * grid.slot_s,
        units=one.job.power_w if in_watts else one.units,
        first=first,
        end=end,
        places=rising,
        moving=np.zeros(len(rising)),
        head=head,
        part=part,
        interruptible=whole is not None,
    )


def in_one_piece(one: FleetJob, home: int, grid: Grid, *, in_watts: bool) -> Task:
    """The same for what would happen without a plan: at home, without a pause, until the slots end.

    Parameters
    ----------
    one : FleetJob
        The job.
    home : int
        Where it would run now.
    grid : Grid
        The slots.
    in_watts : bool
        As of ``task_of``.
    """
    first, _, slots, head, part = _in_one_piece(one.job, grid)
    return Task(
        slots=slots,
        weight=one.job.power_w * grid.slot_s,
        units=one.job.power_w if in_watts else one.units,
        first=first,
        end=grid.count,
        places=np.array([home], np.intp),
        moving=np.zeros(1),
        head=head,
        part=part,
    )


def _in_one_piece(job: PlannedJob, grid: Grid) -> tuple[int, int, int, float, float]:
    """First slot, end, number of slots, and the shares of the first and the last."""
    first = floor(grid.at(job.earliest_s) + SLACK)
    offset = max(0.0, grid.at(job.earliest_s) - first)
    needed = offset + job.duration_s / grid.slot_s
    slots = max(1, ceil(needed - SLACK))
    later = floor((job.deadline_s - job.duration_s - job.earliest_s) / grid.slot_s + SLACK)
    end = first + slots + later if later >= 0 else first
    return first, min(end, grid.count), slots, 1 - offset, needed - (slots - 1)


def _pausing(job: PlannedJob, grid: Grid) -> tuple[int, int, int, float, float] | None:
    first, end = ceil(grid.at(job.earliest_s) - SLACK), floor(grid.at(job.deadline_s) + SLACK)
    needed = job.duration_s / grid.slot_s
    slots = max(1, ceil(needed - SLACK))
    return (first, end, slots, 1.0, needed - (slots - 1)) if end - first >= slots else None


def capacity_on(grid: Grid, places: Sequence[str], capacity: Mapping[str, Capacity]) -> Array:
    """How much runs at once at each place in each slot, shape (places, slots); the least of a slot.

    Parameters
    ----------
    grid : Grid
        The slots.
    places : sequence of str
        Where it may run.
    capacity : mapping
        A place that is not in it has no limit.
    """
    return np.array([_room(grid, capacity.get(place, Capacity())) for place in places])


def _room(grid: Grid, capacity: Capacity) -> Array:
    """Whole slots of a room have its units; those that it shares with another time have the less of both."""
    edges, units = grid.edges_s, np.full(grid.count, float(capacity.units))
    for room in capacity.rooms:
        inside = _between(edges, room.begin_s, room.end_s)
        units[inside] = room.units
    for room in capacity.rooms:
        touched = (edges[:-1] < room.end_s) & (edges[1:] > room.begin_s)
        shared = touched & ~_between(edges, room.begin_s, room.end_s)
        units[shared] = np.minimum(units[shared], room.units)
    return units


def _between(edges: Array, begin_s: float, end_s: float) -> NDArray[np.bool_]:
    return (edges[:-1] >= begin_s - SLACK) & (edges[1:] <= end_s + SLACK)


def times_of(one: FleetJob, task: Task, chosen: Chosen, grid: Grid, rates: Array) -> tuple[Stretch, ...]:
    """When a job runs.

    Parameters
    ----------
    one : FleetJob
        The job.
    task : Task
        The job.
    chosen : Chosen
        Where it runs and when.
    grid : Grid
        The slots.
    rates : ndarray
        What the slots cost, shape (places, slots): the dearest is used in part.
    """
    if isinstance(chosen.slots, slice):
        begin_s = one.job.earliest_s + (chosen.slots.start - task.first) * grid.slot_s
        return (Stretch(begin_s=begin_s, end_s=begin_s + one.job.duration_s),)
    values = np.full(grid.count, np.nan)
    values[chosen.slots] = rates[chosen.place, chosen.slots]
    return cheapest_stretches(Steps(grid.edges_s, values), one.job.duration_s, grid.begin_s, grid.end_s)
