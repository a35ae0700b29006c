"""Shares by steps: the closed form is the Shapley value, whatever was scheduled."""

from dataclasses import replace
from functools import cache
from itertools import permutations, product
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.sharing.made import DENSE, GAP, MIXTURE, steps
from wattermark.science.sharing.steps import share_steps, step_weights
from wattermark.values.policy import ActiveIdle, Policy

PLAYERS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 5), st.integers(0, 4000)), min_size=1, max_size=6
)


def shapley(players, cost_of):
    """By all orders in which the players may come."""
    value = [0.0] * players
    known = cache(cost_of)
    for order in permutations(range(players)):
        for at, who in enumerate(order):
            before = frozenset(order[:at])
            value[who] += known(before | {who}) - known(before)
    return [one / factorial(players) for one in value]


def step_cost(cost, players, hit=None):
    """C(S) of a step, written down as it is told."""

    def of(group):
        at_work = [players[i] for i in group if players[i][0] + players[i][1] > 0]
        if not at_work:
            return 0.0
        if hit is None:
            experts = 1 - cost.missed ** sum(read + written for read, written, _ in at_work)
        else:
            experts = np.any([hit[i] for i in group], axis=0).mean()
        direct = sum(
            read * cost.read_token_j
            + written * cost.written_token_j
            + context * cost.context_token_j
            + cost.pair_j * ((context + read) ** 2 - context**2 if read else 0)
            + 2 * cost.pair_j * written * context
            for read, written, context in at_work
        )
        return cost.step_j + cost.experts_j * experts + direct

    return of


@pytest.mark.parametrize("cost", [DENSE, MIXTURE], ids=["dense", "experts chosen by chance"])
@given(players=PLAYERS)
def test_the_closed_form_is_the_shapley_value(cost, players):
    made = steps([1.0], *((0, i, *one) for i, one in enumerate(players)))
    weights, _ = step_weights(made, [cost])
    assert weights == pytest.approx(shapley(len(players), step_cost(cost, players)), rel=1e-9, abs=1e-9)


@given(players=PLAYERS, data=st.data())
def test_so_it_is_where_the_experts_that_were_hit_are_known(players, data):
    rows = st.lists(st.booleans(), min_size=5, max_size=5)
    hit = np.array([data.draw(rows) if one[0] + one[1] else [False] * 5 for one in players])
    made = steps([1.0], *((0, i, *one) for i, one in enumerate(players)), hit=hit)
    weights, _ = step_weights(made, [MIXTURE])
    game = step_cost(MIXTURE, players, hit)
    assert weights == pytest.approx(shapley(len(players), game), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("players", [2, 50, 97, 300, 1000])
def test_the_quadrature_holds_for_large_batches(players):
    """All decode but one: by hand, its prompt bears h times the mean of 1 / (1 + hits of others)."""
    rows = [(0, 0, 2000, 0, 0), *((0, i, 0, 1, 0) for i in range(1, players))]
    cost = replace(MIXTURE, step_j=0.0, read_token_j=0.0, written_token_j=0.0, pair_j=0.0)
    weights, _ = step_weights(steps([1.0], *rows), [cost])
    hit, chance = 1 - cost.missed**2000, 1 - cost.missed
    prompt = cost.experts_j * hit * (1 - (1 - chance) ** players) / (players * chance)
    assert weights[0] == pytest.approx(prompt, rel=1e-9)
    assert weights.sum() == pytest.approx(
        cost.experts_j * (1 - cost.missed ** (2000 + players - 1)), rel=1e-9
    )


def test_by_tokens_a_prompt_would_bear_far_too_much_of_the_experts():
    """The docstring of ``step_weights`` says how far off what it does not do would be."""
    rows = [(0, 0, 2048, 0, 0), *((0, i, 0, 1, 0) for i in range(1, 32))]
    cost = replace(MIXTURE, step_j=0.0, read_token_j=0.0, written_token_j=0.0, pair_j=0.0)
    weights, _ = step_weights(steps([1.0], *rows), [cost])
    by_tokens = 2048 / (2048 + 31)
    assert by_tokens / (weights[0] / weights.sum()) == pytest.approx(2.3, abs=0.05)
    assert weights[1] / weights.sum() / ((1 - by_tokens) / 31) == pytest.approx(38, abs=1)


TWO = ((0, 0, 0, 1, 100), (0, 1, 0, 1, 100))


@pytest.mark.parametrize(
    ("entries", "energy_j", "dynamic_j", "active_j", "provisioned_j"),
    [
        pytest.param(TWO, [12.0], [5, 5], [1, 1], [0], id="twins bear halves of what is over rest"),
        pytest.param(TWO[:1], [12.0], [10, 0], [2, 0], [0], id="alone it bears all, a stranger none"),
        pytest.param(TWO[:1], [12.0, 7.0], [10, 0], [2, 0], [0, 7], id="a step for nobody is nobody's"),
        pytest.param(TWO, [1.0], [0, 0], [0.5, 0.5], [0], id="less than at rest: all of it is idle"),
        pytest.param(TWO, [GAP], [GAP, GAP], [GAP, GAP], [GAP], id="not measured: a gap, not zero"),
        pytest.param(
            ((0, 0, 0, 1, 100), (1, 0, 0, 1, 100), (1, 1, 0, 1, 100)),
            [GAP, 12.0],
            [5, 5],
            [1, 1],
            [GAP, 0],
            id="what was measured is kept beside a gap",
        ),
        pytest.param(
            ((0, 0, 0, 1, 100), (0, 1, 0, 0, 100)), [12.0], [10, 0], [2, 0], [0], id="who waits bears none"
        ),
    ],
)
def test_a_step_is_shared(entries, energy_j, dynamic_j, active_j, provisioned_j):
    shared = share_steps(steps(energy_j, *entries, idle_j=2.0), [DENSE], 2)
    assert shared.dynamic_j == pytest.approx(np.array(dynamic_j, float), nan_ok=True)
    assert shared.active_idle_j == pytest.approx(np.array(active_j, float), nan_ok=True)
    assert shared.provisioned_idle_j == pytest.approx(np.array(provisioned_j, float), nan_ok=True)
    assert shared.total_j == pytest.approx(np.nansum(energy_j))


def test_how_much_of_a_request_was_measured_is_told():
    shared = share_steps(steps([GAP, 6.0], (0, 0, 0, 1, 0), (1, 0, 0, 1, 0)), [DENSE], 1)
    assert shared.metered == pytest.approx([0.5])


def test_active_idle_goes_equally_where_that_is_the_policy():
    made = steps([12.0], (0, 0, 0, 1, 4000), (0, 1, 500, 0, 0), idle_j=4.0)
    shared = share_steps(made, [DENSE], 2, policy=Policy(active=ActiveIdle.EQUAL))
    assert shared.active_idle_j == pytest.approx([2, 2])
    assert shared.dynamic_j[1] > shared.dynamic_j[0]


def test_what_was_computed_again_is_told_apart():
    made = steps([10.0], (0, 0, 300, 0, 0), (0, 1, 300, 0, 0), again_tokens=np.array([300.0, 100.0]))
    shared = share_steps(made, [DENSE], 2)
    assert shared.again_j == pytest.approx([5, 5 / 3])
    assert shared.dynamic_j == pytest.approx([5, 5])


def schedule(seed):
    """A random schedule: a request is in a step at most once, some steps are empty."""
    dice = np.random.default_rng(seed)
    n, m = dice.integers(1, 9), dice.integers(1, 7)
    entries = [
        (step, who, *(dice.integers(0, most) * dice.integers(0, 2) for most in (200, 5, 3000)))
        for step, who in product(range(n), range(m))
        if dice.random() < 0.6
    ]
    return steps(dice.exponential(20, n), *entries, idle_j=dice.exponential(8, n)), m


@pytest.mark.slow
def test_a_thousand_random_schedules_add_up():
    for seed in range(1000):
        made, m = schedule(seed)
        cost = (DENSE, MIXTURE)[seed % 2]
        shared = share_steps(made, [cost], m, policy=Policy(active=list(ActiveIdle)[seed // 2 % 2]))
        assert shared.total_j == pytest.approx(made.energy_j.sum(), rel=1e-9), seed
        assert (shared.request_j >= 0).all(), seed
        asked = np.bincount(made.request, made.read_tokens + made.written_tokens, m)
        assert (shared.request_j[asked == 0] == 0).all(), seed


@pytest.mark.slow
def test_two_meters_apart_and_added_are_both_together():
    for seed in range(300):
        made, m = schedule(seed)
        other_j = made.energy_j[::-1] + 3.0
        parts = [
            share_steps(replace(made, energy_j=energy_j, idle_j=idle_j), [MIXTURE], m)
            for energy_j, idle_j in (
                (made.energy_j + made.idle_j, made.idle_j),
                (other_j, np.zeros_like(other_j)),
                (made.energy_j + made.idle_j + other_j, made.idle_j),
            )
        ]
        assert parts[0].request_j + parts[1].request_j == pytest.approx(parts[2].request_j, rel=1e-9)
