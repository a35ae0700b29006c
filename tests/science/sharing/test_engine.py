"""How near windows come to steps, on an engine of which every step is known (``benchmarks/sharing.py``)."""

import numpy as np
import pytest
from batching import serve, windows_of
from sharing import DENSE, MIXTURE, VALUES, WHO, asked, engine_of

from wattermark.science.sharing.columns import cost_of
from wattermark.science.sharing.steps import share_steps
from wattermark.science.sharing.windows import share_windows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "rate_per_s", "median", "tenant"),
    [
        pytest.param(DENSE, 1.0, 0.03, 0.03, id="few at a time"),
        pytest.param(DENSE, 6.0, 0.06, 0.05, id="many at a time"),
        pytest.param(MIXTURE, 6.0, 0.05, 0.05, id="experts"),
    ],
)
def test_windows_of_a_second_come_near_to_steps(model, rate_per_s, median, tenant):
    cost, engine = cost_of(model, precision="bf16", accelerators=1, values=VALUES), engine_of(model)
    arrivals = asked(rate_per_s, 120.0, seed=7)
    happened = serve(arrivals, engine, cost)
    true_j = share_steps(happened.steps, [cost], len(arrivals.at_s)).dynamic_j
    meter = windows_of(happened, engine, 1.0)
    shared = share_windows(meter, happened.requests, [cost])
    assert shared.total_j == pytest.approx(meter.energy_j.sum())
    assert np.median(np.abs(shared.dynamic_j / true_j - 1)) < median
    by_tenant, truly = (np.bincount(arrivals.tenant, one, len(WHO)) for one in (shared.dynamic_j, true_j))
    assert by_tenant == pytest.approx(truly, rel=tenant)


def test_the_engine_computes_each_token_once():
    arrivals = asked(2.0, 20.0, seed=3)
    happened = serve(
        arrivals, engine_of(DENSE), cost_of(DENSE, precision="bf16", accelerators=1, values=VALUES)
    )
    m = len(arrivals.at_s)
    entries = happened.steps
    assert np.bincount(entries.request, entries.read_tokens, m) == pytest.approx(arrivals.read)
    assert np.bincount(entries.request, entries.written_tokens, m) == pytest.approx(arrivals.written - 1)
    meter = windows_of(happened, engine_of(DENSE), 1.0)
    over_j = meter.energy_j.sum() - meter.idle_w * (meter.edge_s[-1] - meter.edge_s[0])
    assert over_j == pytest.approx((entries.energy_j - entries.idle_j).sum())
