"""vLLM: a stat logger that notes each request and, once a second, the engine's own counts.

It runs in the process of the API server, once a step, and never slows or stops it. Named to the engine
(``AsyncLLM.from_engine_args(args, stat_loggers=[FootprintStatLogger])``) it records. As an installed plug-in
vLLM finds it by itself, and then it records only where it was asked to: ``WATTERMARK_AUTO=1``, or
``VLLM_PLUGINS=wattermark``.

References
----------
.. [1] vLLM 0.8 to 0.16 and main of 2026, ``vllm/v1/metrics/loggers.py`` (``StatLoggerBase``, not a stable
   interface) and ``stats.py``: stamps of arrival and of an iteration are of the wall clock
   (``time.time()``), those of being queued, scheduled, of the first and the last token of the engine's
   monotonic clock; a finished request tells their differences only.
.. [2] ``vllm/v1/engine/async_llm.py``: plug-ins of the group ``vllm.stat_logger_plugins`` (0.11.1 on).
"""

from __future__ import annotations

import atexit
import os
import time
from typing import TYPE_CHECKING, Any

from wattermark.integrations.auto import VARIABLE, YES
from wattermark.integrations.hooks import on_top_of
from wattermark.science.engine_stats import earlier_ns, kept_tokens, stamped_ns
from wattermark.values.served import EngineLook, Outcome, Route, Served, Usage
from wattermark.values.units import NS_PER_S
from wattermark.verbs.serving.ambient_desk import ambient_desk
from wattermark.verbs.serving.desk import Desk
from wattermark.verbs.tell import harmless

BASES = ("vllm.v1.metrics.loggers.StatLoggerBase",)
ENGINE = "vllm"
PLUGIN = "wattermark"
POOLS = {"kv_producer": "prefill", "kv_consumer": "decode"}
ENDINGS = {"abort": Outcome.LEFT, "error": Outcome.FAILED}
COUNTS = ("prompt_tokens", "generated_tokens", "steps", "requests", "preemptions", "draft_tokens", "accepted_tokens")  # fmt: skip


class Counts:
    """Running sums of one engine, and what is of the moment; None is what nobody told."""

    def __init__(self) -> None:
        self._sums: dict[str, float | None] = dict.fromkeys((*COUNTS, "hits", "cached"))
        self._moment: dict[str, float | None] = {}
        self.at_ns = 0
        self.changed = False

    def add(self, mono_ns: int, **amounts: float | None) -> None:
        """Add what a step brought."""
        for name, amount in amounts.items():
            if amount is not None:
                self._sums[name] = (self._sums[name] or 0) + amount
        self.at_ns, self.changed = mono_ns, True

    def now(self, **moment: float | None) -> None:
        """What holds after it."""
        self._moment = moment

    def told(self) -> dict[str, float | None]:
        """All that is known. Requests know best what was cached, and the cache only where they do not."""
        told = {name: self._sums[name] for name in COUNTS}
        cached = self._sums["cached"]
        return {**told, "cached_tokens": self._sums["hits"] if cached is None else cached, **self._moment}


class Hooks:
    """Notes what an engine of vLLM does, with the energy that this machine draws.

    Parameters
    ----------
    vllm_config : vllm.config.VllmConfig
        As vLLM gives it.
    engine_index : int
        Which of several engines (data parallel).

    Examples
    --------
    >>> from wattermark.integrations.vllm import FootprintStatLogger  # doctest: +SKIP
    >>> AsyncLLM.from_engine_args(args, stat_loggers=[FootprintStatLogger])  # doctest: +SKIP
    """

    always = True
    """Whether it records without being asked to by the environment."""

    def __init__(self, vllm_config: Any, engine_index: int = 0, *_more: Any, **_also: Any) -> None:
        self.desk: Desk | None = None
        self.counts = Counts()
        self._looked_ns = 0
        if self.always or _asked():
            self._begin(vllm_config, engine_index)

    @harmless
    def _begin(self, config: Any, index: Any) -> None:
        self._config = config
        self._model = _model_name(config)
        self._upstream = _upstream(config, index)
        self._route = Route.EMBEDDINGS if _pools(config) else Route.COMPLETIONS
        self._unknown = _unknown(config)
        first = not _of(config, "parallel_config", "_api_process_rank")
        self.desk = ambient_desk(metered=first)
        if self.desk is not None and not first:
            self.desk.warn("vllm servers", SEVERAL)
        atexit.register(self.log)

    @harmless
    def record(
        self, scheduler_stats: Any = None, iteration_stats: Any = None, *_more: Any, **_also: Any
    ) -> None:
        """A step of the engine, or what came back of one."""
        if self.desk is None:
            return
        now_ns = time.monotonic_ns()
        if self.counts.changed and now_ns - self.counts.at_ns > NS_PER_S:
            self._look(self.counts.at_ns)  # what was before it stood still
        if scheduler_stats is not None:
            self._count_step(scheduler_stats, now_ns)
        if iteration_stats is not None:
            self._count_tokens(iteration_stats, now_ns)
        if now_ns - self._looked_ns >= NS_PER_S:
            self._look(now_ns)

    @harmless
    def log(self) -> None:
        """Every some seconds, also while nothing happens."""
        if self.desk is not None and self.counts.changed:
            self._look(self.counts.at_ns)
            self._look(time.monotonic_ns())

    @harmless
    def log_engine_initialized(self) -> None:
        """The engine is ready; how many blocks its cache has is read from its configuration when needed."""

    def _count_step(self, stats: Any, now_ns: int) -> None:
        prefix, spec = _of(stats, "prefix_cache_stats"), _of(stats, "spec_decoding_stats")
        part = _number(_of(stats, "kv_cache_usage"))
        self.counts.add(
            now_ns,
            steps=1,
            hits=None if part is None else _number(_of(prefix, "hits")),  # in 0.8 they are blocks
            draft_tokens=_number(_of(spec, "num_draft_tokens")),
            accepted_tokens=_number(_of(spec, "num_accepted_tokens")),
        )
        if part is None:
            part = _number(_of(stats, "gpu_cache_usage"))
        cache = _of(self._config, "cache_config")
        self.counts.now(
            running=_number(_of(stats, "num_running_reqs")),
            waiting=_number(_of(stats, "num_waiting_reqs")),
            kv_tokens=kept_tokens(
                part, _whole(_of(cache, "num_gpu_blocks")), _whole(_of(cache, "block_size"))
            ),
        )

    def _count_tokens(self, stats: Any, now_ns: int) -> None:
        finished = _of(stats, "finished_requests") or ()
        self.counts.add(
            now_ns,
            prompt_tokens=_number(_of(stats, "num_prompt_tokens")),
            cached=_number(_of(stats, "prompt_token_stats", "cached_tokens")),
            generated_tokens=_number(_of(stats, "num_generation_tokens")),
            preemptions=_number(_of(stats, "num_preempted_reqs")),
            requests=len(finished),
        )
        end_ns = stamped_ns(now_ns, time.time(), _number(_of(stats, "iteration_timestamp")))
        for one in finished:
            self._note(one, end_ns)

    def _look(self, mono_ns: int) -> None:
        if self.desk is None or mono_ns <= self._looked_ns:
            return
        self._looked_ns, self.counts.changed = mono_ns, False
        self.desk.note(
            EngineLook(
                mono_ns=mono_ns,
                engine=ENGINE,
                upstream=self._upstream,
                model=self._model,
                **self.counts.told(),
            )
        )

    def _note(self, one: Any, end_ns: int) -> None:
        timing = one if _of(one, "timing") is None else one.timing
        took_s = _longest(_of(one, "e2e_latency"), _of(timing, "queued_time"), _of(timing, "inference_time"))
        decode_s = _number(_of(timing, "decode_time"))
        written = _whole(_of(one, "num_generation_tokens"))
        began_ns = earlier_ns(end_ns, took_s or 0.0)
        first = earlier_ns(end_ns, decode_s) if written and decode_s is not None else None
        assert self.desk is not None
        self.desk.note(
            Served(
                begin_ns=began_ns,
                first_ns=None if first is None else max(began_ns, first),
                end_ns=end_ns,
                usage=Usage(
                    input_tokens=_whole(_of(one, "num_prompt_tokens")),
                    output_tokens=written,
                    cached_tokens=_whole(_of(one, "num_cached_tokens")),
                ),
                model=self._model,
                route=self._route,
                upstream=self._upstream,
                request=str(_of(one, "request_id") or ""),
                outcome=ENDINGS.get(str(_of(one, "finish_reason")).lower(), Outcome.OK),
                unknown=self._unknown if took_s is not None else (*self._unknown, "begin: vLLM told no time"),
            )
        )


SEVERAL = (
    "vLLM runs several API servers; the first one measures the machine, the requests of the others are noted "
    "without energy. One server, or the proxy before them all, gives each request its share"
)


if TYPE_CHECKING:

    class FootprintStatLogger(Hooks):
        """Hooks on top of vLLM's StatLoggerBase."""

    class InstalledStatLogger(Hooks):
        """The same for vLLM's plug-ins: it records where the environment asks for it."""


def __getattr__(name: str) -> Any:
    """The classes are made at their first use: vLLM is imported by who uses it."""
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = on_top_of(BASES, _CLASSES[name], name, feature="the vLLM stat logger", package="vllm")
    made.__abstractmethods__ = frozenset()  # what a later vLLM asks for and we lack must not stop a server
    globals()[name] = made
    return made


class _Installed(Hooks):
    __doc__ = Hooks.__doc__
    always = False


_CLASSES: dict[str, type] = {"FootprintStatLogger": Hooks, "InstalledStatLogger": _Installed}


def _asked() -> bool:
    named = (word.strip() for word in os.environ.get("VLLM_PLUGINS", "").split(","))
    return os.environ.get(VARIABLE, "").lower() in YES or PLUGIN in named


def _of(thing: Any, *names: str) -> Any:
    """What lies under names, one inside the other; None where there is no such field in this version."""
    for name in names:
        thing = getattr(thing, name, None)
    return thing


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    return value if known else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _longest(whole_s: Any, queued_s: Any, computed_s: Any) -> float | None:
    """Since a request came. A wall clock that was set back tells too little; the engine's own does not."""
    own_s = (_number(queued_s) or 0.0) + (_number(computed_s) or 0.0)
    told_s = _number(whole_s)
    return max(told_s or 0.0, own_s) or told_s


def _model_name(config: Any) -> str:
    told = _of(config, "model_config", "served_model_name") or _of(config, "model_config", "model")
    first = told[0] if isinstance(told, list | tuple) and told else told
    return first if isinstance(first, str) else ""


def _upstream(config: Any, index: Any) -> str:
    pool = POOLS.get(str(_of(config, "kv_transfer_config", "kv_role")), "")
    number = str(index) if _whole(index) else ""
    return " ".join(word for word in (ENGINE, pool, number) if word)


def _pools(config: Any) -> bool:
    """Whether it embeds texts instead of writing any."""
    return _of(config, "model_config", "runner_type") == "pooling"


def _unknown(config: Any) -> tuple[str, ...]:
    told = []
    if _of(config, "speculative_config") is not None:
        told.append("passes: vLLM tells accepted tokens of a step, not of a request")
    if _of(config, "lora_config") is not None:
        told.append("model: vLLM does not tell which adapter a request used")
    return tuple(told)
