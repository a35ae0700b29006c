"""Jobs of real times on slots and back, start-now beside, and what a plan for all says."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.schedule.made import HOUR, job, rates
from wattermark.errors import NoPlan, UsageError
from wattermark.science.fleet.fleet import Chosen
from wattermark.science.fleet.plan import choose_for_all
from wattermark.science.fleet.slots import Grid, capacity_on, grid_of, task_of, times_of
from wattermark.values.fleet import Capacity, FleetJob, Room

DAY = [100.0] * 6 + [50.0] * 6 + [200.0] * 12


def fleet_job(name="one", units=1.0, places=(), **told):
    return FleetJob(job=job(name=name, **told), units=units, places=places)


def choose(jobs, places, capacity=(), weights=None, slot_s=HOUR, **more):
    room = {name: Capacity(units=units) for name, units in dict(capacity).items()}
    grid = grid_of(jobs, slot_s)
    return choose_for_all(jobs, places, room, weights=weights or {"carbon": 1.0}, grid=grid, **more)


def starts(choice):
    return {one.job.name: (one.best.place, one.best.begin_s / HOUR) for one in choice.placed}


@pytest.mark.parametrize(
    ("told", "slot_s", "slots", "shares"),
    [
        pytest.param({"hours": 2, "within": 5}, HOUR, (0, 5, 2), (1, 1), id="whole hours"),
        pytest.param({"hours": 2.5, "within": 5}, HOUR, (0, 5, 3), (1, 0.5), id="the last hour in part"),
        pytest.param({"hours": 2, "within": 3, "earliest": 0.25}, HOUR, (0, 3, 3), (0.75, 0.25),
                     id="from a quarter past on: it starts at once, and touches three hours"),
        pytest.param({"hours": 0.5, "within": 4, "earliest": 0.25}, HOUR, (0, 4, 1), (0.75, 0.75),
                     id="within an hour"),
        pytest.param({"hours": 2, "within": 2}, 900.0, (0, 8, 8), (1, 1), id="quarters, no room to move"),
        pytest.param({"hours": 2, "within": 1.9}, HOUR, (0, 0, 2), (1, 1), id="a deadline before the end"),
        pytest.param({"hours": 2, "within": 4, "earliest": 0.5, "interruptible": True}, HOUR, (1, 4, 2),
                     (1, 1), id="one that may pause takes whole slots"),
        pytest.param({"hours": 2, "within": 2.7, "earliest": 0.5, "interruptible": True}, HOUR, (0, 3, 3),
                     (0.5, 0.5), id="or goes without a pause, where its window has too few"),
    ],
)  # fmt: skip
def test_a_job_on_slots(told, slot_s, slots, shares):
    one = fleet_job(**told)
    task = task_of(one, [0], Grid(0.0, slot_s, 40), in_watts=False)
    assert (task.first, task.end, task.slots) == slots
    assert (task.head, task.part) == pytest.approx(shares)
    assert task.weight == pytest.approx(one.job.power_w * slot_s)
    assert task.interruptible == (one.job.interruptible and slots[2] < 3)


@settings(max_examples=150, deadline=None)
@given(
    earliest=st.floats(0, 10), hours=st.floats(0.05, 6), slack=st.floats(0, 8),
    slot_s=st.sampled_from([300.0, 900.0, HOUR]), pauses=st.booleans(),
)  # fmt: skip
def test_the_times_of_any_slots_lie_in_the_window_and_are_as_long_as_the_job(
    earliest, hours, slack, slot_s, pauses
):
    one = fleet_job(hours=hours, earliest=earliest, within=earliest + hours + slack, interruptible=pauses)
    grid = grid_of([one], slot_s)
    task = task_of(one, [0], grid, in_watts=False)
    assert task.end - task.first >= task.slots  # the window holds it, so the slots do
    row = capacity_on(grid, ["x"], {})  # any numbers
    row[:] = 1.0
    for begin in {task.first, task.end - task.slots}:
        slots = slice(begin, begin + task.slots)
        if task.interruptible:
            slots = list(range(begin, begin + task.slots))
        stretches = times_of(one, task, Chosen(0, slots, 0.0), grid, row)
        assert sum(piece.duration_s for piece in stretches) == pytest.approx(one.job.duration_s)
        assert stretches[0].begin_s >= one.job.earliest_s - 1e-3
        assert stretches[-1].end_s <= one.job.deadline_s + 1e-3
        assert grid.at(stretches[0].begin_s) >= begin - 1e-6
        assert grid.at(stretches[-1].end_s) <= begin + task.slots + 1e-6


def test_capacity_changes_in_time_and_a_shared_slot_has_the_less():
    rooms = (
        Room(begin_s=2 * HOUR, end_s=4.5 * HOUR, units=1.0),
        Room(begin_s=5 * HOUR, end_s=math.inf, units=9.0),
    )
    room = capacity_on(Grid(0.0, HOUR, 7), ["a", "b"], {"a": Capacity(units=3.0, rooms=rooms)})
    assert room[0].tolist() == [3, 3, 1, 1, 1, 9, 9]
    assert room[1].tolist() == [math.inf] * 7


def test_jobs_share_the_good_hours():
    """Three jobs of 3 h, six hours at half the carbon: two of them fit, the third takes a place abroad."""
    jobs = [fleet_job(f"j{i}", hours=3, within=20) for i in range(3)]
    choice = choose(
        jobs, [rates("here", carbon=DAY), rates("far", carbon=[90.0] * 24)], {"here": 1, "far": 1}
    )
    assert sorted(starts(choice).values()) == [("far", 0.0), ("here", 6.0), ("here", 9.0)]
    assert choice.solved.proven or choice.solved.gap < 0.01
    told = {one.quantity: (one.now, one.planned) for one in choice.sums}
    assert told["carbon"] == (pytest.approx(300 / 3 * 2 + 50.0), pytest.approx(50 + 50 + 90))


def test_start_now_queues_at_home():
    jobs = [fleet_job(f"j{i}", hours=4, within=24) for i in range(2)]
    choice = choose(jobs, [rates("here", carbon=DAY)], {"here": 1})
    assert sorted(one.now.begin_s / HOUR for one in choice.placed) == [0.0, 4.0]


def test_weights_are_over_what_starting_now_would_take():
    """Half the water at twice the carbon, weighed alike: a score of 1.25, so nobody goes there."""
    near = rates(
        "near", carbon=[100.0] * 24, wue=[2.0] * 24, water_thermal=[1.0] * 24, water_hydro=[0.0] * 24
    )
    dry = rates("dry", carbon=[200.0] * 24, wue=[1.0] * 24, water_thermal=[0.5] * 24, water_hydro=[0.0] * 24)
    jobs = [fleet_job(hours=2, within=20)]
    for weights, place in (({"carbon": 0.5, "water": 0.5}, "near"), ({"water": 1.0}, "dry")):
        choice = choose(jobs, [near, dry], weights=weights)
        assert starts(choice)["one"][0] == place
        assert choice.solved.cost == pytest.approx(1.0 if place == "near" else 0.5)


def test_power_counts_where_capacity_is_in_watts():
    jobs = [fleet_job(f"j{i}", hours=1, kwh=6, within=2) for i in range(2)]  # 6 kW each
    for room_w, many in ((12e3, 1), (11e3, 2)):
        choice = choose_for_all(
            jobs, [rates(carbon=DAY)], {"here": Capacity(units=room_w, in_watts=True)},
            weights={"carbon": 1.0}, grid=grid_of(jobs, HOUR),
        )  # fmt: skip
        assert len(set(starts(choice).values())) == many


def test_nobody_runs_through_a_gap_and_it_is_told():
    holes = [100.0, 100.0, None, None, 10.0, 10.0, None, 10.0, *[100.0] * 16]
    choice = choose([fleet_job(hours=2, within=20)], [rates(carbon=holes)])
    assert starts(choice)["one"] == ("here", 4.0)
    assert any(flag.startswith("gap: at here") for flag in choice.flags)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        pytest.param({"hours": 5, "within": 3}, "5 h in 3 h", id="a deadline before its length"),
        pytest.param({"hours": 1, "within": -2}, "has passed", id="a deadline in the past"),
        pytest.param({"hours": 1, "units": 4.0}, "takes 4 of a capacity", id="more than there ever is"),
        pytest.param({"hours": 9, "within": 12}, "no capacity is left", id="no room beside the others"),
    ],
)
def test_who_finds_no_slot_is_named_with_the_reason_and_the_others_are_planned(told, says):
    others = [fleet_job(f"o{i}", hours=6, kwh=9, within=12) for i in range(2)]
    choice = choose([fleet_job(**told), *others], [rates(carbon=DAY)], {"here": 1})
    assert [one.job.name for one in choice.unplaced] == ["one"]
    assert says in choice.unplaced[0].reason
    assert len(choice.placed) == 2


def test_a_place_where_the_weighed_is_not_known_is_left_out():
    choice = choose(
        [fleet_job(hours=1)],
        [rates("here", carbon=DAY, price=[0.2] * 24), rates("far", carbon=[1.0] * 24)],
        weights={"cost": 1.0},
    )
    assert starts(choice)["one"] == ("here", 0.0)
    assert choice.flags == ("left-out: far: not all of cost is known there",)


@pytest.mark.parametrize(
    ("capacity", "weights", "says"),
    [
        pytest.param({"here": 0}, {"carbon": 1.0}, "no job can start at home", id="no room at all"),
        pytest.param({}, {"cost": 1.0}, "not all of cost is known", id="nobody tells the price"),
    ],
)
def test_nothing_is_planned_on_nothing(capacity, weights, says):
    with pytest.raises(NoPlan, match=says):
        choose([fleet_job(hours=1)], [rates(carbon=DAY)], capacity, weights)


@pytest.mark.parametrize("slot_s", [1.0, 0.0, -5.0, float("nan"), 1e6])
def test_slots_of_no_sense(slot_s):
    with pytest.raises(UsageError, match="slot"):
        grid_of([fleet_job()], slot_s)
