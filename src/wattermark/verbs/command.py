"""Run any command under the meter, and be as good as absent: its streams, signals and end are its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import FrameType

from wattermark.errors import UsageError
from wattermark.values.kinds import Status
from wattermark.verbs.measure import Run

FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
FROM_KEYS = ("SIGINT", "SIGQUIT")
KEY_STOPS = {getattr(signal, name) for name in ("SIGTSTP", "SIGTTIN", "SIGTTOU") if hasattr(signal, name)}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, or the signal that killed it."""

    code: int
    by_signal: int | None = None

    @property
    def status(self) -> Status:
        return Status.OK if self.code == 0 and self.by_signal is None else Status.FAILED

    @property
    def detail(self) -> str:
        if self.by_signal is not None:
            names = {int(known): known.name for known in signal.Signals}
            return names.get(self.by_signal, f"signal {self.by_signal}")
        return f"exit code {self.code}" if self.code else ""


class Minder:
    """Who minds a command while it runs: told of all that happens to it; this one does nothing."""

    def environment(self) -> Mapping[str, str] | None:
        """What the command gets; None for our own."""
        return None

    def born(self) -> AbstractContextManager[None]:
        """The command is started within this."""
        return nullcontext()

    def began(self, pid: int) -> None:
        """The command runs."""

    def signalled(self, number: int) -> None:
        """A signal came for it; called within a signal's handler."""

    def continued(self) -> None:
        """Somebody resumed it."""

    def ended(self) -> None:
        """It has ended, or did not start; it still is being recorded. Called once, whatever happens."""


def check_command(command: Sequence[str]) -> None:
    """Refuse what cannot be started, before anything is recorded.

    Raises
    ------
    UsageError
        If there is no command, or no such program.
    """
    if not command:
        raise UsageError(
            "no command is given", fix="Write it after --, as in: wattermark run -- python train.py"
        )
    if shutil.which(command[0]) is None and os.path.isfile(command[0]):
        raise UsageError(f"{command[0]!r} may not be executed", fix=f"Run: chmod +x {command[0]}")
    if shutil.which(command[0]) is None:
        raise UsageError(f"there is no program {command[0]!r}", fix="Check its name, or give its path")


def run_command(
    command: Sequence[str],
    run: Run,
    *,
    before_stop: Callable[[], None] = lambda: None,
    minder: Minder | None = None,
) -> Ended:
    """Start, record, wait. Signals that are sent to us reach the command; keys reach it anyway.

    ``before_stop`` is called before the keyboard stops us together with the command, ``minder`` whenever
    something happens to it.

    Raises
    ------
    UsageError
        If the program cannot be started after all.
    """
    check_command(command)
    minder = minder or Minder()
    with _forwarding(minder) as started:
        run.start()
        try:
            process = _begun(command, run, minder)
            started(process.pid)
            minder.began(process.pid)
            ended = _wait(process, before_stop, minder)
        finally:
            minder.ended()
    run.stop(ended.status, ended.detail)
    return ended


def _begun(command: Sequence[str], run: Run, minder: Minder) -> subprocess.Popen[bytes]:
    with minder.born():
        try:
            return subprocess.Popen(list(command), close_fds=False, env=minder.environment())
        except OSError as error:
            run.stop(Status.FAILED, "not started")
            raise UsageError(
                f"{command[0]!r} cannot be started: {error.strerror}",
                fix="A script needs a first line such as #!/bin/sh",
            ) from error


def end_alike(ended: Ended) -> int:
    """The command's exit code; if a signal killed it, the same signal ends this process."""
    _let_go_of_broken_streams()
    if ended.by_signal is None:
        return ended.code
    if hasattr(os, "killpg"):
        _no_core_dump()
        with suppress(OSError, ValueError):  # SIGKILL has no handler to be reset
            signal.signal(ended.by_signal, signal.SIG_DFL)
        os.kill(os.getpid(), ended.by_signal)
    return 128 + ended.by_signal


def _let_go_of_broken_streams() -> None:
    """A stream whose reader left would change the exit code when Python flushes it at its end."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            setattr(sys, name, None)


def _no_core_dump() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _wait(process: subprocess.Popen[bytes], before_stop: Callable[[], None], minder: Minder) -> Ended:
    """Wait for the end. Where the keyboard stops the command, stop too, so that the shell sees it.

    A stop by SIGSTOP is another's, or our own lever's: that is left alone.
    """
    if not hasattr(os, "WUNTRACED"):
        return Ended(process.wait())
    while True:
        try:
            _, state = os.waitpid(process.pid, os.WUNTRACED | os.WCONTINUED)
        except ChildProcessError:  # somebody else waited for it; how it ended is not known
            return Ended(0)
        if os.WIFCONTINUED(state):
            minder.continued()
            continue
        if os.WIFSTOPPED(state):
            if os.WSTOPSIG(state) in KEY_STOPS and _at_the_terminal():
                before_stop()
                os.kill(os.getpid(), signal.SIGSTOP)
            continue
        process.returncode = os.waitstatus_to_exitcode(state)
        if process.returncode < 0:
            return Ended(0, by_signal=-process.returncode)
        return Ended(process.returncode)


@contextmanager
def _forwarding(minder: Minder) -> Iterator[_Target]:
    """Signals go to the command, those that came before it started as well."""
    target = _Target(minder)
    if hasattr(signal, "SIGCHLD") and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else the system would not tell how it ended
    before: dict[signal.Signals, object] = {}
    for name in FORWARDED:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
            before[number] = signal.signal(number, target.forward)
    try:
        yield target
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


class _Target:
    """The command, once it is there."""

    def __init__(self, minder: Minder) -> None:
        self._minder = minder
        self._pid: int | None = None
        self._waiting: list[int] = []

    def __call__(self, pid: int) -> None:
        self._pid = pid
        for number in self._waiting:
            self._send(number)

    def forward(self, number: int, _frame: FrameType | None) -> None:
        if self._pid is None:
            self._waiting.append(number)
            return
        if not _from_keyboard(number):
            self._send(number)
        self._minder.signalled(number)

    def _send(self, number: int) -> None:
        try:
            os.kill(self._pid or 0, number)
        except OSError:  # it is gone, or another user's
            self._waiting.clear()


def _from_keyboard(number: int) -> bool:
    """Whether the terminal sent it to our whole group, the command included: then once is enough."""
    return signal.Signals(number).name in FROM_KEYS and _at_the_terminal()


def _at_the_terminal() -> bool:
    """Whether our group is the one that the terminal's keys reach, or was until its command was stopped."""
    if not hasattr(os, "tcgetpgrp"):
        return True  # Windows: a console's keys reach every program in it
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
