"""A machine in a bad state: no disk, no home, no threads, a driver that hangs. The program goes on."""

import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import wattermark as wm
from fakes.meters import Signal, socket
from wattermark.ledger.read import read_spool

WORK = """
import wattermark as wm
with wm.track(name="t", place="deu", interval=0.02) as run:
    for epoch in range(3):
        with run.span("epoch", epoch): time.sleep(0.03)
print("done")
"""
FULL = """
import resource, sys, time
def disk(size_b):
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (most if size_b is None else size_b, most))
"""


def goes_on(done):
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    return done.stderr


# -- the ledger -------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "runs", "a/b/c"], ids=["the file itself", "below it", "far below it"])
def test_a_ledger_that_cannot_be_written_is_told_and_the_run_is_kept_elsewhere(program, home, spools, below):
    (Path(home["HOME"]) / "file").write_text("")
    env = {**home, "WATTERMARK_LEDGER": str(Path(home["HOME"]) / "file" / below)}
    said = goes_on(program("import time" + WORK, env=env))
    (spool,) = spools()
    assert len(said.splitlines()) == 1
    assert "cannot be written" in said and str(spool.parent.parent) in said
    assert read_spool(spool).status == "ok"


def test_nowhere_to_write_is_told_and_the_program_goes_on(program, home, spools):
    """No ledger, and every folder for temporary files is full."""
    (Path(home["HOME"]) / "file").write_text("")
    env = {**home, "WATTERMARK_LEDGER": str(Path(home["HOME"]) / "file" / "runs")}
    said = goes_on(program(FULL + "disk(0)" + WORK, env=env))
    assert len(said.splitlines()) == 1
    assert "cannot be written" in said


@pytest.mark.parametrize("room_b", [0, 100, 1500])
def test_a_disk_that_fills_up_stops_nothing_and_is_told_once(program, room_b):
    said = goes_on(program(FULL + f"disk({room_b})" + WORK))
    assert len(said.splitlines()) == 1
    assert "could not be written" in said


@pytest.mark.parametrize("more_b", [0, 50, 250])
def test_with_room_again_nothing_is_lost(program, spools, more_b):
    full = f"    disk(run.spool.stat().st_size + {more_b})\n    for epoch"
    code = WORK.replace("    for epoch", full).replace('print("done")', "")
    said = goes_on(program(FULL + code.rstrip() + "\n    disk(None)\nprint('done')"))
    (spool,) = spools()
    run = read_spool(spool)
    assert (run.status, run.bad_lines, run.lost_beats, len(run.spans)) == ("ok", 0, 0, 3)
    assert "(File too large; 0 lines lost)" in said


def test_what_was_never_written_is_not_said_to_be_safe(program, spools):
    said = goes_on(program(FULL + "disk(1500)" + WORK))
    assert read_spool(spools()[0]).status == "interrupted"
    assert " 0 lines lost" not in said


def test_a_ledger_that_is_taken_away_meanwhile_stops_nothing(program, home):
    code = "import shutil, sys, time" + WORK.replace(
        "time.sleep(0.03)", "shutil.rmtree(run.spool.parent, ignore_errors=True)"
    )
    goes_on(program(code))


def test_a_ledger_named_from_a_folder_that_is_left_stays_where_it_was(program, home, tmp_path):
    env = {**home, "WATTERMARK_LEDGER": "runs"}
    code = "import os, time\n" + WORK.replace("    for", "    os.chdir('/')\n    run.footprint()\n    for")
    goes_on(program(code, env=env))
    assert len(list((tmp_path / "runs").glob("*/*.jsonl"))) == 1


def test_a_folder_that_is_gone_is_no_place_to_stand_and_no_harm(program, home, tmp_path):
    (tmp_path / "gone").mkdir()
    code = "import os, time\nos.chdir('gone'); os.rmdir('../gone')" + WORK
    goes_on(program(code))


# -- the user ---------------------------------------------------------------


@pytest.fixture
def nobody(home):
    """The environment of a user without a home and without a name, as a container may run one."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o777)
    kept = {name: value for name, value in home.items() if name not in ("HOME", "WATTERMARK_LEDGER")}
    yield {**kept, "TMPDIR": folder}, Path(folder)
    shutil.rmtree(folder)


BECOME = """
import ctypes, json, logging, os, pwd, resource, shutil, tempfile, threading, time, traceback
import wattermark.readers.nvml, wattermark.verbs.account, wattermark as wm
wm.track(place="deu")
os.setgid(64321); os.setuid(64321); os.chdir("/")
"""  # it may read no module that lies in root's own folder, so all are imported before


def test_a_user_without_a_home_is_recorded_too(program, nobody):
    env, folder = nobody
    goes_on(program(BECOME + WORK, env=env))
    assert [read_spool(path).status for path in folder.rglob("*.jsonl")] == ["ok"]


def test_a_machine_without_room_for_one_more_thread_stops_nothing(program, nobody):
    env, _ = nobody
    said = goes_on(program(BECOME + "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))" + WORK, env=env))
    assert "wattermark" in said


# -- the meters -------------------------------------------------------------


@pytest.mark.slow
def test_a_driver_that_hangs_is_waited_for_two_seconds_and_no_longer(program):
    code = """
import time
import wattermark as wm
class Hangs:
    channels = ()
    def period_s(self, interval_s): return interval_s
    def read(self): time.sleep(10)
    def close(self): pass
start = time.monotonic()
with wm.track(name="t", place="deu", readers={"bad": Hangs()}) as run: pass
assert time.monotonic() - start < 5.5
print("done")
"""
    said = goes_on(program(code))
    assert "have not answered yet" in said


@pytest.mark.parametrize("fault", ["OSError", "AttributeError", "TypeError"])
def test_a_meter_that_breaks_stops_nothing(program, spools, fault):
    code = f"""
import time
import wattermark as wm
class Breaks:
    channels = ()
    def period_s(self, interval_s): return interval_s
    def read(self): raise {fault}("broken")
    def close(self): pass
start = time.monotonic()
with wm.track(name="t", place="deu", readers={{"bad": Breaks()}}) as run: pass
assert time.monotonic() - start < 1, "somebody waited"
print("done")
"""
    goes_on(program(code))
    run = read_spool(spools()[0])
    assert run.status == "ok"
    assert "broken" in "".join(run.faults)


@pytest.mark.slow
def test_forks_in_the_middle_of_a_look_hang_nobody_and_write_nothing(program, spools):
    """The child holds copies of whatever lock the beat's thread held, and no thread that gives it back."""
    code = """
import os, time
import wattermark as wm
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel
class Slow:
    channels = (Channel(name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ"),)
    value = 0
    def period_s(self, interval_s): return interval_s
    def read(self):
        time.sleep(0.02)  # nearly always in the middle of a look
        self.value += 1
        return [self.value]
    def close(self): pass
with wm.track(name="parent", place="deu", interval=0.01, readers={"slow": Slow()}) as run:
    for number in range(40):
        time.sleep(0.003)
        pid = os.fork()
        if pid == 0:
            with run.span("child"): pass
            run.stop()
            if number % 10 == 0:
                with wm.track(name="child", place="deu", readers={"slow": Slow()}): pass
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
print("done")
"""
    goes_on(program(code))
    runs = [read_spool(spool) for spool in spools()]
    assert sorted(run.header.name for run in runs) == ["child"] * 4 + ["parent"]
    assert all(run.status == "ok" and not run.bad_lines and not run.spans for run in runs)


def test_two_hundred_threads_open_spans_and_none_is_lost(ledger):
    together = threading.Barrier(200)

    def work(number):
        together.wait()
        for step in range(5):
            with run.span("outer", number), run.span("inner", step):
                pass

    with wm.track(name="t", place="deu", interval=0.05) as run:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    spans = read_spool(run.spool).spans
    by_number = {span.number: span for span in spans}
    assert len(spans) == len(by_number) == 2000
    assert all(span.end_ns is not None for span in spans)
    inner = [span for span in spans if span.name == "inner"]
    assert Counter(by_number[span.parent].label for span in inner) == {str(n): 5 for n in range(200)}


SLEEPS = """
import time
import wattermark as wm
with wm.track(name="t", place="deu", scope="machine", interval=0.1) as run:
    time.sleep(1.5)
told = run.footprint()
print(told.duration_s, told.it_energy_j.best, *told.flags, sep="\\n")
"""


@pytest.mark.slow
def test_a_laptop_that_sleeps_meanwhile_is_charged_with_what_it_was_awake(program, bench, home):
    """The steady clock stands still while it sleeps, and the wall clock goes on."""
    bench.powercap(socket(0, Signal.const(20)))
    bench.step_clock(time.monotonic() + 1.0, 8 * 3600)
    done = program(SLEEPS, env=bench.env(home))
    duration_s, energy_j, *flags = done.stdout.splitlines()
    assert 1.5 <= float(duration_s) < 3
    assert float(energy_j) < 20 * float(duration_s) + 50
    assert any(flag.startswith("clock-step: the wall clock jumped by +28800 s") for flag in flags)


# -- settings ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WATTERMARK_PUE", "banana"), ("WATTERMARK_PUE", "0.5"), ("WATTERMARK_INTERVAL", "0"),
        ("WATTERMARK_SCOPE", "x"), ("WATTERMARK_EQUIVALENTS", "perhaps"),
    ],
)  # fmt: skip
def test_a_broken_variable_is_told_in_one_line(program, home, spools, variable, value):
    said = goes_on(program("import time" + WORK, env={**home, variable: value}))
    assert len(said.splitlines()) == 1
    assert f"{variable} is '{value}'" in said
    assert read_spool(spools()[0]).status == "ok"


@pytest.mark.parametrize("text", ["pue = = 1", "poe = 1", "pue = 0.5", "\x00"])
def test_a_broken_file_is_told_in_one_line(program, home, spools, text):
    (Path(home["HOME"]) / "wattermark.toml").write_text(text)
    said = goes_on(program("import time" + WORK))
    assert len(said.splitlines()) == 1
    assert "wattermark.toml" in said
    assert read_spool(spools()[0]).status == "ok"


def test_a_place_in_the_environment_that_nobody_knows_stops_nothing(program, home):
    goes_on(
        program(
            "import time" + WORK.replace('place="deu", ', ""), env={**home, "WATTERMARK_PLACE": "atlantis"}
        )
    )


def test_a_place_that_nobody_knows_is_the_world_in_the_footprint(program, home):
    code = "import time" + WORK.replace('place="deu", ', "") + "print(run.footprint().place.grid)"
    done = program(code, env={**home, "WATTERMARK_PLACE": "atlantis"})
    assert done.stdout == "done\nWORLD\n", done.stderr


def test_a_strangers_reader_that_is_not_there_is_skipped_with_its_reason(program, home, spools):
    goes_on(program("import time" + WORK, env={**home, "WATTERMARK_READERS": "zebra"}))
    assert "zebra" in read_spool(spools()[0]).skipped


# -- the network, and the program's own state -------------------------------

SPY = """
import sys
seen = []
loud = ("socket.", "urllib.", "http.", "ftplib.", "subprocess.", "os.system", "os.posix_spawn", "os.exec")
sys.addaudithook(lambda event, args: seen.append((event, args)) if event.startswith(loud) else None)
import wattermark as wm
with wm.track(name="t") as run:
    with run.span("epoch", 1): pass
run.footprint().quantities()
wm.account
print(seen)
"""


def test_nothing_goes_over_the_network_and_no_program_is_started(program):
    assert program(SPY).stdout == "[]\n"


QUIET = """
import logging, signal, sys, threading, warnings
state = lambda: (list(logging.root.handlers), logging.root.level, list(warnings.filters), sys.excepthook,
                 threading.excepthook, sys.stdout, sys.stderr, threading.active_count())
before = state()
import wattermark as wm
after_import, modules = state(), set(sys.modules)
with wm.track(name="t", place="deu"): pass
heavy = {"numpy", "pandas", "psutil", "rich", "pynvml", "asyncio", "requests", "httpx", "tomlkit"}
print(before == after_import, sorted(heavy & modules), sorted(heavy & set(sys.modules)))
"""


def test_importing_changes_nothing_and_recording_needs_the_standard_library_only(program):
    assert program(QUIET).stdout == "True [] []\n"
