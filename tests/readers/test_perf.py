"""Energy events through a fake kernel: which are read, what they are called, and what if one is lost."""

import json
import platform

import pytest

from fakes.meters import SCENARIOS, Event, Signal
from fakes.tree import AMD, INTEL, power_pmu
from wattermark.errors import ReaderUnavailable
from wattermark.readers.perf import MEND, PerfReader

W100 = Signal.const(100)
ONE, TWO = {0: (0, 0)}, {0: (0, 0), 28: (1, 0)}
FOUR = {24: (1, 1), 0: (0, 0), 8: (0, 1), 16: (1, 0)}

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the fake has the call of x86-64")


def named(cpus, *names):
    return [Event(name, W100, cpu) for name in names for cpu in cpus]


@pytest.fixture
def audit(bench, home, program):
    """What the reader tells under a bench."""

    def told(code="from readers import audit; audit.perf()", read=json.loads):
        done = program(code, env=bench.env(home))
        assert not done.stderr
        return read(done.stdout)

    return told


@pytest.mark.parametrize(
    ("events", "cpus", "modalias", "expected"),
    [
        pytest.param(["energy-pkg"], ONE, INTEL, ["cpu/package-0"], id="one socket"),
        pytest.param(
            ["energy-cores", "energy-gpu", "energy-pkg"], ONE, INTEL, ["cpu/package-0"],
            id="cores and graphics lie inside their package",
        ),
        pytest.param(
            ["energy-psys", "energy-ram", "energy-pkg"], TWO, INTEL,
            ["cpu/package-0", "cpu/package-1", "dram/package-0", "dram/package-1", "platform/psys"],
            id="two sockets with their memory; the board once",
        ),
        pytest.param(
            ["energy-pkg"], {5 * i: (i, 0) for i in (10, 2, 11, *range(2), *range(3, 10))}, INTEL,
            [f"cpu/package-{i}" for i in range(12)], id="twelve sockets in the order of their numbers",
        ),
        pytest.param(
            ["energy-pkg"], FOUR, INTEL, [f"cpu/package-{s}-die-{d}" for s in (0, 1) for d in (0, 1)],
            id="Intel's dies have a counter each",
        ),
        pytest.param(
            ["energy-pkg"], FOUR, AMD, ["cpu/package-0", "cpu/package-1"],
            id="AMD's dies tell their socket's counter, and it is read once",
        ),
        pytest.param(
            ["energy-pkg"], {0: (0, 3)}, INTEL, ["cpu/package-0"], id="the only die of a socket"
        ),
    ],
)  # fmt: skip
def test_events_are_named_as_powercap_names_them(bench, audit, events, cpus, modalias, expected):  # noqa: PLR0917
    bench.perf(named(cpus, *events), cpus, modalias=modalias)
    told = audit()
    assert [channel["name"] for channel in told["channels"]] == expected
    assert [channel["covers"] for channel in told["channels"]] == expected
    assert [channel["name"] for channel in told["channels"] if not channel["counted"]] == [
        name for name in expected if name == "platform/psys"
    ]
    assert all(None not in look for look in told["looks"])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"unit": "Watts"}, id="another unit than joules"),
        pytest.param({"scale": "soon"}, id="a scale that is no number"),
        pytest.param({"scale": "-1"}, id="a scale below zero"),
        pytest.param({"scale": "nan"}, id="a scale that is not a number"),
        pytest.param({"scale": "inf"}, id="a scale without end"),
        pytest.param({"kind": "soon"}, id="a type that is no number"),
    ],
)
def test_what_cannot_be_meant_is_not_read(bench, audit, more):
    bench.perf(named(ONE, "energy-pkg"), ONE, **more)
    assert "no energy event" in audit()["problem"]


@pytest.mark.parametrize(
    ("scale", "unit_j"),
    [("2.3283064365386962890625e-10", 2**-32), ("6.103515625e-05", 2**-14), ("1", 1.0)],
)
def test_whole_microjoules_by_any_scale(bench, audit, scale, unit_j):
    """The fake counts 2^-32 J whatever the scale: a joule shows as so much more."""
    bench.perf([Event("energy-pkg", Signal.step(0, 1e5, 0), update_s=0)], ONE, scale=scale)
    code = """
import json, time
from wattermark.readers.perf import PerfReader
t0 = time.monotonic(); reader = PerfReader(); t1 = time.monotonic()
time.sleep(0.01)
t2 = time.monotonic(); (uj,) = reader.read(); t3 = time.monotonic()
print(json.dumps([t0, t1, t2, t3, uj]))
"""
    t0, t1, t2, t3, uj = audit(code)
    true_j = uj * 1e-6 / unit_j / 2**32
    assert 1e5 * (t2 - t1) * 0.999 <= true_j <= 1e5 * (t3 - t0) * 1.001


def test_without_a_pmu_it_says_what_to_load(tmp_path):
    with pytest.raises(ReaderUnavailable, match="no energy event") as caught:
        PerfReader(tmp_path)
    assert "sudo modprobe rapl" in caught.value.fix
    assert "virtual machines have none" in caught.value.fix


def test_a_pmu_that_the_kernel_does_not_know_is_told(tmp_path):
    """The folder is there, and no kernel has an event of such a type."""
    power_pmu(tmp_path, ONE, ["energy-pkg"], kind=2**31)
    with pytest.raises(ReaderUnavailable, match="perf_event_open"):
        PerfReader(tmp_path)


@pytest.mark.parametrize("code", [13, 1], ids=["paranoid", "a container's filter"])
def test_denied_gives_the_setting_that_opens_it(bench, audit, code):
    bench.perf([Event("energy-pkg", W100, fail_at_s=0.0, fail_errno=code)], ONE)
    assert audit()["fix"] == MEND
    assert "sudo sysctl kernel.perf_event_paranoid=0" in MEND


def test_an_event_that_cannot_be_opened_is_a_gap_and_stops_no_other(bench, audit):
    bench.perf([Event("energy-pkg", W100), Event("energy-pkg", W100, 28, fail_at_s=0.0, fail_errno=19)], TWO)
    told = audit()
    assert [channel["name"] for channel in told["channels"]] == ["cpu/package-0", "cpu/package-1"]
    assert all(first is not None and second is None for first, second in told["looks"])


LOOK_WHEN_ASKED = """
import sys, time
from wattermark.readers.perf import PerfReader
reader = PerfReader()
print(flush=True)
for _ in sys.stdin:
    time.sleep(0.06)
    print(*reader.read(), flush=True)
"""


def test_an_event_that_fails_is_a_gap_until_it_is_back(bench, begin, home):
    child = begin(LOOK_WHEN_ASKED, env=bench.perf(named(ONE, "energy-pkg"), ONE).env(home))

    def look():
        child.stdin.write("\n")
        child.stdin.flush()
        return child.stdout.readline().strip()

    first = look()
    bench.update_event("energy-pkg@0", fail_at_s=0.0, fail_errno=5)
    assert look() == "None"
    bench.update_event("energy-pkg@0", fail_at_s=None)
    assert int(look()) > int(first) > 0


def test_a_forked_child_reads_on_and_a_program_that_is_started_inherits_nothing(bench, audit):
    bench.perf(named(ONE, "energy-pkg"), ONE)
    code = """
import json, os, subprocess, sys
from wattermark.readers.perf import PerfReader
FDS = "/proc/self/fd"
HELD = f"import os; print(sum('counters' in os.path.realpath('{FDS}/' + n) for n in os.listdir('{FDS}')))"
reader = PerfReader()
(first,) = reader.read()
r, w = os.pipe()
if not os.fork():
    os.write(w, str(reader.read()[0]).encode()); reader.close(); os._exit(0)
os.wait()
exec(HELD)
print(subprocess.run([sys.executable, "-c", HELD], close_fds=False, capture_output=True, text=True).stdout)
print(first, os.read(r, 100).decode(), *reader.read())
"""
    done = audit(code, read=str.split)
    here, started, first, in_child, after = map(int, done)
    assert (here, started) == (1, 0)
    assert 0 <= first <= in_child <= after


@pytest.mark.parametrize(("interval_s", "period_s"), [(1.0, 1.0), (3600.0, 30.0)])
def test_it_is_read_before_any_register_can_turn_unseen(bench, audit, interval_s, period_s):
    bench.perf(named(ONE, "energy-pkg"), ONE)
    code = f"from wattermark.readers.perf import PerfReader; print(PerfReader().period_s({interval_s}))"
    assert audit(code) == period_s


def test_whatever_is_read_on_the_way_the_sum_is_the_same(bench, audit):
    """Counts are rounded down from the opening on, never from look to look: nothing is lost in between."""
    bench.perf([Event("energy-pkg", Signal.const(100), update_s=0)], ONE)
    code = """
import json, os
from wattermark.readers import perf
reader = perf.PerfReader()
looks = [reader.read()[0] for _ in range(2000)]
event = reader._events[0]
raw = [7**k for k in range(0, 22)]
ends = [n * event._top // event._bottom for n in raw]
steps = sum(b - a for a, b in zip(looks, looks[1:]))
print(json.dumps([steps == looks[-1] - looks[0], looks == sorted(looks), ends, [event._top, event._bottom]]))
"""
    telescopes, climbs, ends, (top, bottom) = audit(code)
    assert telescopes and climbs
    assert ends == [7**k * 10**6 // 2**32 for k in range(22)]
    assert top * 2**32 == bottom * 10**6


def test_a_run_without_powercap_is_metered_by_events(bench, audit):
    SCENARIOS["perf_only"](bench)
    told = audit()
    assert [channel["name"] for channel in told["channels"]] == ["cpu/package-0", "dram/package-0"]
