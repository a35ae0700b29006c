"""TensorRT-LLM's ``trtllm-serve``: ``trtllm_`` at ``/prometheus/metrics``, as its ``/metrics`` is JSON.

Tokens are counted when a request ends. With ``enable_energy_metrics: true`` it tells at ``/energy_metrics``
what its GPUs drew since it began.

References: tensorrt_llm/metrics/collector.py; tensorrt_llm/serve/openai_server.py (``get_energy_metrics``:
``{"total_energy_j", "query_time"}``), added in pull request 11855.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite

from wattermark.serving.engines.page import Engine, Page
from wattermark.values.served import EngineLook

COUNTERS: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("trtllm_prompt_tokens_total",),
    "cached_tokens": ("trtllm_prompt_cached_tokens_total",),
    "generated_tokens": ("trtllm_generation_tokens_total",),
    "requests": ("trtllm_num_requests_completed_total", "trtllm_request_success_total"),
    "draft_tokens": (
        "trtllm_spec_decode_num_draft_tokens_total",
        "trtllm_spec_decode_drafted_tokens_total",
    ),
    "accepted_tokens": (
        "trtllm_spec_decode_num_accepted_tokens_total",
        "trtllm_spec_decode_accepted_tokens_total",
    ),
    "running": ("trtllm_num_requests_running",),
    "waiting": ("trtllm_num_requests_waiting",),
}
BLOCKS, BLOCK = "trtllm_kv_cache_used_blocks", "trtllm_kv_cache_tokens_per_block"


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """A look for each model of the page."""
    named = ("trtllm_num_requests_running", "trtllm_prompt_tokens_total", "trtllm_request_success_total")
    return [_look(page, model, mono_ns) for model in page.models(*named)]


def _look(page: Page, model: str, mono_ns: int) -> EngineLook:
    blocks, block = page.total((BLOCKS,), model), page.total((BLOCK,), model)
    return EngineLook(
        mono_ns=mono_ns,
        engine="trtllm",
        model=model,
        kv_tokens=blocks * block if blocks is not None and block is not None else None,
        **page.totals(COUNTERS, model),
    )


def energy_of(document: str) -> float | None:
    """What ``/energy_metrics`` says of all GPUs together; None where it says nothing. [J]"""
    try:
        told = json.loads(document)
        energy_j = float(told["total_energy_j"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return energy_j if isfinite(energy_j) and energy_j >= 0 else None


TRTLLM = Engine(
    name="trtllm",
    wanted=frozenset({name for names in COUNTERS.values() for name in names} | {BLOCKS, BLOCK}),
    known_by=("trtllm_num_requests_running", "trtllm_prompt_tokens_total", "trtllm_request_success_total"),
    looks=looks,
    path="/prometheus/metrics",
    energy_path="/energy_metrics",
)
