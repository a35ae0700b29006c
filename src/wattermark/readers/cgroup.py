"""Processor time of the control group (version 2) that holds the run, while it holds nobody else.

The kernel adds up there what every process took, those too that exited, were orphaned or were never waited
for: the better number. It is the run's alone only while each process of the group, and of those below it, is
the run's; so that is looked at each time, and there is no answer while others are in it. Another rank
of the same job is such another one: of a group that two ranks share neither is told, so that none is counted
twice.

References: Linux, Documentation/admin-guide/cgroup-v2.rst: cpu.stat (usage_usec), cgroup.procs, cgroup.stat
(nr_descendants); the true root, which is no group of anybody, has no cgroup.events.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from wattermark.values.cgroups import UNIFIED, paths_in

CGROUPS = Path("/sys/fs/cgroup")
NS_PER_US = 1000
PROCS, GROUPS, USAGE = "cgroup.procs", "cgroup.stat", "cpu.stat"
PAGE_B, LINE_B = 4096, 32
"""The kernel gives such a file by pages; one that is not filled up to a line is the last."""


class RunGroup:
    """The control group of one process, if there is one to look at.

    Parameters
    ----------
    pid : int
        Root of the run's tree.
    proc, cgroups : Path
        Where procfs, and the control groups, are mounted.
    """

    def __init__(self, pid: int, proc: Path, cgroups: Path = CGROUPS) -> None:
        self._proc = str(proc)
        self._path = self._path_of(pid)
        self._ours: set[int] = set()
        self._fds: dict[str, int] = {}
        self._known_below: tuple[bytes, list[Path]] = (b"", [])
        self._folder = self._open(cgroups) or self._open(cgroups / "unified")

    def close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}

    def members(self) -> set[int] | None:
        """All processes of the group and of those below it; None where that cannot be said."""
        if self._folder is None:
            return None
        try:
            texts = [self._read(PROCS), *(path.read_bytes() for path in self._below(self._read(GROUPS)))]
            return {int(word) for text in texts for word in text.split()}
        except (OSError, ValueError, KeyError):
            self._known_below = (b"", [])
            return None

    def used_ns(self, members: set[int] | None, family: Iterable[int]) -> int | None:
        """What the group used, if it is the run's alone. [ns]

        Parameters
        ----------
        members : set of int or None
            As ``members`` told just before the family was looked at.
        family : iterable of int
            The run's living processes.
        """
        if members is None or not self._alone(members, set(family)):
            return None
        try:
            name, used_us, *_ = self._read(USAGE).split(None, 2)
            return int(used_us) * NS_PER_US if name == b"usage_usec" else None
        except (OSError, ValueError, KeyError):
            return None

    def _below(self, groups: bytes) -> list[Path]:
        """The lists of processes of the groups below; looked for only where their number changed."""
        if groups != self._known_below[0]:
            assert self._folder is not None
            inner = [] if groups.startswith(b"nr_descendants 0\n") else list(os.walk(self._folder))[1:]
            self._known_below = (groups, [Path(folder, PROCS) for folder, _, _ in inner])
        return self._known_below[1]

    def _alone(self, members: set[int], family: set[int]) -> bool:
        """A process may be younger than one of the two looks, and an orphan is ours that was ours before."""
        known = family | self._ours
        strangers = [pid for pid in members - known if self._is_stranger(pid, known)]
        outside = [pid for pid in family - members if self._is_outside(pid)]
        self._ours = members & known
        return not strangers and not outside

    def _is_stranger(self, pid: int, known: set[int]) -> bool:
        """Whether none of the processes above it is ours. 0 is one of another namespace."""
        while pid > 1:
            pid = self._parent_of(pid)
            if pid in known or pid < 0:
                return False
        return True

    def _parent_of(self, pid: int) -> int:
        """-1 of one that has gone."""
        try:
            with open(f"{self._proc}/{pid}/stat", "rb") as file:
                return int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return -1

    def _is_outside(self, pid: int) -> bool:
        path = self._path_of(pid)
        return path is not None and not f"{path}/".startswith(f"{self._path}/".replace("//", "/"))

    def _path_of(self, pid: int) -> str | None:
        """Empty where it is in none that can be seen; None of one that has gone."""
        try:
            with open(f"{self._proc}/{pid}/cgroup", "rb") as file:
                return paths_in(file.read().decode(errors="replace")).get(UNIFIED, "")
        except OSError:
            return None

    def _open(self, mount: Path) -> str | None:
        """The group's folder, with its files opened; None if it is the root, or not there."""
        folder = f"{mount}{self._path or ''}".rstrip("/")
        if not self._path or not os.path.exists(f"{folder}/cgroup.events"):
            return None
        try:
            for name in (PROCS, GROUPS, USAGE):
                self._fds[name] = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.close()
            return None
        return folder

    def _read(self, name: str) -> bytes:
        text = page = os.pread(self._fds[name], PAGE_B, 0)
        while len(page) > PAGE_B - LINE_B:
            page = os.pread(self._fds[name], PAGE_B, len(text))
            text += page
        return text
