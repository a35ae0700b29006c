"""vLLM: ``vllm:`` at ``/metrics``. Names of its V1 engine, and the older ones that they replaced.

A prompt is counted when it has been read, whole; generated tokens at every step. Engines that share the
work of one model (data parallel) have a label ``engine`` each, and are summed.

References: vllm/v1/metrics/loggers.py (``prompt_tokens_cached`` and ``prompt_tokens_by_source`` are newer
than ``prefix_cache_hits``; ``kv_cache_usage_perc`` was ``gpu_cache_usage_perc``).
"""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.serving.engines.page import Engine, Page, is_of
from wattermark.values.served import EngineLook

COUNTERS: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("vllm:prompt_tokens_total",),
    "cached_tokens": (
        "vllm:prompt_tokens_cached_total",
        "vllm:prefix_cache_hits_total",
        "vllm:gpu_prefix_cache_hits_total",
    ),
    "generated_tokens": ("vllm:generation_tokens_total",),
    "steps": ("vllm:iteration_tokens_total_count",),
    "requests": ("vllm:request_success_total",),
    "preemptions": ("vllm:num_preemptions_total",),
    "draft_tokens": ("vllm:spec_decode_num_draft_tokens_total",),
    "accepted_tokens": ("vllm:spec_decode_num_accepted_tokens_total",),
    "running": ("vllm:num_requests_running",),
    "waiting": ("vllm:num_requests_waiting",),
}
USAGE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
CACHE = "vllm:cache_config_info"


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """A look for each model of the page."""
    return [
        EngineLook(
            mono_ns=mono_ns,
            engine="vllm",
            model=model,
            kv_tokens=_kv_tokens(page, model),
            **page.totals(COUNTERS, model),
        )
        for model in page.models(*COUNTERS["prompt_tokens"], *COUNTERS["running"])
    ]


def _kv_tokens(page: Page, model: str) -> float | None:
    """The part of the cache in use, of the tokens that it holds; None where its size is not told."""
    used = [(labels, value) for labels, value in page.told(*USAGE) if is_of(labels, model)]
    sizes = {labels.get("engine", ""): _size(labels) for labels, _ in page.told(CACHE)}
    found = [(sizes.get(labels.get("engine", ""), sizes.get("")), value) for labels, value in used]
    if not found or any(size is None for size, _ in found):
        return None
    return sum(value * size for size, value in found if size is not None)


def _size(labels: Mapping[str, str]) -> float | None:
    whole = labels.get("kv_cache_size_tokens", "")
    blocks, block = labels.get("num_gpu_blocks", ""), labels.get("block_size", "")
    if whole.isdecimal():
        return float(whole)
    return float(blocks) * float(block) if blocks.isdecimal() and block.isdecimal() else None


VLLM = Engine(
    name="vllm",
    wanted=frozenset({name for names in COUNTERS.values() for name in names} | {*USAGE, CACHE}),
    known_by=("vllm:num_requests_running", "vllm:prompt_tokens_total"),
    looks=looks,
)
