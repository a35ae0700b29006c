"""Figures that follow from what is printed beside them, by our formulas."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from wattermark.science.carbon import operational_carbon_g
from wattermark.science.embodied import life_share
from wattermark.science.energy import facility_energy
from wattermark.science.lint.printed import read_unit
from wattermark.science.scores import sci_g_per_unit
from wattermark.science.training import held_energy_j, hours_to_s
from wattermark.science.water import offsite_water_l, onsite_water_l
from wattermark.values.boundary import FacilityEnergy, ItEnergy
from wattermark.values.range import Range
from wattermark.values.units import G_PER_KG, J_PER_KWH
from wattermark.verbs.lint.linting import lint

from .values import Case, Inputs, Outcome

NO_CARBON = Range.exact(0.0)


def exactly(value: float) -> Outcome:
    return Outcome(ours=Range.exact(float(value)))


def between(one: float, other: float) -> Outcome:
    """Two ends of what a page leaves open; the best is their middle."""
    low, high = sorted((float(one), float(other)))
    return Outcome(ours=Range(low, (low + high) / 2, high))


def it_energy(inputs: Inputs) -> ItEnergy:
    if "it_energy_j" in inputs:
        return ItEnergy(inputs["it_energy_j"])
    return ItEnergy(held_energy_j(hours_to_s(inputs["hours"]), inputs["power_w"]))


def facility(inputs: Inputs) -> FacilityEnergy:
    if "facility_energy_j" in inputs:
        return FacilityEnergy(inputs["facility_energy_j"])
    return facility_energy(it_energy(inputs), inputs["pue"])


def energy(case: Case) -> Outcome:
    return exactly(facility(case.inputs).joules)


def carbon(case: Case) -> Outcome:
    return exactly(operational_carbon_g(facility(case.inputs), case.inputs["intensity_g_per_kwh"]))


def water(case: Case) -> Outcome:
    wue = case.inputs.get("wue_l_per_kwh", 0.0)
    onsite_l = onsite_water_l(it_energy(case.inputs), wue) if wue else 0.0
    return exactly(onsite_l + offsite_water_l(facility(case.inputs), case.inputs["grid_water_l_per_kwh"]))


def a_sum(case: Case) -> Outcome:
    return exactly(sum(case.inputs["parts"]))


def two_grids(case: Case) -> Outcome:
    """Carbon of work at two sites whose shares are not told: between all at the one and all at the other."""
    energy_j = FacilityEnergy(case.inputs["facility_energy_j"])
    ends = (operational_carbon_g(energy_j, one) for one in case.inputs["intensities_g_per_kwh"])
    return between(*ends)


def water_of_carbon(case: Case) -> Outcome:
    """Water of the energy that a printed carbon stands for, half a digit either way."""
    inputs = case.inputs
    printed_g, half_g = inputs["carbon_g"], inputs["half_digit_g"]
    litres = (
        offsite_water_l(
            FacilityEnergy(one_g / inputs["intensity_g_per_kwh"] * J_PER_KWH), inputs["grid_water_l_per_kwh"]
        )
        for one_g in (printed_g - half_g, printed_g + half_g)
    )
    return between(*litres)


def embodied(case: Case) -> Outcome:
    """Devices that were held, each by its share of its life."""
    inputs = case.inputs
    life = {"lifetime_years": inputs["lifetime_years"], "utilisation": inputs["utilisation"]}
    return exactly(
        sum(
            life_share(hours_to_s(part["device_hours"]), **life) * part["embodied_kg"] * G_PER_KG
            for part in inputs["devices"]
        )
    )


def score(case: Case) -> Outcome:
    return Outcome(ours=sci_g_per_unit(Range.exact(case.inputs["carbon_g"]), NO_CARBON, case.inputs["units"]))


def breakeven(case: Case) -> Outcome:
    """Requests whose carbon is that of the training."""
    inputs = case.inputs
    request = sci_g_per_unit(Range.exact(inputs["requests_g"]), NO_CARBON, inputs["requests"])
    return exactly(inputs["training_g"] / request.best)


def unit(case: Case) -> Outcome:
    known = read_unit(case.inputs["unit"])
    return exactly(case.inputs["value"] * known.base) if known else Outcome()


def erratum(case: Case) -> Outcome:
    """What is printed is flagged by our linter, what it should be is left alone."""
    inputs = case.inputs
    printed = [contradicts({**inputs["claims"], inputs["claim"]: value}) for value in inputs["printed"]]
    mended = contradicts({**inputs["claims"], inputs["claim"]: case.value / inputs["base_per_unit"]})
    said = ", ".join(f"{value:,}" for value in inputs["printed"])
    return Outcome(linted=all(printed) and not mended, note=f"printed {said}: flagged by lint")


def contradicts(claims: Inputs) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claims.json"
        path.write_text(json.dumps(claims), encoding="utf-8")
        return lint(str(path)).contradicts


KINDS = {
    "energy": energy,
    "carbon": carbon,
    "water": water,
    "sum": a_sum,
    "two_grids": two_grids,
    "water_of_carbon": water_of_carbon,
    "embodied": embodied,
    "score": score,
    "breakeven": breakeven,
    "unit": unit,
    "erratum": erratum,
}
