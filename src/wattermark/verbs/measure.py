"""Measure: open a run, mark its spans, close it. Nothing here may slow, stop or mask the user's code."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wattermark.errors import FOREIGN, UsageError
from wattermark.ledger.spool import line, run_line
from wattermark.recorder.beat import Beat
from wattermark.recorder.recording import Recording
from wattermark.values.kinds import Status
from wattermark.values.ports import Reader
from wattermark.values.units import WRAP_64
from wattermark.verbs.facts import command_name
from wattermark.verbs.meters import own_beat, shared_beat
from wattermark.verbs.opening import header_of, ledger_of, open_spool, rank_here
from wattermark.verbs.resuming import resumable
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config

if TYPE_CHECKING:
    from wattermark.values.footprint import Footprint
    from wattermark.values.forecast import Forecast

LAST_LOOK_S, LOOK_AGAIN_S = 0.2, 0.02
"""How long a forecast waits for the meters to have looked at the end of a span."""
_open_runs: dict[str, Run] = {}
_spans: ContextVar[Mapping[int, int]] = ContextVar("wattermark_spans")
"""The innermost open span of each run, here and now."""


class Run:
    """A run that is, or was, recorded by this process. Made by ``track`` and ``wattermark run``.

    Starting twice changes nothing and says so; stopping what never started does nothing and
    says so; starting again after a stop begins a new run with a new id. In a forked child
    every method is silent: the parent's run is the parent's. With ``resume`` it is a further part
    of a run that ended, and ``footprint`` and ``forecast`` hold the parts before.
    """

    def __init__(
        self,
        config: Config,
        *,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        readers: Mapping[str, Reader] | None = None,
        command: str | None = None,
        charge_self: bool = True,
        resume: str | None = None,
    ) -> None:
        self.config = config
        before = (
            resumable(ledger_of(config), resume, alone=rank_here() is None) if resume is not None else None
        )
        self.name = str(name or (before.name if before else None) or command or command_name())
        self.tags = {str(k): str(v) for k, v in {**(before.tags if before else {}), **(tags or {})}.items()}
        self._resumed = before.run if before else None
        self.id: str | None = None
        self.spool: Path | None = None
        self._command = command or command_name()
        self._readers = readers
        self._charge_self = charge_self
        self._beat: Beat | None = None
        self._recording: Recording | None = None
        self._unrecorded = False  # there is nowhere to write, and that was told
        self._doubted = False  # a number of spans that cannot be, which was told
        self._lock = threading.RLock()

    @property
    def recording(self) -> bool:
        """True between start and stop, in the process that started."""
        return self._recording is not None and self._recording.ours and self._recording.open

    def start(self) -> Run:
        """Begin; answers itself. Trouble with disk or meters is told, never raised."""
        with self._lock:
            if self.recording:
                tell("the run %s is recorded already; start() changed nothing", self.id)
                return self
            self._begin()
        return self

    def stop(self, status: Status = Status.OK, detail: str = "") -> None:
        """Take the last look and close the spool."""
        recording, beat = self._recording, self._beat
        if self._unrecorded:
            return
        if recording is None or beat is None:
            tell("the run %s was never started; stop() did nothing", self.name)
            return
        if not self.recording:
            return
        beat.leave(
            recording,
            lambda mono_ns: line(
                "stop", mono_ns=mono_ns, time_ns=time.time_ns(), status=status, detail=detail
            ),
        )
        _open_runs.pop(self.id or "", None)
        self._tell_trouble()

    @contextmanager
    def span(self, name: str, label: object = "", *, of: int | None = None) -> Iterator[None]:
        """Mark a stretch of the run. Spans nest and overlap, in threads and in asyncio tasks.

        ``of`` is how many of this name there will be in all; then the live line tells the end.
        """
        recording = self._recording
        if recording is None or not self.recording:
            yield
            return
        number = recording.next_number()
        above = _spans.get({})
        parent = above.get(id(recording))
        token = _spans.set({**above, id(recording): number})
        recording.mark(
            "begin",
            span=number,
            name=_text(name),
            label=_text(label),
            parent=parent,
            mono_ns=time.monotonic_ns(),
            **({} if of is None else self._among(of)),
        )
        self.look()
        try:
            yield
        finally:
            recording.mark("end", span=number, mono_ns=time.monotonic_ns())
            self.look()
            _leave_span(token)

    def _among(self, of: object) -> dict[str, int]:
        """How many spans there will be; what is no such number is told once, and the span is kept."""
        number = _count(of)
        if number is None and not self._doubted:
            self._doubted = True
            tell("of=%s is not how many spans there will be; give a whole number, at least 1", _text(of))
        return {} if number is None else {"of": number}

    def look(self) -> None:
        """Ask for a look at the meters now, without waiting for it."""
        if self.recording and self._beat is not None:
            self._beat.poke()

    def footprint(self) -> Footprint:
        """What the run has cost so far, or in all once it is stopped.

        Raises
        ------
        WattermarkError
            If the run was never started, or its spool cannot be read.
        """
        from wattermark.verbs.account import account_lines, account_nothing  # NumPy, at first use

        if self._unrecorded:
            return account_nothing("there was nowhere to write")
        if self.spool is None:
            raise UsageError(f"the run {self.name!r} was never started", fix="Call start(), or use 'with'")
        self.look()
        return account_lines(self.spool, self._file.waiting)

    def forecast(self, total_steps: int | None = None, step: str | None = None) -> Forecast:
        """What all of the run will have cost, by the spans that are closed: after the first steps.

        Parameters
        ----------
        total_steps : int, optional
            How many such spans there will be in all; by default as ``span(..., of=10)`` told. [1]
        step : str, optional
            Their name; by default that of the outermost spans.

        Raises
        ------
        WattermarkError
            If the run was never started, or no such span is closed yet.
        """
        from wattermark.verbs.ahead import forecast  # NumPy, at first use

        until_s = time.monotonic() + LAST_LOOK_S
        while self.recording and self._marks_wait() and time.monotonic() < until_s:
            time.sleep(LOOK_AGAIN_S)  # the end of the last span is on its way to the spool
        return forecast(self.footprint(), total_steps, step)

    def _marks_wait(self) -> bool:
        self.look()
        return self._recording is not None and self._recording.marks_wait

    def __enter__(self) -> Run:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.stop(*_ended(kind, error))

    def _begin(self) -> None:
        among = rank_here()
        opened = open_spool(self.config, self.name, among, self._resumed)
        self._unrecorded = opened is None
        if opened is None:
            self._recording = None
            return
        self.id, spool = opened.run, opened.spool
        header = header_of(
            self.config,
            opened=opened,
            among=among,
            name=self.name,
            command=self._command,
            tags=self.tags,
            inside=_open_runs,
        )
        spool.write(run_line(header))
        self.spool, self._file = spool.path, spool
        self._recording = Recording(spool, line, interval_s=self.config.interval)
        self._beat = own_beat(self._readers) if self._readers else shared_beat(charge_self=self._charge_self)
        _open_runs[self.id] = self
        if not self._beat.join(self._recording):
            self._recording.mark("late", mono_ns=time.monotonic_ns())
            tell("the meters have not answered yet; the run %s records from when they do", self.id)

    def _tell_trouble(self) -> None:
        if self._file.trouble is not None:
            tell(
                "the ledger could not be written for a while (%s; %d lines lost); free some space for %s",
                self._file.trouble.strerror,
                self._file.lost_lines,
                self._file.path.parent,
            )


def open_run() -> Run | None:
    """The run that this process began last and still records, if there is one."""
    return next((run for run in reversed(tuple(_open_runs.values())) if run.recording), None)


def _text(value: object) -> str:
    """What a label says; one that cannot say it is called by its type."""
    try:
        return str(value)
    except FOREIGN:
        return type(value).__name__


def _count(of: Any) -> int | None:
    """A whole number that a spool can keep, also one of NumPy's; None of anything else."""
    try:
        number = int(of)
        return number if number == of and 1 <= number <= WRAP_64 else None
    except FOREIGN:
        return None


def _ended(kind: type[BaseException] | None, error: BaseException | None) -> tuple[Status, str]:
    """An exit by sys.exit(0) is a good end; the message of an exception may hold secrets and is left out."""
    if kind is None or kind in (GeneratorExit, StopAsyncIteration):
        return Status.OK, ""
    if isinstance(error, SystemExit):
        good = error.code in (None, 0)
        return (
            (Status.OK, "")
            if good
            else (Status.FAILED, f"exit code {error.code}" if isinstance(error.code, int) else "exit")
        )
    return Status.FAILED, kind.__name__


def _leave_span(token: Any) -> None:
    with suppress(ValueError):  # left in another task than it was entered: there is nothing to go back to
        _spans.reset(token)


@atexit.register
def _stop_all() -> None:
    """Runs that nobody stopped end with the program."""
    unhandled = None if hasattr(sys, "ps1") else getattr(sys, "last_type", None)
    for run in list(_open_runs.values()):
        if run.recording and unhandled is not None:
            run.stop(Status.FAILED, unhandled.__name__)
        elif run.recording:
            run.stop(Status.OK, "ended with the program")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_runs.clear)
