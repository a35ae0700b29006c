"""NVML through a fake driver library, in child processes that see it."""

import json
import time

import pytest

from fakes.meters import SCENARIOS, Gpu, Signal, gpu_uuid, mig_uuid

TWO = [Gpu(Signal.const(300)), Gpu(Signal.const(150))]
FULL = ["GPU-aaaa1111-0000-0000-0000-000000000000", "GPU-aaaa2222-0000-0000-0000-000000000000"]
AUDIT = "from readers import audit; audit.nvml()"


@pytest.fixture
def audit(bench, home, program):
    """What the reader tells under a bench and a CUDA_VISIBLE_DEVICES."""

    def told(visible=None):
        env = bench.env(home) | ({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
        done = program(AUDIT, env=env)
        assert not done.stderr
        return json.loads(done.stdout)

    return told


def seen(told):
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
        pytest.param(None, [A], id="not set: the whole GPU"),
    ],
)
def test_a_slice_is_charged_with_its_part(bench, audit, visible, expected):
    SCENARIOS["mig"](bench)
    assert seen(audit(visible)) == expected


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


def test_a_gpu_that_is_lost_from_the_beginning_hides_no_other(bench, audit):
    bench.nvml([Gpu(Signal.const(300), fail_at=0.0), Gpu(Signal.const(150))])
    told = audit()
    assert "gpu/1" in [c["name"] for c in told.get("channels", [])], told


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
