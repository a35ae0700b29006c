"""Figures that our models are asked for: hours, tokens, images, services, hardware."""

from __future__ import annotations

from peers import jegham

import wattermark as wm
from wattermark.factors.hardware import sheet_factors
from wattermark.science.estimate import rows_of
from wattermark.science.uncertainty import Values, intervals
from wattermark.values.range import Range
from wattermark.values.units import G_PER_KG
from wattermark.verbs.estimates.ground import DEVICES, accelerator_of, ground
from wattermark.verbs.estimates.inference import serving_draft

from .values import Case, Inputs, Outcome

J_PER_WH = 3600.0


def times(value: Range, factor: float) -> Range:
    return Range(value.low * factor, value.best * factor, value.high * factor)


def training(inputs: Inputs) -> wm.Estimate:
    """The job as a user would ask; older rows call the GPU an accelerator."""
    asked = {("gpu" if name == "accelerator" else name): value for name, value in inputs.items()}
    return wm.estimate_training(wm.Training(**asked))


def gpu_hours(case: Case) -> Outcome:
    return Outcome(ours=training(case.inputs).amounts["accelerator_hours"])


def training_energy(case: Case) -> Outcome:
    parts = training(case.inputs).footprint.components
    return Outcome(ours=next(part.energy_j for part in parts if part.name == "accelerators"))


def request_j(inputs: Inputs, **more: float) -> Range:
    """Energy of the accelerators for one request."""
    job = wm.Inference(**{**inputs, **more})
    return wm.estimate_inference(job).amounts["accelerator_energy_per_request_j"]


def measured_token(case: Case) -> Outcome:
    return Outcome(ours=times(request_j(case.inputs), 1 / case.inputs["output_tokens"]))


def measured_window(case: Case) -> Outcome:
    """Measured, but nobody tells for how many tokens: from the fewest to the most that are plausible."""
    few, usual, many = case.inputs["output_tokens"]
    ends = [request_j(case.inputs["job"], output_tokens=tokens) for tokens in (few, usual, many)]
    tokens = usual * case.value / ends[1].best
    return Outcome(
        ours=Range(ends[0].low, ends[1].best, ends[2].high), note=f"as much as {tokens:,.0f} tokens"
    )


def measured_item(case: Case) -> Outcome:
    """An image or a video, by the GPUs alone."""
    found = wm.estimate_media(wm.Media(**case.inputs))
    return Outcome(ours=found.amounts["accelerator_energy_per_item_j"])


def service(case: Case) -> Outcome:
    """A request to a service, with waiting, hosts and facility."""
    found = wm.estimate_inference(wm.Inference(**case.inputs))
    return Outcome(ours=found.footprint.facility_energy_j)


def narrow(case: Case) -> Outcome:
    """The accelerators' own part of what a facility used, by our share of it."""
    job, site = wm.Inference(**case.inputs["job"]), wm.Site(pue=case.inputs["pue"])
    draft = serving_draft(job)
    whole = rows_of(draft.sketch, DEVICES)

    def part(values: Values) -> dict[str, float]:
        said = whole(values)
        return {"part": said["accelerator_energy_per_request_j"] / said["facility_energy_j"]}

    standing = ground(site, accelerator_of(job.gpu).id)
    share = intervals(part, (*standing.factors, *draft.factors))["part"]
    return Outcome(ours=times(share, case.inputs["facility_energy_j"]))


def api_j(inputs: Inputs) -> Range:
    names = ("model", "input_tokens", "output_tokens")
    job = wm.ApiCalls(**{name: inputs[name] for name in names if name in inputs})
    return wm.estimate_api(job).amounts["energy_per_request_j"]


def api(case: Case) -> Outcome:
    """A closed model by our line; beside it the time of the published energy, and the model if it is open."""
    notes = []
    if "host" in case.inputs:
        seconds = jegham.seconds_of(case.value / J_PER_WH, pue=jegham.PUE[case.inputs["host"]])
        notes.append(f"{seconds:.1f} s of a full eighth of a node")
    if "open" in case.inputs:
        found = wm.estimate_inference(wm.Inference(**case.inputs["open"])).footprint.facility_energy_j
        ends = (found.low, found.best, found.high)
        low, best, high = (f"{one / J_PER_WH:.2g}" for one in ends)
        notes.append(f"ours on 8 GPUs at a batch of 8: {best} Wh ({low} to {high})")
    return Outcome(ours=api_j(case.inputs), note="; ".join(notes))


def hardware(case: Case) -> Outcome:
    carbon_kg = sheet_factors(case.inputs["accelerator"])[0].value
    return Outcome(ours=times(carbon_kg, case.inputs["count"] * G_PER_KG))


KINDS = {
    "gpu_hours": gpu_hours,
    "training_energy": training_energy,
    "measured_token": measured_token,
    "measured_window": measured_window,
    "measured_item": measured_item,
    "service": service,
    "narrow": narrow,
    "api": api,
    "hardware": hardware,
}
