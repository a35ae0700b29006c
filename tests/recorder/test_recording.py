"""One run as the beat sees it: marks from any thread, one last line, and silence in a forked child."""

import threading

import pytest

from wattermark.ledger.spool import line
from wattermark.recorder.recording import Recording


class Lines(list):
    write = list.append
    closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def spool():
    return Lines()


@pytest.fixture
def run(spool):
    return Recording(spool, line, interval_s=1)


def test_marks_wait_for_the_beat_and_go_before_it(run, spool):
    run.mark("a")
    assert spool == []
    run.write("beat\n")
    assert spool == ['{"kind":"a"}\nbeat\n']


def test_nothing_to_say_is_not_written(run, spool):
    run.write("")
    assert spool == []


def test_the_last_line_is_written_once(run, spool):
    assert [run.close("end\n"), run.close("end\n")] == [True, False]
    run.mark("too late")
    assert (spool, spool.closed, run.open) == (["end\n"], 1, False)


def test_of_many_who_close_at_once_one_does(run, spool):
    ready, answers = threading.Barrier(8), []

    def close():
        ready.wait()
        answers.append(run.close("end\n"))

    workers = [threading.Thread(target=close) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (sum(answers), spool) == (1, ["end\n"])


def test_no_mark_is_lost_while_another_thread_writes(run, spool):
    """Two writers at once, as when a stop has lost its patience with the beat."""
    marks, done = 20_000, threading.Event()

    def write():
        while not done.is_set():
            run.write("")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(marks):
        run.mark("a")
    done.set()
    for writer in writers:
        writer.join()
    run.write("")
    assert "".join(spool).count("\n") == marks


FORK = """
import os, sys
from wattermark.ledger.spool import SpoolFile, line
from wattermark.recorder.recording import Recording
from pathlib import Path
run = Recording(SpoolFile(Path("a.jsonl")), line, interval_s=1)
run.mark("parents")
if os.fork() == 0:
    run.mark("childs")
    run.write("beat\\n")
    print("child", run.ours, run.close("end\\n"), flush=True)
    os._exit(0)
os.wait()
run.write("")
print("parent", run.ours, run.close("end\\n"), Path("a.jsonl").read_text().split())
"""


def test_a_forked_child_never_writes(program):
    assert program(FORK).stdout.splitlines() == [
        "child False False",
        "parent True True ['{\"kind\":\"parents\"}', 'end']",
    ]
