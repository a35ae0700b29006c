"""The control group that a run has to itself: its processor time holds whoever died unseen, no stranger."""

import os
import subprocess
import sys
import time
from contextlib import closing, suppress

import pytest

from fakes.tree import Process, group, in_groups, proc_tree
from wattermark.readers.cgroup import CGROUPS, RunGroup
from wattermark.readers.load import LoadReader

GROUP_NS = 90_000_000
RUN = [Process(10, ppid=1, utime=3), Process(11, ppid=10)]
STRANGER = Process(20, ppid=1)


class Container:
    """A run of process 10 in the group /box, by a made /proc and made control groups."""

    def __init__(self, folder, path="/box"):
        self.proc, self.groups, self.path = folder / "proc", folder / "groups", path

    def show(self, processes, members, *, where=None, **files):
        proc_tree(self.proc, processes)
        in_groups(self.proc, [row.pid for row in processes], f"0::{self.path}")
        for pid, path in (where or {}).items():
            in_groups(self.proc, [pid], f"0::{path}")
        group(self.groups, self.path, members, **{"usage_us": GROUP_NS // 1000, **files})
        return self

    def reader(self, **options):
        return LoadReader(10, proc=self.proc, cgroups=self.groups, tick_hz=100, **options)

    def look(self, **options):
        with closing(self.reader(**options)) as reader:
            return reader.read()[4]


@pytest.fixture
def box(tmp_path):
    return Container(tmp_path)


@pytest.mark.parametrize(
    ("processes", "members", "where", "expected"),
    [
        pytest.param(RUN, [10, 11], {}, GROUP_NS, id="the run alone"),
        pytest.param([*RUN, STRANGER], [10, 11, 20], {}, None, id="a stranger beside it"),
        pytest.param([*RUN, STRANGER], [10, 11, 0], {}, None, id="one of another namespace shows as 0"),
        pytest.param([*RUN, STRANGER], [10, 11], {20: "/other"}, GROUP_NS, id="a stranger elsewhere"),
        pytest.param(
            [Process(1, ppid=0), *RUN], [1, 10, 11], {}, None, id="the shell above it, in the same container"
        ),
        pytest.param(RUN, [10], {11: "/other"}, None, id="a child of ours that was put elsewhere"),
        pytest.param(RUN, [10], {11: "/.."}, None, id="a child of ours that was put where we cannot see"),
        pytest.param(RUN, [10], {11: "/boxes"}, None, id="a name that begins alike is another group"),
        pytest.param(RUN, [10], {}, GROUP_NS, id="a child that was born after the group was looked at"),
        pytest.param(RUN, [10, 11, 99], {}, GROUP_NS, id="one that has died since the group was looked at"),
        pytest.param(
            [*RUN, Process(12, ppid=20), Process(20, ppid=10)], [10, 11, 12], {}, GROUP_NS,
            id="a grandchild",
        ),
    ],
)  # fmt: skip
def test_the_group_is_told_while_nobody_else_is_in_it(box, processes, members, where, expected):
    assert box.show(processes, members, where=where).look() == expected


def test_groups_below_belong_to_it_and_so_do_their_strangers(box):
    box.show([*RUN, STRANGER], [10], below=1, where={11: "/box/inner"})
    group(box.groups, "/box/inner", [11])
    assert box.look() == GROUP_NS
    group(box.groups, "/box/inner", [11, 20])
    assert box.look() is None


def test_a_group_of_more_processes_than_a_page_holds_is_read_to_its_end(box):
    pids = [10, *range(10_000, 12_000)]
    box.show([RUN[0]], pids)
    with closing(RunGroup(10, box.proc, box.groups)) as its_group:
        assert its_group.members() == set(pids)


def test_an_orphan_that_was_ours_stays_ours(box):
    """Its parent is gone: by the tree it belongs to nobody, and takes its time along when it dies."""
    with closing(box.show(RUN, [10, 11]).reader()) as reader:
        reader.read()
        orphaned = [RUN[0], Process(11, ppid=1)]
        for used_us in (100, 200):
            box.show(orphaned, [10, 11], usage_us=used_us)
            assert reader.read()[4] == used_us * 1000
        box.show([*orphaned, STRANGER], [10, 11, 20])
        assert reader.read()[4] is None


def test_who_only_watches_is_taken_off(box):
    box.show([Process(10, utime=3, stime=1, cutime=100), Process(11, ppid=10)], [10, 11])
    assert box.look(with_root=False) == GROUP_NS - 40_000_000


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(
            lambda box: (box.groups / "box/cgroup.events").unlink(), id="the root of all has no events"
        ),
        pytest.param(lambda box: (box.groups / "box/cpu.stat").unlink(), id="no times"),
        pytest.param(lambda box: in_groups(box.proc, [10], "4:cpu:/box"), id="version 1"),
        pytest.param(lambda box: in_groups(box.proc, [10], "0::/../box"), id="outside of what can be seen"),
        pytest.param(lambda box: (box.proc / "10/cgroup").unlink(), id="the system tells no groups"),
        pytest.param(
            lambda box: (box.groups / "box/cpu.stat").write_text("x\n"), id="a file of another form"
        ),
        pytest.param(lambda box: (box.groups / "box/cgroup.procs").write_text("x\n"), id="no numbers"),
    ],
)
def test_without_a_group_there_is_no_answer_and_the_rest_is_read(box, break_it):
    break_it(box.show(RUN, [10, 11]))
    with closing(box.reader()) as reader:
        assert reader.read()[1::3] == [30_000_000, None]


@pytest.mark.parametrize("path", ["/", "/box"])
def test_a_container_that_sees_its_group_as_the_root_and_the_hybrid_mount(tmp_path, path):
    for mount in ("groups", "groups/unified"):
        box = Container(tmp_path / mount.replace("/", "-"), path)
        box.show(RUN, [10, 11])
        if mount.endswith("unified"):
            whole = box.groups.rename(box.groups.with_name("whole"))
            box.groups.mkdir()
            whole.rename(box.groups / "unified")
        assert box.look() == GROUP_NS


def test_files_of_the_group_are_given_back(box):
    reader = box.show(RUN, [10, 11]).reader()
    before = len(os.listdir("/proc/self/fd"))
    reader.close()
    reader.close()
    assert before - len(os.listdir("/proc/self/fd")) == 6


@pytest.mark.slow
def test_a_look_costs_less_than_a_tenth_of_a_millisecond(box):
    pids = range(10, 42)
    box.show([Process(pid, ppid=1 if pid == 10 else 10) for pid in pids], list(pids))
    group_ = box.reader()._group
    costs_s = []
    for _ in range(200):
        begin_s = time.perf_counter()
        assert group_.used_ns(group_.members(), pids) == GROUP_NS
        costs_s.append(time.perf_counter() - begin_s)
    assert sorted(costs_s)[100] < 100e-6


# -- of this machine, where a group may be made -----------------------------------------

ORPHANS = """
import os, resource, subprocess, sys, time
BURN = "import time\\nwhile time.process_time() < 0.2: pass"
for _ in range(3):  # burners whose parent is gone before they end: nobody waits for them
    subprocess.run(["sh", "-c", f"exec 3>&1; {sys.executable} -c '{BURN}' & true"], check=True)
subprocess.run([sys.executable, "-c", BURN], check=True)
time.sleep(1.5)
print(flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def real_group():
    """A group of our own below the root of the real tree; no test where none may be made."""
    for mount in (CGROUPS, CGROUPS / "unified"):
        folder = mount / f"wattermark-test-{os.getpid()}"
        if (mount / "cgroup.controllers").exists() and os.access(mount, os.W_OK):
            try:
                folder.mkdir()
            except OSError:
                continue
            yield folder
            for _ in range(50):
                with suppress(OSError):
                    folder.rmdir()
                    return
                time.sleep(0.1)
            return
    pytest.skip("no control group may be made here")


@pytest.mark.slow
def test_a_real_group_holds_what_orphans_took_though_they_died_unseen(real_group):
    """Four burners of 0.2 s each, of which the tree sees one."""
    pipe = subprocess.PIPE
    move = f"open({str(real_group / 'cgroup.procs')!r}, 'w').write('0')\n"
    with subprocess.Popen(
        [sys.executable, "-c", move + ORPHANS], stdin=pipe, stdout=pipe, text=True
    ) as child:
        with closing(_when_moved(child.pid, real_group)) as reader:
            _, tree_ns, _, _, group_ns = reader.read()
            child.stdout.readline()
            _, tree_later_ns, _, _, group_later_ns = reader.read()
        child.communicate("\n")
    burnt_s = (group_later_ns - group_ns) * 1e-9
    assert burnt_s >= 0.95 * 4 * 0.2
    assert (tree_later_ns - tree_ns) * 1e-9 < 0.6 * burnt_s, "else this test shows nothing"


def _when_moved(pid, folder):
    while str(pid) not in (folder / "cgroup.procs").read_text().split():
        time.sleep(0.001)
    return LoadReader(pid)
