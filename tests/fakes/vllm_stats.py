"""vLLM's statistics as they were from version to version: their fields, and which moments they tell of.

Only what a stat logger is given is here, written anew from the fields of the sources (Apache-2.0,
``vllm/v1/metrics/stats.py``, ``loggers.py``, ``spec_decode/metrics.py``); vLLM itself needs a GPU or an hour
of building, and is tried where it is installed.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any


class FinishReason(IntEnum):
    """Its text is a word, its value a number."""

    STOP = 0
    LENGTH = 1
    ABORT = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass
class SpecDecodingStats:
    num_spec_tokens: int
    num_drafts: int = 0
    num_draft_tokens: int = 0
    num_accepted_tokens: int = 0
    num_accepted_tokens_per_pos: list[int] = field(default_factory=list)


# -- 0.8: hits are blocks; the cache is called the GPU's -----------------------------------


@dataclass
class PrefixCacheStats08:
    reset: bool = False
    requests: int = 0
    queries: int = 0
    hits: int = 0


@dataclass
class SchedulerStats08:
    num_running_reqs: int = 0
    num_waiting_reqs: int = 0
    gpu_cache_usage: float = 0.0
    prefix_cache_stats: PrefixCacheStats08 = field(default_factory=PrefixCacheStats08)
    spec_decoding_stats: SpecDecodingStats | None = None


@dataclass
class FinishedRequestStats08:
    finish_reason: FinishReason
    e2e_latency: float = 0.0
    num_prompt_tokens: int = 0
    num_generation_tokens: int = 0
    max_tokens_param: int | None = None
    queued_time: float = 0.0
    prefill_time: float = 0.0
    inference_time: float = 0.0
    decode_time: float = 0.0


class IterationStats08:
    def __init__(self) -> None:
        self.iteration_timestamp = time.time()
        self.num_generation_tokens = 0
        self.num_prompt_tokens = 0
        self.num_preempted_reqs = 0
        self.finished_requests: list[Any] = []
        self.max_num_generation_tokens_iter: list[int] = []
        self.n_params_iter: list[int] = []
        self.time_to_first_tokens_iter: list[float] = []
        self.time_per_output_tokens_iter: list[float] = []
        self.waiting_lora_adapters: dict[str, int] = {}
        self.running_lora_adapters: dict[str, int] = {}


# -- 0.11: hits are tokens -----------------------------------------------------------------


@dataclass
class PrefixCacheStats11(PrefixCacheStats08):
    preempted_requests: int = 0
    preempted_queries: int = 0
    preempted_hits: int = 0


@dataclass
class SchedulerStats11:
    num_running_reqs: int = 0
    num_waiting_reqs: int = 0
    step_counter: int = 0
    current_wave: int = 0
    kv_cache_usage: float = 0.0
    prefix_cache_stats: PrefixCacheStats11 = field(default_factory=PrefixCacheStats11)
    connector_prefix_cache_stats: PrefixCacheStats11 | None = None
    spec_decoding_stats: SpecDecodingStats | None = None
    kv_connector_stats: dict[str, Any] | None = None


@dataclass
class FinishedRequestStats11(FinishedRequestStats08):
    mean_time_per_output_token: float = 0.0
    is_corrupted: bool = False


class IterationStats11(IterationStats08):
    def __init__(self) -> None:
        super().__init__()
        self.inter_token_latencies_iter: list[float] = []
        self.num_corrupted_reqs = 0


# -- 0.14: a request knows its cached tokens; later on its name, too -----------------------


@dataclass
class FinishedRequestStats14(FinishedRequestStats11):
    num_cached_tokens: int = 0


# -- 0.16 and later: prompt tokens by source -----------------------------------------------


@dataclass
class PromptTokenStats:
    computed: int = 0
    local_cache_hit: int = 0
    external_kv_transfer: int = 0
    cached_tokens: int = 0
    recomputed_tokens: int = 0
    total: int = 0


@dataclass
class FinishedRequestStats27(FinishedRequestStats14):
    request_id: str = ""


class IterationStats16(IterationStats11):
    """``num_prompt_tokens`` is what its sources add up to."""

    def __init__(self) -> None:
        self.prompt_token_stats = PromptTokenStats()
        super().__init__()

    @property
    def num_prompt_tokens(self) -> int:
        return self.prompt_token_stats.total

    @num_prompt_tokens.setter
    def num_prompt_tokens(self, value: int) -> None:
        self.prompt_token_stats.total = value


# -- as once proposed: times apart, by how far a request got ------------------------------


@dataclass
class ScheduledTiming:
    queued_time: float


@dataclass
class CompletedTiming:
    queued_time: float
    prefill_time: float
    decode_time: float
    inference_time: float
    mean_time_per_output_token: float | None = None


@dataclass
class FinishedRequestStatsTimed:
    finish_reason: FinishReason
    e2e_latency: float = 0.0
    num_prompt_tokens: int = 0
    num_generation_tokens: int = 0
    max_tokens_param: int | None = None
    timing: ScheduledTiming | CompletedTiming | None = None
    is_corrupted: bool = False
    num_cached_tokens: int = 0


def timed(reason: FinishReason, **told: Any) -> FinishedRequestStatsTimed:
    """As the other versions are told it."""
    names = ("queued_time", "prefill_time", "decode_time", "inference_time")
    times = {name: told.pop(name, 0.0) for name in names}
    return FinishedRequestStatsTimed(reason, **told, timing=CompletedTiming(**times))


@dataclass(frozen=True, slots=True)
class Version:
    """The classes of one version, and whether multi-modal statistics come before the engine's number."""

    name: str
    scheduler: Callable[..., Any]
    iteration: Callable[[], Any]
    finished: Callable[..., Any]
    mm_first: bool = True

    def record(self, logger: Any, scheduler: Any, iteration: Any, engine: int = 0) -> None:
        """Call a logger as this version does."""
        if self.mm_first:
            logger.record(scheduler, iteration, mm_cache_stats=None, engine_idx=engine)
        else:
            logger.record(scheduler, iteration, engine)


VERSIONS = (
    Version("0.8", SchedulerStats08, IterationStats08, FinishedRequestStats08, mm_first=False),
    Version("0.11", SchedulerStats11, IterationStats11, FinishedRequestStats11),
    Version("0.14", SchedulerStats11, IterationStats11, FinishedRequestStats14),
    Version("0.27", SchedulerStats11, IterationStats16, FinishedRequestStats27),
    Version("timed", SchedulerStats11, IterationStats16, timed),
)


class StatLoggerBase(ABC):
    """The interface, as 0.11.1 and later have it."""

    @abstractmethod
    def __init__(self, vllm_config: Any, engine_index: int = 0): ...

    @abstractmethod
    def record(
        self, scheduler_stats: Any, iteration_stats: Any, mm_cache_stats: Any = None, engine_idx: int = 0
    ) -> None: ...

    @abstractmethod
    def log_engine_initialized(self) -> None: ...

    def log(self) -> None:  # noqa: B027
        pass


class LaterStatLoggerBase(StatLoggerBase):
    """What a version that is not written yet may ask for."""

    @abstractmethod
    def record_something_new(self) -> None: ...


def installed(base: type = StatLoggerBase) -> dict[str, ModuleType]:
    """Modules to lay over ``sys.modules``, so that the class is found where vLLM has it."""
    names = ("vllm", "vllm.v1", "vllm.v1.metrics", "vllm.v1.metrics.loggers")
    made = {name: ModuleType(name) for name in names}
    for name in names[1:]:
        setattr(made[name.rpartition(".")[0]], name.rpartition(".")[2], made[name])
    made["vllm.v1.metrics.loggers"].StatLoggerBase = base
    return {name: module for name, module in made.items() if name not in sys.modules}


def config(**told: Any) -> SimpleNamespace:
    """A VllmConfig as far as a logger looks at it."""
    model = {"model": "org/model", "served_model_name": "served", "runner_type": "generate"}
    return SimpleNamespace(
        **{
            "model_config": SimpleNamespace(**model),
            "cache_config": SimpleNamespace(num_gpu_blocks=100, block_size=16),
            "parallel_config": SimpleNamespace(_api_process_rank=0, _api_process_count=1),
            "speculative_config": None,
            "lora_config": None,
            "kv_transfer_config": None,
            **told,
        }
    )
