"""What Prometheus is told: names that its linter likes, sums that are the ledger's, nothing global."""

import re
import subprocess

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from wattermark.values.served import Outcome
from wattermark.verbs.serving.exposing import exposition, registry
from wattermark.verbs.serving.live import Live

from .metered import CONFIG, Metered
from .prom import tool


@pytest.fixture
def live(tmp_path):
    metered = Metered(tmp_path, ago_s=30)
    live = metered.live()
    metered.runs(5, 100.0)
    for number, outcome in enumerate(Outcome):
        live.note(metered.served(5 - number / 10, 5.0, tenant='a"\n\\b', outcome=outcome))
    metered.runs(10, 300.0)
    return live


def families(live):
    return {family.name: family for family in text_string_to_metric_families(exposition(live).decode())}


def total(family, **labels):
    return sum(
        s.value for s in family.samples if labels.items() <= s.labels.items() and s.name.endswith("_total")
    )


def test_promtool_finds_nothing_to_say(live):
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=exposition(live), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_promtool_would_find_something():
    bad = b"# HELP x_seconds_count x\n# TYPE x_seconds_count counter\nx_seconds_count 1\n"
    done = subprocess.run([tool("promtool"), "check", "metrics"], input=bad, capture_output=True, check=False)
    assert done.returncode != 0


def test_ledgers_and_what_is_unsettled_add_up_to_the_meter(live):
    told = families(live)
    unsettled = told["wattermark_serving_unsettled_energy_joules"].samples[0].value
    meter = told["wattermark_serving_meter_energy_joules"].samples[0].value
    assert total(told["wattermark_serving_energy_joules"]) + unsettled == pytest.approx(meter) == 3500
    assert total(told["wattermark_serving_carbon_grams"]) > 0 < total(told["wattermark_serving_water_liters"])


def test_requests_tokens_and_histograms_count_the_same(live):
    told, many = families(live), len(Outcome)
    assert total(told["wattermark_serving_requests"]) == many
    assert total(told["wattermark_serving_requests"], outcome="left", route="chat", model="llama-3.1-8b") == 1
    assert total(told["wattermark_serving_tokens"], type="input") == 100 * many
    samples = {s.name: s.value for s in told["wattermark_serving_request_duration_seconds"].samples}
    assert samples["wattermark_serving_request_duration_seconds_count"] == many


def test_labels_survive_whatever_is_in_them(live):
    tenants = {s.labels["tenant"] for s in families(live)["wattermark_serving_requests"].samples}
    assert tenants == {'a"\n\\b'}


def test_no_moments_of_creation_are_told(live):
    assert b"_created" not in exposition(live)


def test_an_estimate_tells_no_meter(tmp_path):
    assert not [
        name for name in families(Live(CONFIG, start=False)) if "meter" in name or "unsettled" in name
    ]


def test_the_global_registry_is_left_alone(live):
    before = set(prometheus_client.REGISTRY._names_to_collectors)
    exposition(live)
    assert set(prometheus_client.REGISTRY._names_to_collectors) == before
    assert registry(live) is not prometheus_client.REGISTRY


def test_buckets_rise_and_end_in_infinity(live):
    text = exposition(live).decode()
    found = re.findall(r'duration_seconds_bucket\{le="([^"]+)",model="llama-3.1-8b"\} ([\d.]+)', text)
    counts = [float(many) for _, many in found]
    assert found[-1][0] == "+Inf" and counts == sorted(counts) and counts[-1] == len(Outcome)


@pytest.mark.parametrize("metered", [True, False])
def test_names_that_no_program_takes_break_nothing(tmp_path, metered):
    """A client may call a model anything: half a character, a novel, a line of another metric."""
    strange = Metered(tmp_path, ago_s=30)
    live = strange.live() if metered else Live(CONFIG, start=False)
    for name in ("\ud800", "x" * 1_000_000, 'a"} 1\nwattermark_serving_open_requests 7', "\x00\u2028"):
        seat = live.begins(strange.ns(0), model=name, tenant=name)
        strange.runs(1, 100.0)
        live.note(strange.served(0, 1, model=name, tenant=name), seat)
        live.beat()
    told = families(live)
    assert len(exposition(live)) < 50_000
    assert total(told["wattermark_serving_requests"]) == 4
    assert [s.value for s in told["wattermark_serving_open_requests"].samples] == [0]
