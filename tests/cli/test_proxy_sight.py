"""What ``wattermark proxy`` tells at once (heads, Prometheus, OpenTelemetry), and again in reports."""

import re
import time
import urllib.request

import pytest

from cli.test_cli import wm
from cli.test_proxy import ASKED, STREAM, end, proxy, stub
from fakes.otlp import Receiver

__all__ = ["proxy", "stub"]
NAMED = ASKED.replace(b'"stub"', b'"llama-3.1-8b"')


def asked(address, body, **fields):
    request = urllib.request.Request(f"{address}/v1/chat/completions", body, fields)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers, answer.read()


def counted(page, name):
    """The sum of a counter over all its labels."""
    return sum(map(float, re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", page, re.M)))


@pytest.mark.slow
def test_each_answer_says_what_it_took_and_prometheus_hears_the_same_sums(home, stub, proxy):
    with Receiver() as receiver:
        child, told = proxy(
            stub, "--metrics-listen", "127.0.0.1:0", "--otlp", receiver.url, "--interval", "0.2"
        )
        for _ in range(3):
            heads, _ = asked(told["listen"], NAMED)
            time.sleep(0.5)
        named = STREAM.replace(b'"stub"', b'"llama-3.1-8b"')
        _, streamed = asked(told["listen"], named, **{"x-footprint": "stream"})
        assert {"energy-j", "carbon-g", "water-l", "quality"} <= {
            n.removeprefix("x-footprint-") for n in heads
        }
        assert float(heads["x-footprint-energy-j"]) > 0
        assert b"\n: footprint {" in streamed
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            with urllib.request.urlopen(told["metrics"], timeout=10) as answer:
                page = answer.read().decode()
            if counted(page, "wattermark_serving_requests_total") == 4:
                break
            time.sleep(0.2)
        assert end(child) == (0, "")
        assert counted(page, "wattermark_serving_requests_total") == 4
        parts_j = counted(page, "wattermark_serving_energy_joules_total")
        waits_j = counted(page, "wattermark_serving_unsettled_energy_joules")
        seen_j = counted(page, "wattermark_serving_meter_energy_joules_total")
        assert parts_j + waits_j == pytest.approx(seen_j, rel=1e-9)
        assert "ai.footprint.energy" in receiver.metrics
    found = wm(home, "serving", "report", "last", "--json")
    assert found.returncode == 0 and '"requests":4' in found.stdout
    assert "served: 4 requests" in wm(home, "show", "last").stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(("--gpu", "h1000"), "h1000", id="no such accelerator"),
        pytest.param(("--otlp", "http://a:b@c:1"), "no address of an OTLP", id="an address with a secret"),
        pytest.param(("--otlp", "collector:4318"), "no address of an OTLP", id="an address without a scheme"),
    ],
)
def test_what_cannot_be_told_is_said_before_a_run_begins(home, options, says):
    done = wm(home, "proxy", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", *options)
    assert done.returncode == 2 and says in done.stderr
    assert not wm(home, "runs").stdout.strip().count("proxy")
