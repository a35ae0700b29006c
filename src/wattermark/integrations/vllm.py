"""vLLM: a stat logger that notes each request and, once a second, the engine's own counts.

It runs in the process of the API server, once a step, and never slows or stops it. Named to the engine
(``AsyncLLM.from_engine_args(args, stat_loggers=[FootprintStatLogger])``) it records. As an installed plug-in
vLLM finds it by itself, and then it records only where it was asked to: ``WATTERMARK_AUTO=1``, or
``VLLM_PLUGINS=wattermark``.

References
----------
.. [1] vLLM 0.8 to 0.16 and main of 2026, ``vllm/v1/metrics/loggers.py``: ``StatLoggerBase``, which vLLM calls
   not stable; ``engine_idx`` was the third argument of ``record`` until ``mm_cache_stats`` came before it.
.. [2] ``vllm/v1/engine/async_llm.py``: plug-ins of the group ``vllm.stat_logger_plugins``, 0.11.1 and later.
"""

from __future__ import annotations

import atexit
import os
import time
from typing import TYPE_CHECKING, Any

from wattermark.integrations.auto import VARIABLE, YES
from wattermark.integrations.hooks import on_top_of
from wattermark.integrations.vllm_stats import Counts, Serving, finished, number, of
from wattermark.science.engine_stats import stamped_ns
from wattermark.values.units import NS_PER_S
from wattermark.verbs.serving.ambient_desk import ambient_desk
from wattermark.verbs.serving.desk import Desk
from wattermark.verbs.tell import harmless

BASES = ("vllm.v1.metrics.loggers.StatLoggerBase",)
PLUGIN = "wattermark"
SEVERAL = (
    "vLLM runs several API servers: the first one measures this machine, requests of the others are noted "
    "without its energy. With one server, or with 'wattermark proxy' before them, each gets its share"
)


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
        if self.always or _asked():
            self._begin(vllm_config, engine_index)

    @harmless
    def record(
        self, scheduler_stats: Any = None, iteration_stats: Any = None, *_more: Any, **_also: Any
    ) -> None:
        """A step of the engine, what came out of one, or both."""
        if self.desk is None:
            return
        now_ns = time.monotonic_ns()
        if self._counts.changed and now_ns - self._counts.at_ns > NS_PER_S:
            self._look(self._counts.at_ns)  # it stood still since then
        if scheduler_stats is not None:
            self._counts.step(scheduler_stats, of(self._config, "cache_config"), now_ns)
        if iteration_stats is not None:
            self._counts.tokens(iteration_stats, now_ns)
            self._note_all(iteration_stats, now_ns)
        if now_ns - self._looked_ns >= NS_PER_S:
            self._look(now_ns)

    @harmless
    def log(self) -> None:
        """Every some seconds, also while nothing happens."""
        if self.desk is not None and self._counts.changed:
            self._look(self._counts.at_ns)
            self._look(time.monotonic_ns())

    @harmless
    def log_engine_initialized(self) -> None:
        """The engine is ready: what there is to know of it, its configuration tells when it is needed."""

    @harmless
    def record_sleep_state(self, *_state: Any, **_also: Any) -> None:
        """An engine that sleeps takes no requests; what it draws is idle, as the meters see."""

    @harmless
    def _begin(self, config: Any, index: Any) -> None:
        self._config, self._serving, self._counts = config, Serving.of(config, index), Counts()
        self._looked_ns = 0
        self.desk = ambient_desk(metered=self._serving.first_server)
        if self.desk is not None and not self._serving.first_server:
            self.desk.warn("several vllm servers", SEVERAL)
        atexit.register(self.log)

    def _note_all(self, stats: Any, now_ns: int) -> None:
        end_ns = stamped_ns(now_ns, time.time(), number(of(stats, "iteration_timestamp")))
        for one in of(stats, "finished_requests") or ():
            if self.desk is not None:
                self.desk.note(finished(one, self._serving, end_ns))

    def _look(self, mono_ns: int) -> None:
        if self.desk is not None and mono_ns > self._looked_ns:
            self._looked_ns, self._counts.changed = mono_ns, False
            self.desk.note(self._counts.look(self._serving, mono_ns))


class Installed(Hooks):
    """The same as a plug-in: it records where the environment asks for it."""

    always = False


if TYPE_CHECKING:

    class FootprintStatLogger(Hooks):
        """Hooks on top of vLLM's StatLoggerBase."""

    class InstalledStatLogger(Installed):
        """The same as a plug-in."""


_MADE_OF: dict[str, type[Hooks]] = {"FootprintStatLogger": Hooks, "InstalledStatLogger": Installed}


def __getattr__(name: str) -> Any:
    """The classes are made at their first use: vLLM is imported by who uses it."""
    if name not in _MADE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = on_top_of(BASES, _MADE_OF[name], name, feature="the vLLM stat logger", package="vllm")
    made.__abstractmethods__ = frozenset()  # what a later vLLM asks for, and we lack, must not stop a server
    globals()[name] = made
    return made


def _asked() -> bool:
    named = (word.strip() for word in os.environ.get("VLLM_PLUGINS", "").split(","))
    return os.environ.get(VARIABLE, "").lower() in YES or PLUGIN in named
