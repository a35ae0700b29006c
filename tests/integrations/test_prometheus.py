"""``/metrics`` in somebody's own web server."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from wattermark.integrations.prometheus import metrics_app
from wattermark.values.served import Served, Usage
from wattermark.verbs.serving.live import Live
from wattermark.wiring.config import Config


@pytest.fixture
def live():
    live = Live(Config(place="deu"), start=False)
    live.note(Served(begin_ns=0, end_ns=1, model="gpt-4o", usage=Usage(input_tokens=10, output_tokens=20)))
    live.beat()
    return live


@pytest.mark.parametrize(
    ("method", "status", "holds"),
    [
        pytest.param("GET", 200, 'wattermark_serving_requests_total{model="gpt-4o"', id="a scrape"),
        pytest.param("HEAD", 200, "", id="a look"),
        pytest.param("POST", 405, "GET only", id="nothing is taken"),
    ],
)
@pytest.mark.parametrize("mounted", [True, False])
def test_it_answers_alone_and_mounted(live, method, status, holds, mounted):
    import asyncio

    app = metrics_app(live)
    inside = Starlette(routes=[Mount("/metrics", app)]) if mounted else app

    async def ask():
        transport = httpx.ASGITransport(app=inside)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.request(method, "/metrics/")

    answer = asyncio.run(ask())
    assert answer.status_code == status and holds in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
