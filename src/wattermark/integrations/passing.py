"""What transport and middleware share: one request as it passes through this program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome, Served
from wattermark.verbs.tell import harmless

LEAVING = (GeneratorExit, KeyboardInterrupt, SystemExit, asyncio.CancelledError)
OUTCOMES = {
    "ConnectTimeout": Outcome.UNREACHED,
    "PoolTimeout": Outcome.UNREACHED,
    "ConnectError": Outcome.UNREACHED,
    "ProxyError": Outcome.UNREACHED,
    "UnsupportedProtocol": Outcome.UNREACHED,
    "TimeoutException": Outcome.TIMEOUT,
    "TimeoutError": Outcome.TIMEOUT,
    "APITimeoutError": Outcome.TIMEOUT,  # SDKs'
    "Timeout": Outcome.TIMEOUT,  # LiteLLM's
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
        self.whole = False
        """Whether the last byte of the answer has passed."""
        self.over = False

    @harmless
    def asked(self, path: str, body: bytes, begin_ns: int, **labels: str) -> None:
        """A request goes on; labels as of ``Tap``."""
        self._tap = Tap(path, body, begin_ns, **labels)

    @harmless
    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the answer; one that sends the client elsewhere is none of a model."""
        if 300 <= status < 400:
            self._tap = None
        if self._tap is not None:
            self._tap.answered(status, headers)

    @harmless
    def piece(self, data: bytes) -> None:
        """Some bytes of the answer."""
        if data and self._tap is not None:
            self._tap.piece(data, time.monotonic_ns())

    @harmless
    def ended(self) -> None:
        """The last byte has passed."""
        self.whole = True
        self.leave()

    @harmless
    def leave(self, error: BaseException | None = None) -> None:
        """It is over, whole or not; only the first time counts."""
        if self._tap is not None and not self.over:
            self.over = True
            self._note(self._tap.served(time.monotonic_ns(), self._outcome(error)))

    def so_far(self) -> Served | None:
        """What there is to note, if all of it was good and has passed."""
        return None if self._tap is None else self._tap.served(time.monotonic_ns())

    def _outcome(self, error: BaseException | None) -> Outcome:
        if error is not None and not isinstance(error, LEAVING):
            return outcome_of(error)
        return Outcome.OK if self.whole else Outcome.LEFT  # the tap knows whether all of it had come


def outcome_of(error: BaseException) -> Outcome:
    """How a request ended that this was raised in, if nobody left it."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((OUTCOMES[name] for name in names if name in OUTCOMES), Outcome.FAILED)
