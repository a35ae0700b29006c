"""However a program ends, its run is in the ledger and says how; and the program ends as it would have."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fakes.meters import SCENARIOS
from wattermark.ledger.read import read_spool

HEAD = """
import os, signal, sys, threading
import wattermark as wm
run = wm.track(name="t", place="deu", interval=0.02)
def fails(): raise ValueError("mine")
def me(number): os.kill(os.getpid(), number); signal.pause()
"""


@pytest.mark.parametrize(
    ("code", "returned", "status", "detail"),
    [
        pytest.param("with run: pass", 0, "ok", "", id="the end of the block"),
        pytest.param("with run: sys.exit()", 0, "ok", "", id="sys.exit"),
        pytest.param("with run: sys.exit(0)", 0, "ok", "", id="sys.exit of nought"),
        pytest.param("with run: sys.exit(3)", 3, "failed", "exit code 3", id="sys.exit of three"),
        pytest.param("with run: sys.exit('words')", 1, "failed", "exit", id="sys.exit with words"),
        pytest.param("with run: fails()", 1, "failed", "ValueError", id="an exception"),
        pytest.param("run.start()", 0, "ok", "ended with the program", id="nobody stopped it"),
        pytest.param("run.start(); fails()", 1, "failed", "ValueError", id="an exception, nobody stopped it"),
        pytest.param("with run: os._exit(5)", 5, "interrupted", "", id="os._exit"),
        pytest.param("with run: me(signal.SIGTERM)", -15, "interrupted", "", id="SIGTERM"),
        pytest.param("with run: me(signal.SIGKILL)", -9, "interrupted", "", id="kill -9"),
        pytest.param("with run: os.abort()", -6, "interrupted", "", id="abort"),
        pytest.param("with run: me(signal.SIGINT)", -2, "failed", "KeyboardInterrupt", id="Ctrl-C"),
        pytest.param(
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\nwith run: me(signal.SIGTERM)",
            143, "failed", "exit code 143", id="SIGTERM that the program handles itself",
        ),
        pytest.param(
            "threading.Thread(target=run.start).start()", 0, "ok", "ended with the program", id="in a thread"
        ),
        pytest.param("def later():\n with run: os._exit(0)\nlater()", 0, "interrupted", "", id="below"),
    ],
)  # fmt: skip
def test_every_end_is_told_and_none_is_changed(  # noqa: PLR0917
    program, spools, code, returned, status, detail
):
    done = program(HEAD + code)
    assert done.returncode == returned, done.stderr
    (spool,) = spools()
    run = read_spool(spool)
    assert (run.status, run.detail, run.bad_lines, run.torn_bytes) == (status, detail, 0, 0)
    assert len(run.logs["load"].values) >= 1


def test_the_programs_own_words_are_all_there_is(program):
    done = program(HEAD + "with run:\n print('out')\n print('err', file=sys.stderr)")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_the_traceback_is_the_programs_own(program):
    done = program(HEAD + "with run: fails()")
    assert done.stderr.splitlines()[0] == "Traceback (most recent call last):"
    assert done.stderr.splitlines()[-1] == "ValueError: mine"
    assert "During handling" not in done.stderr


def test_the_programs_signal_handlers_stay_its_own(program):
    code = """
before = {s: signal.getsignal(s) for s in signal.valid_signals()}
with run: during = {s: signal.getsignal(s) for s in signal.valid_signals()}
print(before == during == {s: signal.getsignal(s) for s in signal.valid_signals()})
"""
    assert program(HEAD + code).stdout == "True\n"


def test_a_program_that_is_killed_leaves_all_but_its_last_beats(begin, spools):
    child = begin(HEAD + "run.start()\nprint(flush=True)\nsys.stdin.readline()")
    (spool,) = spools()
    assert read_spool(spool).status == "running"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert read_spool(spool).status == "interrupted"


KILLED = (
    HEAD.replace("0.02", "0.4")
    + """
import time
with run:
    time.sleep(1.5)
    print(flush=True)
    sys.stdin.readline()
"""
)


@pytest.mark.slow
def test_a_kill_costs_one_beat_at_most_and_is_told(begin, bench, home, spools, program):
    """What the meters said up to the last beat is counted; half a second is for a machine that is busy."""
    env = SCENARIOS["const"](bench).env(home)
    child = begin(KILLED, env=env)
    os.kill(child.pid, signal.SIGKILL)
    killed_ns = time.monotonic_ns()
    child.wait()
    run = read_spool(spools()[0])
    log = run.logs["rapl"]
    assert killed_ns - log.mono_ns[0] > 1.5e9 and 0 <= killed_ns - log.mono_ns[-1] < 0.9e9
    shown = json.loads(program(SHOW, env=env).stdout)
    seen_s = (log.mono_ns[-1] - log.mono_ns[0]) * 1e-9
    (package,) = [one for one in shown["components"] if one["name"] == "cpu/package-0"]
    assert package["machine_energy_j"] == pytest.approx(100 * seen_s, rel=0.01)
    assert any(flag.startswith("interrupted") for flag in shown["flags"])


SHOW = "from wattermark.cli.main import main; main(['show', 'last', '--json'])"

UNGUARDED = """
import os, sys, time
import wattermark as wm
open("began", "a").write("once\\n")
run = wm.track(name="t", place="deu", interval=0.02).start()
time.sleep(0.2)
print(flush=True)
sys.stdin.readline()
"""


def test_a_program_without_a_guard_runs_once_and_leaves_no_process_when_it_is_killed(begin, home, tmp_path):
    """A helper of ours would be a child of its session still, or have begun the main module again."""
    (tmp_path / "main.py").write_text(UNGUARDED)
    started = f"import os, sys; os.environ['MARK'] = '{tmp_path}'; os.setsid()"
    code = f"{started}; os.execv(sys.executable, [sys.executable, 'main.py'])"
    child = begin(code, env=home)
    assert marked(tmp_path) == {child.pid}
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert marked(tmp_path) == set()
    assert (tmp_path / "began").read_text() == "once\n"


def marked(mark):
    """The processes that have this mark in their environment, as children inherit it."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"MARK={mark}".encode() in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
    return found


def test_no_process_and_no_thread_is_left_behind(program):
    code = """
with run: pass
import time
end = time.monotonic() + 5
while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < end: time.sleep(0.01)
print(len(os.listdir("/proc/self/task")), open(f"/proc/self/task/{os.getpid()}/children").read())
"""
    assert program(HEAD + code).stdout == "1 \n"


# -- forks ------------------------------------------------------------------


@pytest.fixture
def forking(home):
    """Later Pythons warn of any fork beside a thread; that is the program's own affair."""
    return {**home, "PYTHONWARNINGS": "ignore"}


def one_whole_run(spools):
    (spool,) = spools()
    lines = spool.read_text().splitlines()
    assert len(set(lines)) == len(lines)
    run = read_spool(spool)
    assert (run.status, run.bad_lines) == ("ok", 0)
    return run


@pytest.mark.parametrize(
    "child",
    [
        pytest.param("sys.exit(0)", id="exits"),
        pytest.param("os._exit(0)", id="exits at once"),
        pytest.param("run.stop(); sys.exit(0)", id="stops the run"),
        pytest.param("[run.__enter__() for _ in ()]; sys.exit(0)", id="leaves the block"),
        pytest.param("\n  with run.span('child'): time.sleep(0.1)\n  sys.exit(0)", id="works in a span"),
        pytest.param("run.footprint(); sys.exit(0)", id="asks for the footprint"),
        pytest.param("raise KeyError", id="fails"),
    ],
)
def test_what_a_forked_child_does_is_not_the_parents_run(program, forking, spools, child):
    code = f"""
import time
with run:
 with run.span("parent"):
  if os.fork() == 0:
   {child.strip()}
  os.wait()
  time.sleep(0.05)
"""
    child_lines = program(HEAD + code, env=forking)
    assert child_lines.returncode == 0, child_lines.stderr
    assert [mark.name for mark in one_whole_run(spools).spans] == ["parent"]


def test_a_child_may_record_a_run_of_its_own(program, forking, spools):
    code = """
with run:
 if os.fork() == 0:
  with wm.track(name="child"): pass
  os._exit(0)
 os.wait()
"""
    assert program(HEAD + code, env=forking).returncode == 0
    runs = {run.header.name: run for run in map(read_spool, spools())}
    assert {name: run.status for name, run in runs.items()} == {"t": "ok", "child": "ok"}
    assert len(runs["child"].logs["load"].values) >= 2
    parent = f"{runs['t'].header.pid}@{runs['t'].header.pid_started}"
    assert parent in runs["child"].header.ancestors


POOL = """
import multiprocessing, sys, time
import wattermark as wm
run = wm.track(name="t", place="deu", interval=0.02)
def work(x):
    end = time.process_time() + 0.01
    while time.process_time() < end: pass
    return x * x
if __name__ == "__main__":
    with run, multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(sum(pool.map(work, range(8))))
"""


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_a_pool_of_workers_is_one_run(program, forking, spools, tmp_path, how):
    (tmp_path / "pool.py").write_text(POOL)
    code = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    if how != "fork":  # the others import the main module again, so it has to be a file
        code = "import os, sys; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = program(code, tmp_path / "pool.py", how, env=forking)
    assert done.stdout == "140\n", done.stderr
    one_whole_run(spools)
