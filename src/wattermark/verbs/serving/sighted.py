"""What a relay knows at once: shares while they are made, quotes, a page for Prometheus, OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from wattermark.factors.accelerators import accelerator_named
from wattermark.verbs.serving.exposing import page, prometheus
from wattermark.verbs.serving.live import Live
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
        ends = ExitStack()
        ends.callback(live.close)
        if receiver:
            ends.callback(otlp(live, receiver))  # told once more before the sums end
        return Sight(watcher=live, quoter=quoter(live), pages={METRICS: lambda: page(live)}, close=ends.close)

    return sight
