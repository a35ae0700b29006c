"""Many jobs, the places that share their capacity among them, and the plan for all."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.plan import Option, Plan, PlannedJob


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetJob:
    """One of many jobs. It takes ``units`` (GPUs, nodes) of a place's capacity for as long as it runs.

    ``places`` are those where it may run, home first; none means all of the fleet's.
    """

    job: PlannedJob
    units: float = 1.0
    places: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.job.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Capacity between two moments. [s since 1970]"""

    begin_s: float
    end_s: float
    units: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much runs at a place at once: ``units`` at all times but those of ``rooms``.

    In units of jobs or, where ``in_watts``, in the IT power that they draw. [W]
    """

    units: float = float("inf")
    rooms: tuple[Room, ...] = ()
    in_watts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A job with its way to run, and what starting now would be; None where there was no room for it."""

    job: FleetJob
    best: Option
    now: Option | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A job that finds no slot, and why."""

    job: FleetJob
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """One quantity over the jobs that both plans hold, planned and started now."""

    quantity: str
    unit: str
    now: float
    planned: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What to do with many jobs. ``cost`` is the weighed score, over that of starting now at home. [1]

    No plan that places the same jobs costs less than ``bound``; ``gap`` is by how much this one may be
    dearer, None where the bound is not above zero. ``proven`` if no plan is better.
    """

    placed: tuple[Placed, ...]
    unplaced: tuple[Unplaced, ...]
    plans: tuple[Plan, ...]
    sums: tuple[Sums, ...]
    cost: float
    bound: float
    gap: float | None
    proven: bool
    weights: tuple[tuple[str, float], ...]
    slot_s: float
    made_s: float
    flags: tuple[str, ...] = ()
