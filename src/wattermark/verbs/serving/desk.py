"""Where requests are noted: a line each in the ledger, at most a twentieth of a second later."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from wattermark.ledger.requests import RequestFile, look_line, request_line
from wattermark.ledger.spool import line, run_line
from wattermark.values.kinds import Status
from wattermark.values.served import EngineLook, Served
from wattermark.verbs.facts import command_name
from wattermark.verbs.measure import Run
from wattermark.verbs.opening import header_of, open_spool
from wattermark.verbs.serving.elsewhere import served_elsewhere
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config

FLUSH_S = 0.05
"""A process that is killed loses what was noted since."""
MOST_NOTES = 100_000
"""That wait for a disk which does not answer; what comes then is let go, and counted."""


class Desk:
    """Takes notes from any thread or loop at the cost of an append; a thread of its own writes them down.

    Trouble with the disk is told and never raised. In a forked child it is silent: the child needs a
    desk of its own.
    """

    def __init__(self, folder: Path, name: str, *, close: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self._pid = os.getpid()
        self._notes: deque[Served | EngineLook] = deque()
        self._dropped = 0
        self._over, self._wanted = threading.Event(), threading.Event()
        self._close = close
        self._told: set[str] = set()
        self._closing = threading.Lock()
        self._file = self._opened(name)
        self._writer = threading.Thread(target=self._live, name="wattermark-desk", daemon=True)
        self._writer.start()
        atexit.register(self.close)

    @property
    def run(self) -> str:
        """The run that the requests belong to."""
        return self.folder.name

    def note(self, what: Served | EngineLook) -> None:
        """Note a request that ended, or what an engine's counters show."""
        if os.getpid() != self._pid or self._over.is_set():
            return
        if len(self._notes) < MOST_NOTES:
            self._notes.append(what)
            self._wanted.set()
        else:
            self._dropped += 1

    def warn(self, cause: str, message: str) -> None:
        """Say something once for each cause, not for each request."""
        if cause not in self._told:
            self._told.add(cause)
            tell("%s", message)

    @property
    def lost(self) -> int:
        """Notes that were let go, as the disk was full or did not answer."""
        return self._dropped + (self._file.lost_lines if self._file else 0)

    def close(self) -> None:
        """Write what is left, and end the run; twice is no harm."""
        if os.getpid() != self._pid:
            return
        with self._closing:
            if self._over.is_set():
                return
            self._over.set()
            self._wanted.set()
            self._writer.join()
            self._write()  # what was noted while the writer ended
            if self._file is not None:
                self._end(self._file)
            if self.lost:
                tell("%d requests could not be noted in %s", self.lost, self.folder)
            self._close()
        atexit.unregister(self.close)

    def _end(self, file: RequestFile) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            file.lose(dropped)
        file.close()

    def _opened(self, name: str) -> RequestFile | None:
        try:
            return RequestFile(self.folder, name)
        except OSError as error:
            tell("requests cannot be noted in %s (%s)", self.folder, error.strerror)
            return None

    def _live(self) -> None:
        while not self._over.is_set():
            self._wanted.wait()
            self._wanted.clear()
            self._write()
            self._over.wait(FLUSH_S)
        self._write()

    def _write(self) -> None:
        lines = []
        with suppress(IndexError):
            while True:
                lines.append(self._line(self._notes.popleft()))
        if lines and self._file is not None:
            self._file.write("".join(lines))
            if self._file.trouble is not None:
                self.warn(
                    "disk",
                    f"requests wait for room in {self.folder} ({self._file.trouble.strerror}); free some",
                )

    def _line(self, note: Served | EngineLook) -> str:
        """A note that cannot be told is let go: it must cost no other."""
        try:
            return request_line(note) if isinstance(note, Served) else look_line(note)
        except (TypeError, ValueError, RecursionError):
            self._dropped += 1
            return ""


def measured_desk(run: Run) -> Desk | None:
    """A desk whose run has the meters of this machine; None where nothing can be written.

    Parameters
    ----------
    run : Run
        One that was started; it is stopped with the desk.
    """
    if run.spool is None:
        return None
    return Desk(run.spool.parent, run.spool.stem, close=run.stop)


def unmetered_desk(config: Config, name: str, tags: Mapping[str, str] | None = None) -> Desk | None:
    """A desk whose run has no meters, as the engine is somebody else's; None where nothing can be written."""
    opened = open_spool(config, name, None, None)
    if opened is None:
        return None
    header = header_of(
        config, opened=opened, among=None, name=name, command=command_name(), tags=tags or {}, inside=()
    )
    spool = opened.spool
    spool.write(run_line(served_elsewhere(header, config)))

    def close() -> None:
        spool.write(
            line("stop", mono_ns=time.monotonic_ns(), time_ns=time.time_ns(), status=Status.OK, detail="")
        )
        spool.close()

    return Desk(spool.path.parent, spool.path.stem, close=close)
