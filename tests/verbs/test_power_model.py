"""Where no meter is, end to end: from what made and real systems show to what a run is charged with."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from fakes.meters import Gpu, Signal
from fakes.tree import Process, group, in_groups, proc_tree
from wattermark.ledger.read import read_spool
from wattermark.readers.load import LoadReader
from wattermark.science.load import load_of
from wattermark.values.kinds import Quality, Scope, Status
from wattermark.values.records import ReaderLog, Recorded, RunHeader
from wattermark.verbs.account import account
from wattermark.wiring.container import limits_of
from wattermark.wiring.machine import processors_in

GB = 10**9
EPYC, CLOUD = "AMD EPYC 7742 64-Core Processor", "AMD EPYC"
CPUS, TICK_HZ = 256, 100


class System:
    """A made machine of two sockets and 256 logical CPUs, and a run of process 10 in the group /box."""

    def __init__(self, folder, model=EPYC, flags="", limits=()):
        self.proc, self.groups = folder / "proc", folder / "groups"
        group(self.groups, cgroup__controllers="cpu memory")
        group(self.groups, "/box", [10], **dict(limits))
        self.show(0, 0)
        in_groups(self.proc, ["self"], "0::/box")
        text = [
            f"processor\t: {i}\nmodel name\t: {model}\nphysical id\t: {i // 128}\nflags\t: fpu {flags}\n\n"
            for i in range(CPUS)
        ]
        (folder / "cpuinfo").write_text("".join(text))
        self.cpuinfo = str(folder / "cpuinfo")

    def show(self, run_s, busy_s):
        """What the run and all programs have used so far."""
        proc_tree(
            self.proc, [Process(10, utime=round(run_s * TICK_HZ))], cpus=[(round(busy_s * TICK_HZ), 0, 0, 0)]
        )
        in_groups(self.proc, [10], "0::/box")
        (self.groups / "box/cpu.stat").write_text(f"usage_usec {round(run_s * 1e6)}\n")

    def record(self, seconds, run_load, busy_load):
        """A run of so many seconds at a steady load, looked at each second."""
        cpu, limit = processors_in(self.cpuinfo), limits_of(self.proc, self.groups)
        with closing(LoadReader(10, proc=self.proc, cgroups=self.groups, tick_hz=TICK_HZ)) as reader:
            looks = []
            for second in range(seconds + 1):
                self.show(run_load * second, busy_load * second)
                looks.append(list(reader.read()))
            channels = tuple(reader.channels)
        at_ns = [second * 10**9 for second in range(seconds + 1)]
        header = RunHeader(
            run="r", name="r", host="h", pid=10, started_ns=0, mono_ns=0, interval_s=1.0, place="deu",
            logical_cpus=CPUS, memory_b=512 * GB, cpu_model=cpu.model, sockets=cpu.sockets,
            virtual=cpu.virtual, cpu_limit=limit.cpus, memory_limit_b=limit.memory_b,
        )  # fmt: skip
        return Recorded(
            header=header, logs={"load": ReaderLog(channels=channels, mono_ns=at_ns, values=looks)},
            skipped={}, spans=(), status=Status.OK, detail="", begin_mono_ns=0, end_mono_ns=at_ns[-1],
        )  # fmt: skip


def part(told, name):
    return next(one for one in told.components if one.name == name)


def power_of(told, load):
    return next(f.value for f in told.factors if f.name == f"cpu_{load}_w_per_logical_cpu")


@pytest.mark.parametrize(
    ("model", "flags", "known"),
    [
        pytest.param(EPYC, "", True, id="bare metal: its TDP, over its logical CPUs"),
        pytest.param(EPYC, "hypervisor", True, id="a VM whose processor tells its cores"),
        pytest.param(
            "Intel(R) Xeon(R) Platinum 8280 CPU @ 2.70GHz", "hypervisor", False, id="a VM of Intel's"
        ),
        pytest.param(CLOUD, "hypervisor", False, id="a VM that hides its processor"),
        pytest.param("Some Other 9000", "", False, id="a processor that nobody knows"),
    ],
)
def test_a_processor_is_charged_by_its_tdp_where_it_is_known_and_told_where_not(
    tmp_path, model, flags, known
):
    told = account(System(tmp_path, model, flags).record(10, 2.0, 8.0))
    cpu, full, idle = part(told, "cpu"), power_of(told, "full"), power_of(told, "idle")
    assert cpu.quality is Quality.MODELLED
    assert cpu.energy_j.best == pytest.approx(10 * 2.0 * (full.best - idle.best))
    assert any(flag.startswith("modelled: cpu") for flag in told.flags)
    assert any(flag.startswith(f"cpu-unknown: {model}") for flag in told.flags) is not known
    sources = {f.source for f in told.factors if f.name.startswith("cpu_")}
    assert ("specpower+codecarbon+ours" in sources) is known
    if known:
        assert full.best == pytest.approx(1.04 * 225 / 128)


def test_where_a_counter_is_the_processor_s_name_does_not_matter(tmp_path):
    from science.build import counter, cpu, recorded

    metered = recorded(cpu(counter(100)), cpu_model=CLOUD, virtual=True)
    told = account(replace(metered, header=replace(metered.header, scope=Scope.MACHINE)))
    assert not any(flag.startswith("cpu-unknown") for flag in told.flags)
    assert not any(factor.name.startswith("cpu_full") for factor in told.factors)


@pytest.mark.parametrize("scope", Scope)
def test_a_constant_load_is_linear_in_time(tmp_path, scope):
    system = System(tmp_path)
    once, thrice = (account(system.record(seconds, 2.0, 8.0), scope=scope) for seconds in (5, 15))
    assert thrice.it_energy_j.ends == pytest.approx([3 * end for end in once.it_energy_j.ends])
    assert once.it_energy_j.low < once.it_energy_j.best < once.it_energy_j.high


def test_the_machine_of_a_container_is_the_container(tmp_path):
    """4 of 256 CPUs and 8 of 512 GB; the run, alone in it, keeps two of them busy while the host is full."""
    limits = {"cpu__max": "400000 100000", "memory__max": 8 * GB}
    told = account(System(tmp_path, limits=limits).record(10, 2.0, 200.0), scope=Scope.MACHINE)
    full, idle = power_of(told, "full").best, power_of(told, "idle").best
    assert part(told, "cpu").energy_j.best == pytest.approx(10 * (2 * (full - idle) + 4 * idle))
    per_gb = next(f.value.best for f in told.factors if f.name == "dram_power_w_per_gb")
    assert part(told, "dram").energy_j.best == pytest.approx(10 * 8 * per_gb)
    free = tmp_path / "free"
    free.mkdir()
    host = account(System(free).record(10, 2.0, 200.0), scope=Scope.MACHINE)
    assert part(host, "dram").energy_j.best == pytest.approx(10 * 512 * per_gb)
    assert host.carbon_embodied_g.best == pytest.approx(told.carbon_embodied_g.best * CPUS / 4)


# -- real processes, and a fake driver ---------------------------------------------------

WORKERS = """
import resource, subprocess, sys
import wattermark as wm
def used():
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in times)
with wm.track(place="deu", interval=0.1) as run:
    began = used()
    for _ in range(5):
        burn = "import time\\nwhile time.process_time() < 0.2: pass"
        subprocess.run([sys.executable, "-c", burn], check=True)
    burnt = used() - began
print(burnt, run.spool)
"""


def test_short_lived_workers_are_charged_though_they_are_gone(bench, home, program):
    """At least 95 % of what the system itself says that they took."""
    done = program(WORKERS, env=bench.env(home))
    burnt_s, spool = done.stdout.split()
    seen_s = load_of(read_spool(type(bench.root)(spool))).run_s.sum()
    assert float(burnt_s) >= 1.0
    assert 0.95 * float(burnt_s) <= seen_s <= 1.2 * float(burnt_s)


BUSY = """
import json, time
import wattermark as wm
with wm.track(place="deu", scope="machine", interval=0.1) as run:
    time.sleep(1.0)
told = run.footprint()
gpu = next(c for c in told.components if c.kind == "gpu")
print(json.dumps({"quality": gpu.quality, "device": gpu.device, "duration_s": told.duration_s,
    "energy_j": gpu.energy_j.ends if gpu.energy_j else None, "flags": told.flags,
    "factors": {f.name: [f.value.best, f.source] for f in told.factors}}))
"""


def test_a_gpu_that_tells_only_how_busy_it_is_is_charged_by_its_tdp(bench, home, program):
    """An A100 of 400 W at 40 %: between a tenth of it at rest and seven tenths at work."""
    name = "NVIDIA A100-SXM4-80GB"
    bench.nvml([Gpu(Signal.const(160), energy=False, power=False, limit=400, name=name)])
    told = json.loads(program(BUSY, env=bench.env(home)).stdout)
    low, best, high = told["energy_j"]
    assert told["quality"] == "modelled" and told["device"] == name
    assert best == pytest.approx(400 * (0.1 + 0.6 * 0.4) * told["duration_s"], rel=0.02)
    assert low < 0.7 * best and high > 1.2 * best
    assert told["factors"][f"accelerator_tdp_w ({name})"][0] == 400
    assert {"gpu_idle_fraction", "gpu_busy_fraction"} <= told["factors"].keys()
    assert any(flag.startswith("modelled: gpu/0") for flag in told["flags"])


def test_one_of_an_unknown_kind_is_missing_and_told(bench, home, program):
    bench.nvml([Gpu(Signal.const(160), energy=False, power=False, name="Strange 1")])
    told = json.loads(program(BUSY, env=bench.env(home)).stdout)
    assert (told["quality"], told["energy_j"]) == ("missing", None)
    assert any(flag.startswith("not-seen: gpu/0: it tells only how busy it is") for flag in told["flags"])
