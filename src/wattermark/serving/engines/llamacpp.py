"""llama.cpp's ``llama-server``: ``llamacpp:`` at ``/metrics`` (``--metrics``), of a model with ``?model=``.

Its prompt tokens are those that were computed; cached ones stand apart, in newer builds, and are added
here, as our ``prompt_tokens`` hold them. Generated tokens are counted when a request ends, decoding steps
at once. How many tokens are kept was told until 2025.

References: llama.cpp, tools/server/server-context.cpp (``server_metrics``) and its README.
"""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.serving.engines.page import Engine, Page, plus
from wattermark.values.served import EngineLook

STEMS = ("llamacpp:", "llamacpp_")
NAMES: Mapping[str, str] = {
    "prompt_tokens": "prompt_tokens_total",
    "cached_tokens": "prompt_tokens_cached_total",
    "generated_tokens": "tokens_predicted_total",
    "steps": "n_decode_total",
    "draft_tokens": "spec_decode_num_draft_tokens_total",
    "accepted_tokens": "spec_decode_num_accepted_tokens_total",
    "running": "requests_processing",
    "waiting": "requests_deferred",
    "kv_tokens": "kv_cache_tokens",
}


def _named(name: str) -> tuple[str, ...]:
    return tuple(stem + name for stem in STEMS)


COUNTERS = {word: _named(name) for word, name in NAMES.items()}


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """A look for each model of the page; most tell one, and not its name."""
    return [_look(page, model, mono_ns) for model in page.models(*_named("tokens_predicted_total"))]


def _look(page: Page, model: str, mono_ns: int) -> EngineLook:
    told = page.totals(COUNTERS, model)
    if told["prompt_tokens"] is not None:
        told["prompt_tokens"] = plus(told["prompt_tokens"], told["cached_tokens"])
    return EngineLook(mono_ns=mono_ns, engine="llamacpp", model=model, **told)


LLAMACPP = Engine(
    name="llamacpp",
    wanted=frozenset(name for names in COUNTERS.values() for name in names),
    known_by=_named("tokens_predicted_total"),
    looks=looks,
)
