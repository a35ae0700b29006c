"""NVIDIA Dynamo: its frontend's ``dynamo_frontend_``, for all workers of a model together.

A worker's page carries the names of its own engine (``vllm:``, ``sglang:``, ``trtllm_``) and is read as that
engine's; these are the better source, one a worker.

References: dynamo, docs on metrics (frontend); names as AIPerf's table of server metrics has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.serving.engines.page import Engine, Page
from wattermark.values.served import EngineLook

COUNTERS: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("dynamo_frontend_input_sequence_tokens_sum",),
    "cached_tokens": ("dynamo_frontend_cached_tokens_sum",),
    "generated_tokens": (
        "dynamo_frontend_output_tokens_total",
        "dynamo_frontend_output_sequence_tokens_sum",
    ),
    "requests": ("dynamo_frontend_requests_total",),
    "running": ("dynamo_frontend_inflight_requests",),
    "waiting": ("dynamo_frontend_queued_requests",),
}
KNOWN_BY = ("dynamo_frontend_inflight_requests", "dynamo_frontend_requests_total", *COUNTERS["prompt_tokens"])


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """A look for each model of the page."""
    return [
        EngineLook(
            mono_ns=mono_ns,
            engine="dynamo",
            model=model,
            **page.totals(COUNTERS, model),
        )
        for model in page.models(*COUNTERS["prompt_tokens"], *COUNTERS["running"])
    ]


DYNAMO = Engine(
    name="dynamo",
    wanted=frozenset(name for names in COUNTERS.values() for name in names),
    known_by=KNOWN_BY,
    looks=looks,
)
