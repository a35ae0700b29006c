"""Steps of a SLURM job are found among the children of the first process, and counted as the run's."""

import pytest

from wattermark.readers.load import LoadReader
from wattermark.readers.slurm_steps import VARIABLE, Steps, steps_here

STAT = "{pid} ({comm}) S {parent} 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 5 0 100 0\n"


@pytest.fixture
def proc(tmp_path):
    """A procfs of a node; answers how a process is put into it."""
    (tmp_path / "stat").write_text("cpu  100 0 0 1000 0 0 0 0 0 0\n")
    (tmp_path / "meminfo").write_text("MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable: 50 kB\n")
    children = {}

    def put(pid, parent, title, ticks=0, comm=None):
        folder = tmp_path / str(pid)
        (folder / "task" / str(pid)).mkdir(parents=True, exist_ok=True)
        name = comm or title.partition(":")[0].rpartition("/")[2]
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cmdline").write_text(f"{title}\0")
        (folder / "stat").write_text(STAT.format(pid=pid, comm=name, parent=parent, ticks=ticks))
        (folder / "task" / str(pid) / "children").write_text("")
        children.setdefault(parent, {})[pid] = None
        above = tmp_path / str(parent) / "task" / str(parent)
        if above.is_dir():
            (above / "children").write_text(" ".join(map(str, children[parent])) + " ")

    put(1, 0, "init")
    put.folder = tmp_path
    return put


@pytest.mark.parametrize(
    ("title", "ours"),
    [
        pytest.param("slurmstepd: [77.0]", True, id="a step"),
        pytest.param("slurmstepd: [77.12]", True, id="a later step"),
        pytest.param("/usr/sbin/slurmstepd-wlm: [77.0]", True, id="as Debian calls it"),
        pytest.param("slurmstepd: [77.0+1]", True, id="a part of a step"),
        pytest.param("slurmstepd: [77.batch]", False, id="the script's own, which is watched already"),
        pytest.param("slurmstepd: [77.extern]", False, id="nobody's work"),
        pytest.param("slurmstepd: [177.0]", False, id="another job's"),
        pytest.param("slurmstepd: [7.0]", False, id="a job whose number begins alike"),
        pytest.param("bash -c slurmstepd: [77.0]", False, id="a name that somebody took"),
    ],
)
def test_whose_daemon_it_is(proc, title, ours):
    proc(20, 1, title)
    assert Steps("77", proc.folder).roots() == ([20] if ours else [])


def test_a_daemon_gets_its_title_after_it_began(proc):
    proc(20, 1, "slurmd")
    proc(21, 1, "sshd")
    steps = Steps("77", proc.folder)
    assert steps.roots() == []
    proc(20, 1, "slurmstepd: [77.0]")
    assert steps.roots() == [20]


def test_where_nothing_can_be_seen_there_are_none(tmp_path):
    assert Steps("77", tmp_path).roots() == []


def test_their_time_is_the_runs(proc, monkeypatch):
    proc(10, 1, "run", ticks=3)
    proc(20, 1, "slurmstepd: [77.0]", ticks=1)
    proc(21, 20, "train", ticks=50)
    proc(30, 1, "slurmstepd: [78.0]", ticks=7)
    for named, ticks in (("", 3), ("77", 54), ("x;y", 3)):
        monkeypatch.setenv(VARIABLE, named)
        reader = LoadReader(10, proc=proc.folder, tick_hz=100, cgroups=proc.folder)
        assert reader.read()[1] == ticks * 10_000_000
        reader.close()


def test_nobody_asks_for_steps_unless_told(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert steps_here(tmp_path) is None
