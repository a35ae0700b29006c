"""Many jobs where capacity is limited: against brute force, and what must hold of any plan."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattermark.errors import NoPlan
from wattermark.science.fleet import fleet as fleet_module
from wattermark.science.fleet.fleet import Chosen, Fleet, Task, cost_of, fleet_of, true_cost
from wattermark.science.fleet.greedy import free_of, greedy
from wattermark.science.fleet.prices import ask, by_prices
from wattermark.science.fleet.solve import solve, start_now, why_not

EXACT = 1e-4  # what HiGHS calls the best
CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def task(slots=1, *, first=0, end=4, places=(0,), units=1.0, weight=1.0, moving=None, **told):
    there = np.array(sorted(places))
    return Task(
        slots=slots, first=first, end=end, places=there, units=units, weight=weight,
        moving=np.zeros(len(there)) if moving is None else np.array(moving, float), **told,
    )  # fmt: skip


def made(tasks, rates, capacity):
    rates = np.array(rates, float)
    return fleet_of(tasks, rates, np.broadcast_to(np.array(capacity, float), rates.shape).copy())


def ways(one, costs):
    """Every way to run a job, and to leave it out."""
    yield None
    for row, place in enumerate(one.places):
        if one.interruptible:
            inside = range(one.first, one.end)
            for slots in itertools.combinations(inside, one.slots):
                if all(np.isfinite(costs[row, t - one.first]) for t in slots):
                    yield Chosen(int(place), np.array(slots), 0.0)
        else:
            for start in range(costs.shape[1]):
                if np.isfinite(costs[row, start]):
                    begin = one.first + start
                    yield Chosen(int(place), slice(begin, begin + one.slots), 0.0)


def by_force(fleet):
    """Fewest left out, then the least cost."""
    best = (len(fleet.tasks) + 1, np.inf)
    options = [list(ways(*pair)) for pair in zip(fleet.tasks, fleet.choices, strict=True)]
    for tried in itertools.product(*options):
        if (free_of(fleet, tried) >= -1e-9).all():
            costs = [
                true_cost(fleet.tasks[i], fleet.choices[i], one)
                for i, one in enumerate(tried)
                if one is not None
            ]
            best = min(best, (tried.count(None), sum(costs)))
    return best


@st.composite
def fleets(draw, *, most_jobs=4, most_slots=6, most_places=2, pausing=True, roomy=False):
    """``roomy``: every job may run in all slots, so that most fleets have a plan for all."""
    places, slots = draw(st.integers(1, most_places)), draw(st.integers(2, most_slots))
    rate = st.one_of(st.floats(1, 100), st.sampled_from([5.0, float("nan")]))
    rates = [[draw(rate) for _ in range(slots)] for _ in range(places)]
    rooms = [1.0, 2.0, 3.0] if roomy else [0.0, 1.0, 2.0, 3.0, np.inf]
    capacity = [[draw(st.sampled_from(rooms)) for _ in range(slots)] for _ in rates]
    tasks = []
    for _ in range(draw(st.integers(1, most_jobs))):
        first = 0 if roomy else draw(st.integers(0, slots - 1))
        there = draw(st.sets(st.integers(0, places - 1), min_size=1))
        pauses = pausing and draw(st.booleans())
        tasks.append(
            task(
                slots=draw(st.integers(1, 3)),
                first=first,
                end=slots if roomy else draw(st.integers(first, slots)),
                places=there,
                units=draw(st.sampled_from([0.5, 1.0, 2.0])),
                weight=draw(st.floats(0.5, 4)),
                moving=[draw(st.sampled_from([0.0, 7.0])) for _ in there],
                head=1.0 if pauses else draw(st.sampled_from([1.0, 0.5])),
                part=draw(st.sampled_from([1.0, 0.75])),
                interruptible=pauses,
            )
        )
    return made(tasks, rates, capacity)


def check(fleet, plan):
    """A plan that can be carried out, and that costs what it says."""
    assert len(plan) == len(fleet.tasks)
    assert (free_of(fleet, plan) >= -1e-9).all()
    for one, costs, held in zip(fleet.tasks, fleet.choices, plan, strict=True):
        if held is not None:
            used = np.arange(fleet.capacity.shape[1])[held.slots]
            assert len(used) == one.slots == len(set(used.tolist()))
            assert used.min() >= one.first and used.max() < one.end
            assert held.place in one.places
            assert held.cost == pytest.approx(true_cost(one, costs, held))
            assert np.isfinite(held.cost)


@CALM
@given(fleets(most_jobs=8, most_slots=12, most_places=3))
def test_any_plan_keeps_windows_places_gaps_and_capacity(fleet):
    first, solved = greedy(fleet), solve(fleet)
    check(fleet, first)
    check(fleet, solved.plan)
    assert cost_of(solved.plan) <= cost_of(first)
    assert solved.bound <= solved.cost * (1 + 1e-9)
    assert solved.cost == pytest.approx(cost_of(solved.plan)[1])


@CALM
@given(fleets(most_jobs=3, most_slots=5))
def test_exact_is_what_brute_force_finds_and_no_bound_is_above_it(fleet):
    pytest.importorskip("highspy")
    left, least = by_force(fleet)
    exact, quick = solve(fleet, time_limit_s=20), solve(fleet)
    check(fleet, exact.plan)
    assert exact.proven
    assert cost_of(exact.plan)[0] == left
    assert exact.cost == pytest.approx(least, rel=2 * EXACT, abs=1e-9)
    assert cost_of(exact.plan) <= cost_of(quick.plan)
    for solved in (exact, quick):  # a bound is of the jobs that were placed
        kept = [i for i, held in enumerate(solved.plan) if held is not None]
        alone = Fleet(
            tasks=tuple(fleet.tasks[i] for i in kept),
            capacity=fleet.capacity,
            choices=tuple(fleet.choices[i] for i in kept),
        )
        assert solved.bound <= by_force(alone)[1] * (1 + 1e-9) + 1e-9
    assert not quick.proven or cost_of(quick.plan) == (left, pytest.approx(least))


@CALM
@given(fleets(most_jobs=3, most_slots=4, roomy=True), st.data())
def test_any_prices_prove_a_bound(fleet, data):
    """Of all jobs, where all of them have a place."""
    left, least = by_force(fleet)
    shape = fleet.capacity.shape
    drawn = [data.draw(st.sampled_from([0.0, 1.0, 10.0, 70.0])) for _ in range(fleet.capacity.size)]
    prices = np.where(np.isfinite(fleet.capacity), np.reshape(drawn, shape), 0.0)
    asked = ask(fleet, prices, np.full(len(fleet.tasks), np.inf))
    if not left:
        assert asked.bound(np.ones(len(fleet.tasks), bool)) <= least + 1e-9 * abs(least)


@CALM
@given(fleets(most_jobs=3, most_slots=4, roomy=True))
def test_the_prices_that_are_found_prove_a_bound(fleet):
    left, least = by_force(fleet)
    _, proof = by_prices(fleet, greedy(fleet), rounds=20, every=5)
    if not left:
        assert proof.bound(np.ones(len(fleet.tasks), bool)) <= least + 1e-9 * abs(least)


def test_the_right_price_proves_all_of_it():
    """Two jobs for one cheap slot: at 4 for it nobody minds the other one, and the bound is the cost."""
    fleet = made([task(1, end=2), task(1, end=2)], [[1, 5]], 1)
    asked = ask(fleet, np.array([[4.0, 0.0]]), np.full(2, np.inf))
    assert asked.bound(np.ones(2, bool)) == pytest.approx(6.0)


@CALM
@given(st.data())
def test_unit_slots_are_a_transport_problem(data):
    """One place, units of one: the linear program's vertices are whole, so exact equals it."""
    pytest.importorskip("highspy")
    from scipy.optimize import linprog

    slots, jobs = data.draw(st.integers(3, 8)), data.draw(st.integers(1, 4))
    rates = np.array([[data.draw(st.floats(1, 50)) for _ in range(slots)]])
    tasks = [
        task(
            slots=data.draw(st.integers(1, slots)), end=slots, interruptible=True,
            weight=data.draw(st.floats(0.5, 3)),
        )
        for _ in range(jobs)
    ]  # fmt: skip
    cost = np.concatenate([one.weight * rates[0] for one in tasks])
    once = np.kron(np.eye(jobs), np.ones(slots))
    full = np.kron(np.ones(jobs), np.eye(slots))
    answer = linprog(
        cost, A_ub=full, b_ub=np.full(slots, 2.0), A_eq=once, b_eq=[one.slots for one in tasks], bounds=(0, 1)
    )
    exact = solve(made(tasks, rates, 2.0), time_limit_s=20)
    if answer.success:
        assert exact.plan.count(None) == 0
        assert exact.cost == pytest.approx(answer.fun, rel=2 * EXACT)
    else:
        assert exact.plan.count(None) > 0


@pytest.mark.parametrize(
    ("tasks", "rates", "capacity", "slots"),
    [
        pytest.param([task(2)], [[5, 1, 1, 5]], 1, [(0, 1, 3)], id="alone, at its cheapest"),
        pytest.param([task(2, end=4), task(2, end=4)], [[5, 1, 1, 5]], 1, [(0, 0, 2), (0, 2, 4)],
                     id="two, one after the other"),
        pytest.param([task(1, weight=9), task(1)], [[1, 5, 5, 5]], 1, [(0, 0, 1), (0, 1, 2)],
                     id="the one that burns more has the better slot"),
        pytest.param([task(2)], [[1, np.nan, 1, 9]], 1, [(0, 2, 4)], id="no gap is run through"),
        pytest.param([task(1)], [[3, 3, 3, 3]], 1, [(0, 0, 1)], id="of equals the earliest"),
        pytest.param([task(1, places=(0, 1))], [[3] * 4, [2] * 4], 1, [(1, 0, 1)], id="a better place"),
        pytest.param([task(1, places=(0, 1), moving=[0, 5])], [[3] * 4, [2] * 4], 1, [(0, 0, 1)],
                     id="that is too far"),
        pytest.param([task(1, units=2)], [[1, 2, 3, 4]], [[1, 1, 2, 2]], [(0, 2, 3)],
                     id="when there is room enough"),
    ],
)  # fmt: skip
def test_small_stories(tasks, rates, capacity, slots):
    plan = solve(made(tasks, rates, capacity)).plan
    assert sorted((one.place, one.slots.start, one.slots.stop) for one in plan) == slots


@pytest.mark.parametrize(
    ("one", "rates", "capacity", "why"),
    [
        pytest.param(task(3, end=2), [[1] * 4], 1, "window", id="a deadline before its length"),
        pytest.param(task(1, first=3, end=3), [[1] * 4], 1, "window", id="no window at all"),
        pytest.param(task(1, units=5), [[1] * 4], 2, "units", id="more units than there are"),
        pytest.param(task(3), [[1] * 4], [[1, 1, 0, 1]], "units", id="closed in between"),
        pytest.param(task(3), [[1, 1, np.nan, 1]], 1, "gap", id="a gap in between"),
        pytest.param(task(3, interruptible=True), [[1, 1, np.nan, 1]], 2, "full", id="that a pause avoids"),
    ],
)
def test_why_a_job_finds_no_place(one, rates, capacity, why):
    fleet = made([one, task(1)], rates, capacity)
    assert why_not(one, np.array(rates, float), fleet.capacity) == why
    assert (solve(fleet).plan[0] is None) == (why != "full")


def test_a_job_that_cannot_be_does_not_keep_the_others_back():
    plan = solve(made([task(9), task(1), task(1, units=5)], [[2, 1, 3, 4]], 1)).plan
    assert [one is None for one in plan] == [True, False, True]


def test_who_is_left_over_is_the_fewest():
    """Longest first would fill the place with one job of four slots."""
    tasks = [task(4, weight=0.1), *(task(1, weight=5) for _ in range(4))]
    assert solve(made(tasks, [[1] * 4], 1)).plan.count(None) == 1


def test_start_now_is_first_come_first_served_and_looks_at_no_price():
    tasks = [task(2, first=1, end=6), task(2, end=6), task(2, first=1, end=6)]
    plan = start_now(tasks, np.array([[9.0, 9, 9, 1, 1, 1]]), np.ones((1, 6)))
    assert [one.slots.start for one in plan[:2]] == [2, 0]
    assert [one.slots.start for one in plan[2:]] == [4]


def test_bounds_hold_where_places_are_many_and_full():
    """An instance with known daily cycles: the gap is proven small, and the bound stays below every plan."""
    hours = np.arange(72)
    rates = np.array([300 + 60 * p + 90 * np.cos(2 * np.pi * (hours + 5 * p) / 24) for p in range(4)])
    tasks = [
        task(3 + i % 5, first=i % 30, end=i % 30 + 30, places=range(4), units=1 + i % 2, weight=1 + i % 7 / 3)
        for i in range(120)
    ]
    solved = solve(made(tasks, rates, 8))
    assert solved.plan.count(None) == 0
    assert 0 <= solved.gap <= 0.03


def test_more_choices_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr(fleet_module, "MOST_CHOICES", 10)
    with pytest.raises(NoPlan, match="longer slots"):
        made([task(1), task(1), task(1)], [[1] * 4], 1)
