"""NVIDIA GPUs end to end, on a driver whose truth is known: up to the energy of a run."""

import json
import time
from dataclasses import replace

import pytest

from fakes.meters import Gpu, Signal, gpu_uuid, mig_uuid

RECORD = """
import json, os, sys, time
import wattermark as wm
import wattermark.readers.nvml as nvml
import wattermark.readers.nvml_busy as busy
length_s, namespace = float(sys.argv[1]), sys.argv[2]
busy.EVERY_NS, nvml.SOONEST_S, nvml.LATEST_S = 50_000_000, 0.02, 0.02
busy.HOST_NAMESPACE = os.readlink("/proc/self/ns/pid") if namespace == "ours" else "another"
print(os.getpid(), flush=True)
input()
run = wm.track(place="deu", interval=0.02)
edges = [time.monotonic()]
run.start()
edges.append(time.monotonic())
print("begun", flush=True)
time.sleep(length_s)
input()
edges.append(time.monotonic())
run.stop()
edges.append(time.monotonic())
told = run.footprint()
parts = {c.name: {"best": c.energy_j and c.energy_j.best, "low": c.energy_j and c.energy_j.low,
    "high": c.energy_j and c.energy_j.high, "machine": c.machine_energy_j, "others": c.others_energy_j,
    "idle": c.idle_energy_j, "unseen_s": c.unseen_s, "counted": c.counted} for c in told.components}
print(json.dumps({"edges": edges, "parts": parts, "flags": told.flags, "all_j": told.it_energy_j.best}))
"""
WATTS = 300
ONE = Gpu(Signal.const(WATTS))


@pytest.fixture
def record(bench, home, begin):
    """Records a run on some GPUs. ``first`` is called with the process; the run lasts as ``meanwhile``."""

    def recorded(
        gpus, *, first=lambda _pid: None, meanwhile=lambda: time.sleep(0.3), length_s=0.0, namespace="ours",
        code=RECORD, **env,
    ):  # fmt: skip
        child = begin(code, length_s, namespace, env=bench.nvml(gpus).env(home) | env)
        first(child.pid)
        time.sleep(0.06)  # the fake looks at its file every 50 ms
        if length_s:
            said, complained = child.communicate("\n\n", timeout=30)
        else:
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == "begun\n", child.communicate()[1]
            meanwhile()
            said, complained = child.communicate("\n", timeout=30)
        assert said, complained
        return json.loads(said.splitlines()[-1])

    return recorded


def bounds_j(told, watts=WATTS):
    """What the GPU drew between start and stop, at least and at most."""
    outer_s, begin_s, end_s, after_s = told["edges"]
    return watts * (end_s - begin_s - 0.002), watts * (after_s - outer_s + 0.002)


def assert_drew(told, name, watts, within=0.0):
    low_j, high_j = bounds_j(told, watts)
    assert low_j * (1 - within) <= told["parts"][name]["best"] <= high_j * (1 + within)


@pytest.mark.parametrize(
    "gpu", [Gpu(Signal.const(WATTS), module=200.0), Gpu(Signal.const(WATTS), module=200.0, energy=False)],
    ids=["by energy", "by power"],
)  # fmt: skip
def test_the_gpu_of_a_superchip_is_added_and_its_module_shown(record, gpu):
    told = record([gpu])
    assert_drew(told, "gpu/0", WATTS)
    assert_drew(told, "platform/module-0", WATTS + 200)
    assert [name for name, part in told["parts"].items() if not part["counted"]] == ["platform/module-0"]
    rest_j = sum(part["best"] or 0 for part in told["parts"].values() if part["counted"])
    assert told["all_j"] == pytest.approx(rest_j)


def test_a_slice_takes_its_part_of_the_gpu_and_says_so(record):
    slices = ",".join(mig_uuid(gpu_uuid(0), i) for i in (0, 1))
    told = record([replace(ONE, mig=(1, 2, 1), slices=4)], CUDA_VISIBLE_DEVICES=slices)
    assert_drew(told, "gpu/0", WATTS * 3 / 4)
    part = told["parts"]["gpu/0"]
    assert part["best"] + part["others"] + part["idle"] == pytest.approx(part["machine"])
    assert 0 < part["low"] < part["best"] < part["high"]
    assert any("a MIG slice: 75%" in flag for flag in told["flags"])


def test_a_driver_that_is_loaded_anew_leaves_a_gap_and_the_rest_is_counted(record, bench):
    def reload():
        time.sleep(0.3)
        bench.reload_driver(time.monotonic())
        time.sleep(0.4)

    told = record([ONE, ONE], meanwhile=reload)
    for name in ("gpu/0", "gpu/1"):
        assert_drew(told, name, WATTS, within=0.05)
        assert 0 < told["parts"][name]["unseen_s"] < 0.5
        assert any(flag.startswith(f"gap: {name}") for flag in told["flags"])


def test_a_gpu_that_falls_off_and_is_back_has_lost_nothing(record, bench):
    def fall_off():
        time.sleep(0.2)
        bench.lose_gpu(0, 0.0)
        time.sleep(0.2)
        bench.update_gpu(0, fail_at=None)
        time.sleep(0.2)

    told = record([ONE, ONE], meanwhile=fall_off)
    for name in ("gpu/0", "gpu/1"):
        assert_drew(told, name, WATTS)
    assert not any(flag.startswith("gap") for flag in told["flags"])


def test_a_gpu_that_comes_only_after_the_run_began_is_a_gap_until_then(record, bench):
    def come():
        time.sleep(0.2)
        bench.update_gpu(0, fail_at=None)
        time.sleep(0.3)

    told = record([replace(ONE, fail_at=0.0), ONE], meanwhile=come)
    late, other = told["parts"]["gpu/0"], told["parts"]["gpu/1"]
    assert late["unseen_s"] > 0.15 and other["unseen_s"] == 0
    assert late["best"] == pytest.approx(other["best"], rel=0.05)
    assert any(flag.startswith("gap: gpu/0") for flag in told["flags"])


def test_a_library_that_the_program_shuts_down_is_no_loss(record):
    sleep = "time.sleep(0.1)"
    shut = f"import pynvml; {sleep}; pynvml.nvmlShutdown(); {sleep}"
    told = record([ONE], length_s=0.1, code=RECORD.replace("time.sleep(length_s)", shut))
    assert_drew(told, "gpu/0", WATTS)
    assert not any(flag.startswith(("gap", "fault")) for flag in told["flags"])


@pytest.mark.parametrize(
    ("mine", "others", "parts"),
    [
        pytest.param(20, 60, (0.25, 0.75, 0), id="a quarter of the SM time"),
        pytest.param(40, None, (1, 0, 0), id="alone"),
        pytest.param(0, 50, (0, 1, 0), id="others only"),
        pytest.param(0, 0, (0, 0, 1), id="another holds it, and all rest"),
    ],
)
def test_a_gpu_is_shared_with_who_computes_on_it(record, bench, mine, others, parts):
    def share(pid):
        more = () if others is None else (others,)
        bench.update_gpu(0, pids=(pid, 999_999)[: 1 + len(more)], sm=(mine, *more))

    told = record([replace(ONE, pids=(1,), sm=(0,))], first=share)
    part = told["parts"]["gpu/0"]
    got = (part["best"], part["others"], part["idle"])
    assert sum(got) == pytest.approx(part["machine"])
    assert got == pytest.approx([one * part["machine"] for one in parts], abs=0.1 * part["machine"])
    low_j, high_j = bounds_j(told)
    assert low_j <= part["machine"] <= high_j
    assert not any(flag.startswith("whole") for flag in told["flags"])


@pytest.mark.parametrize(
    ("gpu", "namespace"),
    [
        pytest.param(replace(ONE, pids=(999_999,), sm=(50,)), "another", id="a container's own numbers"),
        pytest.param(ONE, "ours", id="a GPU that does not tell"),
    ],
)
def test_where_nobody_tells_who_computes_the_gpu_is_charged_whole(record, gpu, namespace):
    told = record([gpu], namespace=namespace)
    assert_drew(told, "gpu/0", WATTS)
    assert any(flag.startswith("whole: gpu/0") for flag in told["flags"])


def test_a_run_of_a_moment_is_known_to_one_renewal_of_the_counter(record):
    """The counter moves every 100 ms: in 20 ms it moved once, or not at all."""
    told = record([replace(ONE, update=0.1)], length_s=0.02)
    part = told["parts"]["gpu/0"]
    low_j, high_j = bounds_j(told)
    assert part["low"] <= low_j and part["high"] >= high_j
    assert part["high"] - part["low"] >= WATTS * 0.1
    took_s = told["edges"][3] - told["edges"][0]
    assert took_s > 0.1 or any(flag.startswith("short: gpu/0") for flag in told["flags"])
