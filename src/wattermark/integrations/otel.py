"""OpenTelemetry in a program of your own: counters, and footprints on the spans of requests to models.

>>> from wattermark.integrations.otel import footprint_exporter  # doctest: +SKIP
>>> exporter = footprint_exporter(OTLPSpanExporter(), live)  # doctest: +SKIP
>>> tracers.add_span_processor(BatchSpanProcessor(exporter))  # doctest: +SKIP

A span ends before anybody else sees it, and may not be changed then: ``Span.end`` of the SDK sets the end
before it calls processors, and refuses every attribute after that. So the exporter hands on a copy that
says more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wattermark.errors import MissingExtra
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.verbs.serving.live import Live
from wattermark.verbs.serving.quoting import quoter
from wattermark.verbs.serving.telemetry import export_metrics, footprint_attributes, otlp
from wattermark.verbs.tell import harmless

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["export_metrics", "footprint_exporter", "otlp", "served_of_span"]

INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
CACHED = ("gen_ai.usage.cache_read.input_tokens",)
REASONING = ("gen_ai.usage.reasoning.output_tokens",)
MODEL = ("gen_ai.request.model", "gen_ai.response.model")
PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
"""Names of the conventions as of 2026, and those that they had before."""
ROUTES = {"text_completion": Route.COMPLETIONS, "embeddings": Route.EMBEDDINGS, "chat": Route.CHAT}


def footprint_exporter(inner: SpanExporter, live: Live, *, counted: bool = True) -> SpanExporter:
    """An exporter that adds ``ai.footprint.*`` to spans that tell tokens, and hands all of them on.

    Parameters
    ----------
    inner : SpanExporter
        Who sends them.
    live : Live
        Who knows what requests take; spans keep what they say themselves.
    counted : bool
        Whether ``live`` counts these requests; not where it is told of them otherwise. One with meters
        never does: spans come when their windows are settled.

    Raises
    ------
    MissingExtra
        If the SDK of OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    except ImportError as error:
        raise MissingExtra.of("OpenTelemetry", error.name or "opentelemetry-sdk", "otel") from error
    add = _adder(live, counted=counted and not live.metered)

    @harmless
    def enrich(richer: list[ReadableSpan], place: int, span: ReadableSpan) -> None:
        richer[place] = add(span)

    class FootprintExporter(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            richer = list(spans)
            for place, span in enumerate(spans):
                enrich(richer, place, span)
            return inner.export(richer)

        def shutdown(self) -> None:
            inner.shutdown()

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return inner.force_flush(timeout_millis)

    return FootprintExporter()


def _adder(live: Live, *, counted: bool) -> Callable[[ReadableSpan], ReadableSpan]:
    quotes, richer = quoter(live), _richer()

    def add(span: ReadableSpan) -> ReadableSpan:
        served = served_of_span(span)
        if served is None:
            return span
        if counted:
            live.note(served)
        live.learn(served.model)
        quote = quotes.quote(served)
        if quote is None:
            return span
        return richer(
            span, footprint_attributes(quote.energy_j, quote.carbon_g, quote.water_l, quote.quality)
        )

    return add


def _richer() -> Callable[[ReadableSpan, Mapping[str, Any]], ReadableSpan]:
    from opentelemetry.sdk.trace import ReadableSpan

    class RicherSpan(ReadableSpan):
        """Another's span with more attributes; it has lost as much as that one."""

        def __init__(self, span: ReadableSpan, more: Mapping[str, Any]) -> None:
            super().__init__(
                name=span.name,
                context=span.get_span_context(),
                parent=span.parent,
                resource=span.resource,
                attributes={**more, **(span.attributes or {})},
                events=span.events,
                links=span.links,
                kind=span.kind,
                status=span.status,
                start_time=span.start_time,
                end_time=span.end_time,
                instrumentation_scope=span.instrumentation_scope,
            )
            self._of = span

        @property
        def dropped_attributes(self) -> int:
            return self._of.dropped_attributes

        @property
        def dropped_events(self) -> int:
            return self._of.dropped_events

        @property
        def dropped_links(self) -> int:
            return self._of.dropped_links

    return RicherSpan


def served_of_span(span: ReadableSpan) -> Served | None:
    """The request that a span tells of; None where it tells no tokens of a model.

    Its times are those of the wall clock: they tell how long it took, and not when the meters looked.
    """
    told = span.attributes or {}
    usage = Usage(
        input_tokens=_count(told, INPUT),
        output_tokens=_count(told, OUTPUT),
        cached_tokens=_count(told, CACHED),
        reasoning_tokens=_count(told, REASONING),
    )
    model = _word(told, MODEL)
    if not usage.is_known or not model:
        return None
    begin_ns = span.start_time or 0
    return Served(
        begin_ns=begin_ns,
        end_ns=max(span.end_time or begin_ns, begin_ns),
        usage=usage,
        model=model,
        provider=_word(told, PROVIDER),
        route=ROUTES.get(str(told.get("gen_ai.operation.name", "")), Route.OTHER),
        outcome=Outcome.OK if span.status.is_ok else Outcome.FAILED,
    )


def _count(told: Mapping[str, Any], names: Sequence[str]) -> int | None:
    found = next((told[name] for name in names if name in told), None)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _word(told: Mapping[str, Any], names: Sequence[str]) -> str:
    found = next((told[name] for name in names if told.get(name)), "")
    return found if isinstance(found, str) else ""
