"""Which engine a page is of, and what is to be said where there is none."""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.errors import UsageError, nearest
from wattermark.serving.engines.dynamo import DYNAMO
from wattermark.serving.engines.llamacpp import LLAMACPP
from wattermark.serving.engines.page import Engine, Page
from wattermark.serving.engines.sglang import SGLANG
from wattermark.serving.engines.tgi import TGI
from wattermark.serving.engines.triton import TRITON
from wattermark.serving.engines.trtllm import TRTLLM
from wattermark.serving.engines.vllm import VLLM

AUTO = "auto"
ENGINES: Mapping[str, Engine] = {
    engine.name: engine for engine in (VLLM, SGLANG, TRTLLM, TGI, LLAMACPP, DYNAMO, TRITON)
}
"""In the order in which a page is tried: a gateway carries the metrics of the engine behind it."""
SPELLED = {"llama.cpp": "llamacpp", "llama-cpp": "llamacpp", "tensorrt-llm": "trtllm", "trt-llm": "trtllm"}
SILENT = {
    "ollama": "no release of Ollama tells metrics",
    "transformers": "transformers serve tells no metrics",
    "llama-cpp-python": "the server of llama-cpp-python tells no metrics",
}
"""Engines that have no page; their requests can be counted by a proxy in front of them."""
ALL_WANTED = frozenset().union(*(engine.wanted for engine in ENGINES.values()))


def engine_named(name: str) -> Engine | None:
    """An engine by its name; None for ``auto``.

    Raises
    ------
    UsageError
        If there is none, or it has no metrics.
    """
    plain = name.strip().lower()
    plain = SPELLED.get(plain, plain)
    if plain == AUTO:
        return None
    if plain in SILENT:
        raise UsageError(SILENT[plain], fix="Count its requests instead: wattermark proxy --upstream ADDRESS")
    if plain not in ENGINES:
        near = nearest(plain, ENGINES, most=1)
        fix = f"Did you mean {near[0]}?" if near else f"Engines are: {AUTO}, {', '.join(ENGINES)}"
        raise UsageError(f"there is no engine {name!r}", fix=fix)
    return ENGINES[plain]


def engine_of(page: Page) -> Engine | None:
    """The engine whose metrics a page holds; None if there are none of an engine's."""
    return next((one for one in ENGINES.values() if any(name in page.rows for name in one.known_by)), None)
