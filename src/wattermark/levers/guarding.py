"""Who is to be resumed if we die: the planner's end of the guard."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from contextlib import suppress
from typing import IO

from wattermark.errors import LeverStuck
from wattermark.levers import guard

PATIENCE_S = 10.0
NO_GUARD = LeverStuck(
    "the guard that would resume the command if we were killed does not start",
    fix="Nothing is paused without it; look whether this Python can start programs",
)


class Guard:
    """A process that settles what we owe, if we no longer can; one that was killed is replaced.

    Raises
    ------
    LeverStuck
        If it does not start.
    """

    def __init__(self) -> None:
        self._owed: dict[str, None] = {}
        self._begin()

    @property
    def pid(self) -> int:
        return self._process.pid

    def owe(self, debt: str) -> None:
        """Say what would have to be settled, before it is done."""
        self._owed[debt] = None
        self._tell("+", debt)

    def settled(self, debt: str) -> None:
        """Say that it is no longer owed."""
        if debt in self._owed:
            del self._owed[debt]
            self._tell("-", debt)

    def renew(self) -> bool:
        """Whether it had been killed; then there is another one, that knows all that is owed.

        Raises
        ------
        LeverStuck
            If none starts.
        """
        if self._process.poll() is None:
            return False
        self._begin()
        return True

    def close(self) -> None:
        """Let it go; it settles what is still owed."""
        with suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _begin(self) -> None:
        command = [sys.executable or "python3", "-I", "-S", guard.__file__]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                bufsize=0, cwd=os.sep, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise NO_GUARD from error
        assert process.stdin is not None and process.stdout is not None
        self._process, self._pipe = process, process.stdin
        with process.stdout as answers:
            ready = _answered(answers)
        if not ready:
            process.kill()
            self.close()
            raise NO_GUARD
        for debt in self._owed:
            self._tell("+", debt)

    def _tell(self, sign: str, debt: str) -> None:
        try:
            self._pipe.write(os.fsencode(f"{sign}{debt}\n"))
        except BrokenPipeError:
            self._process.wait()
            self._begin()  # it is told all that is owed


def _answered(answers: IO[bytes]) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(answers, selectors.EVENT_READ)
        return bool(waiting.select(PATIENCE_S)) and os.read(answers.fileno(), len(guard.READY)) == guard.READY
