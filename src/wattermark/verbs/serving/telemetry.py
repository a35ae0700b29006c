"""What requests have taken, as OpenTelemetry's counters; the program's global providers stay as they are.

Names of requests are those of the GenAI semantic conventions (in development as of 2026); of energy, carbon
and water there is no convention, so these have names of our own: ``ai.footprint.energy`` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wattermark._version import __version__
from wattermark.errors import MissingExtra, UsageError
from wattermark.verbs.serving.counts import Sums, Who
from wattermark.verbs.serving.live import Live

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
    from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider

EVERY_S = 15.0
PATIENCE_S = 3.0
"""A receiver that does not answer holds up nobody who ends for longer."""
OPERATIONS = {
    "chat": "chat",
    "responses": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
}
"""Routes in the words of the conventions; of others there is none."""
BOUNDARY = "it"
"""Energy is IT energy; carbon and water hold the facility's, and the making of the hardware."""

Told = Iterable[tuple[float, Mapping[str, str]]]


def export_metrics(live: Live, to: MeterProvider | str, *, every_s: float = EVERY_S) -> Callable[[], None]:
    """Tell OpenTelemetry what ``live`` knows, whenever it asks.

    Parameters
    ----------
    live : Live
        What is told.
    to : MeterProvider or str
        Whose meters are used, or the address of an OTLP/HTTP receiver: ``http://localhost:4318``. Then a
        provider of our own does it, and the global one is not touched.
    every_s : float
        How often a receiver is told. [s]

    Returns
    -------
    callable
        Tells it once more, and ends what was begun here.

    Raises
    ------
    UsageError
        If it is no address.
    MissingExtra
        If the SDK of OpenTelemetry is not installed.
    """
    if isinstance(to, str):
        own = _private(to, every_s)
        _instruments(live, own)
        return own.shutdown
    _instruments(live, to)
    return _nothing


def otlp(live: Live, url: str, *, every_s: float = EVERY_S) -> Callable[[], None]:
    """Tell an OTLP/HTTP receiver, until what this answers is called.

    Raises
    ------
    UsageError
        If it is no address.
    MissingExtra
        If the exporter is not installed.
    """
    return export_metrics(live, url, every_s=every_s)


def endpoint_of(url: str, signal: str) -> str:
    """Where a receiver takes a signal: its address, and ``/v1/metrics`` where it names no path.

    Raises
    ------
    UsageError
        If it is no address of the web; what may be a secret in it is not repeated.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise UsageError("that is no address of an OTLP/HTTP receiver", fix="Give http://localhost:4318")
    return url if parts.path.rstrip("/") else f"{url.rstrip('/')}/v1/{signal}"


def footprint_attributes(energy_j: float, carbon_g: float, water_l: float, quality: str) -> dict[str, Any]:
    """What a span, or whatever has attributes, says of one request."""
    return {
        "ai.footprint.energy": energy_j,
        "ai.footprint.carbon": carbon_g,
        "ai.footprint.water": water_l,
        "ai.footprint.boundary": BOUNDARY,
        "ai.footprint.quality": quality,
    }


def _private(url: str, every_s: float) -> SdkMeterProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
    except ImportError as error:
        raise MissingExtra.of("OpenTelemetry", error.name or "opentelemetry-sdk", "otel") from error
    from wattermark.science.sharing.live import milliseconds

    exporter = OTLPMetricExporter(endpoint=endpoint_of(url, "metrics"), timeout=PATIENCE_S)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=milliseconds(every_s))
    return MeterProvider([reader], resource=Resource.create({"service.name": "wattermark"}))


def _instruments(live: Live, provider: MeterProvider) -> None:
    meter = provider.get_meter("wattermark", __version__)
    for name, unit, says, told in (
        ("ai.footprint.energy", "J", "IT energy of requests; all ledgers add up to the meter", _energy),
        ("ai.footprint.carbon", "g", "CO2e of requests, location-based, embodied included", _carbon),
        ("ai.footprint.water", "L", "Water that requests consumed", _water),
        ("ai.footprint.requests", "{request}", "Requests that ended", _requests),
        ("ai.footprint.tokens", "{token}", "Tokens of requests", _tokens),
        ("ai.footprint.unaccounted", "{request}", "Requests of unknown energy", _unaccounted),
    ):
        meter.create_observable_counter(name, [_asked(live, told)], unit=unit, description=says)
    if live.metered:
        meter.create_observable_counter(
            "ai.footprint.meter.energy", [_asked(live, _meter)], unit="J", description="What the meters saw"
        )
    meter.create_observable_up_down_counter(
        "ai.footprint.requests.open", [_asked(live, _open)], unit="{request}", description="Under way"
    )


def _asked(live: Live, told: Callable[[Sums], Told]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def callback(_: CallbackOptions) -> Iterator[Observation]:
        from opentelemetry.metrics import Observation

        for value, attributes in told(live.sums()):
            yield Observation(value, attributes)

    return callback


def _energy(sums: Sums) -> Told:
    for who, ledger, quality, energy_j, _, _ in sums.energy:
        yield energy_j, _of_ledger(who, ledger, quality)


def _carbon(sums: Sums) -> Told:
    for who, ledger, quality, _, carbon_g, _ in sums.energy:
        yield carbon_g, {**_of_ledger(who, ledger, quality), "ai.footprint.method": "location"}


def _water(sums: Sums) -> Told:
    for who, ledger, quality, _, _, water_l in sums.energy:
        yield water_l, _of_ledger(who, ledger, quality)


def _requests(sums: Sums) -> Told:
    for who, many in sums.requests:
        yield many, _words(who)


def _tokens(sums: Sums) -> Told:
    for who, kind, many in sums.tokens:
        yield many, {**_words(who), "gen_ai.token.type": kind}


def _unaccounted(sums: Sums) -> Told:
    yield sums.unaccounted, {}


def _meter(sums: Sums) -> Told:
    yield sums.meter_j, {}


def _open(sums: Sums) -> Told:
    yield sums.open, {}


def _of_ledger(who: Who, ledger: str, quality: str) -> dict[str, str]:
    return {
        **_words(who),
        "ai.footprint.ledger": ledger,
        "ai.footprint.quality": quality,
        "ai.footprint.boundary": BOUNDARY,
    }


def _words(who: Who) -> dict[str, str]:
    """What is not known is left out."""
    told = {
        "gen_ai.request.model": who.model,
        "gen_ai.operation.name": OPERATIONS.get(who.route, who.route),
        "ai.footprint.tenant": who.tenant,
        "ai.footprint.outcome": who.outcome,
    }
    return {name: str(value) for name, value in told.items() if value}


def _nothing() -> None:
    """Who gave the provider ends it."""
