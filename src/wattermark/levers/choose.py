"""Find by trying how a command can be paused here, and remember why not in the other ways."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import count

from wattermark.errors import LeverStuck
from wattermark.levers.ask import Asking
from wattermark.levers.freezer import V1, V2, ControlGroup
from wattermark.levers.guarding import Guard
from wattermark.levers.signals import Stopped
from wattermark.values.plan import CHECKPOINT
from wattermark.values.ports import Pausable

AUTO, SIGNAL, CGROUP = "auto", "signal", "cgroup"
WAYS = (AUTO, SIGNAL, CGROUP, CHECKPOINT)
GROUP_1 = "cgroup of version 1"
MARK = "WATTERMARK_PAUSES"
"""A variable in the command's environment, by which its processes are known wherever they went."""
_numbers = count()


class Hold:
    """How one command will be held: made before it starts, as it may have to be born in a group.

    ``way`` is one of ``WAYS``, ``skipped`` says why it is not another.
    """

    def __init__(self, way: str, skipped: Mapping[str, LeverStuck]) -> None:
        self.way, self.skipped = way, skipped
        self.guard = Guard()
        self.asking: Asking | None = None
        self._group: ControlGroup | None = None
        self._mark = f"{os.getpid()}.{next(_numbers)}"
        try:
            if way == CHECKPOINT:
                self.asking = Asking(self.guard)
            elif way != SIGNAL:
                self._group = ControlGroup(V1 if way == GROUP_1 else V2, self.guard)
        except LeverStuck:
            self.close()
            raise

    @property
    def frees(self) -> bool:
        """Whether a paused command gives its devices and its memory back."""
        return self.asking is not None

    @property
    def environment(self) -> Mapping[str, str]:
        """What is added to the command's."""
        return self.asking.environment if self.asking else {MARK: self._mark}

    def born(self) -> AbstractContextManager[None]:
        """The command is to be started within this."""
        return self._group.entered() if self._group else nullcontext()

    def lever(self, pid: int) -> Pausable:
        """What pauses the command that was started."""
        if self.asking:
            return self.asking
        return self._group or Stopped(pid, self.guard, mark=f"{MARK}={self._mark}")

    def close(self) -> None:
        """Resume what is paused, and leave nothing behind."""
        for part in (self.asking, self._group, self.guard):
            if part is not None:
                part.close()


def choose(wanted: str = AUTO) -> Hold:
    """The way that was asked for, or the best that works.

    A control group of version 2 catches every process at one stroke. Signals need no permission. A group of
    version 1 comes last, as one cannot kill what is frozen in it. A checkpoint is used where it is asked
    for: nobody else knows whether the command looks for that.

    Raises
    ------
    LeverStuck
        If none works here.
    """
    if not hasattr(signal, "SIGSTOP"):
        raise LeverStuck("a command cannot be paused on this system", fix="It runs in one piece")
    if wanted == CHECKPOINT:
        return Hold(CHECKPOINT, {})
    order = {SIGNAL: (SIGNAL,), CGROUP: (CGROUP, GROUP_1, SIGNAL)}.get(wanted, (CGROUP, SIGNAL, GROUP_1))
    skipped: dict[str, LeverStuck] = {}
    for way in order:
        try:
            return Hold(way, skipped)
        except LeverStuck as error:
            skipped[way] = error
    raise LeverStuck(
        f"the command cannot be paused here: {'; '.join(error.problem for error in skipped.values())}",
        fix="It runs in one piece",
    )
