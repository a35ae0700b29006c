"""Cases of serving, each a story: what the engine did, and who bears it."""

from dataclasses import replace

import numpy as np
import pytest

from science.served.build import columns
from science.sharing.made import DENSE, GAP, requests, steps, windows
from wattermark.science.sharing.charges import charged, sums_by
from wattermark.science.sharing.columns import NO_COST, cost_of, with_draft
from wattermark.science.sharing.pools import handed_over, joined, pooled
from wattermark.science.sharing.steps import share_steps
from wattermark.science.sharing.windows import share_windows
from wattermark.values.policy import Again, Policy
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.values.workload import Architecture

S = 1_000_000_000
WRITES = (0, 0, 10, 0, 100, 1001)


def test_speculative_decoding_by_steps_refused_drafts_are_paid_by_who_drafted_them():
    """Both gain a token. The engine checked five for the first, of which it refused four."""
    shared = share_steps(steps([10.0], (0, 0, 0, 5, 500), (0, 1, 0, 1, 500)), [DENSE], 2)
    direct_j = DENSE.written_token_j + 2 * DENSE.pair_j * 500
    rate = 10 / (DENSE.step_j + 6 * direct_j + 2 * 500 * DENSE.context_token_j)
    assert shared.dynamic_j[0] - shared.dynamic_j[1] == pytest.approx(rate * 4 * direct_j)


def test_speculative_decoding_by_windows_fewer_passes_bear_fewer_steps():
    """The same answer in a third of the passes takes part in a third of the steps."""
    engine = replace(DENSE, written_token_j=0.0, pair_j=0.0)
    rows = [(0, 0, 10, 0, 100, 901, 301), (0, 0, 10, 0, 100, 901, 901)]
    shared = share_windows(windows(*[100] * 10), requests(*rows), [engine])
    assert shared.dynamic_j[0] / shared.dynamic_j[1] == pytest.approx(1 / 3, rel=0.01)


def test_a_draft_model_steps_for_each_token_that_it_drafts():
    draft = replace(DENSE, step_j=0.1, read_token_j=0.001, written_token_j=0.002, context_token_j=1e-6)
    both = with_draft(DENSE, draft, 4)
    assert both.step_j == pytest.approx(DENSE.step_j + 4 * 0.1)
    assert both.read_token_j == pytest.approx(DENSE.read_token_j + 0.001)
    assert both.context_token_j == pytest.approx(DENSE.context_token_j + 4e-6)
    assert 5 * both.written_token_j == pytest.approx(5 * DENSE.written_token_j + 4 * 0.002)
    assert both.drafted == 4


def test_a_pass_pays_for_all_tokens_that_it_checks():
    """Two with as many passes bear the same, whether their drafts were taken or not."""
    rows = [(0, 0, 10, 0, 100, 501, 101), (0, 0, 10, 0, 100, 101, 101)]
    engine = replace(with_draft(DENSE, NO_COST, 4), context_token_j=0.0, pair_j=0.0)
    shared = share_windows(windows(*[100] * 10), requests(*rows), [engine])
    assert shared.dynamic_j == pytest.approx([500, 500])


def test_a_cached_prefix_costs_no_flops_but_is_read():
    """The same prompt, computed and cached: what is left of the difference is keys and values."""
    engine = replace(DENSE, step_j=0.0, pair_j=0.0)
    rows = [(0, 0, 1, 1000, 0, 1), (0, 0, 1, 0, 1000, 1)]
    shared = share_windows(windows(100), requests(*rows), [engine])
    assert shared.dynamic_j[1] > 0
    assert shared.dynamic_j[1] / shared.dynamic_j[0] == pytest.approx(
        DENSE.context_token_j / DENSE.read_token_j
    )


def test_a_cached_prefix_by_steps():
    """A piece of 10 tokens that looks at 990 cached ones, beside one of 1,000 that were computed."""
    shared = share_steps(steps([100.0], (0, 0, 10, 0, 990), (0, 1, 1000, 0, 0)), [DENSE], 2)
    own_j = [
        DENSE.step_j / 2
        + 10 * DENSE.read_token_j
        + DENSE.pair_j * (1000**2 - 990**2)
        + 990 * DENSE.context_token_j,
        DENSE.step_j / 2 + 1000 * DENSE.read_token_j + DENSE.pair_j * 1000**2,
    ]
    assert shared.dynamic_j == pytest.approx(np.array(own_j) * 100 / sum(own_j))


@pytest.mark.parametrize(
    ("again", "charges_more"),
    [
        pytest.param(Again.REQUEST, True, id="it pays itself"),
        pytest.param(Again.APART, False, id="nobody pays: preemption is the engine's choice"),
    ],
)
def test_preemption(again, charges_more):
    """Of two alike one was dropped, and its 1,100 tokens were computed again."""
    asked = requests(WRITES, WRITES, again=[1100, 0])
    shared = share_windows(windows(*[100] * 10), asked, [DENSE])
    charges = charged(shared, asked, Policy(again=again))
    dropped, other = charges.request_j
    assert bool(dropped > other * 1.001) is charges_more
    assert charges.total_j == pytest.approx(1000)
    assert (charges.again_j > 0) is not charges_more


def test_adapters_share_the_weights_of_their_base():
    """Two adapters over one base take one place: steps are theirs together. Two models read two sets."""
    rows = requests(WRITES, WRITES, (0, 0, 10, 1_000_000, 0, 0), model=[0, 0, 2])
    heavy = replace(DENSE, pair_j=0.0)
    meter = windows(*[100] * 10)
    adapters = share_windows(meter, rows, [heavy] * 3)
    apart = share_windows(meter, replace(rows, model=np.array([0, 1, 2])), [heavy] * 3)
    assert adapters.dynamic_j[0] == pytest.approx(adapters.dynamic_j[1])
    assert apart.dynamic_j[0] > 1.5 * adapters.dynamic_j[0]


def test_two_engines_on_one_gpu_share_its_meter_by_their_work():
    """Each reads its own weights; the one of ten requests shares its steps, the other has them alone."""
    rows = requests(*[WRITES] * 10, WRITES, model=[0] * 10 + [1])
    shared = share_windows(windows(*[100] * 10), rows, [DENSE, DENSE])
    assert shared.total_j == pytest.approx(1000)
    assert shared.dynamic_j[10] > 5 * shared.dynamic_j[0]
    assert shared.dynamic_j[10] < shared.dynamic_j[:10].sum()


def served(**more):
    return Served(**{"begin_ns": 0, "end_ns": 2 * S, "route": Route.CHAT, "model": "m"} | more)


TALK = Usage(input_tokens=100, output_tokens=50, cached_tokens=40)


def test_pools_that_read_and_write_apart_have_two_meters_and_one_request():
    """a and b are read in one pool, written in the other; c came past the first, by another way."""
    reads = [
        served(request=name, end_ns=1 * S, usage=Usage(input_tokens=900, output_tokens=1)) for name in "ab"
    ]
    writes = [
        served(request=name, begin_ns=1 * S, end_ns=4 * S, usage=Usage(input_tokens=900, output_tokens=300))
        for name in "abc"
    ]
    events = columns([*reads, *writes])
    join = joined(np.array([0, 1, 0, 1, 2]), events.begin_s)
    moved = handed_over(events, join.first)
    assert moved.read_tokens.tolist() == [900, 900, 0, 0, 900]
    assert moved.cached_tokens.tolist() == [0, 0, 900, 900, 0]
    places = [np.array([0, 1]), np.array([2, 3, 4])]
    pools = [
        share_windows(windows(*energy_j), columns(part), [DENSE])
        for energy_j, part in (([80, 20, 20, 20], reads), ([5, 60, 60, 60], writes))
    ]
    both = pooled(pools, places, join)
    assert join.requests == 3
    assert both.total_j == pytest.approx(140 + 185)
    assert both.dynamic_j == pytest.approx([100, 100, 60])
    assert both.provisioned_idle_j == pytest.approx([0, 20, 20, 20, 5, 0, 0, 0])


def test_events_without_a_name_stand_alone():
    found = joined(np.array([-1, 0, -1, 0]), np.array([0.0, 2.0, 0.0, 1.0]))
    assert found.request.tolist() == [1, 0, 2, 0] and found.requests == 3
    assert found.first.tolist() == [1, 0, 1, 1]


def test_a_request_of_which_one_pool_was_not_metered_is_metered_by_half():
    events = requests((0, 0.5, 1, 9, 0, 1), (0, 0.5, 1, 9, 0, 9), (0, 0.5, 1, 9, 0, 9))
    join = joined(np.array([0, 0, 1]), events.begin_s)
    first, second = (
        share_windows(windows(energy_j), requests(*[(0, 0.5, 1, 9, 0, 9)] * many), [DENSE])
        for energy_j, many in ((10.0, 1), (GAP, 2))
    )
    both = pooled([first, second], [np.array([0]), np.array([1, 2])], join)
    assert both.request_j == pytest.approx(np.array([10, GAP]), nan_ok=True)
    assert both.metered == pytest.approx([0.5, 0])


def test_each_end_has_a_bucket_of_its_own():
    """What never reached the engine took nothing; what left or failed took what it had computed."""
    events = [
        served(outcome=Outcome.OK, usage=TALK, streamed=True, first_ns=S // 2),
        served(outcome=Outcome.LEFT, streamed=True, first_ns=S // 2, chunks=25),
        served(outcome=Outcome.FAILED),
        served(outcome=Outcome.TIMEOUT),
        served(outcome=Outcome.REFUSED),
        served(outcome=Outcome.UNREACHED),
    ]
    asked = columns(events)
    shared = share_windows(windows(100, 100), asked, [DENSE])
    buckets = list(Outcome)
    place = np.array([buckets.index(one.outcome) for one in events])
    sums = sums_by(place, len(buckets), shared, charged(shared, asked, Policy()))
    took = dict(zip(buckets, sums.charged_j.tolist(), strict=True))
    assert sum(took.values()) == pytest.approx(200)
    assert took[Outcome.UNREACHED] == took[Outcome.REFUSED] == 0
    assert 0 < took[Outcome.LEFT] < took[Outcome.OK]
    assert took[Outcome.FAILED] == pytest.approx(took[Outcome.TIMEOUT])


def test_health_checks_take_nothing():
    check = served(route=Route.OTHER, model="", end_ns=S, usage=Usage(input_tokens=0, output_tokens=0))
    work = served(end_ns=S, usage=TALK)
    for events, energy_j in (([work, check], [50, 0]), ([check], [0])):
        asked = columns(events)
        assert share_windows(windows(50), asked, [DENSE, NO_COST]).request_j == pytest.approx(energy_j)


@pytest.mark.parametrize(
    ("event", "row"),
    [
        pytest.param(served(usage=TALK), (0, GAP, 2, 60, 40, 50, GAP), id="not streamed: no first byte seen"),
        pytest.param(
            served(usage=TALK, streamed=True, first_ns=S), (0, 1, 2, 60, 40, 50, GAP), id="streamed: seen"
        ),
        pytest.param(served(usage=TALK, first_ns=S), (0, GAP, 2, 60, 40, 50, GAP), id="headers came early"),
        pytest.param(served(), (0, GAP, 2, GAP, 0, GAP, GAP), id="nobody told tokens"),
        pytest.param(
            served(route=Route.EMBEDDINGS, usage=Usage(input_tokens=7)),
            (0, GAP, 2, 7, 0, 0, GAP),
            id="embeddings write nothing",
        ),
        pytest.param(
            served(usage=Usage(input_tokens=5, cached_tokens=9, output_tokens=1)),
            (0, GAP, 2, 0, 9, 1, GAP),
            id="more cached than read: none computed",
        ),
        pytest.param(
            served(usage=Usage(input_tokens=5, output_tokens=9, passes=3)),
            (0, GAP, 2, 5, 0, 9, 3),
            id="passes are told",
        ),
        pytest.param(
            served(outcome=Outcome.UNREACHED), (0, 0, 0, 0, 0, 0, 0), id="not reached: nothing, in no time"
        ),
        pytest.param(served(outcome=Outcome.REFUSED), (0, 0, 0, 0, 0, 0, 0), id="refused: nothing as well"),
        pytest.param(
            served(outcome=Outcome.REFUSED, usage=TALK),
            (0, GAP, 2, 60, 40, 50, GAP),
            id="but tokens were told",
        ),
    ],
)
def test_requests_as_columns(event, row):
    made = columns([event])
    names = ("begin_s", "first_s", "end_s", "read_tokens", "cached_tokens", "written_tokens", "passes")
    assert [float(getattr(made, name)[0]) for name in names] == pytest.approx(list(row), nan_ok=True)
    assert made.model.tolist() == [0]


def test_no_requests_are_columns_without_rows():
    made = columns([])
    assert share_windows(windows(5), made, []).provisioned_idle_j.tolist() == [5]


def test_costs_of_a_model_by_the_prior():
    model = Architecture(
        name="mixture", params=30e9, active_params=3e9, experts=128, experts_per_token=8, layers=50,
        kv_values=1000.0, kv_window_values=500.0, window_tokens=128.0, attention_width=2000.0,
    )  # fmt: skip
    values = {
        "serving_byte_j": 1e-10,
        "serving_flop_j": 1e-12,
        "serving_step_j": 0.5,
        "serving_token_j": 0.03,
    }
    cost = cost_of(model, precision="fp8", accelerators=2, values=values)
    of_experts = 27e9 / (1 - 8 / 128)
    assert cost.step_j == pytest.approx(1e-10 * (30e9 - of_experts) + 1.0)
    assert cost.experts_j == pytest.approx(1e-10 * of_experts)
    assert cost.step_j - 1.0 + cost.experts_j * (1 - cost.missed) == pytest.approx(1e-10 * 3e9)
    assert (cost.read_token_j, cost.written_token_j) == pytest.approx((0.006, 0.066))
    assert (cost.context_token_j, cost.window_token_j, cost.window_tokens) == pytest.approx((2e-7, 1e-7, 128))
    assert cost.pair_j == pytest.approx(4e-9)
