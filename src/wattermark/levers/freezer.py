"""Pause a command by a control group of its own: all that is in it stops at once, and can make no child.

References
----------
.. [1] Linux, Documentation/admin-guide/cgroup-v2.rst: cgroup.freeze, ``frozen`` in cgroup.events.
.. [2] Linux, Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst: freezer.state.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from wattermark.errors import LeverStuck
from wattermark.levers.guard import FREEZER, GROUP, THAWED, debt_of, remove_group, start_of, thaw
from wattermark.levers.guarding import Guard
from wattermark.values.cgroups import UNIFIED, paths_in

PREFIX = "wattermark-"
PATIENCE_S, GLANCE_S = 5.0, 0.002
_numbers = count()


@dataclass(frozen=True, slots=True)
class Version:
    """How the groups of one version are found, frozen, and asked."""

    mounted_as: str
    option: str
    tree: str
    file: str
    frozen: str
    answer: str
    says: str


V2 = Version("cgroup2", "", UNIFIED, "cgroup.freeze", "1", "cgroup.events", "frozen 1")
V1 = Version("cgroup", "freezer", "freezer", "freezer.state", "FROZEN", "freezer.state", "FROZEN")


class ControlGroup:
    """A control group for one command, beside ours and below it.

    Parameters
    ----------
    version : Version
        ``V2`` or ``V1``.
    guard : Guard
        Takes it away if we cannot.
    proc : Path
        Where procfs is mounted.

    Raises
    ------
    LeverStuck
        If there is no such tree, or we may not make or enter a group.
    """

    def __init__(self, version: Version, guard: Guard, proc: Path = Path("/proc")) -> None:
        self._version, self._guard, self._proc = version, guard, proc
        self._home = _own_group(version, proc)
        _thaw_orphans(self._home, version)
        self.folder = self._home / f"{PREFIX}{os.getpid()}-{start_of(os.getpid())}-{next(_numbers)}"
        self._debt = debt_of(GROUP, self.folder)
        self._frost = debt_of(FREEZER, self.folder / version.file)
        self._paused = False
        guard.owe(self._debt)
        try:
            self.folder.mkdir()
            with self.entered():
                pass
            self.pause()
            self.resume()
        except OSError as error:
            self.close()
            raise LeverStuck(
                f"no control group may be made in {self._home} ({error.strerror})",
                fix="Run it where one may: systemd-run --user --scope -p Delegate=yes wattermark run ...",
            ) from error

    @property
    def paused(self) -> bool:
        return self._paused

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What is started in the block is born in the group; we are in it no longer than that."""
        me = str(os.getpid())
        _write(self.folder / "cgroup.procs", me)
        try:
            yield
        finally:
            with suppress(OSError):  # then ``pause`` will refuse
                _write(self._home / "cgroup.procs", me)

    def pause(self) -> None:
        """Freeze it, and wait until all in it stand still.

        Raises
        ------
        LeverStuck
            If they do not, the group is gone, or we could not leave it after the start; then all run on.
        """
        if self._holds_us():
            raise LeverStuck("we are in the command's control group ourselves", fix="It runs in one piece")
        self._guard.owe(self._frost)
        self._paused = True
        try:
            if self._froze():
                return
        except OSError as error:  # a guard that was told to go took it away, or somebody else did
            self.resume()
            raise LeverStuck(
                f"the command's control group cannot be frozen ({error.strerror})",
                fix="It runs on in one piece",
            ) from error
        self.resume()
        raise LeverStuck(
            "a process of the command waits for the kernel and cannot be frozen",
            fix="It runs on; look for a disk or a network file system that does not answer",
        )

    def _froze(self) -> bool:
        """Whether all in it stood still in time."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            _write(self.folder / self._version.file, self._version.frozen)
            if self._version.says in (self.folder / self._version.answer).read_text(encoding="ascii"):
                return True
            time.sleep(GLANCE_S)
        return False

    def resume(self) -> None:
        """Let all in it go on.

        Raises
        ------
        LeverStuck
            If the kernel refuses; then it is still frozen, the guard still owes it, and one may try again.
        """
        if self._paused:
            file = self.folder / self._version.file
            try:
                with suppress(FileNotFoundError):
                    thaw(str(file))
            except OSError as error:
                raise LeverStuck(
                    f"the command's control group cannot be thawed ({error.strerror})",
                    fix=f"It is tried again; by hand: echo {THAWED[file.name]} > {file}",
                ) from error
            self._paused = False
        self._guard.settled(self._frost)

    def _holds_us(self) -> bool:
        """Who freezes himself thaws nobody."""
        with suppress(OSError):
            return self.folder.name in (self._proc / "self" / "cgroup").read_text(encoding="utf-8")
        return False

    def close(self) -> None:
        """Resume, and take the group away; who outlived the command goes to ours."""
        with suppress(OSError, LeverStuck):
            self.resume()
        remove_group(str(self.folder))
        self._guard.settled(self._debt)


def _own_group(version: Version, proc: Path) -> Path:
    """The folder of the group that we are in.

    Raises
    ------
    LeverStuck
        If there is no such tree here.
    """
    name = f"control groups of version {2 if version is V2 else 1}"
    try:
        mounts = (proc / "self" / "mountinfo").read_text(encoding="utf-8", errors="replace")
        own = paths_in((proc / "self" / "cgroup").read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise LeverStuck(f"there are no {name} here", fix="Linux has them; nothing to do") from error
    for root, mount in _mounts(mounts, version):
        path = own.get(version.tree, "")
        below = "" if root == "/" else root
        if path and f"{path}/".startswith(f"{below}/"):
            return Path(f"{mount}{path.removeprefix(below)}".rstrip("/") or "/")
    raise LeverStuck(f"no {name} can be seen here", fix="Mount them, or pause by signals")


def _mounts(text: str, version: Version) -> Iterator[tuple[str, str]]:
    """Root and place of each tree of that version, from ``mountinfo`` (proc(5))."""
    for line in text.splitlines():
        words, _, rest = line.partition(" - ")
        kind, *more = rest.split()
        if kind == version.mounted_as and (not version.option or version.option in more[-1].split(",")):
            root, place = words.split()[3:5]
            yield root, re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)


def _thaw_orphans(home: Path, version: Version) -> None:
    """Groups of ours whose planner and guard both died: nothing stays frozen."""
    for folder in home.glob(f"{PREFIX}*-*-*"):
        pid, _, began = folder.name.removeprefix(PREFIX).rpartition("-")[0].partition("-")
        if pid.isdecimal() and start_of(int(pid)) != began:
            with suppress(OSError):
                thaw(str(folder / version.file))
            remove_group(str(folder))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="ascii")
