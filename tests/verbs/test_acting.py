"""Real commands that are started, paused and resumed by a plan, and what becomes of them, however it ends."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from fakes.processes import kill, python, soon, stands_still, state, works
from wattermark.errors import LeverStuck
from wattermark.ledger.plans import plan_lines
from wattermark.ledger.read import read_run
from wattermark.levers import guard
from wattermark.levers.choose import CGROUP, SIGNAL, Hold
from wattermark.science.schedule.acting import ran_s
from wattermark.values.plan import PlannedJob, Stretch
from wattermark.verbs.acting import Acting, Clock, Errand
from wattermark.verbs.command import run_command
from wattermark.verbs.look import seen
from wattermark.verbs.measure import Run
from wattermark.verbs.planning import keep_plan, plan_job
from wattermark.verbs.planning_again import Anew
from wattermark.wiring.config import load_config

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="asks Linux about processes")
ACT = """
import json, os, sys, time
from pathlib import Path
from wattermark.ledger.plans import note
from wattermark.values.plan import Stretch
from wattermark.verbs.acting import Acting, Errand
from wattermark.verbs.command import end_alike, run_command
from wattermark.verbs.look import seen
from wattermark.verbs.measure import Run
from wattermark.wiring.config import load_config
way, stretches, *command = sys.argv[1:]
now_s, config, ledger = time.time(), load_config(), Path(os.environ["WATTERMARK_LEDGER"])
note(ledger, "p", "plan")
errand = Errand(
    stretches=tuple(Stretch(begin_s=now_s + a, end_s=now_s + b) for a, b in json.loads(stretches)),
    config=config, ledger=ledger, plan_id="p", way=way or None,
)
acting = Acting(errand, say=lambda sentence: print(sentence, file=sys.stderr, flush=True))
def run_of(before): return Run(config, name="t", command="t", charge_self=False, resume=before)
def perform(run, minder): return run_command(command, run, minder=minder)
sys.exit(end_alike(acting.go(run_of, perform)))
"""
"""What ``wattermark run --when`` does, with a plan that is given in seconds from now."""
LATER = [[0.0, 0.5], [600.0, 601.0]]
"""A short stretch, then a pause for the rest of the test."""
WAYS = [pytest.param(SIGNAL, id="by signals"), pytest.param(CGROUP, id="by a group")]
WORKS = "import os; print(os.getpid(), flush=True)\nwhile True: pass"


@pytest.fixture
def act(home):
    """Starts a planner on a command of Python."""
    begun = []

    def start(way, stretches, code, **more):
        if way == CGROUP:
            try:
                Hold(way, {}).close()
            except LeverStuck as why:
                pytest.skip(str(why))
        child = subprocess.Popen(
            [sys.executable, "-c", ACT, way, json.dumps(stretches), sys.executable, "-c", code],
            env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        )  # fmt: skip
        begun.append(child)
        return child

    yield start
    for child in begun:
        with child:
            kill(child.pid)


@pytest.fixture
def noted(home):
    """What the file of the plan says was done."""
    return lambda: [told["kind"] for told in plan_lines(Path(home["WATTERMARK_LEDGER"]), "p")]


@pytest.fixture
def recorded(home):
    """The one run, all its parts."""
    return lambda: read_run(sorted(Path(home["WATTERMARK_LEDGER"]).glob("*/*.jsonl")))


@pytest.fixture
def paused(act):
    """A planner whose command is paused, and that command's number."""

    workers = []

    def start(way, code=WORKS, **more):
        child = act(way, LATER, code, **more)
        worker = int(child.stdout.readline())
        workers.append(worker)
        assert child.stderr.readline() == "paused\n"
        assert stands_still(worker)
        return child, worker

    yield start
    kill(*workers)


# -- what it is for ----------------------------------------------------------------------

TRAINS = """
import sys, time
import numpy as np
random = np.random.default_rng(7)
x, true = random.normal(size=(256, 8)), random.normal(size=8)
y, w, until_s = x @ true, np.zeros(8), time.monotonic() + float(sys.argv[1]) if len(sys.argv) > 1 else 0
for step in range(60_000):
    batch = random.integers(0, len(x), 16)
    w -= 0.001 * x[batch].T @ (x[batch] @ w - y[batch])
print(w.tobytes().hex())
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_training_that_was_paused_ends_with_the_same_weights(act, recorded, noted, way):
    alone = subprocess.run([sys.executable, "-c", TRAINS], capture_output=True, text=True, check=True)
    child = act(way, [[0, 0.3], [1, 1.2], [2, 2.2], [3, 3.1]], TRAINS)
    said, told = child.communicate(timeout=60)
    assert child.returncode == 0, told
    assert said == alone.stdout
    assert noted() == ["plan", "start", *["pause", "resume"] * 3, "end"]
    (run,) = recorded()
    paused = [span for span in run.spans if span.name == "paused"]
    assert all(span.end_ns > span.begin_ns for span in paused)
    ends_s = [span.end_ns / 1e9 for span in paused]  # a busy machine pauses late, and resumes in time
    assert [b - a for a, b in pairwise(ends_s)] == pytest.approx([1, 1], abs=0.6)


def test_it_waits_for_its_begin_and_then_runs_on(act, noted):
    """After the last stretch nothing is paused: the command took longer than was thought."""
    began_s = time.time()
    child = act(SIGNAL, [[0.7, 0.8]], "import time; print(time.time(), flush=True); time.sleep(0.5)")
    assert float(child.stdout.readline()) - began_s > 0.7
    assert child.wait(20) == 0
    assert noted() == ["plan", "start", "end"]


@pytest.mark.parametrize(
    ("code", "returned"),
    [("exit(3)", 3), ("import os; os.kill(os.getpid(), 15)", -15), ("pass", 0)],
    ids=["exit code", "signal", "good"],
)
def test_it_ends_as_the_command_ends(act, code, returned):
    child = act(SIGNAL, [[0, 1]], code)
    assert child.wait(20) == returned


LEAVES = """
import json, sys, time
import numpy as np
from wattermark.levers.ask import asked, leave, resume_from
random, step, w = np.random.default_rng(7), 0, np.zeros(8)
x, true = random.normal(size=(256, 8)), random.normal(size=8)
y = x @ true
if resume_from():
    kept = json.loads(open(resume_from()).read())
    random.bit_generator.state, step, w = kept["random"], kept["step"], np.array(kept["w"])
while step < 60_000:
    batch = random.integers(0, len(x), 16)
    w -= 0.001 * x[batch].T @ (x[batch] @ w - y[batch])
    step += 1
    if asked():
        with open("checkpoint.json", "w") as file:
            json.dump({"random": random.bit_generator.state, "step": step, "w": w.tolist()}, file)
        print(f"left at {step}", flush=True)
        leave("checkpoint.json")
print(w.tobytes().hex())
"""
"""A loop of somebody's own, that looks at each step whether it is asked to leave."""


@pytest.mark.slow
def test_a_training_that_leaves_and_comes_back_is_one_run(act, recorded, noted, home):
    alone = subprocess.run(
        [sys.executable, "-c", LEAVES], env=home, capture_output=True, text=True, check=True
    )
    child = act("checkpoint", [[0, 0.5], [1.5, 2.0], [3.0, 4.0]], LEAVES, cwd=home["HOME"])
    said, told = child.communicate(timeout=60)
    assert child.returncode == 0, told
    *left, weights = said.splitlines()
    assert len(left) >= 1 and f"{weights}\n" == alone.stdout
    assert noted() == ["plan", "start", *["ask", "pause", "resume"] * len(left), "end"]
    assert sorted(run.header.part for run in recorded()) == list(range(len(left) + 1))
    assert not list(Path(home["TMPDIR"]).glob("wattermark-ask-*"))


def test_a_training_that_does_not_leave_in_time_runs_on(act, noted):
    """It looks at the end of an epoch only; by then the next stretch has begun."""
    child = act("checkpoint", [[0, 0.1], [0.5, 0.6]], "import time; time.sleep(1)")
    assert child.wait(20) == 0
    assert noted() == ["plan", "start", "ask", "ask-no-more", "end"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_planner_that_dies_between_two_parts_tells_where_the_work_is_and_leaves_nothing(act, home, number):
    code = """
import time
from wattermark.levers.ask import asked, leave
while not asked(): time.sleep(0.01)
leave("/saved.ckpt")
"""
    child = act("checkpoint", LATER, code)
    assert soon(lambda: "saved" in child.stderr.readline())
    child.send_signal(number)
    assert child.wait(10) == -number
    lines = plan_lines(Path(home["WATTERMARK_LEDGER"]), "p")
    assert [line["checkpoint"] for line in lines if line["kind"] == "pause"] == ["/saved.ckpt"]
    assert soon(lambda: not list(Path(home["TMPDIR"]).glob("wattermark-ask-*")))


def test_nobody_is_asked_to_leave_by_a_planner_that_is_dead(act):
    """Nobody would start it again."""
    code = """
import time
from wattermark.levers.ask import asked
def wait(answer):
    while asked() is not answer: time.sleep(0.01)
    print(answer, flush=True)
wait(False); wait(True); wait(False)
"""
    child = act("checkpoint", LATER, code)
    assert [child.stdout.readline() for _ in range(2)] == ["False\n", "True\n"]
    child.kill()
    assert child.stdout.readline() == "False\n"


@pytest.mark.slow
def test_nothing_of_others_is_charged_while_it_is_paused(act, recorded, home):
    """Another program works all the time; while it stands still, the run is charged next to nothing."""
    code = "import time\nwhile time.process_time() < 0.9: pass"
    with python("while True: pass") as other:
        assert act(SIGNAL, [[0, 0.5], [2.5, 3]], code).wait(60) == 0
        other.kill()
    (spool,) = Path(home["WATTERMARK_LEDGER"]).glob("*/*.jsonl")
    found = seen(spool).footprint
    (still,) = found.spans
    power_w = (found.it_energy_j.best - still.it_energy_j) / (found.duration_s - still.duration_s)
    assert still.it_energy_j / still.duration_s < 0.1 * power_w
    (cpu,) = (part for part in found.components if part.kind == "cpu")
    assert cpu.energy_j.best < cpu.others_energy_j
    assert ran_s(found) == pytest.approx(found.duration_s - 2.0, abs=0.5)


# -- nobody is left behind -----------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_while_it_is_paused_reaches_the_command_at_once(paused, noted, way, number):
    child, worker = paused(way, f"import signal; signal.signal({number}, signal.SIG_DFL)\n{WORKS}")
    child.send_signal(number)
    assert child.wait(10) == -number
    assert state(worker) == ""
    assert noted()[-3:] == ["let-go", "resume", "end"] or noted()[-2:] == ["resume", "end"]


def test_a_command_that_handles_the_signal_may_take_its_time(paused, noted):
    """It is not paused again, though the plan says so: it wants to end."""
    code = "import signal, time, os\ndef stop(*_): time.sleep(0.6); print('saved', flush=True); exit(4)\n"
    child, _ = paused(SIGNAL, f"{code}signal.signal(15, stop)\n{WORKS}")
    child.terminate()
    assert child.stdout.readline() == "saved\n"
    assert child.wait(10) == 4
    assert noted()[-3:] == ["let-go", "resume", "end"]


@pytest.mark.parametrize("way", WAYS)
def test_a_planner_that_is_killed_leaves_no_frozen_command(paused, way):
    child, worker = paused(way)
    child.kill()
    child.wait()
    assert works(worker)


@pytest.mark.parametrize("way", WAYS)
def test_a_command_that_is_killed_while_it_is_paused(paused, recorded, way):
    child, worker = paused(way)
    os.kill(worker, signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    (run,) = recorded()
    assert (run.status, run.detail) == ("failed", "SIGKILL")


@pytest.mark.slow
def test_a_guard_that_is_killed_is_replaced_while_it_is_paused(paused):
    child, worker = paused(SIGNAL)
    guards = [pid for pid in _children(child.pid) if pid != worker]
    kill(*guards)
    assert soon(lambda: [pid for pid in _children(child.pid) if pid not in (worker, *guards)])
    child.kill()
    child.wait()
    assert works(worker)


@pytest.mark.slow
def test_a_guard_that_is_told_to_go_ends_the_pauses_of_a_control_group(paused, noted):
    """It took the group away: the run must not go on as paused, while the command runs."""
    child, worker = paused(CGROUP)
    (guard,) = (pid for pid in _children(child.pid) if pid != worker)
    os.kill(guard, signal.SIGTERM)
    assert soon(lambda: "stuck" in noted(), within_s=10)
    assert not stands_still(worker, span_s=0.05)
    assert noted()[-2:] == ["stuck", "resume"]


def _children(pid):
    return [one.pid for one in psutil.Process(pid).children() if state(one.pid) != "Z"]


def test_the_keyboard_ends_a_wait_and_nothing_was_started(act, noted, home):
    child = act(SIGNAL, [[600, 601]], WORKS)
    assert soon(lambda: Path(f"/proc/{child.pid}/task").is_dir() and _sleeps(child.pid))
    child.send_signal(signal.SIGINT)
    said, told = child.communicate(timeout=10)
    assert (said, child.returncode) == ("", -signal.SIGINT), told
    assert noted() == ["plan", "give-up"]
    assert not list(Path(home["WATTERMARK_LEDGER"]).glob("*/*.jsonl"))


def _sleeps(pid):
    """Whether it waits for its moment: it has imported all, and its plan is on disk."""
    text = Path(f"/proc/{pid}/wchan").read_text()
    return "futex" in text and state(pid) == "S"


# -- at a terminal ---------------------------------------------------------------------------


class Terminal:
    """A shell with job control, at a terminal of its own."""

    def __init__(self, script, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("bash", ["bash", "-c", script], environment)
        self.seen = ""

    def type(self, keys):
        os.write(self.fd, keys)

    def sees(self, pattern, within_s=20):
        until_s = time.monotonic() + within_s
        os.set_blocking(self.fd, False)
        while not (found := re.search(pattern, self.seen)) and time.monotonic() < until_s:
            try:
                self.seen += os.read(self.fd, 4096).decode()
            except (BlockingIOError, OSError):
                time.sleep(0.02)
        assert found, self.seen
        return found


@pytest.fixture
def terminal(home):
    begun = []

    def start(script):
        begun.append(Terminal(script, {**home, "TERM": "xterm"}))
        return begun[-1]

    yield start
    for one in begun:
        kill(one.pid)
        os.waitpid(one.pid, 0)
        os.close(one.fd)


def _at_terminal(home, way, code):
    act, work = Path(home["HOME"]) / "act.py", Path(home["HOME"]) / "work.py"
    act.write_text(ACT)
    work.write_text(code)
    return f"{sys.executable} {act} {way} '{json.dumps(LATER)}' {sys.executable} {work}"


@pytest.mark.parametrize("way", WAYS)
def test_ctrl_c_while_it_is_paused(terminal, home, way):
    code = "import signal, os\nsignal.signal(2, lambda *_: print('heard', flush=True) or exit(6))\n"
    seen = terminal(f"{_at_terminal(home, way, code + WORKS)}; echo code $?")
    seen.sees("paused")
    seen.type(b"\x03")
    seen.sees("code 6")
    assert seen.seen.count("heard") == 1


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_ctrl_z_and_fg_do_not_end_a_pause(terminal, home, way):
    """The shell stops us, and resumes the whole job: what the plan holds is held again."""
    seen = terminal(f"set -m; {_at_terminal(home, way, WORKS)}; echo zzz; sleep 0.3; fg")
    worker = int(seen.sees(r"(\d+)\r\n")[1])
    seen.sees("paused")
    seen.type(b"\x1a")
    seen.sees(r"zzz\r\n.*act.py")
    time.sleep(0.8)
    assert stands_still(worker)
    seen.type(b"\x03")
    seen.sees("KeyboardInterrupt")
    assert soon(lambda: state(worker) == "")


# -- hours that take no time -------------------------------------------------------------------

HOUR = 3600.0


class Fast(Clock):
    """An hour takes half a second, from the moment on when a plan is followed; eight hours may be lost."""

    RATE = 2 * HOUR

    def __init__(self, *, leap_at_h=float("inf")):
        self.began_s, self.from_s, self.leap_at_s = time.time(), None, leap_at_h * HOUR

    def both_s(self):
        self.from_s = self.from_s or time.monotonic()
        steady_s = (time.monotonic() - self.from_s) * self.RATE
        return self.began_s + steady_s + 8 * HOUR * (steady_s >= self.leap_at_s), steady_s

    def wait(self, inbox, span_s):
        return super().wait(inbox, min(span_s, 100.0) / self.RATE)


@pytest.fixture
def perform(ledger):
    """Acts on stretches, in hours from now, as fast as the clock; answers what was done at which hour."""

    def go(stretches, seconds, *, way=SIGNAL, again=None, clock=None, duration_h=2.0):
        clock, config = clock or Fast(), load_config({"place": "deu"})
        job = PlannedJob(
            it_energy_j=HOUR, duration_s=duration_h * HOUR, earliest_s=clock.began_s,
            deadline_s=clock.began_s + 48 * HOUR, interruptible=way is not None,
        )  # fmt: skip
        plan = plan_job(job, config=config, now_s=clock.began_s)
        errand = Errand(
            stretches=_hours(clock, stretches), config=config, ledger=ledger, plan=plan,
            plan_id=keep_plan(ledger, plan), way=way,
        )  # fmt: skip
        acting = Acting(errand, clock=clock, again=again or Again(clock, None))
        command = [sys.executable, "-c", f"import time; time.sleep({seconds})"]
        ended = acting.go(
            lambda before: Run(config, name="t", charge_self=False, resume=before),
            lambda run, minder: run_command(command, run, minder=minder),
        )
        assert ended.code == 0
        lines = plan_lines(ledger, errand.plan_id)[1:]
        return [(line["kind"], (line["at_s"] - clock.began_s) / HOUR, line) for line in lines]

    return go


def _hours(clock, stretches):
    return tuple(
        Stretch(begin_s=clock.began_s + a * HOUR, end_s=clock.began_s + b * HOUR) for a, b in stretches
    )


@pytest.mark.slow
def test_a_plan_of_hours_is_followed_to_the_minute(perform):
    done = perform([(1, 2), (5, 6)], 1.0)
    assert [kind for kind, *_ in done] == ["start", "pause", "resume", "end"]
    assert [hour for _, hour, _ in done[:3]] == pytest.approx([1, 2, 5], abs=0.6)


class Again:
    """Answers once, from some hour on, with other stretches, and remembers what it was asked."""

    def __init__(self, clock, stretches, *, from_h=0.0):
        self.clock, self.stretches, self.from_h, self.asked = clock, stretches, from_h, []

    def __call__(self, job, kept, before, config, now_s):
        hour = (now_s - self.clock.began_s) / HOUR
        self.asked.append((job, kept, hour))
        if hour < self.from_h:
            return Anew()
        stretches, self.stretches = self.stretches, None
        return Anew(_hours(self.clock, stretches) if stretches else None)


def test_a_better_forecast_moves_the_begin(perform):
    clock = Fast()
    again = Again(clock, [(2, 4)])
    done = perform([(10, 12)], 0.1, again=again, clock=clock)
    assert [kind for kind, *_ in done] == ["plan", "start", "end"]
    assert done[1][1] == pytest.approx(2, abs=0.6)
    job, kept, _ = again.asked[0]
    assert (job.duration_s, kept) == (2 * HOUR, _hours(clock, [(10, 12)]))


@pytest.mark.slow
def test_a_better_forecast_ends_a_pause_and_counts_what_ran(perform):
    clock = Fast()
    again = Again(clock, None)
    perform([(0, 1), (4, 5)], 1.0, again=again, clock=clock)
    left_h = {round(hour, 1): job.duration_s / HOUR for job, _, hour in again.asked}
    paused = [left for hour, left in left_h.items() if 1.6 < hour < 4]
    assert paused and paused == pytest.approx([1.0] * len(paused), abs=0.6)
    again = Again(clock := Fast(), [(2, 3)])
    again_done = perform([(0, 0.5), (20, 21)], 0.8, again=again, clock=clock)
    assert [kind for kind, *_ in again_done if kind != "plan"] == ["start", "pause", "resume", "end"]
    assert again_done[-2][1] < 4


def test_what_cannot_be_paused_is_not_planned_again_once_it_runs(perform):
    again = Again(clock := Fast(), None)
    perform([(0, 1)], 0.5, way=None, again=again, clock=clock)
    assert again.asked == []


@pytest.mark.slow
def test_a_clock_that_was_set_or_a_machine_that_slept_is_planned_again(perform):
    """Eight hours are lost: what has been missed is seen at once, and not when a timer would have fired."""
    clock = Fast(leap_at_h=0.5)
    again = Again(clock, None)
    done = perform([(4, 6)], 0.2, again=again, clock=clock)
    assert [kind for kind, *_ in done] == ["start", "end"]
    assert done[0][1] >= 8
    again = Again(clock := Fast(leap_at_h=1.2), [(9.5, 10), (11, 12)], from_h=8)
    done = perform([(0, 2), (30, 31)], 1.2, again=again, clock=clock)
    assert ("plan", "leapt") in [(kind, line.get("why")) for kind, _, line in done]


def test_what_does_not_stop_runs_on_in_one_piece(perform, monkeypatch, caplog):
    monkeypatch.setattr("wattermark.levers.signals.ROUNDS", 0)
    done = perform([(0, 1), (40, 41)], 1.0)
    assert [kind for kind, *_ in done] == ["start", "stuck", "end"]
    assert "faster than they can be stopped" in caplog.text


@pytest.mark.slow
def test_a_group_that_the_kernel_will_not_thaw_is_tried_until_it_does(perform, monkeypatch, caplog):
    """As where somebody makes the tree read-only for a while; the guard owes it all the time."""
    try:
        Hold(CGROUP, {}).close()
    except LeverStuck as why:
        pytest.skip(str(why))
    refusals = [OSError(30, "Read-only file system")] * 2

    def thaw(path):
        if refusals and clock.now_s() > clock.began_s + 2 * HOUR:
            raise refusals.pop()
        real(path)

    real = guard.thaw
    monkeypatch.setattr("wattermark.levers.freezer.thaw", thaw)
    done = perform([(0, 1), (3, 4)], 1.0, way=CGROUP, clock=(clock := Fast()))
    assert [kind for kind, *_ in done] == ["start", "pause", "stuck", "resume", "end"]
    assert refusals == [] and caplog.text.count("cannot be thawed") == 1


def test_a_plan_that_cannot_be_written_stops_nobody(perform, ledger, monkeypatch, caplog):
    monkeypatch.setattr("wattermark.verbs.acting.note", _full)
    perform([(0, 0.5), (1.5, 2)], 0.3)
    assert caplog.text.count("cannot be written (No space left on device)") == 1


def _full(*_, **__):
    raise OSError(28, "No space left on device")
