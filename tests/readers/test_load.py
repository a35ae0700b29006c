"""Processor time and memory: from made-up process trees, and from real burners."""

import os
import subprocess
import sys
import time
from contextlib import closing

import pytest

from fakes.tree import Process, proc_tree
from wattermark.readers.load import LoadReader

TICK_NS = 10_000_000


def look(proc, root=10, **options):
    with closing(LoadReader(root, proc=proc, tick_hz=100, **options)) as reader:
        return reader.read()


@pytest.mark.parametrize(
    ("processes", "ticks"),
    [
        pytest.param([Process(10, utime=3, stime=4)], 7, id="alone: user and system time"),
        pytest.param([Process(10, cutime=5, cstime=6)], 11, id="children that were waited for"),
        pytest.param(
            [Process(10, utime=1), Process(11, 10, utime=10), Process(12, 10, stime=100)],
            111,
            id="two children",
        ),
        pytest.param(
            [Process(10, utime=1), Process(11, 10), Process(12, 11, utime=10), Process(13, 12, cutime=100)],
            111,
            id="four levels, with an exited one below",
        ),
        pytest.param(
            [Process(10, utime=1), Process(20, 1, utime=10), Process(21, 20, utime=10)],
            1,
            id="a stranger and its child",
        ),
        pytest.param(
            [Process(10, utime=1, comm="a (b) c 9 9 9")], 1, id="a program whose name looks like numbers"
        ),
        pytest.param(
            [Process(10, utime=1, threads=(14, 15)), Process(11, 10, utime=10)], 11, id="threads, too"
        ),
        pytest.param([Process(10, utime=7, state="Z")], 7, id="a zombie still holds its time"),
        pytest.param([], 0, id="the root is not there"),
    ],
)
def test_the_tree_is_the_process_and_all_below(tmp_path, processes, ticks):
    assert look(proc_tree(tmp_path, processes))[1] == ticks * TICK_NS


def test_who_only_watches_is_not_charged_but_its_exited_children_are(tmp_path):
    proc = proc_tree(tmp_path, [Process(10, utime=100, cutime=20), Process(11, 10, utime=3, rss=7)])
    _, cpu_ns, _, memory_b, _ = look(proc, with_root=False)
    assert cpu_ns == 23 * TICK_NS
    assert memory_b == 7 * os.sysconf("SC_PAGE_SIZE")


def test_busy_is_neither_idle_nor_waiting_nor_a_guest_twice(tmp_path):
    cpus = [(1, 2, 4, 1000, 2000, 8, 16, 3000, 1, 2)]  # user nice system idle iowait irq softirq steal guest
    assert look(proc_tree(tmp_path, cpus=cpus))[0] == 31 * TICK_NS


def test_memory_in_use_is_what_is_not_available(tmp_path):
    proc = proc_tree(tmp_path, [Process(10, rss=100)], mem_total_kb=1000, mem_available_kb=400)
    assert look(proc)[2:4] == [600 * 1024, 100 * os.sysconf("SC_PAGE_SIZE")]


@pytest.mark.parametrize(
    ("looks", "ticks"),
    [
        pytest.param([(6, 0, None)], [56], id="nobody waited for it: the sum does not fall"),
        pytest.param([(5, 50, None)], [55], id="it was waited for: counted once"),
        pytest.param([(5, 57, None)], [62], id="it worked on before it was waited for"),
        pytest.param([(5, 0, None), (5, 50, None)], [55, 55], id="waited for while we looked: still once"),
        pytest.param([(5, 0, None), (45, 0, None)], [55, 95], id="nobody waited, and others work on"),
        pytest.param(
            [(5, 0, None), (5, 0, None), (5, 40, None)],
            [55, 55, 95],
            id="nobody waited, and later children come and go",
        ),
        pytest.param([(5, 30, 50), (5, 80, None)], [85, 85], id="another child came and went meanwhile"),
    ],
)
def test_a_child_that_goes_is_counted_once_and_takes_nothing_along(tmp_path, looks, ticks):
    """What the parent used, what it waited for, and its child, look by look; at first 5, 0 and 50."""

    def show(parent, waited, child):
        rows = [Process(10, utime=parent, cutime=waited)]
        return proc_tree(tmp_path, rows + ([] if child is None else [Process(11, 10, utime=child)]))

    seen = []
    with closing(LoadReader(10, proc=show(5, 0, 50), tick_hz=100)) as reader:
        reader.read()
        for row in looks:
            show(*row)
            seen.append(reader.read()[1] // TICK_NS)
    assert [max(seen[: i + 1]) for i in range(len(seen))] == seen
    assert seen == ticks


@pytest.mark.parametrize("missing", ["stat", "meminfo"])
def test_a_file_that_cannot_be_understood_is_a_gap(tmp_path, missing):
    proc = proc_tree(tmp_path, [Process(10, utime=5)])
    with closing(LoadReader(10, proc=proc, tick_hz=100)) as reader:
        (proc / missing).write_text("")
        busy_ns, cpu_ns, used_b, *_ = reader.read()
    assert (busy_ns is None, used_b is None) == (missing == "stat", missing == "meminfo")
    assert cpu_ns == 5 * TICK_NS


BURN = """
import os, subprocess, sys, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
grandchild = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run(["sh", "-c", f"{sys.executable} -c '{grandchild}'; true"], check=True)
burn(0.3)
print(sum(os.times()[:4]), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def burner():
    """A program that has burnt 0.6 s, half of it in a grandchild that is gone, and the time it knows of."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=pipe, stdout=pipe, text=True) as child:
        yield child.pid, float(child.stdout.readline())
        child.communicate("\n")


def test_a_real_burner_is_seen_with_its_exited_grandchildren(burner):
    pid, used_s = burner
    with closing(LoadReader(pid)) as reader:
        assert reader.read()[1] * 1e-9 == pytest.approx(used_s, rel=0.05)


def test_the_burner_is_part_of_this_process_s_tree_before_and_after_it_ends():
    code = "import sys, time\nwhile time.process_time() < 0.4: pass\nprint(flush=True)\nsys.stdin.readline()"
    pipe = subprocess.PIPE
    with closing(LoadReader()) as reader:
        before_ns = reader.read()[1]
        with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as child:
            child.stdout.readline()
            living_s = (reader.read()[1] - before_ns) * 1e-9
            child.communicate("\n")
        ended_s = (reader.read()[1] - before_ns) * 1e-9
    assert living_s == pytest.approx(0.4, abs=0.06)
    assert living_s <= ended_s < living_s + 0.1


def test_own_time_is_seen_to_the_millisecond():
    with closing(LoadReader()) as reader:
        first_ns, start_s = reader.read()[1], time.process_time()
        while time.process_time() < start_s + 0.05:
            pass
        assert (reader.read()[1] - first_ns) * 1e-9 == pytest.approx(0.05, abs=0.01)
