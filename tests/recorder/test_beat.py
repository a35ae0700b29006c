"""The beat: what it reads when, and that no meter can hold up or stop the program that is recorded."""

import json
import statistics
import threading
import time
from itertools import pairwise

import pytest

from wattermark.ledger.spool import line
from wattermark.recorder.beat import CLOSEST_NS, THREAD, Beat
from wattermark.recorder.recording import Recording
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

CHANNEL = Channel(name="a", kind=Kind.COUNTER, part=Part.CPU, unit="uJ")
SHORT_S = 0.2  # somebody's patience


class Lines:
    """A spool in memory."""

    def __init__(self):
        self.text = ""
        self.closed = 0

    def write(self, lines):
        self.text += lines

    def close(self):
        self.closed += 1

    def of(self, kind):
        told = [json.loads(text) for text in self.text.splitlines()]
        return [fields for fields in told if fields["kind"] == kind]

    def values(self, reader):
        return [beat[reader] for beat in self.of("beat") if reader in beat]


class Meter:
    """Counts its looks; before it answers it does what it was told to."""

    def __init__(self, before_answer=lambda look: None, period_s=None):
        self.channels = [CHANNEL]
        self.looks = 0
        self._before_answer = before_answer
        self._period_s = period_s

    def period_s(self, interval_s):
        return self._period_s or interval_s

    def read(self):
        self.looks += 1
        self._before_answer(self.looks)
        return [self.looks]

    def close(self):
        pass


def beat_of(**meters):
    return Beat(lambda: (meters, line("meters", names=list(meters))), line)


def recording(interval_s=0.02):
    spool = Lines()
    return Recording(spool, line, interval_s=interval_s), spool


def last(mono_ns):
    return line("stop", mono_ns=mono_ns)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def wait_until(holds, within_s=5.0):
    end = time.monotonic() + within_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.002)
    return holds()


@pytest.fixture(autouse=True)
def quiet_afterwards():
    """No test leaves a beat behind."""
    yield
    assert wait_until(lambda: not threads())


class Custom(Exception):
    """Something that no reader ought to raise."""


def raising(error, from_look=1):
    def before_answer(look):
        if look >= from_look:
            raise error

    return before_answer


# -- the schedule -----------------------------------------------------------


def test_a_run_begins_and_ends_with_a_look():
    beat, (run, spool) = beat_of(m=Meter()), recording(interval_s=60)
    assert beat.join(run) and beat.leave(run, last)
    kinds = [json.loads(text)["kind"] for text in spool.text.splitlines()]
    assert kinds == ["meters", "beat", "beat", "stop"]
    assert spool.of("stop")[0]["mono_ns"] == spool.of("beat")[-1]["mono_ns"]
    assert spool.closed == 1


def test_beats_do_not_drift_however_long_a_look_takes():
    """Every 50 ms, and each look takes 15 ms: on the grid of the first look, not 65 ms apart."""
    beat, (run, spool) = beat_of(m=Meter(lambda look: time.sleep(0.015))), recording(interval_s=0.05)
    beat.join(run)
    time.sleep(0.6)
    beat.leave(run, last)
    first_ns, *others_ns = [one["mono_ns"] for one in spool.of("beat")[:-1]]
    late_s = [(at_ns - first_ns) * 1e-9 % 0.05 for at_ns in others_ns]
    assert statistics.median(late_s) < 0.0125


def test_beats_that_were_missed_are_skipped_and_not_made_up_for():
    beat, (run, spool) = beat_of(m=Meter(lambda look: time.sleep(0.3 if look == 2 else 0))), recording()
    beat.join(run)
    time.sleep(0.5)
    beat.leave(run, last)
    gaps_s = [(b["mono_ns"] - a["mono_ns"]) * 1e-9 for a, b in pairwise(spool.of("beat"))]
    assert max(gaps_s) >= 0.3
    assert len(gaps_s) <= 1 + (0.5 - 0.3) / 0.02 + 3


def test_a_look_that_takes_three_intervals_never_meets_the_next_one_and_nothing_is_lost():
    """Four threads ask for looks all the while; the spool's ends differ by what the meter counted."""
    inside, met = [], []

    def slow(look):
        inside.append(look)
        time.sleep(0.06)
        met.extend(inside[:-1])
        inside.remove(look)

    meter, over = Meter(slow), threading.Event()
    beat, (run, spool) = beat_of(m=meter), recording(interval_s=0.02)

    def ask():
        while not over.wait(0.005):
            beat.poke()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    beat.join(run)
    for asker in askers:
        asker.start()
    time.sleep(0.5)
    beat.leave(run, last)
    over.set()
    for asker in askers:
        asker.join()
    shown = [value for (value,) in spool.values("m")]
    assert met == []
    assert shown == list(range(1, meter.looks + 1)) and len(shown) > 3
    assert sum(b - a for a, b in pairwise(shown)) == meter.looks - 1


def test_each_meter_has_its_own_period():
    often, seldom = Meter(period_s=0.01), Meter(period_s=60)
    beat, (run, spool) = beat_of(often=often, seldom=seldom), recording()
    beat.join(run)
    assert wait_until(lambda: often.looks > 5)
    beat.leave(run, last)
    assert seldom.looks == len(spool.values("seldom")) == 2
    assert often.looks == len(spool.values("often"))


def test_no_meter_makes_a_busy_loop_of_the_beat():
    greedy = Meter(period_s=1e-9)  # as by a range of RAPL that is too small to be true
    beat, (run, _) = beat_of(m=greedy), recording()
    began_s = time.monotonic()
    beat.join(run)
    time.sleep(0.2)
    beat.leave(run, last)
    assert greedy.looks <= 3 + (time.monotonic() - began_s) / 0.01


def test_a_poke_is_a_look_now():
    meter = Meter()
    beat, (run, _) = beat_of(m=meter), recording(interval_s=60)
    beat.join(run)
    beat.poke()
    assert wait_until(lambda: meter.looks == 2)
    beat.leave(run, last)


def test_pokes_are_rate_limited():
    meter = Meter()
    beat, (run, _) = beat_of(m=meter), recording(interval_s=60)
    beat.join(run)
    start_ns = time.monotonic_ns()
    while time.monotonic_ns() < start_ns + 6 * CLOSEST_NS:
        beat.poke()
        time.sleep(0)
    asked_for_ns = time.monotonic_ns() - start_ns
    beat.leave(run, last)
    assert 2 < meter.looks <= 3 + asked_for_ns / CLOSEST_NS


# -- several recordings -----------------------------------------------------


def test_two_recordings_share_one_thread_and_one_set_of_meters():
    opened, meter = [], Meter()
    beat = Beat(lambda: (opened.append(1), ({"m": meter}, ""))[1], line)
    (one, spool), (other, second) = recording(), recording()
    beat.join(one)
    beat.join(other)
    assert len(threads()) == len(opened) == 1
    beat.leave(one, last)
    assert wait_until(lambda: len(second.of("beat")) > 3)
    beat.leave(other, last)
    assert spool.closed == second.closed == 1
    assert spool.values("m")[-1] < second.values("m")[-1]


def test_the_shorter_interval_holds_while_both_record():
    beat, (slow, spool), (fast, _) = beat_of(m=Meter()), recording(60), recording(0.01)
    beat.join(slow)
    beat.join(fast)
    assert wait_until(lambda: len(spool.of("beat")) > 5)
    beat.leave(fast, last)
    told = len(spool.of("beat"))
    time.sleep(0.1)
    assert len(spool.of("beat")) == told
    beat.leave(slow, last)


def test_the_thread_ends_when_nobody_records_and_comes_back():
    beat, (first, _), (second, spool) = beat_of(m=Meter()), recording(), recording()
    beat.join(first)
    beat.leave(first, last)
    assert wait_until(lambda: not threads())
    assert beat.join(second) and beat.leave(second, last)
    assert len(spool.of("stop")) == 1


def test_many_come_and_go_at_once_and_each_is_whole():
    beat, runs = beat_of(m=Meter()), [recording() for _ in range(8)]

    def live(run):
        beat.join(run)
        run.mark("hello")
        beat.leave(run, last)

    workers = [threading.Thread(target=live, args=(run,)) for run, _ in runs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for _, spool in runs:
        assert [len(spool.of(kind)) for kind in ("meters", "hello", "stop")] == [1, 1, 1]
        assert spool.text.splitlines()[-1] == json.dumps(spool.of("stop")[0], separators=(",", ":"))


# -- meters that misbehave --------------------------------------------------


@pytest.mark.parametrize(
    "error", [OSError("gone"), ValueError("n/a"), ZeroDivisionError(), KeyError("x"), RuntimeError("driver")]
)
def test_a_meter_that_raises_leaves_a_gap_and_stops_no_other(error):
    beat, (run, spool) = beat_of(bad=Meter(raising(error, from_look=2)), good=Meter()), recording()
    beat.join(run)
    assert wait_until(lambda: len(spool.values("good")) > 4)
    beat.leave(run, last)
    assert spool.values("bad")[0] == [1]
    assert set(map(str, spool.values("bad")[1:])) == {"[None]"}
    assert [None] not in spool.values("good")
    (fault,) = spool.of("fault")
    assert fault["error"].startswith(f"bad: {type(error).__name__}")


def test_a_meter_that_raises_from_the_first_look_on_is_noted_too():
    beat, (run, spool) = beat_of(bad=Meter(raising(OSError("gone")))), recording(60)
    beat.join(run)
    beat.leave(run, last)
    assert [fault["error"] for fault in spool.of("fault")] == ["bad: OSError: gone"]


def test_a_second_run_is_told_of_a_meter_that_fails_in_it_too():
    beat, (first, _), (second, spool) = beat_of(bad=Meter(raising(OSError("gone")))), recording(), recording()
    for run in (first, second):
        beat.join(run)
        beat.leave(run, last)
    assert len(spool.of("fault")) == 1


@pytest.fixture
def hanging():
    """A meter that hangs at a look until the test is over, and the moment when it let go."""
    release = threading.Event()
    yield lambda at_look: Meter(lambda look: release.wait(10) if look == at_look else None)
    release.set()


@pytest.mark.parametrize("at_look", [1, 2])
def test_nobody_waits_for_a_meter_that_hangs(hanging, at_look):
    beat, (run, spool) = beat_of(m=hanging(at_look)), recording(60)
    start_s = time.monotonic()
    joined = beat.join(run, patience_s=SHORT_S)
    left = beat.leave(run, last, patience_s=SHORT_S)
    assert time.monotonic() - start_s < 2 * SHORT_S + 1
    assert (joined, left) == (at_look > 1, False)
    assert spool.closed == len(spool.of("stop")) == 1
    assert not run.open


def test_when_the_meter_comes_back_nothing_follows_the_last_line():
    release = threading.Event()
    beat, (run, spool) = beat_of(m=Meter(lambda look: release.wait(10) if look == 2 else None)), recording(60)
    beat.join(run)
    beat.leave(run, last, patience_s=SHORT_S)
    text = spool.text
    release.set()
    assert wait_until(lambda: not threads())
    assert spool.text == text


def test_a_driver_that_hangs_while_it_is_opened_holds_nobody_up():
    release = threading.Event()

    def open_meters():
        release.wait(10)
        return {"m": Meter()}, ""

    beat, (run, spool) = Beat(open_meters, line), recording()
    start_s = time.monotonic()
    joined = beat.join(run, patience_s=SHORT_S)
    left = beat.leave(run, last, patience_s=SHORT_S)
    took_s = time.monotonic() - start_s
    release.set()
    assert (joined, left, len(spool.of("stop"))) == (False, False, 1)
    assert took_s < 2 * SHORT_S + 1


def test_a_meter_that_answers_late_is_recorded_from_then_on():
    beat, (run, spool) = beat_of(m=Meter(lambda look: time.sleep(0.3 if look == 1 else 0))), recording()
    assert not beat.join(run, patience_s=0.05)
    assert wait_until(lambda: len(spool.of("beat")) > 2)
    assert beat.leave(run, last)


@pytest.mark.parametrize(
    ("from_look", "interval_s"),
    [
        pytest.param(1, 60, id="at the first look"),
        pytest.param(2, 0.02, id="later"),
        pytest.param(2, 60, id="at the last look"),
    ],
)
def test_a_fault_of_ours_is_noted_and_the_run_can_still_be_stopped(caplog, from_look, interval_s):
    """The one blind except of the house: whatever a reader does, the program goes on."""
    beat, (run, spool) = beat_of(m=Meter(raising(Custom("oops"), from_look))), recording(interval_s)
    beat.join(run, patience_s=SHORT_S)
    assert interval_s == 60 or wait_until(lambda: not threads())
    beat.leave(run, last, patience_s=SHORT_S)
    assert len(spool.of("stop")) == 1
    assert any("Custom: oops" in fault["error"] for fault in spool.of("fault"))
    assert "your program goes on" in caplog.text


def test_a_crash_keeps_nobody_waiting():
    """Who asked when it happened is answered at once, not after his patience."""
    beat, (run, _) = beat_of(m=Meter(raising(Custom("oops")))), recording()
    start_s = time.monotonic()
    joined = beat.join(run, patience_s=5)
    beat.leave(run, last, patience_s=5)
    assert time.monotonic() - start_s < 1
    assert not joined


def test_meters_that_cannot_be_opened_are_noted_and_stop_nothing(caplog):
    def open_meters():
        raise Custom("no driver for you")

    beat, (run, spool) = Beat(open_meters, line), recording()
    beat.join(run, patience_s=SHORT_S)
    beat.leave(run, last, patience_s=SHORT_S)
    assert len(spool.of("stop")) == 1
    assert any("no driver for you" in fault["error"] for fault in spool.of("fault"))
