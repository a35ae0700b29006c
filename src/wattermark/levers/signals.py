"""Pause a command by SIGSTOP and SIGCONT: its tree, and what left the tree.

Parents are stopped before their children, and looked at again until nobody new is found: who is stopped makes
no child. They are resumed the other way round, so that no parent finds a child of its own stopped.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from wattermark.errors import LeverStuck
from wattermark.levers.guard import SIGNAL, debt_of, resume_process, start_of
from wattermark.levers.guarding import Guard

if TYPE_CHECKING:
    from psutil import Process

ROUNDS = 100
STILL = ("stopped", "tracing-stop", "zombie", "dead")
"""What psutil says of processes that run no more, or not now."""
OTHERWISE = "Pause it by its control group (--pause-by cgroup), or not at all"
PATIENCE_S, GLANCE_S = 2.0, 0.002
"""How long we wait to see them stopped: one that waits for a disk stops when the disk has answered."""


class Stopped:
    """A command whose processes can be stopped.

    Parameters
    ----------
    pid : int
        Its first process.
    guard : Guard
        Told of each process before it is stopped.
    mark : str
        ``NAME=value`` in the environment of the command, by which children are known that left its tree.
    """

    def __init__(self, pid: int, guard: Guard, *, mark: str = "") -> None:
        self._pid, self._guard, self._mark = pid, guard, mark
        self._stopped: dict[int, str] = {}

    @property
    def paused(self) -> bool:
        return bool(self._stopped)

    def pause(self) -> None:
        """Stop all that runs; again after somebody else resumed one of them.

        Raises
        ------
        LeverStuck
            If one of them may not be stopped, or they multiply faster than they can be; all then run on.
        """
        sent: set[int] = set()
        try:
            for _ in range(ROUNDS):
                fresh = [one for one in self._family() if one.pid not in sent and _runs(one)]
                if not fresh:
                    return
                sent |= {one.pid for one in fresh}
                self._stop(fresh)
        except PermissionError as error:
            self.resume()
            raise LeverStuck("a process of the command belongs to another user", fix=OTHERWISE) from error
        self.resume()
        raise LeverStuck("the command makes processes faster than they can be stopped", fix=OTHERWISE)

    def resume(self) -> None:
        """Let go on what we stopped, and nothing that was stopped before."""
        for pid, began in reversed(list(self._stopped.items())):
            try:
                resume_process(pid, began)
            except ProcessLookupError:
                pass
            except PermissionError:  # it became another user's; so it is for the guard
                continue
            self._guard.settled(debt_of(SIGNAL, pid, began))
        self._stopped.clear()

    def close(self) -> None:
        """The same: nothing stays behind."""
        self.resume()

    def _stop(self, fresh: Collection[Process]) -> None:
        for one in fresh:
            self._stopped[one.pid] = began = start_of(one.pid)
            self._guard.owe(debt_of(SIGNAL, one.pid, began))
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGSTOP)
        until_s = time.monotonic() + PATIENCE_S
        while any(map(_runs, fresh)) and time.monotonic() < until_s:
            time.sleep(GLANCE_S)

    def _family(self) -> list[Process]:
        """Parents first; then those that left, known by what stands in their environment."""
        import psutil

        family: dict[int, Process] = {}
        with suppress(psutil.Error):  # it may have ended, and left others behind
            root = psutil.Process(self._pid)
            family = {one.pid: one for one in (root, *root.children(recursive=True))}
        others = psutil.process_iter() if self._mark else ()
        left = (one for one in others if one.pid not in family and _marked(one, self._mark))
        return [*family.values(), *left]


def _runs(process: Process) -> bool:
    import psutil

    try:
        return process.status() not in STILL
    except psutil.Error:
        return False


def _marked(process: Process, mark: str) -> bool:
    import psutil

    name, _, value = mark.partition("=")
    try:
        return bool(process.environ().get(name) == value)
    except (psutil.Error, OSError):
        return False
