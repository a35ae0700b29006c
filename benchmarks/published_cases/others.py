"""Figures that are another model's output: by its own formula, and ours of the same thing beside it."""

from __future__ import annotations

from peers import act, boavizta, ecologits, epoch, green_algorithms, llmcarbon

import wattermark as wm
from wattermark.factors.hardware import sheet_factors
from wattermark.factors.table import named
from wattermark.values.range import Range
from wattermark.values.units import G_PER_KG, J_PER_KWH

from .estimates import J_PER_WH, api_j, times
from .values import Case, Inputs, Outcome

LOGICAL_PER_CORE = 2.0


def ecologits_case(case: Case) -> Outcome:
    inputs, wanted = case.inputs, case.quantity
    asked, site = ecologits.Request(**inputs["request"]), ecologits.Site(**inputs["site"])
    theirs = {
        "facility_energy_j": lambda: ecologits.energy_kwh(asked, site) * J_PER_KWH,
        "carbon_g": lambda: ecologits.usage_g(asked, site),
        "embodied_g": lambda: ecologits.embodied_g(asked, inputs["version"]),
        "water_l": lambda: ecologits.water_l(asked, site),
    }[wanted]()
    return Outcome(theirs=theirs, ours=our_request(inputs, wanted))


def our_request(inputs: Inputs, wanted: str) -> Range | None:
    site = inputs["site"]
    where = wm.Site(
        pue=site["pue"], wue=site.get("wue_l_per_kwh"), intensity=site.get("intensity_g_per_kwh"),
        grid_water=site.get("grid_water_l_per_kwh"),
    )  # fmt: skip
    found = wm.estimate_inference(wm.Inference(**inputs["ours"]), where).footprint
    water_l = found.water_onsite_l.plus(found.water_offsite_thermal_l).plus(found.water_offsite_hydro_l)
    return {
        "facility_energy_j": found.facility_energy_j,
        "carbon_g": found.carbon_operational_g,
        "embodied_g": found.carbon_embodied_g,
        "water_l": water_l,
    }[wanted]


def llmcarbon_case(case: Case) -> Outcome:
    formula = case.inputs["formula"]
    theirs = llmcarbon.operational_kg(**formula) * G_PER_KG
    site = wm.Site(pue=formula["pue"], intensity=formula["intensity_kg_per_kwh"] * G_PER_KG)
    ours = wm.estimate_training(wm.Training(**case.inputs["ours"]), site)
    return Outcome(theirs=theirs, ours=ours.footprint.carbon_operational_g)


def llmcarbon_embodied(case: Case) -> Outcome:
    inputs = case.inputs
    theirs = llmcarbon.embodied_kg(
        inputs["parts"], days=inputs["days"], lifetime_days=inputs["lifetime_days"]
    )
    ours = wm.estimate_training(wm.Training(**inputs["ours"]))
    return Outcome(theirs=theirs * G_PER_KG, ours=ours.footprint.carbon_embodied_g)


def boavizta_cpu(case: Case) -> Outcome:
    ours = named("embodied", "cpu_server_package").value
    return Outcome(theirs=boavizta.cpu_kg(case.inputs["die_mm2"]) * G_PER_KG, ours=times(ours, G_PER_KG))


def boavizta_gpu(case: Case) -> Outcome:
    name = case.inputs["accelerator"]
    theirs = boavizta.gpu_kg(boavizta.GPUS[name]) * G_PER_KG
    return Outcome(theirs=theirs, ours=times(sheet_factors(name)[0].value, G_PER_KG))


def act_logic(case: Case) -> Outcome:
    fab = act.TAIWAN_G_PER_KWH[case.inputs["year"]]
    theirs = act.carbon_per_area_g_per_cm2(case.inputs["node"], fab_g_per_kwh=fab)
    return Outcome(theirs=theirs, note="ours is a factor of 5 nm only")


def act_dram(case: Case) -> Outcome:
    inputs = case.inputs
    module = {"gigabytes": inputs["gigabytes"], "packages": inputs["packages"]}
    ours = times(named("embodied", "dram").value, inputs["modules"] * inputs["gigabytes"] * G_PER_KG)
    return Outcome(theirs=inputs["modules"] * act.dram_g(inputs["process"], **module), ours=ours)


def green_algorithms_case(case: Case) -> Outcome:
    job = {name: case.inputs[name] for name in ("hours", "cores", "core_w", "memory_gb", "pue")}
    kwh = green_algorithms.energy_kwh(**job)
    intensity = case.inputs.get("intensity_g_per_kwh")
    per_kwh = J_PER_KWH if intensity is None else intensity
    theirs = kwh * J_PER_KWH
    if intensity is not None:
        theirs = green_algorithms.carbon_g(kwh, intensity_g_per_kwh=intensity)
    return Outcome(
        theirs=theirs, ours=times(our_machine_kwh(job), per_kwh), note="ours: 2 logical CPUs a core"
    )


def our_machine_kwh(job: Inputs) -> Range:
    """A machine without meters at full load, by our factors of any server. [kWh]"""
    cpu_w = times(named("defaults", "cpu_full_w_per_logical_cpu").value, job["cores"] * LOGICAL_PER_CORE)
    memory_w = times(named("defaults", "dram_power_w_per_gb").value, job["memory_gb"])
    return times(cpu_w.plus(memory_w), job["hours"] * job["pue"] / 1000)


def epoch_case(case: Case) -> Outcome:
    theirs = epoch.energy_wh(**case.inputs["formula"]) * J_PER_WH
    return Outcome(theirs=theirs, ours=api_j(case.inputs["ours"]))


KINDS = {
    "ecologits": ecologits_case,
    "llmcarbon": llmcarbon_case,
    "llmcarbon_embodied": llmcarbon_embodied,
    "boavizta_cpu": boavizta_cpu,
    "boavizta_gpu": boavizta_gpu,
    "act_logic": act_logic,
    "act_dram": act_dram,
    "green_algorithms": green_algorithms_case,
    "epoch": epoch_case,
}
