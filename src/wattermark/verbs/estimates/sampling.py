"""The tokens that reinforcement learning samples: serving, at a batch of its own."""

from __future__ import annotations

from dataclasses import replace

from wattermark.science.serving import requests_for
from wattermark.science.sketch import Sketch
from wattermark.science.training import wall_time_s
from wattermark.values.jobs import Inference, Training
from wattermark.values.workload import Architecture
from wattermark.verbs.estimates.draft import Draft
from wattermark.verbs.estimates.inference import serving_draft

BATCH, PROMPT_TOKENS, SAMPLE_TOKENS = 64.0, 256.0, 1024.0


def sampling_draft(job: Training, model: Architecture) -> Draft:
    """As many tokens as the job tells, on all accelerators of the training, by turns with the updates."""
    sampled = job.generated_tokens or job.tokens or 1.0
    answer = min(job.sequence or SAMPLE_TOKENS, sampled)
    asked = Inference(
        gpu=job.gpu, model=job.model, config=job.config, params=job.params,
        active_params=job.active_params, input_tokens=PROMPT_TOKENS, output_tokens=answer,
        batch=BATCH, utilisation=1.0, requests=requests_for(sampled, answer),
    )  # fmt: skip
    draft = serving_draft(asked, model=model)
    whole = draft.sketch
    terms = tuple(replace(term, name=f"sampling: {term.name}") for term in whole.terms)
    amounts = {
        "accelerator_hours": whole.amounts["accelerator_hours"],
        "wall_time_s": lambda values: wall_time_s(whole.held_s(values), job.count),
    }
    said = (
        f"samples of {answer:g} tokens to prompts of {PROMPT_TOKENS:g} are generated at a batch of {BATCH:g},"
        " by turns with the updates"
    )
    many = () if job.generated_tokens else ("as many tokens are sampled as trained on",)
    return replace(
        draft,
        sketch=Sketch(terms=terms, held_s=whole.held_s, amounts=amounts),
        assumptions=(said, *many, *draft.assumptions),
    )
