"""Pauses that cost something: the dynamic program against every possible plan, and its ends."""

from itertools import groupby, pairwise
from math import ceil

import numpy as np
import pytest

from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.overhead import cheapest_runs
from wattermark.science.schedule.states import Rules
from wattermark.science.schedule.steps import Steps
from wattermark.science.schedule.window import best_window

NAN = np.nan


def runs_of(mask):
    found, at = [], 0
    for runs, group in groupby(mask):
        length = len(list(group))
        if runs:
            found.append((at, at + length))
        at += length
    return tuple(found)


def cost_of(runs, running, held, work, rules):
    """What a plan costs; infinite where it breaks a rule."""
    pauses, restart = len(runs) - 1, ceil(rules.restart)
    shortest = min(end - begin for begin, end in runs)
    least = min(rules.least, work)
    fits = sum(end - begin for begin, end in runs) == work + pauses * restart
    whole = shortest >= least and all(end - begin > restart for begin, end in runs[1:])
    few = rules.most_pauses is None or pauses <= rules.most_pauses
    if not (fits and whole and few):
        return np.inf
    cost = sum(running[begin:end].sum() for begin, end in runs)
    cost += sum(held[begin:end].sum() for begin, end in ((one[1], other[0]) for one, other in pairwise(runs)))
    if late := restart - rules.restart:
        cost -= late * sum(running[begin] - held[begin] for begin, _ in runs[1:])
    return np.inf if np.isnan(cost) else cost


def every_plan(n):
    return [runs_of([(number >> i) & 1 for i in range(n)]) for number in range(1, 2**n)]


PLANS = {n: every_plan(n) for n in range(5, 11)}


@pytest.mark.slow
def test_it_equals_every_plan_that_there_is():
    """1,000 cases: prices with ties, below zero and gaps, restarts, least runs, held devices, few pauses."""
    rng = np.random.default_rng(5)
    found = paused = none = 0
    for case in range(1000):
        n = int(rng.integers(5, 11))
        running = rng.integers(-1 if case % 5 == 0 else 0, 9, n) * rng.choice([1.0, 0.37])
        held = rng.choice([0.0, 0.0, 0.1, 0.5]) * rng.integers(0, 9, n)
        running[rng.random(n) < 0.07], held[rng.random(n) < 0.07] = NAN, NAN
        most = None if rng.random() < 0.5 else int(rng.integers(0, 3))
        rules = Rules(rng.choice([0, 0, 0.25, 1, 2]), int(rng.choice([0, 0, 2, 3])), most)
        work = int(rng.integers(1, max(2, 2 * n // 3 + 1)))
        least = min(cost_of(plan, running, held, work, rules) for plan in PLANS[n])
        runs = cheapest_runs(running, held, work, rules)
        if np.isinf(least):
            assert runs == ()
            none += 1
            continue
        assert cost_of(runs, running, held, work, rules) == pytest.approx(least, abs=1e-9)
        found += 1
        paused += len(runs) > 1
    assert found > 700 and paused > 100 and none > 10  # it is no test of one kind alone


@pytest.mark.parametrize(
    ("rules", "held", "runs"),
    [
        pytest.param(Rules(), 0, ((0, 1), (2, 3), (4, 5)), id="pauses cost nothing"),
        pytest.param(Rules(restart=1), 0, ((0, 3),), id="a restart costs more than the dear hour"),
        pytest.param(Rules(), 9, ((0, 3),), id="the devices are held, and draw"),
        pytest.param(Rules(least=2), 0, ((0, 3),), id="runs of two hours leave one over"),
        pytest.param(Rules(most_pauses=0), 0, ((0, 3),), id="it may not pause"),
    ],
)
def test_each_rule_holds_it_together(rules, held, runs):
    assert cheapest_runs([1, 5, 1, 5, 1, 5.0], [held] * 6, 3, rules) == runs


@pytest.mark.parametrize(
    ("running", "held", "work", "runs"),
    [
        pytest.param([1, 9, 1.0], [0, NAN, 0], 2, ((0, 2),), id="a pause never reaches into the unknown"),
        pytest.param([1, NAN, 1.0], [0, 0, 0], 2, ((0, 1), (2, 3)), id="a gap is passed by a pause"),
        pytest.param([1, NAN, 1.0], [0, NAN, 0], 2, (), id="and not where holding through it is not known"),
        pytest.param([1, 1.0], [0, 0], 3, (), id="more work than cells"),
        pytest.param([1, 1.0], [0, 0], 0, (), id="no work"),
        pytest.param([NAN, NAN], [0, 0], 1, (), id="nothing is known"),
        pytest.param([2, 2, 2, 2.0], [0, 0, 0, 0], 2, ((0, 2),), id="of equals the first to end"),
        pytest.param([], [], 1, (), id="no cells"),
    ],
)
def test_gaps_and_ends(running, held, work, runs):
    assert cheapest_runs(np.array(running, float), np.array(held, float), work, Rules()) == runs


def hours(values):
    return Steps(3600.0 * np.arange(len(values) + 1), np.asarray(values, float))


@pytest.mark.parametrize("seed", range(5))
def test_with_no_overhead_it_is_the_cheapest_steps(seed):
    prices = np.random.default_rng(seed).random(200)
    runs = cheapest_runs(prices, np.zeros(200), 40, Rules())
    cheapest = cheapest_stretches(hours(prices), 40 * 3600.0, 0.0, 200 * 3600.0)
    assert [(begin * 3600.0, end * 3600.0) for begin, end in runs] == [(s.begin_s, s.end_s) for s in cheapest]


@pytest.mark.parametrize("seed", range(5))
def test_with_an_endless_restart_it_is_the_best_window(seed):
    prices = np.random.default_rng(seed).random(200)
    for rules in (Rules(restart=200), Rules(least=200), Rules(most_pauses=0)):
        runs = cheapest_runs(prices, np.zeros(200), 40, rules)
        window = best_window(hours(prices), 40 * 3600.0, 0.0, 200 * 3600.0)
        assert [(begin * 3600.0, end * 3600.0) for begin, end in runs] == [(window.begin_s, window.end_s)]
