"""What others published, by our formulas: the arithmetic within a percent, the models within their bands."""

import csv
import json
from pathlib import Path

import pytest

import wattermark as wm
from wattermark.science.carbon import operational_carbon_g
from wattermark.science.energy import facility_energy
from wattermark.science.training import held_energy_j, hours_to_s
from wattermark.science.water import offsite_water_l, onsite_water_l
from wattermark.values.boundary import FacilityEnergy, ItEnergy

with (Path(__file__).parent / "data" / "published_cases.csv").open(encoding="utf-8", newline="") as file:
    CASES = list(csv.DictReader(file))


def cases(*kinds):
    return [
        pytest.param(row, json.loads(row["inputs"]), id=row["case"]) for row in CASES if row["kind"] in kinds
    ]


def it_energy(inputs):
    if "it_energy_j" in inputs:
        return ItEnergy(inputs["it_energy_j"])
    return ItEnergy(held_energy_j(hours_to_s(inputs["hours"]), inputs["power_w"]))


def facility(inputs):
    if "facility_energy_j" in inputs:
        return FacilityEnergy(inputs["facility_energy_j"])
    return facility_energy(it_energy(inputs), inputs["pue"])


def recomputed(row, inputs):
    if row["kind"] == "energy":
        return facility(inputs).joules
    if row["kind"] == "carbon":
        return operational_carbon_g(facility(inputs), inputs["intensity_g_per_kwh"])
    wue = inputs.get("wue_l_per_kwh", 0.0)
    onsite_l = onsite_water_l(it_energy(inputs), wue) if wue else 0.0
    return onsite_l + offsite_water_l(facility(inputs), inputs["grid_water_l_per_kwh"])


@pytest.mark.parametrize(("row", "inputs"), cases("energy", "carbon", "water"))
def test_the_arithmetic_is_theirs(row, inputs):
    assert recomputed(row, inputs) == pytest.approx(float(row["value"]), rel=float(row["tolerance"]))


@pytest.mark.parametrize(("row", "inputs"), cases("gpu_hours"))
def test_hours_are_within_a_factor_of_two(row, inputs):
    job = wm.Training(params=inputs["params"], tokens=inputs["tokens"], gpu=inputs["accelerator"])
    ours = wm.estimate_training(job).amounts["accelerator_hours"].best
    assert 1 / float(row["tolerance"]) <= ours / float(row["value"]) <= float(row["tolerance"])


@pytest.mark.parametrize(("row", "inputs"), cases("training_energy"))
def test_the_measured_energy_of_a_training_is_inside_its_band(row, inputs):
    job = wm.Training(params=inputs["params"], tokens=inputs["tokens"], gpu=inputs["accelerator"])
    parts = wm.estimate_training(job).footprint.components
    ours = next(part.energy_j for part in parts if part.name == "accelerators")
    assert ours.low <= float(row["value"]) <= ours.high


@pytest.mark.parametrize(("row", "inputs"), cases("measured_token"))
def test_the_measured_energy_of_a_token_is_inside_its_band(row, inputs):
    a_request = wm.estimate_inference(wm.Inference(**inputs)).amounts["accelerator_energy_per_request_j"]
    measured = float(row["value"]) * inputs["output_tokens"]
    assert a_request.low <= measured <= a_request.high


def test_no_case_is_forgotten():
    assert {row["kind"] for row in CASES} == {
        *("energy", "carbon", "water"),
        *("gpu_hours", "training_energy", "measured_token"),
    }
