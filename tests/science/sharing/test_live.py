"""Sums, quotes and histograms while requests are served: properties that must always hold."""

from bisect import bisect_left
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.sharing.columns import Cost
from wattermark.science.sharing.live import (
    Ledgers,
    Part,
    Stretch,
    Tried,
    columns_of,
    lately,
    or_none,
    power_w,
    rest_w,
    settle,
    weight_j,
)
from wattermark.science.sharing.rates import pairs, rates_table
from wattermark.science.sharing.spread import Spread, edges_by_decade
from wattermark.science.sharing.windows import Windows, share_windows
from wattermark.values.units import NS_PER_S

COST = Cost(
    step_j=3.0,
    experts_j=0.0,
    missed=0.0,
    read_token_j=0.01,
    written_token_j=0.02,
    context_token_j=1e-6,
    pair_j=1e-9,
)
TOKENS = st.one_of(st.just(nan), st.integers(0, 5000).map(float))


def stretches(energies_j):
    return [
        Stretch(
            begin_ns=i * NS_PER_S, end_ns=(i + 1) * NS_PER_S, energy_j=j, carbon_g=0.1 * j, water_l=0.01 * j
        )
        for i, j in enumerate(energies_j)
    ]


@st.composite
def requests(draw):
    begin_s = draw(st.floats(-2, 10))
    length_s = draw(st.floats(0, 5))
    first_s = begin_s + length_s * draw(st.floats(0, 1))
    times_ns = [round(one * NS_PER_S) for one in (begin_s, first_s, begin_s + length_s)]
    return Part(draw(st.integers(0, 3)), 0, *times_ns, draw(TOKENS), 0.0, draw(TOKENS), nan)


@given(
    st.lists(st.floats(0, 1e4), min_size=1, max_size=10), st.lists(requests(), max_size=12), st.floats(0, 500)
)
def test_what_is_settled_is_what_the_meter_saw(energies_j, parts, idle):
    found = settle(stretches(energies_j), parts, [COST], groups=4, idle_w=idle)
    whole_j = found.dynamic_j.sum() + found.active_idle_j.sum() + found.provisioned_idle_j
    assert whole_j == pytest.approx(sum(energies_j), rel=1e-9, abs=1e-9)
    assert found.request_j.sum() == pytest.approx(found.dynamic_j.sum() + found.active_idle_j.sum())
    assert min(found.dynamic_j.min(), found.active_idle_j.min(), found.provisioned_idle_j) >= -1e-9
    assert found.running >= 1
    ledgers = Ledgers(5)
    ledgers.add(found)
    rows = ledgers.rows()
    assert sum(row[2] for row in rows) == pytest.approx(ledgers.metered_j, abs=1e-9)
    assert sum(row[3] for row in rows) == pytest.approx(0.1 * sum(energies_j), rel=1e-6, abs=1e-9)
    assert sum(row[4] for row in rows) == pytest.approx(0.01 * sum(energies_j), rel=1e-6, abs=1e-9)


def test_quiet_windows_tell_the_power_at_rest():
    part = Part(1, 0, round(1.5 * NS_PER_S), 2 * NS_PER_S, round(3.2 * NS_PER_S), 1.0, 0.0, 1.0, nan)
    found = settle(stretches([80.0, 300.0, 310.0, 290.0, 82.0]), [part], [COST], groups=2, idle_w=0.0)
    assert found.quiet == ((80.0, 1.0), (82.0, 1.0))
    assert rest_w([(80.0, 1.0), (328.0, 4.0), (300.0, 1.0)], otherwise_w=31.0) == 82.0
    assert rest_w([(80.0, 1.0)], otherwise_w=31.0) == rest_w([], otherwise_w=31.0) == 31.0
    assert power_w(stretches([80.0])[0]) == pytest.approx(80.0)


@given(TOKENS, TOKENS, st.floats(1, 500))
def test_weights_rise_with_tokens_and_fall_with_company(read, written, running):
    one = Part(0, 0, 0, 0, 0, read, 0.0, written, nan)
    more = one._replace(read=or_none(read) + 10, written=or_none(written) + 10)
    assert 0 <= weight_j(COST, running, one) < weight_j(COST, running, more)
    assert weight_j(COST, running + 1, one) <= weight_j(COST, running, one)


def test_cached_tokens_and_fewer_passes_weigh_less():
    whole = Part(0, 0, 0, 0, 0, 1000.0, 0.0, 100.0, nan)
    assert weight_j(COST, 1, whole._replace(read=100.0, cached=900.0)) < weight_j(COST, 1, whole)
    assert weight_j(COST, 1, whole._replace(passes=40.0)) < 0.5 * weight_j(COST, 1, whole)


def test_a_request_alone_weighs_what_windows_share_by():
    """Tokens in sight of layers that look back a little, a prompt in the cache, a chunked prefill."""
    cost = replace(COST, experts_j=5.0, missed=0.9, window_token_j=1e-5, window_tokens=64.0)
    small = Part(0, 0, 0, NS_PER_S, 3 * NS_PER_S, 200.0, 0.0, 50.0, nan)
    large = Part(0, 0, 4 * NS_PER_S, 5 * NS_PER_S, 9 * NS_PER_S, 5000.0, 300.0, 700.0, nan)
    found = settle(stretches([1000.0] * 10), [small, large], [cost], groups=1, idle_w=0.0)
    windows = [weight_j(cost, 1.0, one) for one in (small, large)]
    shared = share_windows(
        Windows(edge_s=np.array([0.0, 10.0]), energy_j=np.array([1e4]), idle_w=0.0),
        columns_of([small, large], 0),
        [cost],
    )
    assert windows[1] / windows[0] == pytest.approx(shared.dynamic_j[1] / shared.dynamic_j[0], rel=1e-9)
    assert found.request_j.sum() == pytest.approx(8000)


def test_a_joule_by_weight_is_the_mean_of_who_ended():
    found = settle(stretches([100.0]), [], [COST], groups=1, idle_w=0.0)
    told = lately([Tried(0, 30.0, 10.0), Tried(0, 10.0, 10.0)], found)
    assert told.energy_per_weight == 2.0 and told.carbon_g_per_j == pytest.approx(0.1)
    assert lately([], found) is None and lately([Tried(0, 0.0, 0.0)], found) is None


KNOTS = (1.0, 10.0, 100.0)


def line(read, written):
    return 5.0 + 2.0 * read + 3.0 * written + 0.1 * read * written


@given(st.floats(1, 5000), st.floats(1, 5000))
def test_a_table_of_lines_is_the_lines(read, written):
    rows = np.array([line(a, b) for a, b in pairs(KNOTS)])
    rates = rates_table(KNOTS, {"it_energy_j": rows, "carbon_g": 2 * rows, "water_l": 3 * rows})
    expected = line(read, written)
    assert rates.of(read, written) == pytest.approx((expected, 2 * expected, 3 * expected), rel=1e-9)


@pytest.mark.parametrize(
    ("impossible", "rows"),
    [
        pytest.param([], 3, id="all fit"),
        pytest.param([8], 2, id="the longest do not fit"),
        pytest.param([4], None, id="hardly anything fits"),
    ],
)
def test_a_table_ends_where_requests_do_not_fit(impossible, rows):
    amounts = np.arange(9.0)
    amounts[impossible] = nan
    rates = rates_table(KNOTS, dict.fromkeys(("it_energy_j", "carbon_g", "water_l"), amounts))
    assert (rates and len(rates.read)) == rows


@given(st.lists(st.floats(1e-6, 1e8), max_size=50))
def test_a_histogram_counts_all_and_only_up_to_each_edge(values):
    edges = edges_by_decade(1e-3, 1e6, (1.0, 2.5, 5.0))
    spread = Spread(edges)
    for value in values:
        spread.add(value)
    counts = dict(spread.cumulative())
    assert counts == {edge: sum(value <= edge for value in values) for edge in (*edges, inf)}
    assert spread.total == pytest.approx(sum(values))
    assert edges == sorted(edges) and edges[bisect_left(edges, 2.5)] == 2.5
