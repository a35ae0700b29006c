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
PIPE_HOLDS_B = 4096
"""What every pipe takes before somebody reads: some thirty processes."""
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
        self._replace()
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

    def _replace(self) -> None:
        """It is told all that is owed."""
        with suppress(OSError):
            self._pipe.close()
        self._begin()

    def _begin(self) -> None:
        """What is owed lies in the pipe before there is a guard: we may be killed at any moment."""
        reading, writing = os.pipe()
        self._pipe = os.fdopen(writing, "wb", buffering=0)
        debts = b"".join(_line("+", debt) for debt in self._owed)
        self._pipe.write(debts[:PIPE_HOLDS_B])
        try:
            process = self._process = _started(reading)
        finally:
            os.close(reading)
        self._pipe.write(debts[PIPE_HOLDS_B:])
        assert process.stdout is not None
        with process.stdout as answers:
            ready = _answered(answers)
        if not ready:
            process.kill()
            self.close()
            raise NO_GUARD

    def _tell(self, sign: str, debt: str) -> None:
        try:
            self._pipe.write(_line(sign, debt))
        except BrokenPipeError:
            self._process.wait()
            self._replace()


def _started(stdin: int) -> subprocess.Popen[bytes]:
    command = [sys.executable or "python3", "-I", "-S", guard.__file__]
    try:
        return subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0, cwd=os.sep, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NO_GUARD from error


def _line(sign: str, debt: str) -> bytes:
    return os.fsencode(f"{sign}{debt}\n")


def _answered(answers: IO[bytes]) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(answers, selectors.EVENT_READ)
        return bool(waiting.select(PATIENCE_S)) and os.read(answers.fileno(), len(guard.READY)) == guard.READY
