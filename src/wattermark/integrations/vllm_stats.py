"""What vLLM's statistics mean: fields differ from version to version, and one that is not there is unknown.

References
----------
.. [1] vLLM 0.8 to 0.16 and main of 2026, ``vllm/v1/metrics/stats.py``. Stamps of arrival and of an iteration
   are of the wall clock (``time.time()``), those of being queued, scheduled, of the first and the last token
   of the engine's monotonic clock; of a finished request only their differences are told. Hits of the
   prefix cache are blocks in 0.8 (``gpu_cache_usage``), tokens since (``kv_cache_usage``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wattermark.science.engine_stats import earlier_ns, kept_tokens
from wattermark.values.served import EngineLook, Outcome, Route, Served, Usage

ENGINE = "vllm"
POOLS = {"kv_producer": "prefill", "kv_consumer": "decode"}
ENDINGS = {"abort": Outcome.LEFT, "error": Outcome.FAILED}
SUMS = (
    "prompt_tokens",
    "generated_tokens",
    "steps",
    "requests",
    "preemptions",
    "draft_tokens",
    "accepted_tokens",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What an engine's configuration says of all its requests."""

    upstream: str
    model: str
    route: Route
    unknown: tuple[str, ...]
    first_server: bool

    @classmethod
    def of(cls, config: Any, index: Any) -> Serving:
        """Read it off vLLM's configuration, for one of several engines."""
        return cls(
            upstream=_upstream(config, index),
            model=_model_name(config),
            route=Route.EMBEDDINGS if _pools(config) else Route.COMPLETIONS,
            unknown=_unknown(config),
            first_server=not of(config, "parallel_config", "_api_process_rank"),
        )


class Counts:
    """Running sums of one engine, and what is of the moment; None is what nobody told."""

    def __init__(self) -> None:
        self._sums: dict[str, float | None] = dict.fromkeys((*SUMS, "hits", "cached"))
        self._moment: dict[str, float | None] = {}
        self.at_ns = 0
        self.changed = False

    def step(self, stats: Any, cache: Any, mono_ns: int) -> None:
        """A step of the scheduler: ``SchedulerStats``, and the configuration of its cache."""
        prefix, spec = of(stats, "prefix_cache_stats"), of(stats, "spec_decoding_stats")
        part = number(of(stats, "kv_cache_usage"))
        self._add(
            mono_ns,
            steps=1,
            hits=None if part is None else number(of(prefix, "hits")),
            draft_tokens=number(of(spec, "num_draft_tokens")),
            accepted_tokens=number(of(spec, "num_accepted_tokens")),
        )
        part = number(of(stats, "gpu_cache_usage")) if part is None else part
        blocks, block_tokens = whole(of(cache, "num_gpu_blocks")), whole(of(cache, "block_size"))
        self._moment = {
            "running": number(of(stats, "num_running_reqs")),
            "waiting": number(of(stats, "num_waiting_reqs")),
            "kv_tokens": kept_tokens(part, blocks, block_tokens),
        }

    def tokens(self, stats: Any, mono_ns: int) -> None:
        """What came out of it: ``IterationStats``."""
        self._add(
            mono_ns,
            prompt_tokens=number(of(stats, "num_prompt_tokens")),
            cached=number(of(stats, "prompt_token_stats", "cached_tokens")),
            generated_tokens=number(of(stats, "num_generation_tokens")),
            preemptions=number(of(stats, "num_preempted_reqs")),
            requests=len(of(stats, "finished_requests") or ()),
        )

    def look(self, serving: Serving, mono_ns: int) -> EngineLook:
        """All that is known. Requests know best what was cached; the cache where they do not say."""
        cached = self._sums["cached"]
        told = {name: self._sums[name] for name in SUMS} | self._moment
        return EngineLook(
            mono_ns=mono_ns,
            engine=ENGINE,
            upstream=serving.upstream,
            model=serving.model,
            cached_tokens=self._sums["hits"] if cached is None else cached,
            **told,
        )

    def _add(self, mono_ns: int, **amounts: float | None) -> None:
        for name, amount in amounts.items():
            if amount is not None:
                self._sums[name] = (self._sums[name] or 0) + amount
        self.at_ns, self.changed = mono_ns, True


def finished(one: Any, serving: Serving, end_ns: int) -> Served:
    """A request that ended: ``FinishedRequestStats``; its times are durations that end with it."""
    timing = one if of(one, "timing") is None else one.timing
    took_s = _took_s(one, timing)
    written = whole(of(one, "num_generation_tokens"))
    begin_ns = earlier_ns(end_ns, took_s or 0.0)
    decode_s = number(of(timing, "decode_time"))
    wrote = bool(written) and decode_s is not None
    return Served(
        begin_ns=begin_ns,
        first_ns=max(begin_ns, earlier_ns(end_ns, decode_s or 0.0)) if wrote else None,
        end_ns=end_ns,
        usage=Usage(
            input_tokens=whole(of(one, "num_prompt_tokens")),
            output_tokens=written,
            cached_tokens=whole(of(one, "num_cached_tokens")),
        ),
        model=serving.model,
        route=serving.route,
        upstream=serving.upstream,
        request=str(of(one, "request_id") or ""),
        outcome=ENDINGS.get(str(of(one, "finish_reason")).lower(), Outcome.OK),
        unknown=serving.unknown if took_s else (*serving.unknown, "begin: vLLM told no time"),
    )


def of(thing: Any, *names: str) -> Any:
    """What lies under names, one inside the other; None where this version has no such field."""
    for name in names:
        thing = getattr(thing, name, None)
    return thing


def number(value: Any) -> float | None:
    """What can be an amount."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    return value if is_one else None


def whole(value: Any) -> int | None:
    """What can be a count."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _took_s(one: Any, timing: Any) -> float | None:
    """Since it came; by the engine's own stamps where the wall clock was set back meanwhile."""
    told_s = number(of(one, "e2e_latency"))
    own_s = (number(of(timing, "queued_time")) or 0.0) + (number(of(timing, "inference_time")) or 0.0)
    return told_s or own_s or None


def _model_name(config: Any) -> str:
    told = of(config, "model_config", "served_model_name") or of(config, "model_config", "model")
    first = told[0] if isinstance(told, list | tuple) and told else told
    return first if isinstance(first, str) else ""


def _upstream(config: Any, index: Any) -> str:
    pool = POOLS.get(str(of(config, "kv_transfer_config", "kv_role")), "")
    number_of_it = str(index) if whole(index) else ""
    return " ".join(word for word in (ENGINE, pool, number_of_it) if word)


def _pools(config: Any) -> bool:
    """Whether it embeds texts instead of writing any."""
    return bool(of(config, "model_config", "runner_type") == "pooling")


def _unknown(config: Any) -> tuple[str, ...]:
    told = []
    if of(config, "speculative_config") is not None:
        told.append("passes: vLLM tells accepted tokens of a step, not of a request")
    if of(config, "lora_config") is not None:
        told.append("model: vLLM does not tell which adapter a request used")
    return tuple(told)
