"""What a joule of IT energy costs at each moment at a place: carbon, water, money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from wattermark.science.carbon import operational_carbon_g
from wattermark.science.energy import facility_energy, kwh
from wattermark.science.schedule.steps import Array, Steps, along, integrals, steps_of
from wattermark.science.water import offsite_water_l, onsite_water_l
from wattermark.values.boundary import ItEnergy, Number
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, PlannedJob, Stretch
from wattermark.values.series import Signal

ONE_JOULE: Final = ItEnergy(1.0)
SIGNALS: Final = {
    "carbon_g": Signal.CARBON,
    "carbon_marginal_g": Signal.CARBON_MARGINAL,
    "water_onsite_l": Signal.WUE,
    "water_offsite_thermal_l": Signal.WATER_THERMAL,
    "water_offsite_hydro_l": Signal.WATER_HYDRO,
    "cost_usd": Signal.PRICE,
}
"""What an ``Option`` is reckoned in, by the names of its fields, and the signal that each follows."""
QUANTITIES: Final = tuple(SIGNALS)


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """At one place: each quantity per joule of IT energy, over time, on edges common to all.

    ``per_j`` has no entry for what nobody tells there.
    """

    place: str
    pue: float
    per_j: Mapping[str, Steps]

    @property
    def edges_s(self) -> Array:
        """Common to all, shape (n + 1,). [s since 1970]"""
        return self.per_j["carbon_g"].edges_s


def rates_of(outlook: Outlook) -> Rates:
    """What running costs at a place.

    Parameters
    ----------
    outlook : Outlook
        With the carbon intensity at least.

    Returns
    -------
    Rates
        [g / J], [L / J], [USD / J]

    Raises
    ------
    KeyError
        If nobody tells the carbon intensity there.
    """
    pue = outlook.pue.value.best
    facility = facility_energy(ONE_JOULE, pue)
    made: dict[str, Callable[[Array], Number]] = {
        "carbon_g": lambda x: operational_carbon_g(facility, x),
        "carbon_marginal_g": lambda x: operational_carbon_g(facility, x),
        "water_onsite_l": lambda x: onsite_water_l(ONE_JOULE, x),
        "water_offsite_thermal_l": lambda x: offsite_water_l(facility, x),
        "water_offsite_hydro_l": lambda x: offsite_water_l(facility, x),
        "cost_usd": lambda x: kwh(facility) * x,
    }
    carbon = steps_of(outlook.series[Signal.CARBON])
    others = [name for name in QUANTITIES[1:] if SIGNALS[name] in outlook.series]
    steps = along(carbon, [steps_of(outlook.series[SIGNALS[name]]) for name in others])
    per_j = {
        name: Steps(one.edges_s, np.asarray(made[name](one.values), np.float64))
        for name, one in zip(("carbon_g", *others), steps, strict=True)
    }
    return Rates(outlook.asked, pue, per_j)


def powered(per_j: Steps, job: PlannedJob) -> tuple[Steps, Steps | None]:
    """What a second of running costs, and one of being held; None where nothing is held.

    Parameters
    ----------
    per_j : Steps
        Per joule of IT energy, in any unit.
    job : PlannedJob
        Whose power it is.
    """
    running = Steps(per_j.edges_s, per_j.values * job.power_w)
    return running, Steps(per_j.edges_s, per_j.values * job.held_power_w) if job.held_power_w else None


def option_of(rates: Rates, job: PlannedJob, stretches: Iterable[Stretch]) -> Option:
    """What running in these stretches costs; a quantity that meets a gap in them is not known.

    Restarts are run at the job's power within the stretches; what it holds while it pauses is added.

    Parameters
    ----------
    rates : Rates
        Of the place.
    job : PlannedJob
        Whose power it is.
    stretches : iterable of Stretch
        At least one, in their order.
    """
    running = tuple(stretches)
    paused = [(a.end_s, b.begin_s) for a, b in pairwise(running)]
    ran_s = sum(one.duration_s for one in running)
    held_s = sum(end - begin for begin, end in paused)
    it_energy_j = job.power_w * ran_s + job.held_power_w * held_s
    known: dict[str, float | None] = dict.fromkeys(QUANTITIES)
    for name, steps in rates.per_j.items():
        begins, ends = np.array([(one.begin_s, one.end_s) for one in running]).T
        amount = job.power_w * float(integrals(steps, begins, ends).sum())
        if paused and job.held_power_w:
            begins, ends = np.array(paused).T
            amount += job.held_power_w * float(integrals(steps, begins, ends).sum())
        known[name] = amount if np.isfinite(amount) else None
    carbon_g = known.pop("carbon_g")
    if carbon_g is None:
        raise ValueError("a stretch lies where the carbon intensity is not known")
    energy_j = facility_energy(ItEnergy(it_energy_j), rates.pue).joules
    return Option(
        place=rates.place, stretches=running, facility_energy_j=float(energy_j), carbon_g=carbon_g, **known
    )
