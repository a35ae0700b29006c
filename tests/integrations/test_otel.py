"""OpenTelemetry: counters and spans that say what requests took, at a receiver that is really there."""

import pytest
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import wattermark as wm
from fakes.otlp import Receiver, words
from verbs.serving.metered import Metered
from wattermark.errors import UsageError
from wattermark.integrations.otel import export_metrics, footprint_exporter, otlp
from wattermark.values.served import Route, Served, Usage
from wattermark.verbs.serving.live import Live
from wattermark.verbs.serving.telemetry import endpoint_of
from wattermark.wiring.config import Config

TOKENS = {"gen_ai.usage.input_tokens": 150, "gen_ai.usage.output_tokens": 400}
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    **TOKENS,
}


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def live():
    return Live(Config(place="deu", origin={"place": "option"}), start=False)


@pytest.fixture
def metered(tmp_path):
    metered = Metered(tmp_path, ago_s=30)
    live = metered.live()
    seat = live.begins(metered.ns(0), model="llama-3.1-8b")
    metered.runs(10, 300.0)
    live.note(metered.served(0, 8, tenant="a1"), seat)
    metered.runs(5, 100.0)
    return live


@pytest.fixture(autouse=True)
def providers_are_left_alone():
    before = metrics.get_meter_provider(), trace.get_tracer_provider()
    yield
    assert (metrics.get_meter_provider(), trace.get_tracer_provider()) == before


def test_counters_reach_a_receiver(metered, receiver):
    otlp(metered, receiver.url, every_s=60)()
    told = receiver.metrics
    energy = told["ai.footprint.energy"]
    points = energy.sum.data_points
    assert energy.unit == "J" and energy.sum.is_monotonic and energy.sum.aggregation_temporality == 2
    assert sum(one.as_double for one in points) == pytest.approx(3500)
    assert told["ai.footprint.meter.energy"].sum.data_points[0].as_double == pytest.approx(3500)
    dynamic = next(
        w for w in map(lambda p: words(p.attributes), points) if w["ai.footprint.ledger"] == "dynamic"
    )
    assert dynamic == {
        "gen_ai.request.model": "llama-3.1-8b",
        "gen_ai.operation.name": "chat",
        "ai.footprint.tenant": "a1",
        "ai.footprint.outcome": "ok",
        "ai.footprint.ledger": "dynamic",
        "ai.footprint.quality": "measured",
        "ai.footprint.boundary": "it",
    }
    assert told["ai.footprint.carbon"].unit == "g" and told["ai.footprint.water"].unit == "L"
    kinds = {
        words(p.attributes)["gen_ai.token.type"]: p.as_int
        for p in told["ai.footprint.tokens"].sum.data_points
    }
    assert kinds == {"input": 100, "output": 50}


def test_the_providers_of_the_program_stay_its_own(metered, receiver):
    before = metrics.get_meter_provider(), trace.get_tracer_provider()
    end = otlp(metered, receiver.url, every_s=60)
    after = metrics.get_meter_provider(), trace.get_tracer_provider()
    end()
    assert after == before


def test_counters_use_the_provider_that_is_given(metered):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    export_metrics(metered, provider)
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    names = {metric.name for metric in scope.metrics}
    assert scope.scope.name == "wattermark" and {"ai.footprint.energy", "ai.footprint.requests.open"} <= names
    provider.shutdown()


def test_a_receiver_that_is_not_there_stops_nobody(live, caplog):
    end = otlp(live, "http://127.0.0.1:9", every_s=60)
    end()


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/metrics"),
        ("https://otel.example/", "https://otel.example/v1/metrics"),
        ("http://localhost:4318/take/this", "http://localhost:4318/take/this"),
    ],
)
def test_where_a_signal_goes(url, goes):
    assert endpoint_of(url, "metrics") == goes


@pytest.mark.parametrize("url", ["localhost:4318", "ftp://x", "http://", "http://me:s3cret@here", ""])
def test_what_is_no_address_is_refused_and_not_repeated(live, url):
    with pytest.raises(UsageError) as caught:
        otlp(live, url)
    assert "s3cret" not in str(caught.value)


def spans_of(exporter, *calls, limits=None):
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for attributes in calls:
        with tracer.start_as_current_span("chat gpt-4o", attributes=attributes) as span:
            span.add_event("first chunk")
    provider.shutdown()


def test_a_span_of_a_call_says_what_it_took(live):
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, live), CALL)
    (span,) = kept.get_finished_spans()
    job = wm.ApiCalls(model="gpt-4o", input_tokens=150, output_tokens=400)
    footprint = wm.estimate_api(job, wm.Site(place="deu")).footprint
    added = {name: value for name, value in span.attributes.items() if name.startswith("ai.")}
    assert added == {
        "ai.footprint.energy": pytest.approx(footprint.it_energy_j.best),
        "ai.footprint.carbon": pytest.approx(footprint.carbon_g.best),
        "ai.footprint.water": pytest.approx(footprint.water_l.best),
        "ai.footprint.boundary": "it",
        "ai.footprint.quality": "estimated",
    }
    assert CALL.items() <= dict(span.attributes).items()
    assert span.name == "chat gpt-4o" and [event.name for event in span.events] == ["first chunk"]


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"http.request.method": "POST"}, id="no call of a model"),
        pytest.param({**TOKENS}, id="no model"),
        pytest.param({"gen_ai.request.model": "gpt-4o"}, id="no tokens"),
        pytest.param({**CALL, "gen_ai.request.model": "unheard-of"}, id="a model that nobody knows"),
        pytest.param(
            {**CALL, "gen_ai.usage.input_tokens": "many", "gen_ai.usage.output_tokens": -1}, id="nonsense"
        ),
    ],
)
def test_a_span_of_which_nothing_can_be_said_passes_as_it_is(live, attributes):
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, live), attributes)
    (span,) = kept.get_finished_spans()
    assert dict(span.attributes) == attributes


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(
            {"gen_ai.usage.prompt_tokens": 150, "gen_ai.usage.completion_tokens": 400}, id="old names"
        ),
        pytest.param(TOKENS, id="present names"),
    ],
)
def test_names_of_both_times_are_read(live, names):
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, live), {"gen_ai.request.model": "gpt-4o", **names})
    assert kept.get_finished_spans()[0].attributes["ai.footprint.energy"] > 0


def test_cached_tokens_cost_less(live):
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, live), CALL, {**CALL, "gen_ai.usage.cache_read.input_tokens": 140})
    whole, cached = (span.attributes["ai.footprint.energy"] for span in kept.get_finished_spans())
    assert cached < whole


def test_what_a_span_says_itself_stays(live):
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, live), {**CALL, "ai.footprint.energy": 1.0})
    (span,) = kept.get_finished_spans()
    assert span.attributes["ai.footprint.energy"] == 1.0 and span.attributes["ai.footprint.water"] > 0


def test_a_fault_of_ours_costs_no_span(live, caplog, monkeypatch):
    """Spans are the program's; it hears of the fault once."""

    def breaks(self, model):
        raise LookupError(model)

    monkeypatch.setattr(type(live), "learn", breaks)
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, live), CALL, {"x": 1}, CALL)
    assert [dict(span.attributes) for span in kept.get_finished_spans()] == [CALL, {"x": 1}, CALL]
    assert len(caplog.records) == 1 and "your program goes on" in caplog.text


def test_what_a_span_lost_is_told(live):
    kept = InMemorySpanExporter()
    spans_of(
        footprint_exporter(kept, live), {"too": "much", **CALL}, limits=SpanLimits(max_span_attributes=5)
    )
    (span,) = kept.get_finished_spans()
    assert span.dropped_attributes == 1 and "ai.footprint.energy" in span.attributes


def test_requests_of_spans_are_counted_where_nobody_meters(live, metered):
    for one in (live, metered):
        spans_of(footprint_exporter(InMemorySpanExporter(), one), CALL)
        one.beat()
    assert sum(many for _, many in live.sums().requests) == 1
    assert sum(many for _, many in metered.sums().requests) == 1  # the one of the fixture


def test_a_measured_server_says_so(metered):
    kept = InMemorySpanExporter()
    spans_of(footprint_exporter(kept, metered), {**CALL, "gen_ai.request.model": "llama-3.1-8b"})
    assert kept.get_finished_spans()[0].attributes["ai.footprint.quality"] == "measured-provisional"


def test_spans_reach_a_receiver_in_batches(live, receiver):
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = footprint_exporter(OTLPSpanExporter(endpoint=endpoint_of(receiver.url, "traces")), live)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    for number in range(20):
        tokens = {"gen_ai.usage.output_tokens": 100 + number}
        provider.get_tracer("test").start_span("chat", attributes={**CALL, **tokens}).end()
    assert provider.force_flush()
    provider.shutdown()
    energies = [words(span.attributes)["ai.footprint.energy"] for span in receiver.spans]
    assert len(energies) == 20 and energies == sorted(energies)


def test_a_route_without_a_word_keeps_its_own(live):
    usage = Usage(input_tokens=1, output_tokens=1)
    live.note(Served(begin_ns=0, end_ns=1, model="gpt-4o", route=Route.RERANK, usage=usage))
    live.beat()
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    export_metrics(live, provider)
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    energy = next(metric for metric in scope.metrics if metric.name == "ai.footprint.energy")
    assert dict(energy.data.data_points[0].attributes)["gen_ai.operation.name"] == "rerank"
    provider.shutdown()
