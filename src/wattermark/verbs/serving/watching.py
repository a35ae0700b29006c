"""Watch engines by their counters and this machine's meters, with nothing in the path of a request."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wattermark.errors import UsageError, WattermarkError
from wattermark.ledger.read import SpoolReader, follow
from wattermark.values.kinds import Scope
from wattermark.values.ports import Reader
from wattermark.values.records import ReaderLog, Recorded
from wattermark.values.served import EngineLook
from wattermark.values.watched import Watched
from wattermark.verbs.measure import Run
from wattermark.verbs.serving.desk import Desk, measured_desk
from wattermark.verbs.serving.scraping import Round, Source, one_round, sources
from wattermark.verbs.serving.watched import Watching, check_known, watched_of
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config

NAME = "serving watch"
MOST_BEATS, KEPT_BEATS = 7200, 3600
"""So much of a long watch is looked at while it lasts; its end looks at all of it."""
SETTLE_S, AGAIN_S = 0.3, 0.01
"""How long the meters may take to look at the end of a window."""


class Watch:
    """A run whose requests nobody sees: rounds of looks at engines, beside the meters of this machine.

    Parameters
    ----------
    config : Config
        Its scope is the machine's, whatever it says: the engine is not a child of ours.
    asked : sequence of Source
        The engines; they have answered once.
    known : Watching
        What is known of them.
    readers : mapping of Reader, optional
        Instead of this machine's meters.
    name : str, optional
        Of the run.
    """

    def __init__(
        self,
        config: Config,
        asked: Sequence[Source],
        known: Watching | None = None,
        *,
        readers: Mapping[str, Reader] | None = None,
        name: str | None = None,
    ) -> None:
        self._asked, self._known = asked, known or Watching()
        check_known(self._known)
        self._run = Run(
            replace(config, scope=Scope.MACHINE.value),
            name=name or NAME,
            readers=readers,
            command=NAME,
            charge_self=False,
        )
        self._looks: deque[EngineLook] = deque()
        self._silent: set[str] = set()
        self._desk: Desk | None = None

    def __enter__(self) -> Watch:
        self._desk = measured_desk(self._run.start())
        if self._desk is None or self._run.spool is None:
            raise WattermarkError("there is nowhere to write", fix="Name a ledger with --ledger")
        self._spools = follow(self._run.spool)
        for one in self._asked:
            if not one.is_here:
                tell(
                    "%s may be another machine; the energy is that of this one. Watch it from where it runs",
                    one.upstream,
                )
        return self

    def __exit__(self, *_: object) -> None:
        if self._desk is not None:
            self._desk.close()

    @property
    def folder(self) -> Path:
        """Of the run."""
        if self._desk is None:
            raise UsageError("the watch has not begun", fix="Use it with 'with'")
        return self._desk.folder

    def rounds(self, every_s: float, for_s: float | None = None) -> Iterator[Watched]:
        """What is known so far, after each round but the first; the last hour of a long watch.

        Parameters
        ----------
        every_s : float
            From one round to the next. [s]
        for_s : float, optional
            How long; for ever by default. [s]
        """
        self._take(one_round(self._asked))
        due_s = time.monotonic()
        until_s = math.inf if for_s is None else due_s + for_s
        while (now_s := time.monotonic()) < until_s:
            while due_s <= now_s:  # a round that could not be kept up with is left out
                due_s += every_s
            time.sleep(min(due_s, until_s) - now_s)
            self._take(one_round(self._asked))
            yield self.so_far()

    def last_round(self) -> None:
        """Ask once more, so that what passed since the last round is counted as well."""
        self._take(one_round(self._asked))
        self._settled()

    def so_far(self) -> Watched:
        """All that is known now, of the last hour at most."""
        reader = self._settled()
        recorded = _trimmed(reader)
        while self._looks and self._looks[0].mono_ns < recorded.begin_mono_ns:
            self._looks.popleft()
        return watched_of(recorded, list(self._looks), self._known)

    def _take(self, seen: Round) -> None:
        self._run.look()
        for look in seen.looks:
            self._looks.append(look)
            if self._desk is not None:
                self._desk.note(look)
        for name, why in seen.silent:
            if name not in self._silent:
                tell("%s; the watch goes on, and its counters will remember", why)
        if self._silent - {name for name, _ in seen.silent}:
            tell("%s answers again", ", ".join(sorted(self._silent - {name for name, _ in seen.silent})))
        self._silent = {name for name, _ in seen.silent}

    def _settled(self) -> SpoolReader:
        """The spool, as soon as its meters looked at the last round."""
        until_s = time.monotonic() + SETTLE_S
        last_ns = self._looks[-1].mono_ns if self._looks else 0
        reader = next(self._spools)
        while reader.header is None or reader.recorded().end_mono_ns < last_ns:
            if time.monotonic() > until_s and reader.header is not None:
                break
            self._run.look()
            time.sleep(AGAIN_S)
            reader = next(self._spools)
        return reader


def _trimmed(reader: SpoolReader) -> Recorded:
    """What was recorded; of a long one the end, and the rest is forgotten."""
    if any(len(log.mono_ns) > MOST_BEATS for log in reader.logs.values()):
        last = slice(-KEPT_BEATS, None)
        for name, log in list(reader.logs.items()):
            kept = (log.mono_ns[last], log.values[last])
            reader.logs[name] = ReaderLog(channels=log.channels, mono_ns=kept[0], values=kept[1])
    recorded = reader.recorded()
    begins = [log.mono_ns[0] for log in recorded.logs.values() if log.mono_ns]
    return replace(recorded, begin_mono_ns=max([recorded.begin_mono_ns, *begins[:1]]))


def begin_watch(
    config: Config,
    addresses: Sequence[str],
    engine: str = "auto",
    known: Watching | None = None,
    *,
    readers: Mapping[str, Reader] | None = None,
) -> Watch:
    """A watch over the engines at some addresses, once all of them have answered; enter it with ``with``.

    Raises
    ------
    UsageError
        If an address, an engine, a model or an accelerator cannot be meant.
    WattermarkError
        If an engine does not answer.
    """
    check_known(known or Watching())
    return Watch(config, sources(addresses, engine), known, readers=readers)
