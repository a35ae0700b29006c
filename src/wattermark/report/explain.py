"""How a number was made: the formula, with the numbers put in."""

from __future__ import annotations

from collections.abc import Iterator

from wattermark.report.numbers import say, scale_of
from wattermark.report.sheet import LABELS
from wattermark.values.factors import Factor
from wattermark.values.footprint import Footprint
from wattermark.values.units import J_PER_KWH

EACH_ITS_OWN = "that of each place"
"""What an energy is multiplied with where the parts of a run were at several places."""
TOPICS = ("energy", "carbon", "water")

FORMULAS = {
    "it_energy_j": (),
    "facility_energy_j": ("IT energy", "pue"),
    "carbon_operational_g": ("facility energy", "carbon_intensity"),
    "carbon_market_g": ("facility energy", "market_intensity"),
    "water_onsite_l": ("IT energy", "wue"),
    "water_offsite_thermal_l": ("facility energy", "water_thermal"),
    "water_offsite_hydro_l": ("facility energy", "water_hydro"),
}
"""What is multiplied; the first is an energy, the second a factor."""

OF_TOPIC = {
    "energy": ("facility_energy_j",),
    "carbon": ("carbon_operational_g", "carbon_market_g"),
    "water": ("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l"),
}


def explain(footprint: Footprint, topic: str) -> tuple[str, ...]:
    """Sentences that show how the numbers of a topic were made, with their sources."""
    if footprint.it_energy_j is None:
        return ("No energy was seen, so there is nothing to explain.",)
    return tuple(_told(footprint, topic))


def _told(footprint: Footprint, topic: str) -> Iterator[str]:
    if topic == "energy":
        yield from _energy(footprint)
    for name in OF_TOPIC[topic]:
        if footprint.quantities()[name] is not None:
            yield from _product(footprint, name)
    if topic == "carbon":
        yield from _embodied(footprint, "carbon")
        yield _sum(footprint, "carbon_g", ("carbon_operational_g", "carbon_embodied_g"))
    if topic == "water":
        yield from _embodied(footprint, "water")
        yield _sum(footprint, "water_l", (*OF_TOPIC["water"], "water_embodied_l"))
        yield from _scarcity(footprint)


def _energy(footprint: Footprint) -> Iterator[str]:
    for component in footprint.components:
        if component.energy_j is not None and component.counted:
            yield f"{component.name} = {_say(component.energy_j.best, 'it_energy_j')}: {component.how}"
        elif component.energy_j is None:
            yield f"{component.name} = not seen: {component.how}"
    yield f"IT energy = the sum of what was seen = {_best(footprint, 'it_energy_j')}"


def _product(footprint: Footprint, name: str) -> Iterator[str]:
    energy, factor_name = FORMULAS[name]
    factors = _factors(footprint, factor_name)
    quantity = "it_energy_j" if energy == "IT energy" else "facility_energy_j"
    times = f"{factors[0].value.best:.5g}{_unit(factors[0])}" if len(factors) == 1 else EACH_ITS_OWN
    yield f"{LABELS[name]} = {energy} x {factor_name}"
    yield f"  = {_kwh(footprint, quantity)} x {times} = {_best(footprint, name)}"
    for factor in factors:
        best = "" if len(factors) == 1 else f" @ {factor.key} = {factor.value.best:.5g}{_unit(factor)}"
        interval = f"{factor.value.low:.3g} - {factor.value.high:.3g}{_unit(factor)}"
        yield f"  {factor_name}{best}: {interval}, {_papers(factor)}"


def _embodied(footprint: Footprint, what: str) -> Iterator[str]:
    name = f"{what}_embodied_{'g' if what == 'carbon' else 'l'}"
    life, use = _factor(footprint, "server_lifetime_years"), _factor(footprint, "accelerator_utilisation")
    yield f"{LABELS[name]} = making the hardware x time held / (life x use) = {_best(footprint, name)}"
    yield f"  life {life.value.best:g} years, in use {use.value.best:.0%} of it ({_papers(life)})"
    for factor in footprint.factors:
        if factor.name.startswith("embodied") and what in factor.name:
            yield f"  {factor.name}: {factor.value.best:.4g} {factor.unit}, {_papers(factor)}"


def _scarcity(footprint: Footprint) -> Iterator[str]:
    sites, grids = _factors(footprint, "scarcity_site"), _factors(footprint, "scarcity_grid")
    alone = len(sites) == len(grids) == 1
    site, grid = (f"{one.value.best:.4g}" if alone else EACH_ITS_OWN for one in (sites[0], grids[0]))
    yield (
        f"{LABELS['water_scarcity_m3eq']} = on site x {site}"
        f" + off site x {grid} = {_best(footprint, 'water_scarcity_m3eq')}"
    )
    keys = dict.fromkeys(one.key for one in (*sites, *grids)) if not alone else (sites[0].key, grids[0].key)
    yield f"  AWARE at {' and '.join(keys)}, {_papers(sites[0])}"


def _sum(footprint: Footprint, name: str, parts: tuple[str, ...]) -> str:
    terms = " + ".join(_best(footprint, part) for part in parts)
    return f"{LABELS[name]} = {terms} = {_best(footprint, name)}"


def _factor(footprint: Footprint, name: str) -> Factor:
    return _factors(footprint, name)[0]


def _factors(footprint: Footprint, name: str) -> list[Factor]:
    """Several where the parts of a run were at several places."""
    return [factor for factor in footprint.factors if factor.name == name]


def _unit(factor: Factor) -> str:
    return "" if factor.unit == "1" else f" {factor.unit}"


def _best(footprint: Footprint, name: str) -> str:
    value = footprint.quantities()[name]
    return _say(value.best if value else None, name)


def _say(value: float | None, name: str) -> str:
    return say(value, scale_of(name))


def _kwh(footprint: Footprint, name: str) -> str:
    value = footprint.quantities()[name]
    return f"{value.best / J_PER_KWH:.5g} kWh" if value else "not known"


def _papers(factor: Factor) -> str:
    year = f", {factor.year}" if factor.year else ""
    basis = f", {factor.basis}" if factor.basis != "-" else ""
    return f"{factor.source}{year}{basis}"
