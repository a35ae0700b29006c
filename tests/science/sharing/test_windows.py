"""Shares by windows: who was there, when, and what a gap is."""

from dataclasses import replace

import numpy as np
import pytest

from science.sharing.made import DENSE, GAP, MIXTURE, requests, steps, windows
from wattermark.science.sharing.concurrency import busy_s, reading_share_j
from wattermark.science.sharing.steps import step_weights
from wattermark.science.sharing.windows import BLOCK, share_windows
from wattermark.values.policy import ActiveIdle, Policy

ONE = (0.0, 0.5, 2.0, 100, 0, 60)


def near(*values):
    return pytest.approx(np.array(values, float), nan_ok=True)


@pytest.mark.parametrize(
    ("energy_j", "rows", "request_j", "provisioned_j"),
    [
        pytest.param([10, 20], [ONE], [30], [0, 0], id="alone in both windows: all of it"),
        pytest.param([10, 20, 5], [ONE], [30], [0, 0, 5], id="nobody ran in the third: nobody's"),
        pytest.param([10, 20], [ONE, ONE], [15, 15], [0, 0], id="twins: halves"),
        pytest.param([10, 20], [], [], [10, 20], id="no requests: all is provisioned idle"),
        pytest.param([GAP, 20], [ONE], [20], [GAP, 0], id="a gap is not zero, and the rest is kept"),
        pytest.param([GAP, GAP], [ONE], [GAP], [GAP, GAP], id="only gaps: nothing is known of it"),
        pytest.param([GAP, 20], [(0, 0.2, 0.9, 9, 0, 9)], [GAP], [GAP, 20], id="all of it lies in a gap"),
        pytest.param([np.inf, 20], [ONE], [20], [GAP, 0], id="no meter says infinity: a gap"),
        pytest.param([10, 20], [(5, 5, 6, 9, 0, 9)], [GAP], [10, 20], id="after the windows: not metered"),
        pytest.param([10, 20], [(-6, -5, -4, 9, 0, 9)], [GAP], [10, 20], id="before the windows"),
        pytest.param([10, 20], [(-1, 0, 3, 9, 0, 9)], [30], [0, 0], id="reaches out at both ends"),
        pytest.param([10, 20], [(1, 1, 1, 9, 0, 9)], [20], [10, 0], id="in no time, on an edge: once"),
        pytest.param([10, 20], [(2, 2, 2, 9, 0, 9)], [20], [10, 0], id="in no time, at the end"),
        pytest.param([10, 20], [(0, 0, 0, 9, 0, 9)], [10], [0, 20], id="in no time, at the begin"),
        pytest.param([10, 20], [(1, 1, 1)], [0], [10, 20], id="in no time and without tokens: nothing"),
        pytest.param([10, 20], [(7, 7, 7)], [0], [10, 20], id="nothing, outside of the windows"),
        pytest.param([10, 20], [(0, 0, 1)], [10], [0, 20], id="an error that took time, alone: it held it"),
        pytest.param([10, 20], [(0, 0, 2), ONE], [0, 30], [0, 0], id="an error beside real work: none"),
        pytest.param([10, 20], [(0, 0, 2), (0, 0, 1)], [25, 5], [0, 0], id="two errors: by time"),
        pytest.param([10, 20], [(0, 0.5, 2, GAP, 0, GAP)], [30], [0, 0], id="tokens untold, alone"),
        pytest.param([10, 20], [(0, 3, 2, 9, 0, 9)], [30], [0, 0], id="first byte after the end: skewed"),
        pytest.param([10, 20], [(0, -3, 2, 9, 0, 9)], [30], [0, 0], id="first byte before the begin"),
        pytest.param([10, 20], [(0, GAP, 2, 9, 0, 9)], [30], [0, 0], id="nobody saw a first byte"),
        pytest.param([10, 20], [(0, GAP, 2, 9, 0, 0)], [30], [0, 0], id="never got a first byte"),
        pytest.param([10, 20], [(1.5, 1.6, 0.5, 9, 0, 9)], [20], [10, 0], id="ends before it begins"),
        pytest.param([10, 20], [(0, 0.5, 2, 0, 900, 3)], [30], [0, 0], id="all of the prompt was cached"),
        pytest.param([10, 20], [(0, GAP, 2, 90, 0, 0)], [30], [0, 0], id="an embedding writes nothing"),
    ],
)
def test_who_bears_what(energy_j, rows, request_j, provisioned_j):
    shared = share_windows(windows(*energy_j), requests(*rows), [DENSE])
    assert shared.request_j == near(*request_j)
    assert shared.provisioned_idle_j == near(*provisioned_j)
    known = np.array(energy_j, float)
    assert shared.total_j == pytest.approx(known[np.isfinite(known)].sum())


@pytest.mark.parametrize(
    ("energy_j", "idle_w", "ledgers"),
    [
        pytest.param(10, 4, (6, 2, 2), id="half the window: half of rest is active idle"),
        pytest.param(3, 4, (0, 1.5, 1.5), id="less than at rest: no negative work"),
        pytest.param(0, 4, (0, 0, 0), id="nothing was drawn"),
        pytest.param(-1, 4, (0, -0.5, -0.5), id="a difference of meters below zero is kept, as idle"),
        pytest.param(10, 0, (10, 0, 0), id="rest is free"),
    ],
)
def test_three_ledgers(energy_j, idle_w, ledgers):
    shared = share_windows(windows(energy_j, idle_w=idle_w), requests((0.25, 0.5, 0.75, 9, 0, 9)), [DENSE])
    got = (shared.dynamic_j[0], shared.active_idle_j[0], shared.provisioned_idle_j[0])
    assert got == pytest.approx(ledgers)


def test_windows_of_no_length_keep_what_they_saw():
    meter = windows(10.0, 3.0, 20.0, edge_s=[0, 1, 1, 2], idle_w=2.0)
    shared = share_windows(meter, requests(ONE), [DENSE])
    assert shared.request_j == near(30)
    assert shared.provisioned_idle_j == near(0, 3, 0)


@pytest.mark.parametrize(("gap", "metered"), [(0, 0.75), (1, 0.25), (5, 1.0)])
def test_the_part_that_was_metered_is_told(gap, metered):
    energy_j = np.where(np.arange(2) == gap, GAP, 10.0)
    shared = share_windows(windows(*energy_j, edge_s=[0, 0.5, 2]), requests(ONE), [DENSE])
    assert shared.metered == near(metered)


def test_what_reaches_out_is_metered_in_part():
    assert share_windows(windows(10, 20), requests((-2, -1, 6, 9, 0, 9)), [DENSE]).metered == near(0.25)


def test_no_windows_know_nothing():
    shared = share_windows(windows(), requests(ONE, (0, 0, 0)), [DENSE])
    assert shared.request_j == near(GAP, 0)
    assert shared.total_j == 0


@pytest.mark.parametrize(
    ("edge_s", "energy_j", "says"),
    [
        pytest.param([0, 1], [1, 2], "one edge more", id="an energy too many"),
        pytest.param([0, 2, 1], [1, 2], "edges of windows rise", id="time runs back"),
        pytest.param([0, GAP, 1], [1, 2], "edges of windows rise", id="an edge that nobody knows"),
    ],
)
def test_windows_that_are_none_are_refused(edge_s, energy_j, says):
    with pytest.raises(ValueError, match=says):
        share_windows(windows(*energy_j, edge_s=edge_s), requests(ONE), [DENSE])


def test_decoding_is_shared_by_those_who_decode_not_by_those_who_wait():
    """Two that decode share steps; a third that waits for its first byte has none."""
    rows = [(0, 0.001, 10, 1, 0, 1001), (0, 0.001, 10, 1, 0, 1001), (0, 9.99, 10, 1, 0, 1)]
    shared = share_windows(windows(100, edge_s=[0, 10]), requests(*rows), [DENSE])
    assert shared.dynamic_j[0] == pytest.approx(shared.dynamic_j[1])
    assert shared.dynamic_j[2] < 0.002 * shared.dynamic_j[0]


def test_who_decodes_alone_pays_its_steps_alone():
    """Of two alike one after the other and two at the same time, each of the first takes twice the steps."""
    only_steps = replace(DENSE, read_token_j=0.0, written_token_j=0.0, context_token_j=0.0, pair_j=0.0)
    rows = [(0, 0, 1, 0, 1, 101), (0, 0, 1, 0, 1, 101), (1, 1, 2, 0, 1, 101), (2, 2, 3, 0, 1, 101)]
    shared = share_windows(windows(300, edge_s=[0, 3]), requests(*rows), [only_steps])
    assert shared.dynamic_j == pytest.approx(np.array([50, 50, 100, 100]), rel=0.01)


def test_concurrency_is_followed_within_a_window():
    """One decodes for a second, then nine with it for another: by the mean it would bear 1 / 5.5."""
    only_steps = replace(DENSE, read_token_j=0.0, written_token_j=0.0, context_token_j=0.0, pair_j=0.0)
    rows = [(0, 0, 2, 0, 1, 2001), *[(1, 1, 2, 0, 1, 1001)] * 9]
    shared = share_windows(windows(200, edge_s=[0, 2]), requests(*rows), [only_steps])
    assert shared.dynamic_j[0] == pytest.approx(110, rel=0.01)


def test_an_answer_that_was_not_streamed_is_written_over_its_time_not_at_its_end():
    """Its pace is that of those whose first byte was seen."""
    seen, unseen = (0, 0.1, 10, 10, 0, 991), (0, GAP, 10, 10, 0, 991)
    shared = share_windows(windows(*[10] * 10), requests(seen, unseen), [DENSE])
    assert shared.dynamic_j == pytest.approx([50, 50], rel=0.01)


def test_who_waited_long_and_did_not_stream_wrote_at_the_pace_of_the_others():
    """Both wrote in the last two seconds, in which all of the energy went."""
    rows = [(8, 8.01, 10, 1, 0, 200), (0, GAP, 10, 1, 0, 200)]
    shared = share_windows(windows(*[0] * 8, 50, 50), requests(*rows), [DENSE])
    assert shared.dynamic_j == pytest.approx([50, 50], rel=0.02)


def test_a_request_may_hang_for_longer_than_is_looked_at_at_once():
    n = BLOCK + 1000
    meter = windows(*np.full(n, 2.0))
    shared = share_windows(
        meter, requests((0.5, 1.5, n - 1, 9, 0, 90), (n - 9, n - 8, n - 7, 9, 0, 9)), [DENSE]
    )
    assert shared.total_j == pytest.approx(2.0 * n)
    assert shared.provisioned_idle_j.sum() == pytest.approx(2.0)


def test_context_costs_more_the_longer_it_is():
    rows = [(0, 0, 1, 0, 100, 50), (0, 0, 1, 0, 90_000, 50)]
    shared = share_windows(windows(100), requests(*rows), [DENSE])
    assert shared.dynamic_j[1] > 2 * shared.dynamic_j[0]


def test_layers_that_look_back_a_little_see_no_more():
    near_sighted = replace(DENSE, context_token_j=0.0, pair_j=0.0, window_token_j=1e-3, window_tokens=1000.0)
    rows = [(0, 0, 1, 0, 5000, 50), (0, 0, 1, 0, 90_000, 50)]
    shared = share_windows(windows(100), requests(*rows), [near_sighted])
    assert shared.dynamic_j == near(50, 50)


def test_a_prompt_hits_most_experts():
    """Of two that read a prompt alone, the longer one reads more experts, and never more than all."""
    only_steps = replace(MIXTURE, read_token_j=0.0, written_token_j=0.0, context_token_j=0.0, pair_j=0.0)
    rows = [(0, GAP, 1, 1, 0, 0), (1, GAP, 2, 500, 0, 0)]
    shared = share_windows(windows(100, edge_s=[0, 2]), requests(*rows), [only_steps])
    of_one = MIXTURE.step_j + MIXTURE.experts_j * 8 / 128
    of_many = MIXTURE.step_j + MIXTURE.experts_j
    assert shared.dynamic_j[1] / shared.dynamic_j[0] == pytest.approx(of_many / of_one)


@pytest.mark.parametrize("others", [0, 1, 9, 200])
@pytest.mark.parametrize("read", [1, 30, 2048])
@pytest.mark.parametrize("cost", [DENSE, MIXTURE], ids=["dense", "experts"])
def test_the_step_that_reads_a_prompt_is_shared_as_steps_are(cost, read, others):
    only_steps = replace(cost, read_token_j=0.0, written_token_j=0.0, context_token_j=0.0, pair_j=0.0)
    made = steps([1.0], (0, 0, read, 0, 0), *((0, 1 + i, 0, 1, 0) for i in range(others)))
    exact, _ = step_weights(made, [only_steps])
    assert reading_share_j(np.array([float(read)]), np.array([others]), only_steps) == pytest.approx(
        exact[:1]
    )


def test_a_prompt_of_several_steps_bears_each():
    one, three = (reading_share_j(np.array([n]), np.array([4]), MIXTURE)[0] for n in (2048.0, 6144.0))
    assert three == pytest.approx(3 * one)


def test_who_writes_waits_while_a_prompt_is_read():
    """A second full of prompts holds fewer of a writer's tokens than the quiet second beside it."""
    heavy = [(1, GAP, 2, 3000, 0, 0)] * 4
    shared = share_windows(windows(100, 0), requests((0, 0, 2, 0, 1, 200), *heavy), [DENSE])
    assert shared.dynamic_j[0] == pytest.approx(100)
    other = share_windows(windows(0, 100), requests((0, 0, 2, 0, 1, 200), *heavy), [DENSE])
    alike = DENSE.step_j * 100 / (DENSE.step_j * 104 + 4 * 3000 * DENSE.read_token_j)
    assert other.dynamic_j[0] / 100 < 0.9 * alike


def test_active_idle_goes_by_time_where_that_is_the_policy():
    rows = [(0, 0, 1, 9, 0, 90), (0, 0, 0.5, 9, 0, 9)]
    meter = windows(100, idle_w=30)
    equally = share_windows(meter, requests(*rows), [DENSE], policy=Policy(active=ActiveIdle.EQUAL))
    assert equally.active_idle_j == near(20, 10)
    by_weight = share_windows(meter, requests(*rows), [DENSE])
    assert by_weight.active_idle_j == pytest.approx(by_weight.dynamic_j * 30 / 70)
    assert equally.dynamic_j == pytest.approx(by_weight.dynamic_j)


@pytest.mark.parametrize(
    ("spans", "busy"),
    [
        pytest.param([], [0, 0, 0], id="nobody"),
        pytest.param([(0.5, 1.5)], [0.5, 0.5, 0], id="over an edge"),
        pytest.param([(0.5, 1.5), (0.2, 0.7), (0.6, 0.8)], [0.8, 0.5, 0], id="together counts once"),
        pytest.param([(-5, 9)], [1, 1, 1], id="over all"),
        pytest.param([(2, 2)], [0, 0, 0], id="in no time"),
        pytest.param([(0, 0.1), (0.9, 1.0), (1.0, 1.1)], [0.2, 0.1, 0], id="apart"),
    ],
)
def test_busy_time(spans, busy):
    begin, end = np.array(spans, float).reshape(-1, 2).T
    assert busy_s(np.arange(4.0), begin, end) == near(*busy)


@pytest.mark.slow
def test_an_hour_of_200_000_requests_takes_two_seconds_and_little_memory():
    """Generously: others use this machine, too; ``benchmarks/sharing.py`` measures it."""
    from sharing import speed

    told = speed()
    assert told["lost"] < 1e-9
    assert told["cpu_s"] < 6
    assert told["memory_mb"] < 300
