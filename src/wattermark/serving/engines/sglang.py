"""SGLang: ``sglang:`` at ``/metrics`` (``--enable-metrics``), ``sglang_`` in some builds and gateways.

``realtime_tokens_total`` is counted while requests run (at each interval of its log), ``prompt_tokens_total``
and ``generation_tokens_total`` when they end; so the former is taken where it is told. Each rank of a group
that computes one thing together tells the same number: these are not added, those of data-parallel
ranks are. With priorities, the row of the empty one holds all.

References: sglang/srt/metrics/collector.py; the names of ``realtime_tokens_total``'s modes from its tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattermark.serving.engines.page import Engine, Page, Row, is_of, plus
from wattermark.values.served import EngineLook

STEMS = ("sglang:", "sglang_")
SAME = ("tp_rank", "pp_rank", "moe_ep_rank")
"""Labels of ranks that compute one thing together."""
REALTIME = "realtime_tokens_total"
COUNTERS: Mapping[str, str] = {
    "prompt_tokens": "prompt_tokens_total",
    "cached_tokens": "cached_tokens_total",
    "generated_tokens": "generation_tokens_total",
    "requests": "num_requests_total",
    "preemptions": "num_retracted_requests_total",
    "running": "num_running_reqs",
    "waiting": "num_queue_reqs",
    "kv_tokens": "num_used_tokens",
}
KNOWN_BY = tuple(stem + name for stem in STEMS for name in ("num_running_reqs", "prompt_tokens_total"))


def looks(page: Page, mono_ns: int) -> list[EngineLook]:
    """A look for each model of the page."""
    return [_look(page, model, mono_ns) for model in page.models(*KNOWN_BY)]


def _look(page: Page, model: str, mono_ns: int) -> EngineLook:
    told: dict[str, Any] = {word: _total(page, name, model) for word, name in COUNTERS.items()}
    read, cached, written = (
        _total(page, REALTIME, model, mode=mode) for mode in ("prefill_compute", "prefill_cache", "decode")
    )
    if read is not None and written is not None:
        told |= {"prompt_tokens": plus(read, cached), "cached_tokens": cached, "generated_tokens": written}
    return EngineLook(mono_ns=mono_ns, engine="sglang", model=model, **told)


def _total(page: Page, name: str, model: str, **where: str) -> float | None:
    rows = [
        (labels, value)
        for labels, value in page.told(*(stem + name for stem in STEMS))
        if is_of(labels, model) and all(labels.get(key) == wanted for key, wanted in where.items())
    ]
    return _once(_whole(rows))


def _whole(rows: Sequence[Row]) -> Sequence[Row]:
    """Without the rows of single priorities, where one holds all of them."""
    all_of_them = [row for row in rows if row[0].get("priority") == ""]
    return all_of_them or rows


def _once(rows: Sequence[Row]) -> float | None:
    """The sum over what is told apart, each group of ranks counted once."""
    groups: dict[tuple[tuple[str, str], ...], float] = {}
    for labels, value in rows:
        key = tuple(sorted((name, one) for name, one in labels.items() if name not in SAME))
        groups[key] = max(value, groups.get(key, 0.0))
    return sum(groups.values()) if groups else None


SGLANG = Engine(
    name="sglang",
    wanted=frozenset(stem + name for stem in STEMS for name in (REALTIME, *COUNTERS.values())),
    known_by=KNOWN_BY,
    looks=looks,
)
