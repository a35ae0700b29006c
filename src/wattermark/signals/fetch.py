"""The one way to the network: a provider's requests go out, and the answers come back to it.

Nobody waits for more than the patience given, whatever the other side does: all of it runs in a thread of
its own, as a name server, or a server that drips its headers, knows no timeout. Secrets are in no sentence
and in no log, a body is bounded, no other host is followed, and nothing travels in the clear but to this
machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from wattermark.errors import (
    FOREIGN,
    BadSignal,
    MissingExtra,
    SignalRefused,
    SignalUnavailable,
    WattermarkError,
)
from wattermark.signals.answers import TRY_LATER
from wattermark.signals.discretion import quiet_logs
from wattermark.signals.line import Line, Patience, new_client
from wattermark.values.ports import Talker
from wattermark.values.series import Answer, Ask, Request

Told = TypeVar("Told")

MOST_REQUESTS = 200
GRACE_S = 1.0
"""So much longer than its patience a conversation may take to say why it failed. [s]"""


def fetch(provider: Talker[Told], ask: Ask, patience: Patience | None = None) -> tuple[Told, ...]:
    """What a provider says now.

    Raises
    ------
    SignalUnavailable
        If it does not answer in time, refuses, or says what makes no sense.
    MissingExtra
        If httpx or stamina are not installed.
    """
    try:
        import httpx  # noqa: F401  here, so that who lacks one of them hears of it
        import stamina  # noqa: F401
    except ImportError as error:
        raise MissingExtra.of("Asking a provider", error.name or "httpx", "signals") from error
    patience = patience or Patience()
    until_s = time.monotonic() + patience.total_s

    def talk() -> tuple[Told, ...]:
        with quiet_logs(), new_client(patience) as client:
            return driven(provider, ask, Line(client, provider.name, patience, until_s).answer)

    return _within(patience.total_s + GRACE_S, talk, provider.name)


def driven(provider: Talker[Told], ask: Ask, carry: Callable[[Request], Answer]) -> tuple[Told, ...]:
    """A conversation to its end: requests out, answers and refusals in.

    Raises
    ------
    SignalUnavailable
        As ``carry`` and the provider do; or if the provider stumbles, or does not come to an end.
    """
    conversation = provider.talk(ask)
    try:
        request = next(conversation)
        for _ in range(MOST_REQUESTS):
            try:
                answer = carry(request)
            except SignalRefused as refusal:
                request = conversation.throw(refusal)
            else:
                request = conversation.send(answer)
    except StopIteration as end:
        return tuple(end.value or ())
    except WattermarkError:
        raise
    except FOREIGN as error:
        raise BadSignal(
            f"what {provider.name} answered could not be read: {type(error).__name__}", fix=TRY_LATER
        ) from error
    conversation.close()
    raise BadSignal(f"{provider.name} did not come to an end", fix="Ask for a shorter time")


def _within(seconds: float, work: Callable[[], tuple[Told, ...]], name: str) -> tuple[Told, ...]:
    """What a piece of work gives or raises, unless it takes too long; then it is left alone."""
    done: list[tuple[Told, ...]] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except (WattermarkError, *FOREIGN) as error:
            failed.append(error)

    thread = threading.Thread(target=run, name=f"wattermark-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise SignalUnavailable(f"{name} does not answer within {seconds:g} s", fix=TRY_LATER)
    return done[0]
