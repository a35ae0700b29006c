"""Limits of a container and its processors, from made trees: the tightest on the way up counts."""

import os

import pytest

from fakes.tree import group, in_groups
from wattermark.wiring.container import Limits, limits, limits_of
from wattermark.wiring.machine import Processors, processors_in

GB = 10**9
LONG = "9" * 5000
NO_V1_LIMIT = 2**63 - 4096


def told(folder, lines, groups):
    """Limits of a process in these groups; of each group its path below the mount, and its files."""
    in_groups(folder / "proc", ["self"], *lines)
    mount = folder / "cgroup"
    mount.mkdir()
    for path, files in groups.items():
        group(mount, path, **files)
    return limits_of(folder / "proc", mount)


@pytest.mark.parametrize(
    ("lines", "groups", "expected"),
    [
        pytest.param(
            ["0::/"], {"": {"cgroup__controllers": "", "cpu__max": "250000 100000", "memory__max": 2 * GB}},
            Limits(2.5, 2 * GB), id="a container that sees its own group as the root",
        ),
        pytest.param(
            ["0::/a/b"],
            {
                "": {"cgroup__controllers": "cpu"},
                "a": {"cpu__max": "100000 100000", "memory__max": "max"},
                "a/b": {"cpu__max": "400000 100000", "memory__max": 3 * GB},
            },
            Limits(1.0, 3 * GB), id="the tightest on the way up, of each",
        ),
        pytest.param(
            ["0::/a"],
            {"": {"cgroup__controllers": "cpu"}, "a": {"cpu__max": "max 100000", "memory__max": "max"}},
            Limits(), id="no limits",
        ),
        pytest.param(
            ["0::/a"],
            {
                "": {"cgroup__controllers": "cpu", "cpuset__cpus__effective": "0-63"},
                "a": {"cpuset__cpus__effective": "0-3,8,10-11", "cpu__max": "max 100000"},
            },
            Limits(7.0), id="a set of CPUs",
        ),
        pytest.param(
            ["0::/gone/below"], {"": {"cgroup__controllers": "", "memory__max": GB}}, Limits(None, GB),
            id="a path of the host's, of which only the root is mounted",
        ),
        pytest.param(
            ["5:cpu,cpuacct:/d/x", "4:memory:/d/x", "3:cpuset:/d/x", "0::/"],
            {
                "cpu/d/x": {"cpu__cfs_quota_us": 50000, "cpu__cfs_period_us": 100000},
                "cpu/d": {"cpu__cfs_quota_us": -1, "cpu__cfs_period_us": 100000},
                "memory/d/x": {"memory__limit_in_bytes": NO_V1_LIMIT},
                "memory/d": {"memory__limit_in_bytes": 4 * GB},
                "cpuset/d/x": {"cpuset__effective_cpus": "0-1"},
            },
            Limits(0.5, 4 * GB), id="version 1",
        ),
        pytest.param(
            ["4:memory:/", "2:cpu:/"],
            {
                "memory": {"memory__limit_in_bytes": NO_V1_LIMIT},
                "cpu": {"cpu__cfs_quota_us": -1, "cpu__cfs_period_us": 100000},
            },
            Limits(), id="version 1 without limits",
        ),
        pytest.param(
            ["1:name=systemd:/", "0::/a"],
            {"unified": {"cgroup__controllers": ""}, "unified/a": {"cpu__max": "150000 100000"}},
            Limits(1.5), id="version 2 beside version 1",
        ),
        pytest.param(
            ["0::/a"],
            {"": {"cgroup__controllers": ""}, "a": {"cpu__max": "much", "memory__max": "0"}}, Limits(),
            id="what cannot be understood limits nothing",
        ),
        pytest.param(
            ["0::/a"], {"": {"cgroup__controllers": ""}, "a": {"cpuset__cpus__effective": "a-b"}}, Limits(),
            id="nor does a set of no numbers",
        ),
        pytest.param(
            ["0::/a"], {"": {"cgroup__controllers": ""}, "a": {"cpuset__cpus__effective": "8-3,0"}}, Limits(),
            id="nor does one that ends before it begins",
        ),
        pytest.param(
            ["0::/a"],
            {"": {"cgroup__controllers": ""}, "a": {"cpu__max": f"{LONG} 100", "memory__max": LONG}},
            Limits(), id="nor do numbers of 5,000 digits",
        ),
        pytest.param(["0::/../../b"], {"": {"cgroup__controllers": "", "memory__max": GB}}, Limits(),
            id="a group that cannot be seen from here"),
        pytest.param([], {}, Limits(), id="no groups at all"),
    ],
)  # fmt: skip
def test_the_tightest_limit_counts(tmp_path, lines, groups, expected):
    assert told(tmp_path, lines, groups) == expected


def test_a_system_without_procfs_has_no_limits(tmp_path):
    assert limits_of(tmp_path, tmp_path) == Limits()


CPU = """processor\t: {i}
model name\t: {model}
physical id\t: {socket}
core id\t\t: 0
flags\t\t: fpu vme{flags}

"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "".join(CPU.format(i=i, model="A B", socket=i // 2, flags="") for i in range(4)),
            Processors("A B", sockets=2), id="two sockets of two",
        ),
        pytest.param(
            "".join(CPU.format(i=i, model="A B", socket=i, flags=" hypervisor lm") for i in range(2)),
            Processors("A B", sockets=2, virtual=True), id="a virtual machine",
        ),
        pytest.param(
            CPU.format(i=0, model="A", socket=7, flags=" nohypervisor"), Processors("A", sockets=1),
            id="a flag that only looks like it, and a socket of any number",
        ),
        pytest.param("processor : 0\nCPU implementer : 0x41\n", Processors(""), id="ARM tells neither"),
        pytest.param("", Processors(""), id="an empty file"),
    ],
)  # fmt: skip
def test_processors_are_as_the_system_tells_them(tmp_path, text, expected):
    (tmp_path / "cpuinfo").write_text(text)
    assert processors_in(str(tmp_path / "cpuinfo")) == expected


def test_without_cpuinfo_there_are_no_sockets(tmp_path):
    assert processors_in(str(tmp_path / "none")).sockets == 0


def test_limits_of_this_process_are_tighter_than_its_machine_or_none():
    found = limits()
    assert found.cpus is None or 0 < found.cpus < os.cpu_count()
    assert found.memory_b is None or 0 < found.memory_b < 2**62
