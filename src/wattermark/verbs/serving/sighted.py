"""What a relay knows at once: shares while they are made, quotes, a page for Prometheus, OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wattermark.factors.accelerators import accelerator_named
from wattermark.values.served import Served
from wattermark.verbs.serving.exposing import page, prometheus
from wattermark.verbs.serving.live import Live, Open
from wattermark.verbs.serving.quoting import quoter
from wattermark.verbs.serving.rates import TYPICAL_GPU
from wattermark.verbs.serving.relaying import Sight
from wattermark.verbs.serving.telemetry import endpoint_of, otlp
from wattermark.wiring.config import Config

METRICS, METRICS_OF_OTLP = "/metrics", "metrics"


def sighted(
    *, gpu: str | None, receiver: str | None, metrics: bool
) -> Callable[[Config, Path | None], Sight]:
    """Makes what a relay knows at once, when its run is there.

    Parameters
    ----------
    gpu : str, optional
        On what the models run, for what is estimated; what most measurements are of by default.
    receiver : str, optional
        Address of an OTLP/HTTP receiver that is told as well.
    metrics : bool
        Whether the page for Prometheus is to be shown.

    Raises
    ------
    UsageError
        If there is no such accelerator, or that is no address.
    MissingExtra
        If what tells them is not installed.
    """
    serves = accelerator_named(gpu).id if gpu else TYPICAL_GPU
    if metrics:
        prometheus()
    if receiver:
        endpoint_of(receiver, METRICS_OF_OTLP)

    def sight(config: Config, spool: Path | None) -> Sight:
        live = Live(config, spool, gpu=serves)
        end = otlp(live, receiver) if receiver else None
        return Sight(watcher=_Told(live, end), quoter=quoter(live), pages={METRICS: lambda: page(live)})

    return sight


class _Told:
    """Live sums that somebody is told of; he is told once more before they end."""

    def __init__(self, live: Live, end: Callable[[], None] | None) -> None:
        self._live, self._end = live, end
        self.begins = live.begins

    def note(self, served: Served, seat: Open) -> None:
        self._live.note(served, seat)

    def close(self) -> None:
        if self._end is not None:
            self._end()
        self._live.close()
