"""What requests have taken, for Prometheus: counters in base units, on a registry of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING

from wattermark.errors import MissingExtra
from wattermark.report.exposition import GROUPED, SERVING
from wattermark.verbs.serving.counts import Sums, Who
from wattermark.verbs.serving.live import Live

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.registry import CollectorRegistry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Collector:
    """Looks at what is known whenever somebody scrapes; it keeps nothing."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead: a registry would collect to find the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family, in the order of ``report/exposition``."""
        from prometheus_client.core import GaugeMetricFamily

        sums = self._live.sums()
        yield from _energies(sums)
        yield from _counts(sums)
        yield _spread("wattermark_serving_request_energy_joules", sums.request_energy)
        yield _spread("wattermark_serving_request_duration_seconds", sums.request_time)
        gauges = {"wattermark_serving_open_requests": float(sums.open)}
        if self._live.metered:
            yield _counter("wattermark_serving_meter_energy_joules_total", value=sums.meter_j)
            gauges["wattermark_serving_unsettled_energy_joules"] = sums.unsettled_j
            if sums.power_w is not None:
                gauges["wattermark_serving_meter_power_watts"] = sums.power_w
        for name, value in gauges.items():
            yield GaugeMetricFamily(name, SERVING[name], value=value)


def registry(live: Live) -> CollectorRegistry:
    """A registry that holds these metrics alone; the global one is the program's.

    Raises
    ------
    MissingExtra
        If prometheus-client is not installed.
    """
    own = prometheus()(auto_describe=False)
    own.register(Collector(live))
    return own


def prometheus() -> type[CollectorRegistry]:
    """What holds metrics.

    Raises
    ------
    MissingExtra
        If prometheus-client is not installed.
    """
    try:
        from prometheus_client.registry import CollectorRegistry
    except ImportError as error:
        raise MissingExtra.of("/metrics", "prometheus-client", "serving") from error
    return CollectorRegistry


def exposition(live: Live) -> bytes:
    """All of it as Prometheus reads it (``CONTENT_TYPE``).

    Raises
    ------
    MissingExtra
        If prometheus-client is not installed.
    """
    own = registry(live)
    from prometheus_client.exposition import generate_latest

    return bytes(generate_latest(own))


def page(live: Live) -> tuple[str, bytes]:
    """What kind of page it is, and the page; it takes milliseconds, so no event loop should make it."""
    return CONTENT_TYPE, exposition(live)


def _energies(sums: Sums) -> Iterator[Metric]:
    names = ("energy_joules", "carbon_grams", "water_liters")
    labels = (*GROUPED, "ledger", "quality")
    families = [_counter(f"wattermark_serving_{name}_total", labels) for name in names]
    for who, ledger, quality, *amounts in sums.energy:
        for family, amount in zip(families, amounts, strict=True):
            family.add_metric([*_words(who), ledger, quality], amount)
    yield from families


def _counts(sums: Sums) -> Iterator[Metric]:
    requests = _counter("wattermark_serving_requests_total", GROUPED)
    for who, many in sums.requests:
        requests.add_metric(_words(who), many)
    tokens = _counter("wattermark_serving_tokens_total", (*GROUPED, "type"))
    for who, kind, many in sums.tokens:
        tokens.add_metric([*_words(who), kind], many)
    yield requests
    yield tokens
    yield _counter("wattermark_serving_unaccounted_requests_total", value=sums.unaccounted)


def _counter(
    name: str, labels: Iterable[str] | None = None, value: float | None = None
) -> CounterMetricFamily:
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(
        name, SERVING[name], labels=None if labels is None else tuple(labels), value=value
    )


def _spread(
    name: str, spreads: Iterable[tuple[str, list[tuple[float, int]], float]]
) -> HistogramMetricFamily:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, SERVING[name], labels=("model",))
    for model, counts, total in spreads:
        family.add_metric([model], [(_edge(edge), many) for edge, many in counts], total)
    return family


def _edge(value: float) -> str:
    return "+Inf" if value == inf else f"{value:g}"


def _words(who: Who) -> list[str]:
    return [str(who.model), str(who.tenant), str(who.route), str(who.outcome)]
