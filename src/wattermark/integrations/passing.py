"""What transport and middleware share: one request as it passes through this program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome, Served
from wattermark.verbs.tell import harmless

TAIL_B = 32
LAST_LINE = b"data:[DONE]"
"""After it nothing comes, and clients of OpenAI's kind close without waiting for the end."""
LEAVING = (GeneratorExit, KeyboardInterrupt, SystemExit, asyncio.CancelledError)
OUTCOMES = {
    "ConnectTimeout": Outcome.UNREACHED,
    "PoolTimeout": Outcome.UNREACHED,
    "ConnectError": Outcome.UNREACHED,
    "ProxyError": Outcome.UNREACHED,
    "UnsupportedProtocol": Outcome.UNREACHED,
    "TimeoutException": Outcome.TIMEOUT,
    "TimeoutError": Outcome.TIMEOUT,
}
"""By the name of an exception's class, the nearest first; httpx and httpx2 call them alike."""


class Passing:
    """Told what passes; a fault in here is told once, and changes nothing of what passes.

    Parameters
    ----------
    note : callable
        Told what there is to note, once it is over.
    """

    def __init__(self, note: Callable[[Served], None]) -> None:
        self._note = note
        self._tap: Tap | None = None
        self._status: int | None = None
        self._tail = b""
        self.whole = False
        """Whether the last byte of the answer has passed."""
        self.over = False

    @harmless
    def asked(self, path: str, body: bytes, begin_ns: int, *, upstream: str = "", tenant: str = "") -> None:
        """A request goes on."""
        self._tap = Tap(path, body, begin_ns, upstream=upstream, tenant=tenant)

    @harmless
    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the answer."""
        self._status = status
        if self._tap is not None:
            self._tap.answered(status, headers)

    @harmless
    def piece(self, data: bytes) -> None:
        """Some bytes of the answer."""
        if data and self._tap is not None:
            self._tail = (self._tail + data[-TAIL_B:])[-TAIL_B:]
            self._tap.piece(data, time.monotonic_ns())

    @harmless
    def ended(self) -> None:
        """The last byte has passed."""
        self.whole = True
        self.leave()

    @harmless
    def leave(self, error: BaseException | None = None) -> None:
        """It is over, whole or not; only the first time counts."""
        served = self.so_far(error)
        if served is not None and not self.over:
            self.over = True
            self._note(served)

    def so_far(self, error: BaseException | None = None) -> Served | None:
        """What there is to note, if it is over now."""
        if self._tap is None:
            return None
        return self._tap.served(time.monotonic_ns(), self._outcome(error))

    def _outcome(self, error: BaseException | None) -> Outcome:
        if error is not None and not self.whole:
            return outcome_of(error)
        if not (self.whole or self._told_the_end()):
            return Outcome.LEFT
        return ended_with(self._status or 200)

    def _told_the_end(self) -> bool:
        return self._tail.rstrip().rpartition(b"\n")[2].replace(b" ", b"") == LAST_LINE


def outcome_of(error: BaseException) -> Outcome:
    """How a request ended that this was raised in."""
    if isinstance(error, LEAVING):
        return Outcome.LEFT
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((OUTCOMES[name] for name in names if name in OUTCOMES), Outcome.FAILED)


def ended_with(status: int) -> Outcome:
    """How a request ended whose answer is whole."""
    return Outcome.OK if status < 400 else Outcome.REFUSED if status < 500 else Outcome.FAILED
