"""The desk of this process: made at first use, shared by all hooks in it, closed with the program.

Requests to engines of others are noted in a run without meters. A run of ``wm.track`` that is open here is
not used for them: it measures this machine, and its energy is not theirs. Requests that this process, or
its machine, serves itself are noted in a run with meters, and that is the open run of ``wm.track`` if
there is one, so that no meter is read twice and no energy is told twice.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from wattermark.values.served import Served
from wattermark.verbs.ambient import ambient_config
from wattermark.verbs.facts import command_name
from wattermark.verbs.measure import Run, open_run
from wattermark.verbs.serving.desk import Desk, measured_desk, unmetered_desk

TAGS = {"requests": "noted in the program"}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was made at the first use; ``desk`` is None where nothing can be written, which was told."""

    desk: Desk | None
    guest_of: Run | None = None

    @property
    def serves(self) -> bool:
        """Whether more can be noted there: a run of the user's may have ended, and another may have begun."""
        return self.guest_of is None or self.guest_of.recording


@dataclass(frozen=True, slots=True)
class Seen:
    """What was noted in a block; ``runs`` are those in the ledger where it lies."""

    served: list[Served] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)


class _Desks:
    """Those of this process, the metered one and the other."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A forked child has its parent's desks, and can write to none of them."""
        self.kept: dict[bool, _Kept] = {}
        self.one_at_a_time = threading.Lock()


_desks = _Desks()
_seen: ContextVar[tuple[Seen, ...]] = ContextVar("wattermark_seen", default=())


def ambient_desk(*, metered: bool = False) -> Desk | None:
    """Where requests of this process are noted; None where nothing can be written.

    Parameters
    ----------
    metered : bool
        Whether the energy of this machine is that of the requests.
    """
    kept = _desks.kept.get(metered)
    if kept is None or not kept.serves:
        with _desks.one_at_a_time:
            kept = _desks.kept.get(metered)
            if kept is None or not kept.serves:
                if kept is not None and kept.desk is not None:
                    kept.desk.close()
                kept = _desks.kept[metered] = _metered() if metered else _Kept(_unmetered())
    return kept.desk


def close_ambient_desk(*, metered: bool) -> None:
    """Write what is left and end the run; the next use makes another."""
    with _desks.one_at_a_time:
        kept = _desks.kept.pop(metered, None)
    if kept is not None and kept.desk is not None:
        kept.desk.close()


@contextmanager
def served() -> Iterator[Seen]:
    """Keep what is noted of the requests that begin in a block, beside what the ledger keeps.

    In the thread or task of the block, in tasks that it makes and in ``asyncio.to_thread``; not in threads
    that are there already. Requests count once they are over.

    Examples
    --------
    >>> with wm.served() as seen:  # doctest: +SKIP
    ...     client.chat.completions.create(model="m", messages=messages)
    >>> [one.usage.output_tokens for one in seen.served]  # doctest: +SKIP
    """
    seen = Seen()
    token = _seen.set((*_seen.get(), seen))
    try:
        yield seen
    finally:
        _seen.reset(token)


def notes(desk: Desk | None) -> Callable[[Served], None]:
    """Who is to be told of a request that begins here and now: a desk, and the blocks that are open.

    Parameters
    ----------
    desk : Desk or None
        Where it is noted.
    """
    around = _seen.get()

    def note(one: Served) -> None:
        if desk is not None:
            desk.note(one)
        for seen in around:
            seen.served.append(one)
            if desk is not None:
                seen.runs.add(desk.run)

    return note


def _metered() -> _Kept:
    around = open_run()
    if around is not None and around.spool is not None:
        return _Kept(Desk(around.spool.parent, around.spool.stem), around)
    run = Run(ambient_config({}), tags=TAGS).start()
    return _Kept(measured_desk(run))


def _unmetered() -> Desk | None:
    return unmetered_desk(ambient_config({}), command_name(), TAGS)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_desks.forget)
