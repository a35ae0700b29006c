"""When and where a job may run, and what each way of running it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wattermark.values.series import Series, Signal

LONGEST_AHEAD_S: Final = 366 * 86_400.0
"""No plan looks farther: hours of a usual year repeat by then, and nobody forecasts so far. [s]"""
CHECKPOINT, REQUEUE = "checkpoint", "requeue"
"""Ways to pause after which nothing of a run is left: it stands still between its parts, and in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time in which the job runs. [s since 1970]"""

    begin_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """What is to run: how long, with how much energy, between which moments.

    ``it_energy_j`` is that of all ``duration_s``, drawn evenly. An ``interruptible`` job may pause; each
    start after the first costs ``restart_s`` of running again (restore, warm-up, lost work), and while it is
    paused it draws ``held_power_w`` where it keeps its devices. Another place than ``home`` needs
    ``move_gb`` of data there first: that takes time on the link, energy on the network, and a price.
    """

    it_energy_j: float
    duration_s: float
    earliest_s: float
    deadline_s: float
    interruptible: bool = False
    restart_s: float = 0.0
    held_power_w: float = 0.0
    least_run_s: float = 0.0
    most_pauses: int | None = None
    move_gb: float = 0.0
    move_gbit_per_s: float = 1.0
    move_kwh_per_gb: float = 0.0
    move_usd_per_gb: float = 0.0
    home: str = ""
    name: str = ""

    @property
    def power_w(self) -> float:
        return self.it_energy_j / self.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to run a job, with what it costs; None is not known.

    Water at the plants stands apart as thermal and hydro, as some count the one only. What moving data takes
    is in the sums. ``cost_usd`` is for electricity where a price is known, and for data that move.
    """

    place: str
    stretches: tuple[Stretch, ...]
    facility_energy_j: float
    carbon_g: float
    carbon_marginal_g: float | None = None
    water_onsite_l: float | None = None
    water_offsite_thermal_l: float | None = None
    water_offsite_hydro_l: float | None = None
    cost_usd: float | None = None

    @property
    def begin_s(self) -> float:
        return self.stretches[0].begin_s

    @property
    def finish_s(self) -> float:
        return self.stretches[-1].end_s

    @property
    def pauses(self) -> int:
        return len(self.stretches) - 1


@dataclass(frozen=True, slots=True)
class Spread:
    """The 10th, 50th and 90th percentile of something that is not known yet."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What a way to run saves against starting now, here; as a share of that. [1]

    ``quantity`` is one of the weights (``carbon``, ``water`` ...). ``planned`` is by the forecast as it is,
    ``spread`` by how forecasts have erred, and ``worse_chance`` the chance to end worse than now; None where
    nobody knows how these err.
    """

    quantity: str
    planned: float
    spread: Spread | None = None
    worse_chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A signal that a plan was made with: whose it was, how fresh, how good its forecasts have been.

    ``error`` is the mean absolute error of its forecasts, over their mean; None where it is not known. [1]
    ``told`` is False where nobody told these hours, and a usual year stands for them.
    """

    signal: Signal
    place: str
    source: str
    basis: str
    begin_s: float
    end_s: float
    issued_s: float | None = None
    age_s: float | None = None
    error: float | None = None
    told: bool = True
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, series: Series) -> Heard:
        """A series as it was heard; how fresh and how good it is, whoever knows may add."""
        return cls(
            signal=series.signal,
            place=series.place,
            source=series.source,
            basis=series.basis,
            begin_s=series.begin_s,
            end_s=series.end_s,
            flags=series.flags,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do with a job, and why. ``considered`` is the best other way, which ``best`` is where that is
    ``worth_it``; savings are its. ``otherwise`` holds ways that would be best if something were counted
    otherwise, by its name. ``knee`` is the place in ``front`` where more of one costs much of
    another."""

    job: PlannedJob
    now: Option
    best: Option
    savings: tuple[Saving, ...]
    considered: Option
    front: tuple[Option, ...]
    knee: int
    worth_it: bool
    verdict: str
    heard: tuple[Heard, ...]
    made_s: float
    weights: tuple[tuple[str, float], ...] = (("carbon", 1.0),)
    otherwise: tuple[tuple[str, Option], ...] = ()
    flags: tuple[str, ...] = ()
