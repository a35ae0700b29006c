"""Real processes, paused by every way that works here: they stand still, go on, and are never forgotten."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from fakes.processes import BUSY, FORKS, TREE, WATCHER, kill, python, soon, stands_still, state, works
from wattermark.errors import LeverStuck
from wattermark.levers.choose import CGROUP, GROUP_1, MARK, SIGNAL, Hold, choose
from wattermark.levers.freezer import PREFIX, V1, V2, ControlGroup
from wattermark.levers.guard import FREEZER, GROUP, debt_of, remove_group, settle, start_of
from wattermark.levers.guard import SIGNAL as BY_SIGNAL
from wattermark.levers.guarding import Guard
from wattermark.levers.signals import Stopped

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="asks Linux about processes")
WAYS = (SIGNAL, CGROUP, GROUP_1)


@pytest.fixture
def begun():
    """Starts programs, and ends them with the test."""
    with ExitStack() as stack:

        def begin(code, hold=None, **more):
            born = hold.born() if hold else ExitStack()
            environment = {**os.environ, **(hold.environment if hold else {})}
            with born:
                child = python(code, env=environment, **more)
            stack.callback(child.wait)
            stack.callback(child.stdout.close)
            stack.callback(kill, child.pid)
            return child

        yield begin


@pytest.fixture
def hold(request):
    """The way that the test names, where this machine has it."""
    try:
        made = Hold(request.param, {})
    except LeverStuck as why:
        pytest.skip(str(why))
    yield made
    made.close()


every_way = pytest.mark.parametrize("hold", WAYS, indirect=True)


@every_way
def test_a_paused_command_takes_no_time_and_goes_on(hold, begun):
    child = begun(BUSY, hold)
    lever = hold.lever(child.pid)
    for _ in range(3):
        lever.pause()
        lever.pause()
        assert lever.paused
        assert stands_still(child.pid)
        lever.resume()
        lever.resume()
        assert not lever.paused
        assert works(child.pid)


@every_way
def test_all_that_a_command_made_stands_still(hold, begun):
    """Another group, another session, and a daemon that init adopted."""
    child = begun(TREE, hold)
    family = [child.pid, *map(int, child.stdout.readline().split())]
    lever = hold.lever(child.pid)
    lever.pause()
    still = stands_still(*family)
    lever.resume()
    run = works(*family)
    kill(*family)
    assert (still, run) == (True, True)


@every_way
def test_a_command_that_forks_all_the_time_is_caught(hold, begun):
    child = begun(FORKS, hold)
    child.stdout.readline()
    lever = hold.lever(child.pid)
    for _ in range(20):
        lever.pause()
        assert stands_still(child.pid, span_s=0.02)
        lever.resume()


@pytest.mark.parametrize("hold", [SIGNAL], indirect=True)
def test_a_child_that_is_made_while_we_stop_is_found_at_the_second_look(hold, begun):
    child = begun(WATCHER, hold)
    watcher = int(child.stdout.readline())
    lever = hold.lever(child.pid)
    lever.pause()
    born = [one.pid for one in psutil.Process(watcher).children()]
    still = stands_still(watcher, *born)
    lever.resume()
    kill(watcher, *born)
    assert still
    assert len(born) <= 1


@every_way
def test_a_command_that_is_killed_while_it_is_paused(hold, begun):
    child = begun(BUSY, hold)
    lever = hold.lever(child.pid)
    lever.pause()
    child.kill()
    if hold.way == GROUP_1:  # its known fault, and why it is the last choice
        assert state(child.pid) != "Z"
        lever.resume()
    assert child.wait(10) == -signal.SIGKILL
    lever.resume()
    lever.close()


@every_way
def test_a_signal_waits_for_the_end_of_the_pause(hold, begun):
    child = begun(
        "import signal; signal.signal(15, lambda *_: exit(7)); print(1, flush=True); signal.pause()", hold
    )
    child.stdout.readline()
    lever = hold.lever(child.pid)
    lever.pause()
    child.terminate()
    assert stands_still(child.pid)
    lever.resume()
    assert child.wait(10) == 7


def test_a_zombie_in_the_tree_hinders_nobody(begun):
    child = begun(
        "import subprocess, sys; subprocess.Popen(['true']); print(1, flush=True)\nwhile True: pass"
    )
    child.stdout.readline()
    guard = Guard()
    lever = Stopped(child.pid, guard)
    lever.pause()
    assert state(child.pid) == "T"
    lever.resume()
    assert state(child.pid) == "R"
    guard.close()


def test_what_was_stopped_by_somebody_else_stays_stopped(begun):
    child = begun(BUSY)
    os.kill(child.pid, signal.SIGSTOP)
    assert soon(lambda: state(child.pid) == "T")
    guard = Guard()
    lever = Stopped(child.pid, guard)
    lever.pause()
    lever.resume()
    assert state(child.pid) == "T"
    guard.close()


def test_who_is_resumed_by_somebody_else_is_paused_again(begun):
    """As a shell does with a job that is brought to the front."""
    child = begun(BUSY)
    guard = Guard()
    lever = Stopped(child.pid, guard)
    lever.pause()
    os.kill(child.pid, signal.SIGCONT)
    assert soon(lambda: state(child.pid) == "R")
    lever.pause()
    assert state(child.pid) == "T"
    lever.close()
    assert state(child.pid) == "R"
    guard.close()


def test_a_command_that_has_ended_is_no_trouble(begun):
    child = begun("pass")
    child.wait()
    guard = Guard()
    lever = Stopped(child.pid, guard, mark=f"{MARK}=nobody")
    lever.pause()
    assert not lever.paused
    lever.close()
    guard.close()


# -- nothing stays frozen ---------------------------------------------------------------

PLANNER = """
import os, subprocess, sys, time
from wattermark.levers.choose import Hold
hold = Hold(sys.argv[1], {})
environment = {**os.environ, **hold.environment}
with hold.born():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"], env=environment)
lever = hold.lever(child.pid)
lever.pause()
print(child.pid, hold.guard.pid, flush=True)
for line in sys.stdin:
    if line.strip() == "renew": print(hold.guard.renew(), hold.guard.pid, flush=True)
    if line.strip() == "raise": raise RuntimeError
    if line.strip() == "again": lever.resume(); lever.pause(); print(hold.guard.pid, flush=True)
    if line.strip() == "exit": os._exit(3)
"""


@pytest.fixture
def planner(hold, home):
    """A program that has paused another one; its number, that of its guard, and what it may be told."""
    child = subprocess.Popen(
        [sys.executable, "-c", PLANNER, hold.way], env=home,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    paused, guard = map(int, child.stdout.readline().split())

    def tell(word):
        child.stdin.write(f"{word}\n")
        child.stdin.flush()

    yield child, paused, guard, tell
    with child:
        child.kill()
    kill(paused, guard)


@every_way
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda child, tell: child.kill(), id="kill -9"),
        pytest.param(lambda child, tell: child.terminate(), id="SIGTERM"),
        pytest.param(lambda child, tell: child.send_signal(signal.SIGINT), id="Ctrl-C"),
        pytest.param(lambda child, tell: child.send_signal(signal.SIGHUP), id="the terminal closes"),
        pytest.param(lambda child, tell: child.send_signal(signal.SIGSEGV), id="a crash"),
        pytest.param(lambda child, tell: tell("raise"), id="an exception"),
        pytest.param(lambda child, tell: tell("exit"), id="os._exit"),
    ],
)
def test_however_the_planner_ends_nothing_stays_frozen(planner, end):
    child, paused, guard, tell = planner
    assert stands_still(paused)
    end(child, tell)
    child.wait(10)
    assert soon(lambda: state(guard) in ("", "Z"))
    assert works(paused)
    assert f"{PREFIX}{child.pid}-" not in Path(f"/proc/{paused}/cgroup").read_text()


@pytest.mark.parametrize("hold", [SIGNAL, CGROUP], indirect=True)
def test_a_guard_that_was_killed_is_replaced_and_knows_all(planner):
    child, paused, guard, tell = planner
    os.kill(guard, signal.SIGKILL)
    assert soon(lambda: state(guard) in ("", "Z"))
    assert stands_still(paused)
    tell("renew")
    renewed, another = child.stdout.readline().split()
    assert (renewed, int(another) != guard) == ("True", True)
    child.kill()
    child.wait()
    assert works(paused)


@pytest.mark.parametrize("hold", [SIGNAL], indirect=True)
def test_a_guard_that_died_is_noticed_before_the_next_pause(planner):
    child, paused, guard, tell = planner
    os.kill(guard, signal.SIGKILL)
    assert soon(lambda: state(guard) in ("", "Z"))
    tell("again")
    assert int(child.stdout.readline()) != guard
    child.kill()
    child.wait()
    assert works(paused)


@pytest.mark.parametrize("hold", [SIGNAL], indirect=True)
def test_a_guard_that_is_told_to_go_resumes_first(planner):
    """As when the machine is shut down."""
    _child, paused, guard, _tell = planner
    os.kill(guard, signal.SIGTERM)
    assert works(paused)


@pytest.mark.parametrize("hold", [CGROUP, GROUP_1], indirect=True)
def test_a_group_whose_planner_and_guard_both_died_is_thawed_by_the_next_one(planner, hold):
    child, paused, guard, _tell = planner
    os.kill(guard, signal.SIGKILL)
    child.kill()
    child.wait()
    assert stands_still(paused)
    Hold(hold.way, {}).close()
    assert works(paused)
    assert f"{PREFIX}{child.pid}-" not in Path(f"/proc/{paused}/cgroup").read_text()


def test_a_number_that_is_another_process_by_now_is_left_alone(begun):
    child = begun(BUSY)
    os.kill(child.pid, signal.SIGSTOP)
    assert soon(lambda: state(child.pid) == "T")
    settle(debt_of(BY_SIGNAL, child.pid, "12345"))
    assert state(child.pid) == "T"
    settle(debt_of(BY_SIGNAL, child.pid, start_of(child.pid)))
    assert soon(lambda: state(child.pid) == "R")


def test_a_debt_that_cannot_be_settled_hinders_no_other(tmp_path, begun):
    child = begun(BUSY)
    guard = Guard()
    guard.owe(debt_of(BY_SIGNAL, child.pid, start_of(child.pid)))
    os.kill(child.pid, signal.SIGSTOP)
    assert soon(lambda: state(child.pid) == "T")
    guard.owe(debt_of(FREEZER, tmp_path / "absent" / "cgroup.freeze"))
    guard.owe(debt_of(GROUP, tmp_path / "absent"))
    guard.owe("nonsense")
    guard.owe(debt_of(BY_SIGNAL, "no number", ""))
    guard.close()
    assert soon(lambda: state(child.pid) == "R")


# -- which way ---------------------------------------------------------------------------


def test_a_group_stays_out_of_the_way_of_those_who_made_it():
    """We are in it no longer than to start the command; afterwards it is gone."""
    guard = Guard()
    try:
        group = ControlGroup(V2, guard)
    except LeverStuck as why:
        guard.close()
        pytest.skip(str(why))
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        before = file.read()
    with group.entered(), open("/proc/self/cgroup", encoding="utf-8") as file:
        assert group.folder.name in file.read()
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        assert file.read() == before
    group.close()
    group.close()
    guard.close()
    assert not group.folder.exists()


def test_who_is_in_the_group_himself_does_not_freeze_it():
    guard = Guard()
    try:
        group = ControlGroup(V2, guard)
    except LeverStuck as why:
        guard.close()
        pytest.skip(str(why))
    with group.entered(), pytest.raises(LeverStuck, match="ourselves"):
        group.pause()
    group.close()
    guard.close()


FOREIGN = """
import os, subprocess, sys
from wattermark.errors import LeverStuck
from wattermark.levers.guarding import Guard
from wattermark.levers.signals import Stopped
child = subprocess.Popen([sys.executable, "-c", "while True: pass"], stdout=subprocess.DEVNULL)
import psutil
lever = Stopped(child.pid, Guard())
os.setresuid(65534, 65534, 0)
try:
    lever.pause()
except LeverStuck as error:
    print(error, lever.paused, flush=True)
finally:
    os.setresuid(0, 0, 0)
    child.kill()
"""


def test_another_users_process_is_said_to_be_out_of_reach(home):
    """As of a command that calls sudo; what was stopped by then runs on."""
    if os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN], env={**home, "PYTHONWARNINGS": "ignore"}, timeout=60,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "belongs to another user" in done.stdout and done.stdout.endswith(" False\n"), done.stderr


@pytest.mark.parametrize("hold", [CGROUP, GROUP_1], indirect=True)
def test_a_group_that_somebody_took_away_is_told_and_the_command_runs_on(hold, begun):
    child = begun(BUSY, hold)
    assert soon(lambda: state(child.pid) == "R")
    lever = hold.lever(child.pid)
    remove_group(str(lever.folder))
    with pytest.raises(LeverStuck, match="cannot be frozen"):
        lever.pause()
    assert not lever.paused and not stands_still(child.pid)


@pytest.mark.parametrize("version", [V1, V2])
def test_a_machine_without_control_groups_says_so(tmp_path, version):
    guard = Guard()
    with pytest.raises(LeverStuck, match="control groups"):
        ControlGroup(version, guard, proc=tmp_path)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_text("22 1 0:20 / /proc rw - proc proc rw\n")
    (tmp_path / "self" / "cgroup").write_text("0::/\n")
    with pytest.raises(LeverStuck, match="can be seen"):
        ControlGroup(version, guard, proc=tmp_path)
    guard.close()


def test_a_tree_where_no_group_may_be_made_says_how_to_get_one(tmp_path):
    """procfs takes no new folders, from nobody: as sysfs from who may not."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_text("22 1 0:20 / /proc rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "self" / "cgroup").write_text("0::/sys\n")
    guard = Guard()
    with pytest.raises(LeverStuck, match="systemd-run --user --scope"):
        ControlGroup(V2, guard, proc=tmp_path)
    guard.close()


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        pytest.param("auto", (CGROUP, SIGNAL), id="the best"),
        pytest.param("signal", (SIGNAL,), id="signals"),
        pytest.param("cgroup", (CGROUP, GROUP_1, SIGNAL), id="a group, or what comes next"),
        pytest.param("checkpoint", ("checkpoint",), id="a checkpoint, only if asked for"),
    ],
)
def test_the_way_is_found_by_trying(wanted, first):
    hold = choose(wanted)
    hold.close()
    assert hold.way == first[len(hold.skipped)]
    assert tuple(hold.skipped) == first[: len(hold.skipped)]
