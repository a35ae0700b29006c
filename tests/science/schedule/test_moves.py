"""Places: what it takes to bring the data, moving once, moving whenever it pays; against every plan."""

from dataclasses import replace
from itertools import groupby, pairwise, product

import numpy as np
import pytest

from wattermark.science.schedule.interruptible import cheapest_stretches
from wattermark.science.schedule.moves import (
    Place,
    legs_of,
    transfer_cost,
    transfer_energy_j,
    transfer_s,
    ways,
)
from wattermark.science.schedule.overhead import cheapest_path
from wattermark.science.schedule.states import Moving, Rules
from wattermark.science.schedule.steps import Steps
from wattermark.values.plan import PlannedJob

HOUR_S = 3600.0
NAN = np.nan
JOB = PlannedJob(it_energy_j=1e6, duration_s=2 * HOUR_S, earliest_s=0.0, deadline_s=5 * HOUR_S, home="home")
MAY_PAUSE = replace(JOB, interruptible=True)


def hours(values):
    return Steps(HOUR_S * np.arange(len(values) + 1), np.asarray(values, float))


def place(name, values, **more):
    return Place(name=name, rate=hours(values), **more)


def legs_in_hours(legs):
    return [(leg.place, leg.stretch.begin_s / HOUR_S, leg.stretch.end_s / HOUR_S) for leg in legs]


HOME, GREEN = place("home", [5, 5, 5, 5, 5]), place("green", [1, 1, 4, 4, 1])


@pytest.mark.parametrize(
    ("green", "job", "told"),
    [
        pytest.param(GREEN, JOB, ("green", 0, 2), id="at once"),
        pytest.param(replace(GREEN, move_s=HOUR_S), JOB, ("green", 1, 3), id="the data take an hour"),
        pytest.param(
            replace(GREEN, move_s=2 * HOUR_S), JOB, ("green", 3, 5), id="two hours: later is greener"
        ),
        pytest.param(replace(GREEN, move_s=4 * HOUR_S), JOB, ("home", 0, 2), id="it would come too late"),
        pytest.param(
            replace(GREEN, move_cost=9 * HOUR_S), JOB, ("home", 0, 2), id="moving costs more than it saves"
        ),
        pytest.param(replace(GREEN, move_cost=7 * HOUR_S), JOB, ("green", 0, 2), id="and less"),
        pytest.param(replace(GREEN, move_cost=8 * HOUR_S), JOB, ("home", 0, 2), id="of equals the first"),
        pytest.param(replace(GREEN, move_cost=NAN), JOB, ("home", 0, 2), id="nobody knows what moving costs"),
        pytest.param(place("green", [NAN] * 5), JOB, ("home", 0, 2), id="nothing is known of the other"),
    ],
)
def test_the_best_place(green, job, told):
    best = ways((HOME, green), job)[0]
    assert (best.place, best.stretches[0].begin_s / HOUR_S, best.stretches[-1].end_s / HOUR_S) == told


def test_ways_are_told_cheapest_first_with_the_move_in_them():
    told = ways((HOME, replace(GREEN, move_s=HOUR_S, move_cost=100.0)), JOB)
    assert [(way.place, way.cost) for way in told] == [
        ("green", 5 * HOUR_S + 100.0),
        ("home", 10 * HOUR_S),
    ]
    assert ways((HOME,), replace(JOB, duration_s=9 * HOUR_S)) == ()
    assert [way.place for way in ways((replace(GREEN, move_cost=NAN), HOME), JOB)] == ["home"]


def test_what_moving_takes():
    assert transfer_s(500.0, 10.0) == 400.0
    assert transfer_s(0.0, 0.0) == 0.0
    assert transfer_energy_j(500.0, 0.06) == pytest.approx(30 * 3.6e6)
    with pytest.raises(ValueError, match="bandwidth above zero"):
        transfer_s(1.0, 0.0)


@pytest.mark.parametrize(
    ("energy_j", "duration_s", "cost"),
    [
        pytest.param(10.0, HOUR_S, 10 * (1 + 3) / 2, id="the mean of both ends"),
        pytest.param(10.0, 2 * HOUR_S, 10 * (2 + 3) / 2, id="while it lasts"),
        pytest.param(10.0, 0.0, 10 * (1 + 3) / 2, id="in no time: as at the first second"),
        pytest.param(0.0, 99 * HOUR_S, 0.0, id="nothing moves"),
        pytest.param(10.0, 99 * HOUR_S, NAN, id="beyond what is known"),
    ],
)
def test_moving_is_paid_at_what_the_places_on_the_way_cost(energy_j, duration_s, cost):
    found = transfer_cost(energy_j, (hours([1, 3]), hours([3, 3])), 0.0, duration_s)
    assert found == pytest.approx(cost, nan_ok=True)


# -- moving on the way -----------------------------------------------------------------

AWAY = place("away", [9, 9, 1, 1, 9])


@pytest.mark.parametrize(
    ("job", "more", "told"),
    [
        pytest.param(MAY_PAUSE, {"most_moves": 0}, [("home", 0, 2)], id="it stays"),
        pytest.param(MAY_PAUSE, {}, [("away", 2, 4)], id="it moves first"),
        pytest.param(
            replace(JOB, duration_s=4 * HOUR_S),
            {},
            [("home", 0, 2), ("away", 2, 4)],
            id="it moves on its way",
        ),
        pytest.param(
            replace(JOB, duration_s=4 * HOUR_S),
            {"move_s": HOUR_S},
            [("home", 0, 1), ("away", 2, 5)],
            id="moving takes time, and yet it pays",
        ),
        pytest.param(
            replace(JOB, duration_s=3 * HOUR_S),
            {"move_s": HOUR_S},
            [("home", 0, 1), ("away", 2, 4)],
            id="an hour of moving in the middle",
        ),
        pytest.param(
            replace(MAY_PAUSE, duration_s=4 * HOUR_S),
            {"move_costs": 20 * HOUR_S},
            [("home", 0, 4)],
            id="it costs too much",
        ),
        pytest.param(
            replace(MAY_PAUSE, duration_s=5 * HOUR_S),
            {},
            [("home", 0, 2), ("away", 2, 4), ("home", 4, 5)],
            id="there and back",
        ),
        pytest.param(
            replace(MAY_PAUSE, duration_s=5 * HOUR_S),
            {"most_moves": 1},
            [("home", 0, 2), ("away", 2, 5)],
            id="one move: it does not come back",
        ),
        pytest.param(replace(MAY_PAUSE, duration_s=9 * HOUR_S), {}, [], id="it finds no place"),
    ],
)
def test_it_moves_where_that_pays(job, more, told):
    assert legs_in_hours(legs_of((HOME, AWAY), job, **more)) == told


def test_home_must_be_one_of_the_places():
    with pytest.raises(ValueError, match="where the data are"):
        legs_of((AWAY,), JOB)


def test_lengths_that_are_no_cells_add_up():
    job = replace(MAY_PAUSE, duration_s=7777.7, restart_s=33.3, deadline_s=17_000.0, earliest_s=11.0)
    legs = legs_of((HOME, AWAY), job, move_s=432.1, move_costs=10.0)
    assert {leg.place for leg in legs} == {"home", "away"} or legs[0].place == "away"
    run_s = sum(leg.stretch.duration_s for leg in legs)
    assert run_s == pytest.approx(7777.7 + 33.3 * (len(legs) - 1))
    for one, other in pairwise(legs):
        assert one.place == other.place or other.stretch.begin_s - one.stretch.end_s >= 432.1 - 1e-6


def test_moving_freely_it_runs_where_each_hour_is_cheapest():
    rng = np.random.default_rng(2)
    prices = rng.random((4, 60))
    places = [place(f"{i}", row) for i, row in enumerate(prices)]
    job = replace(MAY_PAUSE, home="2", duration_s=25 * HOUR_S, deadline_s=60 * HOUR_S)
    legs = legs_of(places, job)
    cost = sum(
        prices[int(leg.place), h]
        for leg in legs
        for h in range(round(leg.stretch.begin_s / HOUR_S), round(leg.stretch.end_s / HOUR_S))
    )
    cheapest = cheapest_stretches(hours(prices.min(axis=0)), job.duration_s, 0.0, job.deadline_s)
    assert cost == pytest.approx(
        sum(prices.min(axis=0)[round(s.begin_s / HOUR_S) : round(s.end_s / HOUR_S)].sum() for s in cheapest)
    )


def test_places_that_are_always_alike_are_no_place_to_go_round_in():
    """Ties everywhere, and moves that take no time: it ends, and where it began."""
    places = [place(name, [1.0] * 6) for name in ("home", "same", "alike")]
    job = replace(MAY_PAUSE, duration_s=4 * HOUR_S, deadline_s=6 * HOUR_S)
    assert sum(leg.stretch.duration_s for leg in legs_of(places, job)) == job.duration_s
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 2, (3, 40)).astype(float)
    path = cheapest_path(rows, np.zeros((3, 40)), 30, Rules(), Moving(costs=np.zeros((3, 3))))
    assert (
        sum(rows[where, begin:end].sum() for begin, end, where in path)
        == np.sort(rows.min(axis=0))[:30].sum()
    )


def test_it_waits_where_that_costs_least_before_it_moves():
    running, held = [[0, 9, 9, 9, 9.0], [9, 9, 9, 9, 0.0]], [[0.0] * 5, [5.0] * 5]
    moving = Moving(costs=[[0, 0.5], [0.5, 0]])
    assert cheapest_path(running, held, 2, Rules(), moving) == ((0, 1, 0), (4, 5, 1))


def path_cost(places_by_cell, case):
    """What running in these places costs (-1: not running); infinite where it breaks a rule."""
    at, runs = 0, []
    for where, group in groupby(places_by_cell):
        length = len(list(group))
        if where >= 0:
            runs.append((at, at + length, where))
        at += length
    return runs_cost(runs, case)


def runs_cost(runs, case):
    running, held, work, rules, moving = case
    restart, least = int(rules.restart), min(rules.least, work)
    long = all(end - begin >= max(least, restart + 1 if i else 1) for i, (begin, end, _) in enumerate(runs))
    whole = sum(end - begin for begin, end, _ in runs) == work + restart * (len(runs) - 1)
    few = rules.most_pauses is None or len(runs) <= rules.most_pauses + 1
    if not (runs and long and whole and few):
        return np.inf
    cost, moves, here, ended = 0.0, 0, moving.home, 0
    for number, (begin, end, where) in enumerate(runs):
        cost += running[where, begin:end].sum()
        if where != here:
            moves += 1
            cost += moving.costs[here][where] if begin - ended >= moving.cells else NAN
            cost += least_held(held[here], held[where], ended, begin, moving.cells) if number else 0.0
        elif number:
            cost += held[here, ended:begin].sum()
        here, ended = where, end
    allowed = moving.most is None or moves <= moving.most
    return np.inf if np.isnan(cost) or not allowed else cost


def least_held(left, got, begin, end, cells):
    """It may wait before it moves and after it."""
    ways = [left[begin:at].sum() + got[at + cells : end].sum() for at in range(begin, end - cells + 1)]
    known = [way for way in ways if not np.isnan(way)]
    return min(known, default=NAN)


@pytest.mark.slow
def test_it_equals_every_plan_that_there_is():
    """400 cases of up to three places and six cells; a direct move is never dearer."""
    rng = np.random.default_rng(8)
    moved = found = 0
    for _ in range(400):
        count, n = int(rng.integers(2, 4)), int(rng.integers(4, 7))
        running = rng.integers(0, 9, (count, n)).astype(float)
        held = rng.choice([0.0, 0.03]) * rng.integers(0, 5, (count, n))
        running[rng.random((count, n)) < 0.05] = NAN
        most = None if rng.random() < 0.5 else int(rng.integers(0, 3))
        spot = rng.integers(0, 5, count)
        costs = 0.2 * np.abs(spot[:, None] - spot) + 0.5  # places on a line: no detour is cheaper
        moving = Moving(0, costs.tolist(), int(rng.choice([0, 0, 1, 2])), most)
        rules = Rules(int(rng.choice([0, 0, 1])), int(rng.choice([0, 0, 2])), rng.choice([None, None, 1]))
        work = int(rng.integers(2, n + 1))
        plans = product(range(-1, count), repeat=n)
        case = running, held, work, rules, moving
        least = min(path_cost(plan, case) for plan in plans)
        path = cheapest_path(running, held, work, rules, moving)
        if np.isinf(least):
            assert path == ()
            continue
        assert runs_cost(path, case) == pytest.approx(least)
        found += 1
        moved += len({where for _, _, where in path}) > 1
    assert found > 250 and moved > 50
