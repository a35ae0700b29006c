"""macOS and Windows, as far as Linux can look like them: what they have not is taken away first."""

import json
import shutil

import pytest

WINDOWS_TICK_NS = 15_625_000  # of its steady clock, up to Python 3.12

RUN = """
import json, sys
from other_system import become
system, tick_ns = sys.argv[1], int(sys.argv[2])
become(system, tick_ns)
import time, wattermark as wm
with wm.track(name="t", place="deu", interval=0.05) as run:
    with run.span("epoch"):
        end = time.monotonic() + 0.5
        while time.monotonic() < end: sum(range(1000))
footprint = run.footprint()
spool = run.spool.read_bytes()
print(json.dumps({
    "parts": {c.name: [c.quality, c.energy_j and c.energy_j.best] for c in footprint.components},
    "duration_s": footprint.duration_s,
    "lines": [json.loads(text) for text in spool.splitlines()],
    "returns": spool.count(b"\\r"),
}))
"""


@pytest.fixture
def on(program, home):
    """Runs code on a system and gives what it printed, as JSON; nothing may be said besides."""

    def run(system, code=RUN, tick_ns=1, **more):
        done = program(code, system, tick_ns, env={**home, **more})
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "tick_ns"),
    [
        pytest.param("darwin", 1, id="macOS"),
        pytest.param("win32", 1, id="Windows"),
        pytest.param("win32", WINDOWS_TICK_NS, id="Windows, whose clock goes in steps"),
    ],
)
def test_a_run_is_modelled_where_the_system_has_no_meter(on, system, tick_ns):
    told = on(system, tick_ns=tick_ns)
    lines = told["lines"]
    run = lines[0]
    assert told["parts"]["cpu"][0] == told["parts"]["dram"][0] == "modelled"
    assert told["parts"]["cpu"][1] > 0 and told["parts"]["dram"][1] > 0
    assert told["duration_s"] == pytest.approx(0.5, abs=0.3)
    assert lines[-1]["kind"] == "stop" and lines[-1]["status"] == "ok"
    assert {line["kind"] for line in lines} == {"run", "reader", "skipped", "beat", "begin", "end", "stop"}
    assert run["memory_b"] > 0 and run["pid_started"] and run["host"] and run["logical_cpus"] > 0
    assert told["returns"] == 0
    skipped = {line["name"]: line["problem"] for line in lines if line["kind"] == "skipped"}
    own = {"darwin": "apple", "win32": "emi"}[system]
    assert set(skipped) == {"nvml", "redfish", "prometheus", own}
    assert not [problem for problem in skipped.values() if "cannot be opened" in problem]


@pytest.mark.slow
def test_on_windows_its_energy_meters_are_found_and_become_the_energy_of_a_run(on, libs, tmp_path):
    """Its libraries are found by their names, as there; 50 W of a package, 8 W of its DRAM."""
    for name in ("cfgmgr32", "kernel32"):
        shutil.copy(libs / "libemi.so", tmp_path / name)
    rows = (("PKG", 50), ("PP0", 30), ("DRAM", 8))
    spec = tmp_path / "emi.spec"
    spec.write_text("".join(f"emi0 2 RAPL_Package0_{part} {watts} 900 ok\n" for part, watts in rows))
    found = on("win32", LD_LIBRARY_PATH=str(tmp_path), FAKE_EMI_SPEC=str(spec), WATTERMARK_SCOPE="machine")
    for name, watts in (("cpu/package-0", 50), ("dram/package-0", 8)):
        quality, energy_j = found["parts"][name]
        assert quality == "measured"
        assert energy_j == pytest.approx(watts * found["duration_s"], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "variables"),
    [
        pytest.param("darwin", {"FAKE_CPU_BRAND": "Apple M4 Pro"}, id="macOS, by sysctl"),
        pytest.param("win32", {"PROCESSOR_IDENTIFIER": "Apple M4 Pro"}, id="Windows, by the environment"),
        pytest.param("darwin", {}, id="nobody tells"),
    ],
)
def test_the_processor_is_called_what_the_system_calls_it(on, libs, system, variables):
    code = (
        "import json, sys\nfrom other_system import become\nbecome(sys.argv[1])\n"
        "from wattermark.wiring.machine import processors\nprint(json.dumps(processors().model))\n"
    )
    said = on(system, code, LD_PRELOAD=str(libs / "libIOReport.so"), **variables)
    assert said == next(iter(variables.values()), "")


@pytest.mark.slow
@pytest.mark.parametrize("moments", ["", "time.sleep(0.001)"], ids=["at once", "soon"])
def test_a_run_that_ends_within_a_tick_of_the_clock_is_told_and_raises_nothing(on, moments):
    code = (
        "import sys, time\nfrom other_system import become\nbecome(sys.argv[1], int(sys.argv[2]))\n"
        f"import wattermark as wm\nwith wm.track(place='deu') as run: {moments or 'pass'}\n"
        "print(run.footprint().duration_s)\n"
    )
    assert 0 <= on("win32", code, WINDOWS_TICK_NS) < 0.5


@pytest.mark.slow
def test_a_reader_of_files_reads_where_there_is_no_pread(on, tmp_path):
    (tmp_path / "number").write_text("42\n")
    code = (
        "import sys\nfrom other_system import become\nbecome(sys.argv[1])\n"
        "from pathlib import Path\nfrom wattermark.readers.files import NumberFile\n"
        f"file = NumberFile(Path({str(tmp_path / 'number')!r}))\nfirst = file.read()\n"
        f"Path({str(tmp_path / 'number')!r}).write_text('43')\nprint([first, file.read()])\n"
    )
    assert on("win32", code) == [42, 43]


COMMAND = """
import os, signal, sys, threading
from other_system import become
become("win32")
sys.platform = "linux"  # a program is found as here
from wattermark.cli.main import script
code, interrupt = sys.argv[1:]
if interrupt:
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
child = f"import time; time.sleep({1 if interrupt else 0}); raise SystemExit({code})"
sys.argv = ["wattermark", "run", "--json", "--", sys.executable, "-c", child]
sys.exit(script())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "interrupt"),
    [
        pytest.param(0, "", id="a good end"),
        pytest.param(3, "", id="a bad one"),
        pytest.param(
            5, "by a key", id="a key, which the console sends to the command itself, is not sent on"
        ),
    ],
)
def test_a_command_is_run_and_its_end_is_ours(program, code, interrupt):
    """Without the signals, process groups and states of a stopped child that Windows has not."""
    done = program(COMMAND, code, interrupt)
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["components"]
    assert "Traceback" not in done.stderr
