"""NVML through a fake driver library, in child processes that see it."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.meters import SCENARIOS, Gpu, Signal, gpu_uuid, mig_uuid

TWO = [Gpu(Signal.const(300)), Gpu(Signal.const(150))]
FULL = ["GPU-aaaa1111-0000-0000-0000-000000000000", "GPU-aaaa2222-0000-0000-0000-000000000000"]
AUDIT = "from readers import audit; audit.nvml()"


@pytest.fixture
def audit(bench, home, program):
    """What the reader tells under a bench and a CUDA_VISIBLE_DEVICES."""

    def told(visible=None, **given):
        env = bench.env(home) | ({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}) | given
        done = program(AUDIT, env=env)
        assert not done.stderr
        return json.loads(done.stdout)

    return told


def seen(told):
    """The part of each GPU that is ours; of its slices it is the sum."""
    for channel in told.get("channels", []):
        assert sum(channel["slices"].values()) == (
            pytest.approx(channel["share"]) if channel["share"] < 1 else 0
        )
    return [(c["name"], round(c["share"], 3)) for c in told.get("channels", [])]


A, B = ("gpu/0", 1.0), ("gpu/1", 1.0)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        pytest.param(None, [A, B], id="not set: all"),
        pytest.param("0", [A], id="an index"),
        pytest.param("1,0", [B, A], id="the program's own order"),
        pytest.param(" 1 ", [B], id="blanks around it"),
        pytest.param(FULL[1], [B], id="a whole UUID"),
        pytest.param("GPU-aaaa2", [B], id="a prefix that fits one"),
        pytest.param("GPU-aaaa", [], id="a prefix that fits two is none"),
        pytest.param(f"{FULL[1]},0", [B, A], id="a UUID and an index"),
        pytest.param("0,7,1", [A], id="CUDA stops at the first that is not there"),
        pytest.param("0,-1,1", [A], id="minus one ends the list"),
        pytest.param("1,banana,0", [B], id="a word ends the list"),
        pytest.param("7", [], id="one that is not there"),
        pytest.param("", [], id="empty: none"),
        pytest.param("-1", [], id="minus one: none"),
        pytest.param("NoDevFiles", [], id="what some containers set"),
    ],
)
def test_only_what_cuda_may_see_is_read(bench, audit, visible, expected):
    bench.nvml([Gpu(Signal.const(300), uuid=FULL[0]), Gpu(Signal.const(150), uuid=FULL[1])])
    told = audit(visible)
    assert seen(told) == expected
    assert expected or "no GPU may be seen" in told["problem"]
    assert {c["hidden"] for c in told.get("channels", [])} <= {2 - len(expected)}


@pytest.mark.parametrize(
    ("visible", "order"),
    [(None, range(12)), ("11,2,10", (11, 2, 10))],
    ids=["all of them", "those that are named"],
)
def test_twelve_gpus_stand_by_their_numbers_and_not_as_text(bench, audit, visible, order):
    bench.nvml(Gpu(Signal.const(100 + i), energy=False) for i in range(12))
    told = audit(visible)
    assert [c["name"] for c in told["channels"]] == [f"gpu/{i}" for i in order]
    assert told["looks"][0] == [1000 * (100 + i) for i in order]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        pytest.param(mig_uuid(gpu_uuid(0), 0), [("gpu/0", round(3 / 7, 3))], id="three slices of seven"),
        pytest.param(mig_uuid(gpu_uuid(0), 1), [("gpu/0", round(4 / 7, 3))], id="four slices of seven"),
        pytest.param(f"MIG-{gpu_uuid(0)}/2/0", [("gpu/0", round(4 / 7, 3))], id="the name before driver 470"),
        pytest.param(
            f"{mig_uuid(gpu_uuid(0), 0)},{mig_uuid(gpu_uuid(0), 1)}",
            [A],
            id="both slices: the GPU once, whole",
        ),
        pytest.param("MIG-00000000-dead-beef-0000-000000000000", [], id="a slice that is not there"),
        pytest.param(mig_uuid(gpu_uuid(0), 0)[:12], [("gpu/0", round(3 / 7, 3))], id="a prefix of one"),
        pytest.param(
            f"{mig_uuid(gpu_uuid(0), 0)},{mig_uuid(gpu_uuid(0), 0)}", [("gpu/0", round(3 / 7, 3))],
            id="one slice, named twice",
        ),
        pytest.param("MIG-", [], id="a prefix of both"),
        pytest.param("0", [("gpu/0", round(3 / 7, 3))], id="the GPU: CUDA takes its first slice"),
        pytest.param(gpu_uuid(0), [("gpu/0", round(3 / 7, 3))], id="its UUID: CUDA takes its first slice"),
        pytest.param(None, [("gpu/0", round(3 / 7, 3))], id="not set: CUDA takes the first slice"),
    ],
)  # fmt: skip
def test_a_slice_is_charged_with_its_part(bench, audit, visible, expected):
    SCENARIOS["mig"](bench)
    assert seen(audit(visible)) == expected


A30 = Gpu(Signal.const(160), mig=(1, 2), slices=4)
CUT = Gpu(Signal.const(300), mig=(3, 4))


@pytest.mark.parametrize(
    ("gpus", "visible", "expected"),
    [
        pytest.param([A30], mig_uuid(gpu_uuid(0), 0), [("gpu/0", 0.25)], id="one slice of an A30's four"),
        pytest.param(
            [A30], f"{mig_uuid(gpu_uuid(0), 0)},{mig_uuid(gpu_uuid(0), 1)}", [("gpu/0", 0.75)],
            id="two slices add",
        ),
        pytest.param(
            [replace(CUT, compute=(1, 4))], mig_uuid(gpu_uuid(0), 0), [("gpu/0", round(1 / 7, 3))],
            id="one compute instance of several in a GPU instance",
        ),
        pytest.param(
            [CUT, CUT], f"{mig_uuid(gpu_uuid(0), 0)},{mig_uuid(gpu_uuid(1), 1)}",
            [("gpu/0", round(3 / 7, 3)), ("gpu/1", round(4 / 7, 3))], id="slices of two GPUs",
        ),
        pytest.param([CUT, CUT], None, [("gpu/0", round(3 / 7, 3))], id="not set: one of all instances"),
        pytest.param([TWO[0], CUT], None, [A, ("gpu/1", round(3 / 7, 3))], id="not set: a whole GPU too"),
        pytest.param([Gpu(Signal.const(60), mig_on=True), TWO[1]], None, [B], id="cut, without instances"),
        pytest.param([Gpu(Signal.const(60), mig_on=True)], "0", [], id="the same, named"),
    ],
)  # fmt: skip
def test_slices_are_parts_of_what_the_gpu_can_be_cut_into(bench, audit, gpus, visible, expected):
    bench.nvml(gpus)
    assert seen(audit(visible)) == expected


def test_which_instance_was_taken_for_ours_is_told(bench, audit):
    SCENARIOS["mig"](bench)
    (channel,) = audit(None)["channels"]
    assert "the first of 2 instances, as CUDA_VISIBLE_DEVICES names none; 43%" in channel["note"]


UNLIKE = [Gpu(Signal.const(300), name="NVIDIA T4"), Gpu(Signal.const(150))]


@pytest.mark.parametrize(
    ("gpus", "given", "told"),
    [
        pytest.param(UNLIKE, {"CUDA_VISIBLE_DEVICES": "0,1"}, True, id="an index among unlike GPUs"),
        pytest.param(UNLIKE, {"CUDA_VISIBLE_DEVICES": "1"}, True, id="and of one that hides the others"),
        pytest.param(
            UNLIKE, {"CUDA_VISIBLE_DEVICES": "0,1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, False,
            id="in NVML's order",
        ),
        pytest.param(UNLIKE, {"CUDA_VISIBLE_DEVICES": f"{gpu_uuid(0)},{gpu_uuid(1)}"}, False, id="by UUID"),
        pytest.param(UNLIKE, {}, False, id="all of them: the order is all the same"),
        pytest.param(TWO, {"CUDA_VISIBLE_DEVICES": "0,1"}, False, id="like GPUs stand in PCI order"),
        pytest.param(TWO, {"NVIDIA_VISIBLE_DEVICES": "0"}, False, id="the container runtime's hides none"),
    ],
)  # fmt: skip
def test_an_order_that_is_a_guess_is_told(bench, audit, gpus, given, told):
    bench.nvml(gpus)
    assert {"CUDA_DEVICE_ORDER" in c["note"] for c in audit(**given)["channels"]} == {told}


def test_a_slice_says_how_much_of_the_gpu_it_takes(bench, audit):
    SCENARIOS["mig"](bench)
    (channel,) = audit(mig_uuid(gpu_uuid(0), 0))["channels"]
    assert "43%" in channel["note"]


def test_the_energy_counter_is_read_where_there_is_one(bench, audit):
    told = audit() if bench.nvml(TWO) else None
    assert [(c["kind"], c["unit"]) for c in told["channels"]] == [("counter", "mJ")] * 2
    assert told["periods_s"] == {"0.01": 0.01, "0.5": 0.5, "1.0": 1.0, "60.0": 60.0}
    now_mj = time.monotonic() * 300e3
    assert told["looks"][-1][0] == pytest.approx(now_mj, abs=5 * 300e3)


def test_power_is_sampled_ten_times_as_often_where_there_is_no_counter(bench, audit):
    bench.nvml([Gpu(Signal.const(300), energy=False), Gpu(Signal.const(150), energy=False)])
    told = audit()
    assert [(c["kind"], c["unit"]) for c in told["channels"]] == [("power", "mW")] * 2
    assert told["looks"][0] == [300_000, 150_000]
    assert told["periods_s"] == {"0.01": 0.001, "0.5": 0.05, "1.0": 0.1, "60.0": 1.0}


# -- superchips ------------------------------------------------------------------------

SUPERCHIP = Gpu(Signal.const(600), module=250.0)


@pytest.mark.parametrize(
    ("gpu", "channels", "watts"),
    [
        pytest.param(
            SUPERCHIP, [("gpu/0", "mJ", True), ("platform/module-0", "mJ", False)], None, id="by energy"
        ),
        pytest.param(
            replace(SUPERCHIP, energy=False),
            [("gpu/0", "mW", True), ("platform/module-0", "mW", False)], [600, 850], id="by power",
        ),
        pytest.param(TWO[0], [("gpu/0", "mJ", True)], None, id="a GPU without a module"),
    ],
)  # fmt: skip
def test_a_module_is_shown_and_the_gpu_in_it_is_added(bench, audit, gpu, channels, watts):
    bench.nvml([gpu])
    told = audit()
    assert [(c["name"], c["unit"], c["counted"]) for c in told["channels"]] == channels
    if watts:
        assert told["looks"][0] == [1000 * watt for watt in watts]
    elif len(channels) == 2:
        gpu_mj, module_mj = told["looks"][0]
        assert module_mj / gpu_mj == pytest.approx(850 / 600, rel=1e-3)


def test_a_module_that_is_only_shown_asks_for_no_more_looks(bench, audit):
    bench.nvml([replace(SUPERCHIP, module_energy=False)])
    told = audit()
    assert [c["unit"] for c in told["channels"]] == ["mJ", "mW"]
    assert told["periods_s"]["1.0"] == 1.0


# -- faults ----------------------------------------------------------------------------

LOSE = """
from wattermark.readers.nvml import NvmlReader
reader = NvmlReader()
print(reader.read(), flush=True)
input()
print([value is None for value in reader.read()])
"""


def test_a_gpu_that_is_lost_is_a_gap_and_stops_no_other(bench, begin, home):
    child = begin(LOSE, env=bench.nvml(TWO).env(home))
    bench.lose_gpu(0, 0.0)
    time.sleep(0.06)  # the fake looks at its file every 50 ms
    said, complained = child.communicate("\n", timeout=20)
    assert (said.strip(), complained) == ("[True, False]", "")


LOOKS = """
import json, sys, time
import pynvml
import wattermark.readers.nvml as nvml
from wattermark.readers.nvml import NvmlReader
nvml.SOONEST_S, nvml.LATEST_S = map(float, sys.argv[1:])
reader = NvmlReader()
print(flush=True)
for order in sys.stdin:
    exec(order)
    print(json.dumps([None if value is None else round(value / 1e3) for value in reader.read()]), flush=True)
"""


@pytest.fixture
def looks(bench, begin, home):
    """A program that holds a reader, and looks when it is told to: joules."""

    def opened(gpus, soonest_s=0.05, latest_s=0.05):
        child = begin(LOOKS, soonest_s, latest_s, env=bench.nvml(gpus).env(home))

        def look(first=""):
            time.sleep(0.06)  # the fake looks at its file every 50 ms
            child.stdin.write(f"{first}\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline() or child.communicate()[1])

        return look

    return opened


def test_a_gpu_that_is_lost_from_the_beginning_hides_no_other_and_counts_when_it_is_back(bench, looks):
    look = looks([Gpu(Signal.const(300), fail_at=0.0), Gpu(Signal.const(150))])
    assert [value is None for value in look()] == [True, False]
    bench.update_gpu(0, fail_at=None)
    assert look()[0] == pytest.approx(300 * time.monotonic(), abs=300)


def test_gpus_that_are_all_lost_in_the_beginning_count_when_they_are_back(bench, looks):
    look = looks([replace(gpu, fail_at=0.0) for gpu in TWO])
    assert look() == [None, None]
    for i in range(2):
        bench.update_gpu(i, fail_at=None)
    assert None not in look()


def test_a_gpu_that_falls_off_and_comes_back_goes_on(bench, looks):
    look = looks(TWO)
    before = look()
    bench.lose_gpu(0, 0.0)
    away = look()
    bench.update_gpu(0, fail_at=None)
    after = look()
    assert away[0] is None and None not in (*before, away[1], *after)
    assert before[0] <= after[0]


def test_a_driver_that_is_loaded_anew_is_read_from_zero_on(bench, looks):
    look = looks(TWO)
    before = look()
    bench.reload_driver(time.monotonic())
    after = look()
    assert [value < 300 for value in after] == [True, True], after
    assert all(value > 300 for value in before)


def test_handles_of_an_old_driver_are_not_used_again(bench, looks):
    """The GPU that was second is the first after the reload: it is known by its UUID."""
    look = looks([replace(TWO[0], uuid=FULL[0]), replace(TWO[1], uuid=FULL[1])])
    look()
    now_s = time.monotonic()
    bench.nvml([replace(TWO[1], uuid=FULL[1]), replace(TWO[0], uuid=FULL[0])])
    bench.reload_driver(now_s - 100.0)
    bench.update_gpu(0, reload_at=now_s)
    first, second = look()
    assert first == pytest.approx(300 * 100, rel=0.05) and second == pytest.approx(150 * 100, rel=0.05)


def test_a_library_that_somebody_else_shuts_down_is_started_again(looks):
    look = looks(TWO)
    assert None not in look("pynvml.nvmlShutdown()")
    assert None not in look("pynvml.nvmlShutdown(); time.sleep(0.06)")


def test_a_library_that_the_program_uses_too_is_never_taken_from_it(bench, looks):
    """What was opened for the reader is given back, and no more: the program's own use goes on."""
    look = looks(TWO)
    look("pynvml.nvmlInit(); mine = pynvml.nvmlDeviceGetHandleByIndex(1)")
    bench.lose_gpu(0, 0.0)
    look()
    look("time.sleep(0.06)")
    look("pynvml.nvmlDeviceGetPowerUsage(mine)")


def test_while_there_is_no_driver_the_program_loses_no_use_of_its_own(looks):
    """The reader could not start the library; what the program started since is not the reader's to end."""
    look = looks([TWO[0], replace(TWO[1], fail_at=0.0)])
    look("import os; spec = os.environ['FAKE_NVML_SPEC']")
    look("os.rename(spec, spec + '.away'); pynvml.nvmlShutdown()")
    assert look() == [None, None]
    assert look("os.rename(spec + '.away', spec); pynvml.nvmlInit()")[0] is not None
    assert look("pynvml.nvmlShutdown(); pynvml.nvmlDeviceGetCount()")[0] is not None


COUNT_STARTS = """
started, begin = [], pynvml.nvmlInit
pynvml.nvmlInit = lambda: (started.append(time.monotonic()), begin())
"""


def test_a_gpu_that_stays_away_is_asked_for_ever_more_seldom(looks):
    look = looks([replace(TWO[0], fail_at=0.0), TWO[1]], soonest_s=0.02, latest_s=0.16)
    look(f"exec({COUNT_STARTS!r}); end = time.monotonic() + 0.9")
    look("[(reader.read(), time.sleep(0.002)) for _ in iter(lambda: time.monotonic() < end, False)]")
    look("gaps = [b - a for a, b in zip(started, started[1:])]")
    look("assert 3 <= len(gaps) < 14 and max(gaps) >= 0.15, gaps")


FORK = """
import json, os, sys
from wattermark.readers.nvml import NvmlReader
reader = NvmlReader()
before = reader.read()
r, w = os.pipe()
if not os.fork():
    looks = {"its own": lambda: NvmlReader().read(), "its parent's": reader.read}
    first = looks.pop(sys.argv[1])
    os.write(w, json.dumps([first(), *(look() for look in looks.values())]).encode())
    os._exit(0)
os.close(w)
print(json.dumps([before, *json.loads(os.read(r, 9999)), reader.read()]))
"""


@pytest.mark.parametrize("first", ["its own", "its parent's"])
def test_after_a_fork_child_and_parent_read_on(bench, program, home, first):
    """A reader of the child's own, and the parent's that it inherited, whichever it asks first."""
    done = program(FORK, first, env=bench.nvml(TWO).env(home))
    assert not done.stderr
    told = json.loads(done.stdout)
    assert all(None not in look for look in told) and len(told) == 4


# -- who keeps it busy -----------------------------------------------------------------

BUSY = """
import json, os, subprocess, sys, time
import wattermark.readers.nvml_busy as busy
from wattermark.readers.nvml import NvmlReader
busy.HOST_NAMESPACE = os.readlink("/proc/self/ns/pid")
{before}
reader = NvmlReader()
print(os.getpid(), flush=True)
for order in sys.stdin:
    exec(order)
    values, now_s = reader.read(), time.monotonic()
    print(json.dumps([[c.name for c in reader.channels] + ["/at_s"], [*values, now_s]]), flush=True)
"""


@pytest.fixture
def busy(bench, home):
    """A program on a GPU that tells who keeps it busy: its pid, and what it saw at the next look."""
    children = []

    def opened(pids=(999_999,), sm=(0,), before="busy.EVERY_NS = 0", **more):
        bench.nvml([Gpu(Signal.const(300), pids=tuple(pids), sm=tuple(sm), **more)])
        child = subprocess.Popen(
            [sys.executable, "-c", BUSY.format(before=before)], env=bench.env(home),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        children.append(child)

        def look(order=""):
            child.stdin.write(f"{order}\n")
            child.stdin.flush()
            names, values = json.loads(child.stdout.readline() or child.communicate()[1])
            return dict(zip([name.rpartition("/")[2] for name in names], values, strict=True))

        return int(child.stdout.readline()), look

    yield opened
    for child in children:
        child.kill()
        child.communicate()


def parts_of(bench, look, pids, sm, order="time.sleep(0.2)"):
    """What part of the time between two looks each sum grew by, while these were busy; nearly."""
    bench.update_gpu(0, pids=tuple(pids), sm=tuple(sm))
    time.sleep(0.06)
    before, after = look(), look(order)
    took_s = after["at_s"] - before["at_s"]
    rows = ("run_sm", "all_sm", "held_by_others")
    return pytest.approx([(after[row] - before[row]) / 1e9 / took_s for row in rows], abs=0.09)


@pytest.mark.parametrize(
    ("mine", "others", "expected"),
    [
        pytest.param(60, [], [0.6, 0.6, 0.0], id="the run alone"),
        pytest.param(30, [50], [0.3, 0.8, 0.0], id="the run and another"),
        pytest.param(30, [0], [0.3, 0.3, 0.0], id="another holds it and rests"),
        pytest.param(0, [0], [0.0, 0.0, 1.0], id="another holds it, and all rest"),
        pytest.param(0, [40, 20], [0.0, 0.6, 0.0], id="two others"),
        pytest.param(0, [], [0.0, 0.0, 0.0], id="nobody"),
        pytest.param(50, [130], [0.5, 0.5, 0.0], id="more than all of the time is junk"),
    ],
)
def test_sm_time_of_the_run_and_of_all_adds_up(bench, busy, mine, others, expected):
    pid, look = busy()
    pids = (pid, *(999_990 + i for i in range(len(others))))
    assert parts_of(bench, look, pids, (mine, *others)) == expected


def test_a_child_of_the_run_is_the_run(bench, busy):
    run, look = busy()
    look("child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)")
    pid = int(Path(f"/proc/{run}/task/{run}/children").read_text())
    assert parts_of(bench, look, (pid,), (70,)) == [0.7, 0.7, 0.0]
    gone = parts_of(bench, look, (pid,), (70,), "child.kill(); child.wait(); time.sleep(0.2)")
    assert gone == [0.7, 0.7, 0.0]  # until it ended it was the run's
    assert parts_of(bench, look, (pid,), (70,)) == [0.0, 0.7, 0.0]


def test_programs_are_asked_for_once_a_second_at_most(busy):
    _, look = busy(before="")
    first, second = look(), look()
    assert first["run_sm"] == 0 and second["run_sm"] is None
    assert look("busy.time.sleep(1.0)")["run_sm"] == 0


@pytest.mark.parametrize(
    ("before", "more"),
    [
        pytest.param("busy.HOST_NAMESPACE = 'pid:[1]'", {}, id="a container with numbers of its own"),
        pytest.param("", {"sm": ()}, id="a GPU that does not tell"),
        pytest.param("", {"mig": (7,)}, id="a GPU that is cut"),
    ],
)
def test_where_programs_cannot_be_told_apart_nothing_is_said_of_them(busy, before, more):
    _, look = busy(before=before, **more)
    assert list(look()) == ["0", "at_s"]


def test_under_an_mps_server_nobody_knows_whose_time_it_was(bench, busy, begin):
    """NVML tells the server for all of its clients, the run's too."""
    rename = "import ctypes; ctypes.CDLL(None).prctl(15, b'nvidia-cuda-mps-server')"
    server = begin(f"{rename}; print(flush=True); input()")
    pid, look = busy()
    bench.update_gpu(0, pids=(pid, server.pid), sm=(0, 80))
    time.sleep(0.06)
    assert look()["run_sm"] is None


def test_a_gpu_that_is_lost_has_no_programs_and_has_them_again(bench, busy):
    soon = "import wattermark.readers.nvml as n; n.SOONEST_S = n.LATEST_S = 0.05"
    pid, look = busy(before=f"busy.EVERY_NS = 0; {soon}")
    assert parts_of(bench, look, (pid,), (50,)) == [0.5, 0.5, 0.0]
    bench.lose_gpu(0, 0.0)
    time.sleep(0.06)
    assert {value for name, value in look().items() if name != "at_s"} == {None}
    bench.update_gpu(0, fail_at=None)
    time.sleep(0.06)
    assert parts_of(bench, look, (pid,), (50,)) == [0.5, 0.5, 0.0]


def test_a_gpu_that_tells_neither_energy_nor_power_tells_how_busy_it_is(bench, audit):
    bench.nvml([Gpu(Signal.const(280), energy=False, power=False, limit=700), Gpu(Signal.const(150))])
    told = audit()
    first, other = told["channels"]
    assert (first["kind"], first["unit"], first["part"]) == ("gauge", "%", "gpu")
    assert (other["kind"], other["unit"]) == ("counter", "mJ")
    assert [look[0] for look in told["looks"]] == [40] * 3
    assert told["periods_s"]["1.0"] == 0.1, "sampled, as power is"


def test_a_gpu_that_answers_nothing_is_a_gap(bench, audit):
    bench.nvml([Gpu(Signal.const(300), energy=False, power=False, busy=False), Gpu(Signal.const(150))])
    assert [look[0] for look in audit()["looks"]] == [None] * 3


NO_DRIVER = """
import sys
from wattermark.errors import ReaderUnavailable
from wattermark.readers.nvml import NvmlReader
try:
    NvmlReader("libnvidia-ml-that-is-not-there.so.1")
except ReaderUnavailable as error:
    print("pynvml" in sys.modules, error.problem)
"""


def test_without_a_driver_the_binding_is_not_even_imported(program):
    assert program(NO_DRIVER).stdout == "False no NVIDIA driver library here\n"


def test_a_driver_that_does_not_start_says_where_to_look(bench, audit):
    told = audit()  # the library is there, and holds no driver
    assert "NVML does not start" in told["problem"]
    assert "nvidia-smi" in told["fix"]
