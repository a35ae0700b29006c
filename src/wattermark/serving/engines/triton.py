"""Triton Inference Server: ``nv_`` at port 8002. It tells its GPUs' energy, in joules since it began.

Tokens are told by its TensorRT-LLM backend only, as histograms over ended requests; the vLLM backend writes
``vllm:`` onto the same page, and such a page is vLLM's. The energy is of GPUs and of no model, so it has a
look of its own, without a model.

References: triton-inference-server, docs/user_guide/metrics.md; tensorrtllm_backend, custom_metrics_reporter.
"""

from __future__ import annotations

from wattermark.serving.engines.page import Engine, Page
from wattermark.values.served import EngineLook

ENERGY = "nv_energy_consumption"
DONE = "nv_inference_request_success"
INPUT, OUTPUT = "nv_llm_input_token_len_sum", "nv_llm_output_token_len_sum"
ACTIVE, BLOCKS = "nv_trt_llm_request_metrics", "nv_trt_llm_kv_cache_block_metrics"


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """A look for each model that tells tokens, and one of the energy of all GPUs."""
    found = [_look(page, model, mono_ns) for model in page.models(INPUT, OUTPUT)]
    energy_j = page.total((ENERGY,), "")
    if energy_j is not None:
        found.append(EngineLook(mono_ns=mono_ns, engine="triton", energy_j=energy_j))
    return found


def _look(page: Page, model: str, mono_ns: int) -> EngineLook:
    used, each = (page.total((BLOCKS,), model, kv_cache_block_type=kind) for kind in ("used", "tokens_per"))
    return EngineLook(
        mono_ns=mono_ns,
        engine="triton",
        model=model,
        prompt_tokens=page.total((INPUT,), model),
        generated_tokens=page.total((OUTPUT,), model),
        requests=page.total((DONE,), model),
        running=page.total((ACTIVE,), model, request_type="active"),
        waiting=page.total((ACTIVE,), model, request_type="waiting"),
        kv_tokens=used * each if used is not None and each is not None else None,
    )


TRITON = Engine(
    name="triton",
    wanted=frozenset({ENERGY, DONE, INPUT, OUTPUT, ACTIVE, BLOCKS}),
    known_by=(DONE, ENERGY, INPUT),
    looks=looks,
)
