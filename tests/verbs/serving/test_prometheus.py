"""A real Prometheus scrapes what a relay tells, and every picture of the dashboard finds its data there."""

import json
import re
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isnan
from pathlib import Path

import pytest

from wattermark.report.dashboard import dashboard
from wattermark.values.served import Outcome, Served, Usage
from wattermark.verbs.serving.exposing import CONTENT_TYPE, exposition
from wattermark.verbs.serving.live import Live

from .metered import CONFIG, Metered
from .prom import tool

DOCS = Path(__file__).parents[3] / "docs" / "monitoring.md"


class Exporter(ThreadingHTTPServer):
    """A relay's listener for metrics, and beside it one of requests that nobody meters."""

    def __init__(self, *lives):
        self.lives = {f"/{name}": live for name, live in enumerate(lives)}
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = exposition(self.server.lives[self.path])
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Prometheus:
    """Started on loopback, looks once a second."""

    def __init__(self, folder, exporter):
        self.url = f"http://127.0.0.1:{free_port()}"
        jobs = [
            {
                "job_name": f"relay{path[1:]}",
                "metrics_path": path,
                "static_configs": [{"targets": [f"127.0.0.1:{exporter.server_port}"]}],
            }
            for path in exporter.lives
        ]
        times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        settings = folder / "prometheus.yml"
        settings.write_text(json.dumps({"global": times, "scrape_configs": jobs}))
        self._log = (folder / "log").open("w")
        listens = self.url.removeprefix("http://")
        self._child = subprocess.Popen(
            [tool("prometheus"), f"--config.file={settings}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={listens}", "--log.level=warn"],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def ask(self, query):
        words = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{words}", timeout=5) as answer:
            told = json.load(answer)
        assert told["status"] == "success"
        return told["data"]["result"]

    def wait(self):
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(Path(self._log.name).read_text())

    def has(self, query):
        """Waits until it is so; its first look is seconds after it listens."""
        until_s = time.monotonic() + 20
        while not self.ask(query):
            assert time.monotonic() < until_s, Path(self._log.name).read_text()
            time.sleep(0.2)

    def close(self):
        self._child.terminate()
        self._child.wait(10)
        self._log.close()


def play(metered, live, estimating):
    """A second of traffic: two who are metered, one who is refused, one who asks somebody else's model."""
    at_s = metered.at_s
    asked = (("a1", Outcome.OK), ("b2", Outcome.OK), ("b2", Outcome.REFUSED))
    seats = [live.begins(metered.ns(at_s + 0.2), model="llama-3.1-8b", tenant=tenant) for tenant, _ in asked]
    metered.runs(1, 300.0)
    for seat, (tenant, outcome) in zip(seats, asked, strict=True):
        live.note(metered.served(at_s + 0.2, at_s + 0.8, tenant=tenant, outcome=outcome), seat)
    live.beat()
    usage = Usage(input_tokens=100, output_tokens=300, cached_tokens=50, reasoning_tokens=100)
    estimating.note(Served(begin_ns=0, end_ns=10**9, model="gpt-4o", tenant="c3", usage=usage))
    estimating.note(Served(begin_ns=0, end_ns=10**9, model="unheard-of", usage=usage))
    estimating.beat()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    tool("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    metered = Metered(folder, ago_s=50)
    live, estimating = metered.live(), Live(CONFIG, start=False)
    play(metered, live, estimating)
    exporter, over = Exporter(live, estimating), threading.Event()

    def go_on():
        while not over.wait(1):
            play(metered, live, estimating)

    player = threading.Thread(target=go_on)
    started = Prometheus(folder, exporter)
    try:
        started.wait()
        player.start()
        started.has("min(count_over_time(wattermark_serving_open_requests[4s])) >= 4")
        yield started
    finally:
        over.set()
        player.join()
        started.close()
        exporter.shutdown()
        exporter.server_close()


def filled(query):
    """As Grafana fills its variables in, where all is chosen."""
    for name, value in (("$__rate_interval", "4s"), ("$model", ".*"), ("$tenant", ".*")):
        query = query.replace(name, value)
    return query


@pytest.mark.slow
@pytest.mark.parametrize("panel", dashboard()["panels"], ids=lambda panel: panel["title"])
def test_every_picture_has_data(prometheus, panel):
    for target in panel["targets"]:
        found = prometheus.ask(filled(target["expr"]))
        values = [float(one["value"][1]) for one in found]
        assert values and not any(map(isnan, values)), target["expr"]
        legend = re.search(r"{{(\w+)}}", target["legendFormat"])
        assert legend is None or all(legend[1] in one["metric"] for one in found)


@pytest.mark.slow
def test_ledgers_that_were_scraped_add_up_to_the_meter(prometheus):
    ledgers = 'sum(wattermark_serving_energy_joules_total{job="relay0"})'
    waiting, meter = (
        f"sum(wattermark_serving_{n})" for n in ("unsettled_energy_joules", "meter_energy_joules_total")
    )
    (found,) = prometheus.ask(f"({ledgers} + {waiting}) / {meter}")
    assert float(found["value"][1]) == pytest.approx(1)


@pytest.mark.slow
def test_variables_of_the_dashboard_find_models_and_tenants(prometheus):
    found = prometheus.ask("count by (model, tenant) (wattermark_serving_requests_total)")
    assert {one["metric"]["model"] for one in found} == {"llama-3.1-8b", "gpt-4o", "unheard-of"}


def blocks():
    return re.findall(r"```yaml\n(groups:.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", [0, 1])
def test_rules_of_the_documentation_are_rules(tmp_path, number):
    rules = tmp_path / "rules.yml"
    rules.write_text(blocks()[number])
    done = subprocess.run(
        [tool("promtool"), "check", "rules", rules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.slow
def test_every_rule_of_the_documentation_can_be_asked(prometheus):
    """Its metrics are there: an alert may be silent, but what it looks at must not be unknown."""
    known = {one["metric"]["__name__"] for one in prometheus.ask('{__name__=~"wattermark_serving_.*"}')}
    recorded = set(re.findall(r"record: (\S+)", "".join(blocks())))
    named = set(re.findall(r"(?<![:\w])wattermark_serving_\w+", "".join(blocks())))
    used = set(re.findall(r"\w+:wattermark_serving_\w+:\w+", "".join(blocks())))
    assert named <= known and len(named) > 4 and used == recorded
    for expr in re.findall(r"expr: (.+)", blocks()[0]):
        assert prometheus.ask(expr.replace("5m", "4s")), expr
