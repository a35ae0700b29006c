"""How busy the machine and the tracked processes are, from the operating system.

No energy is read here. Where a counter exists, these numbers share its energy among the run,
other programs and idle; where none does, ``science/power_model`` turns them into watts while
accounting, with a wide interval.

References: proc(5), /proc/stat, /proc/meminfo, /proc/<pid>/stat (fields 14 to 17, 24),
/proc/<pid>/task/<tid>/children; of control groups, ``cgroup``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from wattermark.errors import ReaderUnavailable
from wattermark.readers.cgroup import CGROUPS, RunGroup
from wattermark.readers.slurm_steps import Steps, steps_here
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel
from wattermark.values.units import NS_PER_S

PROC = Path("/proc")
Family = dict[tuple[int, str], tuple[int, int]]
"""Each process of a tree, by number and start: its own processor time, and its waited-for children's. [ns]"""

FASTEST_S = 2.0  # processor time adds up, so looking more often tells little more


def _channels() -> tuple[Channel, ...]:
    rows = [
        ("load/cpu_busy", Kind.COUNTER, "ns", "processor time of all programs"),
        ("load/run_cpu", Kind.COUNTER, "ns", "processor time of the tracked processes, exited ones too"),
        ("load/memory_used", Kind.GAUGE, "B", "memory in use on the machine"),
        ("load/run_memory", Kind.GAUGE, "B", "resident memory of the tracked processes"),
        ("load/run_cgroup_cpu", Kind.COUNTER, "ns", "that of their control group, while it is theirs alone"),
    ]
    return tuple(Channel(name=n, kind=k, part=Part.LOAD, unit=u, note=note) for n, k, u, note in rows)


class LoadReader:
    """Processor time and memory, of the machine and of a process tree.

    Parameters
    ----------
    pid : int, optional
        Root of the tree; this process by default.
    with_root : bool
        False leaves the root itself out (``wattermark run`` charges the command, not itself).
    proc : Path
        Where procfs is mounted.
    tick_hz : int, optional
        Ticks a second in procfs.
    cgroups : Path
        Where the control groups are mounted.

    Raises
    ------
    ReaderUnavailable
        If the machine tells neither by procfs nor by psutil.
    """

    def __init__(
        self,
        pid: int | None = None,
        *,
        with_root: bool = True,
        proc: Path = PROC,
        tick_hz: int | None = None,
        cgroups: Path = CGROUPS,
    ) -> None:
        self.channels: Sequence[Channel] = _channels()
        self._with_root = with_root
        self._pid = pid or os.getpid()
        self._times = _TreeTimes()
        self._group = RunGroup(self._pid, proc, cgroups)
        self._machine = processes(proc, tick_hz)

    def period_s(self, interval_s: float) -> float:
        return max(interval_s, FASTEST_S)

    def read(self) -> Sequence[int | None]:
        """Busy ns, the tree's ns, bytes in use, the tree's bytes, its control group's ns."""
        members = self._group.members()  # before the tree: who is born in between has a parent in it
        family, memory_b = self._machine.tree(self._pid, self._with_root)
        run_ns = self._times.sum_ns(family)
        group_ns = self._group.used_ns(members, [pid for pid, _ in family])
        if group_ns is not None and not self._with_root:
            group_ns -= self._machine.own_ns(self._pid)
        return [self._machine.busy_ns(), run_ns, self._machine.used_b(), memory_b, group_ns]

    def close(self) -> None:
        self._machine.close()
        self._group.close()


def processes(proc: Path = PROC, tick_hz: int | None = None) -> _Procfs | _Psutil:
    """What this machine tells of its processes, by procfs or by psutil.

    Parameters
    ----------
    proc : Path
        Where procfs is mounted.
    tick_hz : int, optional
        Ticks a second in procfs.

    Raises
    ------
    ReaderUnavailable
        If it tells by neither.
    """
    if (proc / "stat").exists():
        return _Procfs(proc, tick_hz or os.sysconf("SC_CLK_TCK"), steps_here(proc))
    return _Psutil()


class _TreeTimes:
    """Sums the processor time of a tree over its whole life, though processes come and go.

    A process that was waited for leaves its time to its parent; one that was not takes it along.
    What vanished since the last look may turn up with a parent at this one (``_fresh_ns``); what did
    not is kept for good.
    """

    def __init__(self) -> None:
        self._before: Family = {}
        self._kept_ns = self._fresh_ns = self._most_ns = 0

    def sum_ns(self, family: Family) -> int:
        gone = self._before.keys() - family.keys()
        gone_ns = sum(sum(self._before[one]) for one in gone)
        stayed = family.keys() & self._before.keys()
        inherited_ns = sum(max(0, family[one][1] - self._before[one][1]) for one in stayed)
        self._kept_ns += max(0, self._fresh_ns - max(0, inherited_ns - gone_ns))
        self._fresh_ns = max(0, gone_ns - inherited_ns)
        self._before = family
        alive_ns = sum(own_ns + waited_ns for own_ns, waited_ns in family.values())
        self._most_ns = max(self._most_ns, alive_ns + self._kept_ns + self._fresh_ns)
        return self._most_ns


class _Procfs:
    def __init__(self, proc: Path, tick_hz: int, steps: Steps | None) -> None:
        self._proc = str(proc)
        self._steps = steps
        self._ns_per_tick = NS_PER_S // tick_hz
        self._page_b = os.sysconf("SC_PAGE_SIZE")
        self._stat = os.open(proc / "stat", os.O_RDONLY)
        self._meminfo = os.open(proc / "meminfo", os.O_RDONLY)
        self._statm = os.open(PROC / "self" / "statm", os.O_RDONLY)

    def close(self) -> None:
        for name in ("_stat", "_meminfo", "_statm"):
            fd = getattr(self, name)
            if fd >= 0:
                os.close(fd)
                setattr(self, name, -1)

    def busy_ns(self) -> int | None:
        try:
            user, nice, system, _idle, _iowait, irq, softirq = map(
                int, os.pread(self._stat, 256, 0).split(None, 8)[1:8]
            )
        except (OSError, ValueError):
            return None
        return (user + nice + system + irq + softirq) * self._ns_per_tick

    def used_b(self) -> int | None:
        try:
            lines = os.pread(self._meminfo, 128, 0).split(b"\n")
            total_kb, available_kb = int(lines[0].split()[1]), int(lines[2].split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return (total_kb - available_kb) * 1024

    def tree(self, root: int, with_root: bool) -> tuple[Family, int]:
        """Processor times and memory of a process, its descendants and its job's steps, from the top down.

        A parent is read before its children: a child that is waited for in between is then
        missed until the next look, and never counted twice.
        """
        family: Family = {}
        memory_b = 0
        waiting = [root, *(self._steps.roots() if self._steps else ())]
        while waiting:
            pid = waiting.pop()
            own = with_root or pid != root
            found = self._one(pid, own=own)
            if found is None:
                continue  # it has just gone
            started, own_ns, waited_ns, held_b = found
            family[pid, started] = (own_ns if own else 0, waited_ns)
            memory_b += held_b
            if self._may_have_children(pid):
                waiting += self._children(pid)
        return family, memory_b

    def own_ns(self, pid: int) -> int:
        """What one process took itself. [ns]"""
        found = self._one(pid, own=True)
        return found[1] if found else 0

    def _may_have_children(self, pid: int) -> bool:
        """Of itself a process can ask so in one call, which is much cheaper than looking."""
        if pid != os.getpid() or self._proc != str(PROC):
            return True
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def _one(self, pid: int, *, own: bool) -> tuple[str, int, int, int] | None:
        """Its start, its own time, that of the children it waited for [ns], and its memory [B]."""
        if pid == os.getpid() and self._proc == str(PROC):
            return self._myself(own=own)
        try:
            with open(f"{self._proc}/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            own_ticks, waited_ticks = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
            memory_b, started = int(fields[21]) * self._page_b, fields[19].decode()
        except (OSError, ValueError, IndexError):
            return None
        return (
            started,
            own_ticks * self._ns_per_tick,
            waited_ticks * self._ns_per_tick,
            memory_b if own else 0,
        )

    def _myself(self, *, own: bool) -> tuple[str, int, int, int]:
        """This process, to the microsecond, and without opening a file."""
        own_ns, waited_ns, waited_b = _own()
        if not own:  # what has exited is remembered by its largest memory; else a short command had none
            return "", own_ns, waited_ns, 0 if self._may_have_children(os.getpid()) else waited_b
        try:
            memory_b = int(os.pread(self._statm, 64, 0).split()[1]) * self._page_b
        except (OSError, ValueError, IndexError):
            memory_b = 0
        return "", own_ns, waited_ns, memory_b

    def _children(self, pid: int) -> list[int]:
        found: list[int] = []
        try:
            for task in os.listdir(f"{self._proc}/{pid}/task"):
                with open(f"{self._proc}/{pid}/task/{task}/children", "rb") as file:
                    found += map(int, file.read().split())
        except OSError:
            return found  # it has just gone
        return found


def _own() -> tuple[int, int, int]:
    """Processor time of this process and of its exited children [ns]; the largest memory of those [B]."""
    import resource  # POSIX only

    own = resource.getrusage(resource.RUSAGE_SELF)
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    own_ns = int((own.ru_utime + own.ru_stime) * NS_PER_S)
    return own_ns, int((waited.ru_utime + waited.ru_stime) * NS_PER_S), waited.ru_maxrss * 1024


class _Psutil:
    """The same where there is no procfs (macOS, Windows); slower, and blind to exited grandchildren."""

    def __init__(self) -> None:
        try:
            import psutil
        except ImportError as error:
            raise ReaderUnavailable(
                f"{sys.platform} tells its load through psutil, which is not installed",
                fix="Run: pip install psutil",
            ) from error
        self._psutil = psutil

    def close(self) -> None:
        """Nothing is held open."""

    def busy_ns(self) -> int | None:
        times = self._psutil.cpu_times()
        return int((times.user + times.system + getattr(times, "nice", 0.0)) * NS_PER_S)

    def used_b(self) -> int | None:
        memory = self._psutil.virtual_memory()
        return int(memory.total - memory.available)

    def own_ns(self, _pid: int) -> int:
        """Asked only where there are control groups."""
        return 0

    def tree(self, root: int, with_root: bool) -> tuple[Family, int]:
        try:
            top = self._psutil.Process(root)
            processes = [top, *top.children(recursive=True)]
        except self._psutil.Error:
            return {}, 0
        family: Family = {}
        memory_b = 0
        for process in processes:
            try:
                times, memory = process.cpu_times(), process.memory_info()
            except self._psutil.Error:
                continue
            own = with_root or process.pid != root
            waited_s = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            own_ns = int((times.user + times.system) * NS_PER_S) if own else 0
            family[process.pid, f"{process.create_time():.2f}"] = (own_ns, int(waited_s * NS_PER_S))
            memory_b += memory.rss if own else 0
        return family, memory_b
