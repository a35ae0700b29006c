"""What every reader must keep. A new one adds one function to READERS."""

import json
import os
from pathlib import Path

import pytest

from fakes.meters import SCENARIOS, Gpu, Signal
from fakes.tree import Process, chip, driver, powercap_tree, proc_tree, supply
from fakes.web import Page, Server, document
from readers.audit import facts
from wattermark.readers.amd import AmdReader
from wattermark.readers.apple import AppleReader
from wattermark.readers.battery import BatteryReader
from wattermark.readers.emi import EmiReader
from wattermark.readers.gaudi import GaudiReader
from wattermark.readers.hwmon import HwmonReader
from wattermark.readers.level_zero import LevelZeroReader
from wattermark.readers.load import LoadReader
from wattermark.readers.prometheus import PrometheusReader
from wattermark.readers.rapl import RaplReader
from wattermark.readers.redfish import RedfishReader
from wattermark.readers.replay import ReplayReader
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel, ReaderLog


def rapl(tmp_path, _bench, _program):
    zones = {"intel-rapl:0": ("package-0", 5, 100), "intel-rapl:1": ("psys", 7, 100)}
    return facts(RaplReader(powercap_tree(tmp_path, zones)))


def perf(_tmp_path, bench, program):
    env = SCENARIOS["perf"](bench()).env(program.home)
    done = program("from readers import audit; audit.perf()", env=env)
    return json.loads(done.stdout)


def nvml(_tmp_path, bench, program):
    shared = Gpu(Signal.const(300), module=200.0, pids=(1, 2), sm=(30, 40))
    bench().nvml([shared, Gpu(Signal.const(150), energy=False), Gpu(Signal.const(60), fail_at=0.0)])
    done = program("from readers import audit; audit.nvml()", env=bench().env(program.home))
    return json.loads(done.stdout)


def of_library(tmp_path, bench, name, spec, opener):
    """A reader of a library that is compiled, and told what it shows by a file that a variable names."""
    bench().env()  # builds the library
    variable, file = f"FAKE_{name.upper()}_SPEC", tmp_path / f"{name}.spec"
    file.write_text(spec)
    os.environ[variable] = str(file)
    try:
        return facts(opener(bench().libs))
    finally:
        del os.environ[variable]


def gaudi(tmp_path, bench, _program):
    spec = "600 a 1 0\n300 b 0 0\n"
    return of_library(
        tmp_path, bench, "hlml", spec, lambda libs: GaudiReader(str(libs / "libhlml.so"), "all")
    )


def apple(tmp_path, bench, _program):
    spec = "".join(f"mJ 5 900 {period} {name}\n" for name, period in (("CPU Energy", 2), ("GPU Energy", 0)))
    return of_library(
        tmp_path, bench, "ioreport", spec, lambda libs: AppleReader((str(libs / "libIOReport.so"),) * 2)
    )


def emi(tmp_path, bench, _program):
    spec = "".join(f"emi0 2 RAPL_Package0_{part} 50 900 ok\n" for part in ("PKG", "PP0", "DRAM"))
    return of_library(tmp_path, bench, "emi", spec, lambda libs: EmiReader((str(libs / "libemi.so"),) * 2))


def amd(tmp_path, bench, _program):
    spec = "600 0:3:0.0 a counts 15.3\n0 0:4:0.0 b zero 15.3\n300 0:5:0.0 c lost 15.3\n"
    there = driver(tmp_path, "amdgpu", "0000:03:00.0")
    return of_library(
        tmp_path, bench, "amdsmi", spec, lambda libs: AmdReader(str(libs / "libamd_smi.so"), tmp_path, there)
    )


def level_zero(tmp_path, bench, _program):
    spec = "150 0:3:0.0 Arc 1 card counts\n600 0:4:0.0 Max 2 tiles counts\n9 0:5:0.0 Arc 1 card lost\n"
    there = driver(tmp_path, "xe", "0000:03:00.0")
    return of_library(
        tmp_path, bench, "ze", spec, lambda libs: LevelZeroReader(str(libs / "libze_loader.so.1"), {}, there)
    )


def hwmon(tmp_path, _bench, _program):
    chip(tmp_path, 0, "amdgpu", "0000:03:00.0", power1_average=300_000_000)
    chip(tmp_path, 1, "xe", "0000:04:00.0", energy1_input=5_000_000, energy2_input=1)
    chip(tmp_path, 2, "power_meter", "ACPI000D:00", power1_average=900_000_000)
    return facts(HwmonReader(tmp_path / "class/hwmon"))


def battery(tmp_path, _bench, _program):
    supply(tmp_path, "BAT0", type="Battery", status="Discharging", power_now=12_500_000)
    return facts(BatteryReader(tmp_path / "class/power_supply"))


def ipmi(tmp_path, bench, program):
    libs = Path(bench().env()["LD_LIBRARY_PATH"].partition(":")[0])
    (tmp_path / "ipmi.spec").write_text("374\n")
    (tmp_path / "ipmi0").touch()
    fake = {"LD_PRELOAD": str(libs / "libfakeipmi.so"), "FAKE_IPMI_SPEC": str(tmp_path / "ipmi.spec")}
    code = "import sys; from readers import audit; audit.ipmi(sys.argv[1])"
    return json.loads(program(code, tmp_path / "ipmi0", env={**program.home, **fake}).stdout)


def redfish(_tmp_path, _bench, _program):
    with Server() as server:
        chassis = "/redfish/v1/Chassis"
        server.pages[chassis] = document(Members=[{"@odata.id": f"{chassis}/1"}])
        server.pages[f"{chassis}/1"] = document(Power={"@odata.id": f"{chassis}/1/Power"})
        server.pages[f"{chassis}/1/Power"] = document(PowerControl=[{"PowerConsumedWatts": 344}])
        return facts(RedfishReader(server.address))


def prometheus(_tmp_path, _bench, _program):
    with Server() as server:
        server.pages["/metrics"] = Page(
            'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a"} 15152422938\n'
            'DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-b"} 68.244\n'
            'kepler_node_cpu_joules_total{zone="package"} 1234.5\n'
        )
        return facts(PrometheusReader(f"{server.address}/metrics", "0,1"))


def load(tmp_path, _bench, _program):
    return facts(LoadReader(10, proc=proc_tree(tmp_path, [Process(10, utime=5)]), tick_hz=100))


def load_of_this_machine(_tmp_path, _bench, _program):
    return facts(LoadReader())


def replay(_tmp_path, _bench, _program):
    channels = tuple(Channel(name=n, kind=Kind.COUNTER, part=Part.CPU, unit="uJ", wrap=100) for n in "ab")
    values = [[i, None] for i in range(3)]
    return facts(ReplayReader(ReaderLog(channels=channels, mono_ns=[0, 10**9, 2 * 10**9], values=values)))


EVERY = (
    rapl,
    perf,
    nvml,
    amd,
    gaudi,
    hwmon,
    level_zero,
    battery,
    apple,
    emi,
    ipmi,
    redfish,
    prometheus,
    load,
    load_of_this_machine,
    replay,
)
READERS = {one.__name__: one for one in EVERY}


@pytest.fixture(params=READERS)
def said(request, tmp_path, program, home):
    program.home = home
    return READERS[request.param](tmp_path, lambda: request.getfixturevalue("bench"), program)


def test_a_reader_keeps_the_contract(said):
    """One number a channel, whole or None, in range; names once; periods; closed twice is no harm."""
    channels = said["channels"]
    names = [channel["name"] for channel in channels]
    assert len(set(names)) == len(names) > 0
    assert said["channels_later"] == channels
    for look in said["looks"]:
        assert len(look) == len(channels)
        for value, channel in zip(look, channels, strict=True):
            assert value is None or type(value) is int
            assert value is None or 0 <= value < (channel["wrap"] or 2**63)
    assert all(period_s > 0 for period_s in said["periods_s"].values())
    assert said["opened_by_closing"] <= 0


def test_no_part_is_covered_twice(said):
    covers = [c["covers"] for c in said["channels"] if c["covers"] and c["counted"]]
    assert len(set(covers)) == len(covers)


def test_counters_do_not_fall(said):
    for i, channel in enumerate(said["channels"]):
        if channel["kind"] == "counter" and all(look[i] is not None for look in said["looks"]):
            shown = [look[i] for look in said["looks"]]
            assert shown == sorted(shown)
