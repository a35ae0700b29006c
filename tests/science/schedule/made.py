"""Outlooks and jobs made by hand: hours counted from 0, joules that are easy to add."""

from wattermark.science.schedule.rates import rates_of
from wattermark.values.factors import Factor, Place
from wattermark.values.outlook import Outlook
from wattermark.values.plan import PlannedJob
from wattermark.values.range import Range
from wattermark.values.series import Series, Signal

HOUR = 3600.0
KWH = 3.6e6


def series(values, signal=Signal.CARBON, step_s=HOUR, **told):
    """One value a step, from 0 on."""
    edges = tuple(i * step_s for i in range(len(values) + 1))
    return Series(signal=signal, place="x", source="made", edges_s=edges, values=tuple(values), **told)


def outlook(name="here", pue=1.0, **signals):
    """A place with these values by the hour: ``carbon=[...]``, ``water_thermal=[...]``."""
    made = {Signal(key.replace("_", "-")): values for key, values in signals.items()}
    place = Place(asked=name, resolved=name, name=name, steps=(), grid="", scarcity_site="", scarcity_grid="")
    factor = Factor(
        name="pue", value=Range.exact(pue), unit="1", key=name, year=2026, basis="made", source="made"
    )
    return Outlook(asked=name, place=place, pue=factor, series={s: series(v, s) for s, v in made.items()})


def rates(name="here", pue=1.0, **signals):
    return rates_of(outlook(name, pue, **signals))


def job(hours=1.0, kwh=1.0, within=24.0, **told):
    """From hour 0 on."""
    return PlannedJob(
        it_energy_j=kwh * KWH, duration_s=hours * HOUR, earliest_s=told.pop("earliest", 0.0) * HOUR,
        deadline_s=within * HOUR, **told,
    )  # fmt: skip
