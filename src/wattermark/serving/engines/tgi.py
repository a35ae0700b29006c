"""Text Generation Inference: ``tgi_`` at ``/metrics``. One model a server, whose name is not told.

Tokens are counted when a request ends. Its forward passes are counted by ``method`` (``prefill``, and
``decode`` or ``next_token``), each a step. ``skipped_tokens`` are those that speculation got right; how many
tokens of prompts were cached is not told, and neither is how many are kept.

References: text-generation-inference, docs/source/reference/metrics.md and router/src/server.rs.
"""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.serving.engines.page import Engine, Page
from wattermark.values.served import EngineLook

COUNTERS: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("tgi_request_input_length_sum",),
    "generated_tokens": ("tgi_request_generated_tokens_sum",),
    "steps": ("tgi_batch_inference_count", "tgi_batch_inference_count_total"),
    "requests": ("tgi_request_success", "tgi_request_success_total"),
    "accepted_tokens": ("tgi_request_skipped_tokens_sum",),
    "running": ("tgi_batch_current_size",),
    "waiting": ("tgi_queue_size",),
}


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """One look; requests that nobody sent yet leave no metrics, and so no look."""
    told = page.totals(COUNTERS, "")
    if all(value is None for value in told.values()):
        return []
    return [EngineLook(mono_ns=mono_ns, engine="tgi", **told)]


TGI = Engine(
    name="tgi",
    wanted=frozenset(name for names in COUNTERS.values() for name in names),
    known_by=(
        "tgi_queue_size",
        "tgi_request_input_length_sum",
        "tgi_batch_current_size",
    ),
    looks=looks,
)
