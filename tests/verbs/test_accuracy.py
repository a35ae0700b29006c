"""End to end, on meters whose truth is known: a program records itself and says what it cost."""

import json
import time

import pytest

from fakes.meters import SCENARIOS, Signal

RECORD = """
import json, sys, time
import wattermark as wm
length_s, interval_s, holds = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
print(flush=True)
for _ in sys.stdin:
    run = wm.track(place="deu", scope="machine", interval=interval_s)
    edges = [time.monotonic()]
    run.start()
    edges.append(time.monotonic())
    if holds: sum(range(holds))  # one loop in C, which lets no other thread in
    else: time.sleep(length_s)
    edges.append(time.monotonic())
    run.stop()
    edges.append(time.monotonic())
    told = run.footprint()
    measured = [c for c in told.components if c.quality == "measured" and c.energy_j]
    parts = {c.name: c.energy_j.best for c in measured if c.counted}
    shown = [c.name for c in told.components if not c.counted]
    said = {"parts": parts, "shown": shown, "flags": told.flags, "duration_s": told.duration_s,
        "counted": [c.name for c in measured if c.counted]}
    print(json.dumps({"edges": edges, **said}), flush=True)
"""
ONE, TWO = {"cpu/package-0": "package-0"}, {"cpu/package-0": "package-0", "cpu/package-1": "package-1"}
DRAM, GPUS = {**ONE, "dram/package-0": "dram"}, {"gpu/0": "gpu0", "gpu/1": "gpu1"}
ALL = {**TWO, **GPUS, "dram/package-0": "intel-rapl:0:0", "dram/package-1": "intel-rapl:1:0"}
EVENTS = {"cpu/package-0": "energy-pkg@0", "dram/package-0": "energy-ram@0"}
DIES = {f"cpu/package-0-die-{die}": f"energy-pkg@{8 * die}" for die in (0, 1)}
STORIES = [
    pytest.param("const", ONE, id="one socket"),
    pytest.param("two", TWO, id="two sockets are added"),
    pytest.param("core_dram", DRAM, id="dram is added and core is not"),
    pytest.param("psys", DRAM, id="the whole board is not added"),
    pytest.param("mmio", ONE, id="the MMIO twin is not added"),
    pytest.param("wrap3", ONE, id="a counter that wraps after 3 s"),
    pytest.param("wrap065", ONE, id="a counter that wraps after 0.65 s"),
    pytest.param("perf", EVENTS, id="energy events, and powercap beside them"),
    pytest.param("perf_only", EVENTS, id="energy events alone"),
    pytest.param("perf_denied", DRAM, id="energy events that may not be opened: powercap is read"),
    pytest.param("perf_amd_dies", {"cpu/package-0": "energy-pkg@0"}, id="AMD's dies tell one socket"),
    pytest.param("perf_intel_dies", DIES, id="Intel's dies are added"),
    pytest.param("gpu1", {"gpu/0": "gpu0"}, id="a GPU"),
    pytest.param("gpu2", GPUS, id="two GPUs are added"),
    pytest.param("gpu8", {f"gpu/{i}": f"gpu{i}" for i in range(8)}, id="eight GPUs are added"),
    pytest.param("gpu2square", GPUS, id="a GPU whose power jumps"),
    pytest.param("all", ALL, id="everything at once"),
]


@pytest.fixture
def recorder(bench, home, begin):
    """A program under a scenario; each call lets it record one window more."""

    def start(scenario, length_s, interval_s, holds=0):
        child = begin(RECORD, length_s, interval_s, holds, env=SCENARIOS[scenario](bench).env(home))

        def window():
            child.stdin.write("\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline() or child.communicate()[1])

        return window

    return start


def truth_j(bench, parts, start_s, end_s):
    return sum(bench.truth_j(name, start_s, end_s) for name in parts.values())


def error(bench, parts, told):
    """How far it is from what was used between start and stop, as a part of that."""
    return abs(sum(told["parts"].values()) / truth_j(bench, parts, *told["edges"][1:3]) - 1)


def assert_within_bounds(bench, parts, told):
    """However busy the machine is: no more than from before start to after stop, no less than between."""
    outer_s, begin_s, end_s, after_s = told["edges"]
    got_j = sum(told["parts"].values())
    stale_j = truth_j(bench, parts, begin_s, begin_s + 0.002)
    assert set(told["parts"]) == set(parts)
    assert truth_j(bench, parts, begin_s, end_s) - stale_j <= got_j
    assert got_j <= truth_j(bench, parts, outer_s, after_s) + stale_j


@pytest.mark.parametrize("length_s", [0.3, pytest.param(3, marks=pytest.mark.slow)], ids=["short", "long"])
@pytest.mark.parametrize(("scenario", "parts"), STORIES)
def test_what_was_used_is_told(bench, recorder, scenario, parts, length_s):
    """How close, on a machine that nobody holds up, is a benchmark; the bounds hold on any."""
    told = recorder(scenario, length_s, 1)()
    assert sorted(told["counted"]) == sorted(parts), "each once"
    assert_within_bounds(bench, parts, told)
    assert error(bench, parts, told) < 0.25


@pytest.mark.parametrize(
    ("length_s", "interval_s"),
    [(0.3, 0.05), pytest.param(3, 0.2, marks=pytest.mark.slow)],
    ids=["short", "long"],
)
def test_gpus_without_a_counter_are_sampled_to_two_percent(bench, recorder, length_s, interval_s):
    window = recorder("gpu2noenergy", length_s, interval_s)
    assert any(error(bench, GPUS, window()) <= 0.02 for _ in range(3))


def test_the_board_is_shown_and_not_added(recorder):
    assert recorder("psys", 0.05, 1)()["shown"] == ["platform/psys"]


@pytest.mark.parametrize("lost", ["package-1", "gpu1"])
def test_a_meter_that_is_lost_half_way_is_told_and_stops_no_other(bench, recorder, lost):
    """The gap is filled at the mean power of the rest, which is right where the power is steady."""
    window = recorder("all", 1.2, 0.05)
    lost_s = time.monotonic() + 0.7
    bench.fail(lost, lost_s) if lost.startswith("package") else bench.lose_gpu(1, lost_s)
    told = window()
    (name,) = [channel for channel, zone in ALL.items() if zone == lost]
    _, begin_s, end_s, _ = told["edges"]
    assert begin_s < lost_s < end_s
    for channel, zone in ALL.items():
        assert told["parts"][channel] == pytest.approx(bench.truth_j(zone, begin_s, end_s), rel=0.05)
    (gap,) = [flag for flag in told["flags"] if flag.startswith("gap: ")]
    assert name in gap


def test_energy_events_and_powercap_agree_on_the_whole_run(recorder, told):
    """Both are in the ledger, one is added, and nothing is to be said of it."""
    window = recorder("perf", 1.2, 0.1)()
    assert not [flag for flag in window["flags"] if flag.startswith("disagree")]
    counted = {
        line["name"]: [channel.get("counted", True) for channel in line["channels"]]
        for line in told()
        if line["kind"] == "reader" and line["name"] in ("perf", "rapl")
    }
    assert counted == {"perf": [True, True], "rapl": [False, False]}


@pytest.mark.parametrize("watts", [200, 50])
def test_energy_events_and_powercap_that_differ_are_told(bench, recorder, watts):
    """Twice as much as the events say, or half of it."""
    window = recorder("perf", 0.6, 0.1)
    bench.update_zone("package-0", signal=Signal.const(watts))
    window()  # the new power is known within 50 ms, and a changed signal changes all of the past
    flags = [flag for flag in window()["flags"] if flag.startswith("disagree")]
    assert ["disagree: cpu/package-0: its two meters tell" in flag for flag in flags] == [True]


def test_energy_events_that_are_lost_half_way_give_way_to_powercap(bench, recorder):
    window = recorder("perf", 1.2, 0.05)
    lost_s = time.monotonic() + 0.7
    bench.update_event("energy-pkg@0", fail_at_s=lost_s, fail_errno=5)
    told = window()
    _, begin_s, end_s, _ = told["edges"]
    assert begin_s < lost_s < end_s
    true_j = bench.truth_j("package-0", begin_s, end_s)
    assert told["parts"]["cpu/package-0"] == pytest.approx(true_j, rel=0.05)
    assert ["has gaps" in flag for flag in told["flags"] if flag.startswith("disagree: cpu")] == [True]
    assert not [flag for flag in told["flags"] if flag.startswith("gap: cpu")]


def test_a_machine_without_meters_says_that_it_is_modelled(bench, recorder):
    bench.powercap([])
    told = recorder("none", 0.05, 1)()
    assert told["parts"] == {}
    assert any(flag.startswith("modelled: cpu") for flag in told["flags"])


@pytest.mark.slow
def test_a_jump_of_the_wall_clock_changes_no_energy(bench, recorder):
    bench.step_clock(time.monotonic() + 1.2, -3600)
    told = recorder("const", 2, 0.05)()
    assert error(bench, ONE, told) < 0.05
    before_s, begin_s, end_s, after_s = told["edges"]
    assert end_s - begin_s <= told["duration_s"] <= after_s - before_s
    assert any(flag.startswith("clock-step") for flag in told["flags"])


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "parts"), [("const", ONE), ("gpu2square", GPUS)])
def test_a_program_that_lets_no_other_thread_run_is_measured_all_the_same(bench, recorder, scenario, parts):
    """Counters remember what happened while nobody could look at them."""
    told = recorder(scenario, 0, 0.1, holds=100_000_000)()
    assert_within_bounds(bench, parts, told)
    assert told["edges"][2] - told["edges"][1] > 0.4


# -- whose energy it is ----------------------------------------------------------------

SHARE = """
import json, sys, time
import wattermark as wm
with wm.track(place="deu", scope="process", interval=0.05) as run:
    end_s = time.monotonic() + 0.6
    while time.monotonic() < end_s:
        if sys.argv[1] == "sleeps": time.sleep(0.01)
cpu = next(c for c in run.footprint().components if c.kind == "cpu")
parts = [cpu.energy_j.best, cpu.others_energy_j, cpu.idle_energy_j, cpu.machine_energy_j]
print(json.dumps({"parts": parts, "duration_s": run.footprint().duration_s}))
"""


@pytest.mark.slow
def test_a_program_is_charged_with_its_share_of_a_metered_processor(bench, home, program):
    """One that sleeps with next to nothing, one that computes with more; nothing is lost of the 100 W."""
    env, share = SCENARIOS["const"](bench).env(home), {}
    for does in ("sleeps", "computes"):
        told = json.loads(program(SHARE, does, env=env).stdout)
        run_j, others_j, idle_j, machine_j = told["parts"]
        assert run_j + others_j + idle_j == pytest.approx(machine_j)
        assert machine_j == pytest.approx(100 * told["duration_s"], rel=0.05)
        share[does] = run_j / machine_j
    assert share["sleeps"] < 0.25 and 2 * share["sleeps"] < share["computes"] < 1


NESTED = """
import json, time
import wattermark as wm
def begin(name): return wm.track(name=name, place="deu", scope="machine", interval=0.1)
outer, inner, later, edges = begin("outer"), begin("inner"), begin("later"), {}
def at(run, do):
    before_s = time.monotonic()
    do()
    edges.setdefault(run.name, []).extend([before_s, time.monotonic()])
    time.sleep(0.2)
for run, do in ((outer, outer.start), (inner, inner.start), (inner, inner.stop), (later, later.start),
                (outer, outer.stop), (later, later.stop)):
    at(run, do)
def told(run):
    told = run.footprint()
    cpu = next(c for c in told.components if c.kind == "cpu")
    return {"edges": edges[run.name], "parts": {cpu.name: cpu.energy_j.best}, "unseen_s": cpu.unseen_s}
print(json.dumps({run.name: told(run) for run in (outer, inner, later)}))
"""


def test_a_run_inside_a_run_and_one_that_overlaps_it_take_nothing_from_it(bench, home, program):
    done = program(NESTED, env=SCENARIOS["const"](bench).env(home))
    told = json.loads(done.stdout)
    assert sorted(told) == ["inner", "later", "outer"]
    for one in told.values():
        assert one["unseen_s"] == 0
        assert_within_bounds(bench, ONE, one)
