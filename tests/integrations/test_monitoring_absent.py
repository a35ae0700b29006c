"""Where a package of an extra is not installed, one error says what to install; sums go on without."""

import pytest

BEGIN = """
import sys
for name in {absent!r}: sys.modules[name] = None
from wattermark.verbs.serving.live import Live
from wattermark.wiring.config import Config
live = Live(Config(place="deu"), start=False)
live.beat()
assert live.sums().requests == ()
"""


@pytest.mark.parametrize(
    ("absent", "code", "extra"),
    [
        pytest.param(
            ["prometheus_client"],
            "from wattermark.integrations.prometheus import metrics_app; metrics_app(live)",
            "serving",
            id="an application for Prometheus",
        ),
        pytest.param(
            ["prometheus_client"],
            "from wattermark.verbs.serving.exposing import exposition; exposition(live)",
            "serving",
            id="a page for Prometheus",
        ),
        pytest.param(
            ["opentelemetry.sdk.metrics", "opentelemetry.exporter"],
            "from wattermark.integrations.otel import otlp; otlp(live, 'http://localhost:4318')",
            "otel",
            id="counters of OpenTelemetry",
        ),
        pytest.param(
            ["opentelemetry.sdk"],
            "from wattermark.integrations.otel import footprint_exporter; footprint_exporter(None, live)",
            "otel",
            id="spans of OpenTelemetry",
        ),
    ],
)
def test_a_missing_package_is_named(program, absent, code, extra):
    done = program(BEGIN.format(absent=absent) + code)
    assert f"Install it: pip install 'wattermark[{extra}]'" in done.stderr.splitlines()[-1]


def test_our_modules_are_imported_without_any(program):
    done = program(
        "import sys, wattermark.integrations.prometheus, wattermark.integrations.otel\n"
        "import wattermark.cli.serving_dashboard\n"
        "print(sorted({'prometheus_client', 'opentelemetry', 'aiohttp', 'httpx'} & set(sys.modules)))"
    )
    assert done.stdout == "[]\n", done.stderr
