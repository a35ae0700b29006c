"""The fakes themselves: what a child process reads is the truth, and it fails when it is told to."""

from __future__ import annotations

import errno
import itertools
import json
import math
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from . import meters, tree
from .meters import SCENARIOS, Bench, Gpu, Signal, Zone, socket

REFRESH_S = 0.001  # of a fake RAPL register
PACKAGE = "/sys/class/powercap/intel-rapl:0/energy_uj"
MakeBench = Callable[[], Bench]


@pytest.fixture(scope="session")
def libs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled fakes, once for the session."""
    try:
        return meters.build(tmp_path_factory.mktemp("fakes"))
    except meters.NoCompiler as missing:
        pytest.skip(str(missing))


@pytest.fixture
def make(tmp_path: Path, libs: Path) -> MakeBench:
    """Makes benches in the test's own folder."""
    return lambda: Bench(tmp_path, libs)


CHILD = """
import errno, json, os, sys, time
def ready():
    print(flush=True)
    sys.stdin.readline()
"""


def child(bench: Bench, code: str, *arguments: str, when_ready: Callable[[], object] | None = None) -> Any:
    """What a child that sees the fakes prints, as JSON; `when_ready` runs while it is in ready()."""
    command = [sys.executable, "-c", CHILD + code, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=bench.env(), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdin and process.stdout
        if when_ready and process.stdout.readline():
            when_ready()
            process.stdin.write("\n")
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    return json.loads(out)


READINGS = """
fd = os.open(sys.argv[1], os.O_RDONLY)
def reading(read):
    before = time.monotonic()
    return before, int(read()), time.monotonic()
def descriptor():
    return os.pread(fd, 64, 0)
def whole():
    with open(sys.argv[1]) as f:
        return f.read()
def rewound():
    os.lseek(fd, 0, os.SEEK_SET)
    return os.read(fd, 64)
end = time.monotonic() + float(sys.argv[2])
rows = []
while time.monotonic() < end:
    rows += [reading(descriptor), reading(whole), reading(rewound)]
    time.sleep(0.002)
print(json.dumps(rows))
"""


def assert_true_counter(rows: list[list[float]], zone: Zone) -> None:
    """Each value is one the counter had between the refresh before the reading and its end."""
    span = zone.max_uj + 1
    for before, value, after in rows:
        low = 1e6 * zone.signal.energy_j(before - REFRESH_S) + zone.offset_uj
        high = 1e6 * zone.signal.energy_j(after) + zone.offset_uj
        assert (value - (low - 2)) % span <= high - low + 4


# ---------------------------------------------------------------------------- signals
@pytest.mark.parametrize(
    ("signal", "power"),
    [
        (Signal.const(100), lambda t: 100.0),
        (Signal.square(50, 200, 0.5), lambda t: 50.0 if t % 2 < 1 else 200.0),
        (Signal.step(10, 90, 1000.25), lambda t: 10.0 if t < 1000.25 else 90.0),
        (Signal.sine(100, 40, 0.3), lambda t: 100 + 40 * math.sin(0.6 * math.pi * t)),
    ],
)
def test_energy_is_the_integral_of_power(signal: Signal, power: Callable[[float], float]) -> None:
    start, end, steps = 999.3, 1003.3, 4000
    width = (end - start) / steps
    expected = sum(power(start + (i + 0.5) * width) * width for i in range(steps))
    assert signal.energy_j(end) - signal.energy_j(start) == pytest.approx(expected, abs=0.2)


# ---------------------------------------------------------------------------- powercap
@pytest.mark.parametrize(
    "zone",
    [
        Zone("intel-rapl:0", "package-0", Signal.square(50, 200, 5), offset_uj=11_000_000),
        Zone("intel-rapl:0", "package-0", Signal.sine(100, 60, 3)),
        Zone("intel-rapl:0", "package-0", Signal.const(100), max_uj=9_000_000),
    ],
    ids=["square", "sine", "wraps"],
)
def test_every_way_to_read_gives_the_truth(make: MakeBench, zone: Zone) -> None:
    rows = child(make().powercap([zone]), READINGS, PACKAGE, "0.25")
    assert len(rows) > 30
    assert_true_counter(rows, zone)


def test_the_difference_of_two_readings_is_the_energy_between_them(make: MakeBench) -> None:
    bench = SCENARIOS["fastsquare"](make())
    first, *_, last = child(bench, READINGS, PACKAGE, "0.3")
    truth = bench.truth_j("package-0", first[0], last[0])
    slack = 200 * (REFRESH_S + first[2] - first[0] + last[2] - last[0])
    assert (last[1] - first[1]) / 1e6 == pytest.approx(truth, abs=slack)


def test_a_short_counter_wraps(make: MakeBench) -> None:
    bench = make().powercap(socket(0, Signal.const(100), max_uj=9_999_999))  # every 0.1 s
    values = [value for _, value, _ in child(bench, READINGS, PACKAGE, "0.25")]
    wraps = sum(after < before for before, after in itertools.pairwise(values))
    assert wraps in (2, 3)
    assert max(values) <= 9_999_999


def test_the_tree_looks_like_the_kernels(make: MakeBench) -> None:
    code = """
import glob
base = "/sys/class/powercap"
zones = sorted(n for n in os.listdir(base) if ":" in n)
names = {z: open(f"{base}/{z}/name").read().strip() for z in zones}
print(json.dumps([names, os.path.realpath(f"{base}/intel-rapl:0:1"), len(glob.glob(base + "/*/energy_uj")),
    [e.name for e in os.scandir(base) if e.is_dir()].count("intel-rapl"),
    os.stat(f"{base}/intel-rapl:0/energy_uj").st_size, os.readlink(f"{base}/intel-rapl:0")]))
"""
    names, real, counters, controls, size, link = child(SCENARIOS["psys"](make()), code)
    assert names == {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "dram",
        "intel-rapl:1": "psys",
    }
    assert real == "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:1"
    assert (counters, controls, size) == (4, 1, 4096)
    assert link == "../../devices/virtual/powercap/intel-rapl/intel-rapl:0"


def test_programs_that_are_not_python_see_it_too(make: MakeBench) -> None:
    env = SCENARIOS["const"](make()).env()
    for program in (["cat"], ["head", "-c", "30"]):
        done = subprocess.run([*program, PACKAGE], env=env, capture_output=True, text=True, check=True)
        assert int(done.stdout) > 0


def test_a_descriptor_number_given_to_another_file_reads_that_file(make: MakeBench, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("plain")
    code = """
fd = os.open(sys.argv[1], os.O_RDONLY); os.pread(fd, 64, 0); os.close(fd)
again = os.open(sys.argv[2], os.O_RDONLY)
print(json.dumps([again == fd, os.pread(again, 64, 0).decode()]))
"""
    assert child(SCENARIOS["const"](make()), code, PACKAGE, str(tmp_path / "plain")) == [True, "plain"]


def test_a_forked_child_reads_on(make: MakeBench) -> None:
    code = """
fd = os.open(sys.argv[1], os.O_RDONLY)
before = int(os.pread(fd, 64, 0))
time.sleep(0.01)
r, w = os.pipe()
if not os.fork():
    os.write(w, os.pread(fd, 64, 0)); os._exit(0)
print(json.dumps([before, int(os.read(r, 64))]))
"""
    before, after = child(SCENARIOS["const"](make()), code, PACKAGE)
    assert 0.9e6 < after - before < 20e6


ATTEMPT = """
def attempt(f):
    try: return f() and None
    except OSError as e: return e.errno
"""


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_a_zone_fails_from_the_given_time_on(make: MakeBench, code: int) -> None:
    source = """
fd = os.open(sys.argv[1], os.O_RDONLY)
ready()
while not (code := attempt(lambda: os.pread(fd, 64, 0))):
    good = time.monotonic()
print(json.dumps([good, time.monotonic(), code, attempt(lambda: open(sys.argv[1])),
    os.access(sys.argv[1], os.R_OK)]))
"""
    bench = SCENARIOS["const"](make())
    at_s = 0.0

    def fail_soon() -> None:
        nonlocal at_s
        at_s = time.monotonic() + 0.1
        bench.fail("package-0", at_s, errno=code)

    good, bad, *rest = child(bench, ATTEMPT + source, PACKAGE, when_ready=fail_soon)
    assert good < at_s + 0.05 and bad >= at_s  # the reading that was good may have ended a little later
    assert rest == [code, code, False]


def test_denied_from_the_start(make: MakeBench) -> None:
    source = "print(json.dumps([attempt(lambda: open(sys.argv[1])), os.access(sys.argv[1], os.R_OK)]))"
    assert child(SCENARIOS["denied"](make()), ATTEMPT + source, PACKAGE) == [errno.EACCES, False]


def test_a_zone_changes_under_an_open_reader(make: MakeBench) -> None:
    bench = make().powercap(socket(0, Signal.const(0), offset_uj=5))
    source = """
fd = os.open(sys.argv[1], os.O_RDONLY)
before = int(os.pread(fd, 64, 0))
ready()
time.sleep(0.06)
print(json.dumps([before, int(os.pread(fd, 64, 0))]))
"""
    seen = child(bench, source, PACKAGE, when_ready=lambda: bench.update_zone("package-0", offset_uj=77))
    assert seen == [5, 77]


# ---------------------------------------------------------------------------- perf
OPEN = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
def event(kind=32, config=2, cpu=0, pid=-1, flags=8):
    attr = ctypes.create_string_buffer(struct.pack("=IIQ", kind, 112, config).ljust(112, b"\\0"))
    fd = libc.syscall(ctypes.c_long(298), attr, *map(ctypes.c_long, (pid, cpu, -1, flags)))
    return fd if fd >= 0 else -ctypes.get_errno()
def count(fd):
    return struct.unpack("=Q", os.read(fd, 8))[0]
"""
X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of calls are those of x86-64")


@X86
def test_an_event_counts_from_its_opening(make: MakeBench) -> None:
    code = """
t0 = time.monotonic(); fd = event(); t1 = time.monotonic()
first = count(fd); time.sleep(0.05); t2 = time.monotonic(); last = count(fd); t3 = time.monotonic()
print(json.dumps([t0, t1, t2, t3, first, last, os.get_inheritable(fd)]))
"""
    bench = SCENARIOS["perf"](make())
    t0, t1, t2, t3, first, last, inherited = child(bench, OPEN + code)
    assert first / 2**32 <= bench.truth_j("energy-pkg@0", t0, t2) + 0.1
    assert bench.truth_j("energy-pkg@0", t1, t2) - 0.1 <= last / 2**32
    assert last / 2**32 <= bench.truth_j("energy-pkg@0", t0, t3) + 0.1
    assert not inherited


@X86
def test_what_the_kernel_would_refuse_is_refused(make: MakeBench) -> None:
    code = "print(json.dumps([event(kind=31), event(config=9), event(cpu=1), event(cpu=-1), event(pid=0)]))"
    invalid = -errno.EINVAL
    refused = [-errno.ENOENT, invalid, invalid, invalid, invalid]
    assert child(SCENARIOS["perf"](make()), OPEN + code) == refused
    assert child(SCENARIOS["perf_denied"](make()), OPEN + "print(event())") == -errno.EACCES


@X86
def test_other_calls_of_the_kernel_go_through(make: MakeBench) -> None:
    code = "print(json.dumps([libc.syscall(ctypes.c_long(39)), os.getpid()]))"
    called, pid = child(SCENARIOS["perf"](make()), OPEN + code)
    assert called == pid


def test_the_processors_of_the_machine_show_where_there_are_no_others(make: MakeBench) -> None:
    code = "print(json.dumps(os.path.exists('/sys/devices/system/cpu/possible')))"
    real = Path("/sys/devices/system/cpu/possible").exists()
    assert child(SCENARIOS["const"](make()), code) is real
    assert child(SCENARIOS["perf"](make()), code) is False


# ---------------------------------------------------------------------------- NVML
NVML = "import pynvml as n\nn.nvmlInit()\nh = n.nvmlDeviceGetHandleByIndex\n"


@pytest.fixture
def pynvml() -> None:
    """Skips where nvidia-ml-py is not installed."""
    pytest.importorskip("pynvml")


@pytest.mark.usefixtures("pynvml")
def test_two_gpus_with_their_energy(make: MakeBench) -> None:
    code = """
rows = []
for i in range(n.nvmlDeviceGetCount()):
    t0, e0 = time.monotonic(), n.nvmlDeviceGetTotalEnergyConsumption(h(i))
    time.sleep(0.05)
    t1, e1 = time.monotonic(), n.nvmlDeviceGetTotalEnergyConsumption(h(i))
    f = n.nvmlDeviceGetFieldValues(h(i), [83, 185, 186, 1])
    rows.append([t0, e0, t1, e1, n.nvmlDeviceGetPowerUsage(h(i)), f[0].value.ullVal, f[1].value.uiVal,
        f[2].value.uiVal, f[3].nvmlReturn])
print(json.dumps(rows))
"""
    bench = SCENARIOS["gpu2"](make())
    rows = child(bench, NVML + code)
    for i, (t0, e0, t1, e1, usage, field, average, instant, unknown) in enumerate(rows):
        assert (e1 - e0) / 1e3 == pytest.approx(bench.truth_j(f"gpu{i}", t0, t1), abs=1.5)
        assert usage == average == instant == (300_000, 150_000)[i]
        assert field >= e1
        assert unknown == 3
    assert len(rows) == 2


@pytest.mark.usefixtures("pynvml")
def test_what_a_gpu_says_of_itself(make: MakeBench) -> None:
    code = """
g = h(1)
p = n.nvmlDeviceGetPciInfo(g)
m1, m2 = n.nvmlDeviceGetMemoryInfo(g), n.nvmlDeviceGetMemoryInfo(g, version=n.nvmlMemory_v2)
print(json.dumps([n.nvmlSystemGetDriverVersion(), n.nvmlDeviceGetName(g), n.nvmlDeviceGetUUID(g),
    n.nvmlDeviceGetUUID(n.nvmlDeviceGetHandleByUUID(n.nvmlDeviceGetUUID(g))),
    n.nvmlDeviceGetMinorNumber(n.nvmlDeviceGetHandleByPciBusId(p.busId)), n.nvmlDeviceGetArchitecture(g),
    n.nvmlDeviceGetEnforcedPowerLimit(g), n.nvmlDeviceGetPowerManagementLimitConstraints(g),
    m1.total == m2.total == m2.used + m2.free, n.nvmlDeviceGetTemperature(g, 0),
    n.nvmlDeviceGetUtilizationRates(g).gpu, n.nvmlDeviceGetMigMode(g),
    [x.pid for x in n.nvmlDeviceGetComputeRunningProcesses(g)]]))
n.nvmlShutdown()
"""
    name, uuid = "Some GPU", "GPU-0a0b0c0d-1111-2222-3333-444455556666"
    card = Gpu(Signal.const(350), name=name, uuid=uuid, pids=(123, 456))
    told = child(make().nvml([Gpu(Signal.const(1)), card]), NVML + code)
    assert told[1:5] == [name, uuid, uuid, 1]
    assert told[5:] == [9, 700_000, [210_000, 700_000], True, 55, 50, [0, 0], [123, 456]]


GUARDED = (
    NVML
    + """
def attempt(f, *a):
    try: return f(*a)
    except n.NVMLError as e: return -e.value
"""
)


@pytest.mark.usefixtures("pynvml")
def test_a_lost_gpu_leaves_the_other(make: MakeBench) -> None:
    code = """
a, b = h(0), h(1)
first = attempt(n.nvmlDeviceGetTotalEnergyConsumption, a)
ready()
time.sleep(0.06)
print(json.dumps([first, attempt(n.nvmlDeviceGetTotalEnergyConsumption, a),
    attempt(n.nvmlDeviceGetPowerUsage, a), attempt(n.nvmlDeviceGetTotalEnergyConsumption, b)]))
"""
    bench = SCENARIOS["gpu2"](make())
    lose = partial(bench.lose_gpu, 0, time.monotonic())
    first, energy, power, other = child(bench, GUARDED + code, when_ready=lose)
    assert first > 0 and other > 0
    assert (energy, power) == (-15, -15)


@pytest.mark.usefixtures("pynvml")
def test_an_energy_counter_reset(make: MakeBench) -> None:
    reset = time.monotonic()
    code = "print(json.dumps([time.monotonic(), n.nvmlDeviceGetTotalEnergyConsumption(h(0))]))"
    now, mj = child(make().nvml([Gpu(Signal.const(300), reset_at=reset)]), NVML + code)
    assert mj / 1e3 == pytest.approx(300 * (now - reset), abs=3)


@pytest.mark.usefixtures("pynvml")
def test_a_gpu_without_energy_counter_averages_its_power(make: MakeBench) -> None:
    card = Gpu(Signal.square(100, 500, 10), energy=False, window=1.0, hang_s=0.02)
    code = """
t = time.monotonic()
print(json.dumps([attempt(n.nvmlDeviceGetTotalEnergyConsumption, h(0)), n.nvmlDeviceGetPowerUsage(h(0)),
    time.monotonic() - t]))
"""
    energy, power, took = child(make().nvml([card]), GUARDED + code)
    assert energy == -3
    assert power == pytest.approx(300_000, abs=2)
    assert took > 0.04


@pytest.mark.usefixtures("pynvml")
def test_mig_instances(make: MakeBench) -> None:
    code = """
g = h(0)
rows = []
for i in range(n.nvmlDeviceGetMaxMigDeviceCount(g)):
    m = attempt(n.nvmlDeviceGetMigDeviceHandleByIndex, g, i)
    if isinstance(m, int):
        continue
    uuid = n.nvmlDeviceGetUUID(m)
    m = n.nvmlDeviceGetHandleByUUID(uuid)
    whole = n.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(m)
    rows.append([uuid, n.nvmlDeviceGetAttributes_v2(m).gpuInstanceSliceCount, n.nvmlDeviceGetGpuInstanceId(m),
        n.nvmlDeviceGetComputeInstanceId(m), n.nvmlDeviceIsMigDeviceHandle(m).value,
        n.nvmlDeviceGetMinorNumber(whole), attempt(n.nvmlDeviceGetTotalEnergyConsumption, m)])
print(json.dumps([n.nvmlDeviceGetMigMode(g), rows]))
"""
    mode, rows = child(SCENARIOS["mig"](make()), GUARDED + code)
    assert mode == [1, 1]
    uuids = [meters.mig_uuid(meters.gpu_uuid(0), i) for i in range(2)]
    assert rows == [[uuids[0], 3, 1, 0, 1, 0, -3], [uuids[1], 4, 2, 0, 1, 0, -3]]


@pytest.mark.usefixtures("pynvml")
def test_a_fork_needs_its_own_initialisation(make: MakeBench) -> None:
    code = """
g = h(0)
r, w = os.pipe()
if not os.fork():
    stale = attempt(n.nvmlDeviceGetPowerUsage, g)
    n.nvmlInit()
    os.write(w, json.dumps([stale, n.nvmlDeviceGetPowerUsage(h(0))]).encode()); os._exit(0)
print(os.read(r, 100).decode())
"""
    assert child(SCENARIOS["gpu2"](make()), GUARDED + code) == [-1, 300_000]


@pytest.mark.usefixtures("pynvml")
def test_none_hides_the_real_meters(make: MakeBench) -> None:
    code = """
import pynvml as n
try: n.nvmlInit(); state = 0
except n.NVMLError as e: state = e.value
print(json.dumps([state, os.path.exists("/sys/class/powercap")]))
"""
    assert child(SCENARIOS["none"](make()), code) == [9, False]


# ---------------------------------------------------------------------------- clock
def test_the_wall_clock_steps_and_the_monotonic_one_does_not(make: MakeBench) -> None:
    code = """
def apart():
    return time.time() - time.monotonic()
before, t0 = apart(), time.monotonic()
ready()
while abs(apart() - before) < 1 and time.monotonic() < t0 + 5:
    time.sleep(0.005)
print(json.dumps([apart() - before, time.monotonic()]))
"""
    bench = SCENARIOS["const"](make()).step_clock(math.inf, 0.0)
    at_s = time.monotonic() + 0.1
    moved, seen_s = child(bench, code, when_ready=lambda: bench.step_clock(at_s, -3600.0))
    assert moved == pytest.approx(-3600, abs=0.05)
    assert at_s <= seen_s <= time.monotonic()


# ---------------------------------------------------------------------------- the rest
def test_every_scenario_lays_out(tmp_path: Path) -> None:
    for name, scenario in SCENARIOS.items():
        bench = scenario(Bench(tmp_path / name))
        for zone in bench.zones:
            assert bench.truth_j(zone.place, 10.0, 12.0) > 0
        for i in range(len(bench.gpus)):
            assert bench.truth_j(f"gpu{i}", 10.0, 12.0) > 0
        for event in bench.events:
            assert bench.truth_j(f"{event.name}@{event.cpu}", 10.0, 12.0) > 0
    assert len({zone.name for zone in SCENARIOS["twelve"](Bench(tmp_path / "twelve")).zones}) == 12


def test_an_ambiguous_name_has_no_truth(tmp_path: Path) -> None:
    bench = SCENARIOS["all"](Bench(tmp_path))
    with pytest.raises(KeyError, match="2 zones"):
        bench.truth_j("dram", 0, 1)
    assert bench.truth_j("intel-rapl:1:0", 0, 1) == 15


def test_no_compiler_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(meters.NoCompiler, match="gcc"):
        meters.build(tmp_path / "lib")


def test_the_command_line_prints_exports(tmp_path: Path, libs: Path) -> None:
    (tmp_path / "lib").symlink_to(libs)
    command = [sys.executable, str(Path(meters.__file__)), str(tmp_path), "all"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for variable in ("LD_PRELOAD", "FAKE_POWERCAP_ROOT", "FAKE_NVML_SPEC", "LD_LIBRARY_PATH"):
        assert f"export {variable}=" in printed


def test_a_static_tree(tmp_path: Path) -> None:
    zones = {
        "intel-rapl:0:0": ("core", 5, 99),
        "intel-rapl:0": ("package-0", 1_500_000, 262_143_328_850),
        "intel-rapl-mmio:0": ("package-0", 7, 99),
    }
    classes = tree.powercap_tree(tmp_path, zones)
    assert (classes / "intel-rapl:0:0/name").read_text() == "core\n"
    assert (classes / "intel-rapl:0:0").resolve().parent.name == "intel-rapl:0"
    assert (classes / "intel-rapl:0/subsystem").resolve() == classes.resolve()
    with open(classes / "intel-rapl:0/energy_uj", encoding="ascii") as counter:
        tree.set_energy(tmp_path, "intel-rapl:0", 42)
        assert counter.read() == "42\n"
    assert tree.powercap_tree(tmp_path, {}) == classes
    assert list(classes.iterdir()) == []


def test_a_proc_tree(tmp_path: Path) -> None:
    rows = [
        tree.Process(10, threads=(12,)),
        tree.Process(11, ppid=10, utime=7, stime=2, cutime=3, cstime=1, comm="a (b"),
    ]
    root = tree.proc_tree(tmp_path, rows, cpus=[(1, 2, 3, 4), (10, 20, 30, 40, 5)])
    assert (root / "stat").read_text().splitlines()[0].split() == [
        "cpu",
        "11",
        "22",
        "33",
        "44",
        "5",
        *"00000",
    ]
    after = (root / "11/stat").read_text().rpartition(")")[2].split()
    assert [after[1], *after[11:15], after[19], after[21]] == ["10", "7", "2", "3", "1", "1000", "2500"]
    assert len(after) == 50
    assert (root / "10/task/10/children").read_text() == "11 "
    assert (root / "10/task/12/children").read_text() == ""
    tree.proc_tree(tmp_path, rows[:1])
    assert not (root / "11").exists()
