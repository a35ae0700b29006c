"""The beat: one thread for a whole process, however many runs it records."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wattermark.errors import FOREIGN
from wattermark.recorder.recording import Encode, Recording
from wattermark.values.ports import Reader
from wattermark.values.units import NS_PER_S, S_PER_NS

SHORTEST_NS = 10_000_000  # no reader makes a busy loop of it, whatever it asks for
CLOSEST_NS = 50_000_000  # two looks asked for within 50 ms are one: spans of every step must not cost
EARLY_NS = 250_000_000  # the second look comes soon, so that a run that is killed early tells something
PATIENCE_S = 2.0  # nobody waits longer than this for a meter
THREAD = "wattermark-beat"

Meters = tuple[Mapping[str, Reader], str]
"""Readers by name, and the lines that describe them."""


@dataclass(slots=True)
class _Ask:
    """Something that a caller waits for: to be let in, or out with a last line."""

    recording: Recording
    last: Callable[[int], str] | None = None
    done: threading.Event = field(default_factory=threading.Event)
    granted: bool = False


class Beat:
    """Reads all meters from one thread and writes what they said to every recording.

    Parameters
    ----------
    open_meters : callable
        Opens the readers; called once, in the beat's own thread, so that a driver that
        hangs cannot hold up a training.
    encode : callable
        Makes a line of a kind and its fields.
    mono_ns, wall_ns : callable
        The steady clock and the wall clock. [ns]
    """

    def __init__(
        self,
        open_meters: Callable[[], Meters],
        encode: Encode,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._open_meters = open_meters
        self._encode = encode
        self._mono_ns = mono_ns
        self._wall_ns = wall_ns
        self._meters: Meters | None = None
        self._recordings: list[Recording] = []
        self._asks: list[_Ask] = []
        self._poked = False
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()  # a signal's handler may come in where it is held
        self._wake = _Bell()
        self._due_ns: dict[str, int] = {}
        self._period_ns: dict[str, int] = {}
        self._last_ns = 0
        self._stuck = False
        self._faults: dict[str, str] = {}

    def join(self, recording: Recording, *, patience_s: float = PATIENCE_S) -> bool:
        """Begin to record; answers whether the first look was taken in time."""
        return self._ask(_Ask(recording), patience_s)

    def leave(
        self, recording: Recording, last: Callable[[int], str], *, patience_s: float = PATIENCE_S
    ) -> bool:
        """Take one more look, write the ``last`` line, close; answers whether that was in time.

        ``last`` makes the line from the moment of that look. Where a meter hangs, the line is
        written from here, without the look.
        """
        in_time = self._ask(_Ask(recording, last), patience_s)
        if recording.open:
            recording.close(last(self._mono_ns()))
        return in_time

    def poke(self) -> None:
        """Ask for a look now, without waiting for it."""
        self._poked = True
        self._wake.ring()

    def _ask(self, ask: _Ask, patience_s: float) -> bool:
        with self._lock:
            self._asks.append(ask)
            if self._thread is None and not self._start_thread():
                self._asks.remove(ask)
                return False
        self._wake.ring()
        answered = ask.done.wait(0 if self._stuck else patience_s)
        self._stuck = not answered  # a meter hangs: nobody waits again until it has answered
        return answered and ask.granted

    def _start_thread(self) -> bool:
        thread = threading.Thread(target=self._live, name=THREAD, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no room for one more thread, or the interpreter ends
            _log().warning("wattermark: no thread could be started (%s); nothing is recorded", error)
            return False
        self._thread = thread
        return True

    def _live(self) -> None:
        try:
            self._beat_while_wanted()
        except Exception as error:  # noqa: BLE001  the recorder's outermost loop: a fault of ours is noted, and the training goes on
            self._give_up(error)

    def _beat_while_wanted(self) -> None:
        if self._meters is None:
            self._meters = self._open_meters()
        while True:
            asks = tuple(self._asks)
            now_ns = self._mono_ns()
            everything = bool(asks) or self._all_due(now_ns)
            if everything:
                self._poked = False
            line = self._look(now_ns, everything)
            for recording in self._recordings:
                recording.write(self._blame(recording) + line)
            self._answer(asks, line, now_ns)
            with self._lock:
                if not self._recordings and not self._asks:
                    self._thread = None
                    self._due_ns.clear()
                    return
            self._wake.wait(self._rest_s())

    def _all_due(self, now_ns: int) -> bool:
        """Somebody asked for a look, or the slowest meter is due: then all are read, at one moment."""
        if self._poked and now_ns - self._last_ns >= CLOSEST_NS:
            return True
        return now_ns >= max(self._due_ns.values(), default=now_ns + 1)

    def _answer(self, asks: Iterable[_Ask], line: str, now_ns: int) -> None:
        assert self._meters is not None
        for ask in asks:
            if ask.last is None:
                ask.recording.write(self._meters[1] + self._blame(ask.recording) + line)
                self._recordings.append(ask.recording)
                self._set_periods()
                ask.granted = True
            elif ask.recording in self._recordings:
                self._recordings.remove(ask.recording)
                self._set_periods()
                ask.recording.close(ask.last(now_ns))
                ask.granted = True
            self._let_go(ask)

    def _let_go(self, ask: _Ask) -> None:
        self._stuck = False
        with self._lock:
            self._asks.remove(ask)
        ask.done.set()

    def _look(self, now_ns: int, everything: bool) -> str:
        """Read the meters that are due; one that does not answer leaves a gap, and stops no other."""
        assert self._meters is not None
        values: dict[str, Any] = {}
        for name, reader in self._meters[0].items():
            if everything or now_ns >= self._due_ns.get(name, 0):
                values[name] = self._read(name, reader)
        if not values:
            return ""
        self._last_ns = now_ns
        return self._encode("beat", mono_ns=now_ns, time_ns=self._wall_ns(), **values)

    def _read(self, name: str, reader: Reader) -> list[int | None]:
        try:
            values = [None if value is None else int(value) for value in reader.read()]
            if len(values) != len(reader.channels):
                raise ValueError(f"{len(values)} numbers for {len(reader.channels)} channels")
        except FOREIGN as error:
            self._faults[name] = f"{name}: {type(error).__name__}: {error}"
            return [None] * len(reader.channels)
        self._faults.pop(name, None)
        return values

    def _blame(self, recording: Recording) -> str:
        """Lines for the readers that raised, each told once a run."""
        return "".join(
            self._encode("fault", error=text)
            for name, text in self._faults.items()
            if recording.first_of(name)
        )

    def _set_periods(self) -> None:
        """How often each meter is due: the shortest interval that anybody asked for, or less."""
        assert self._meters is not None
        interval_s = min((recording.interval_s for recording in self._recordings), default=1.0)
        self._period_ns = {
            name: max(SHORTEST_NS, int(reader.period_s(interval_s) * NS_PER_S))
            for name, reader in self._meters[0].items()
        }
        self._due_ns = {
            name: self._last_ns + min(period_ns, EARLY_NS) for name, period_ns in self._period_ns.items()
        }

    def _rest_s(self) -> float:
        """Until the next meter is due. Beats stand at fixed moments; those that were missed are skipped."""
        now_ns = self._mono_ns()
        for name, due_ns in self._due_ns.items():
            if due_ns <= now_ns:
                period_ns = self._period_ns[name]
                self._due_ns[name] = due_ns + ((now_ns - due_ns) // period_ns + 1) * period_ns
        wake_ns = min(self._due_ns.values(), default=now_ns + NS_PER_S)
        if self._poked:
            wake_ns = min(wake_ns, self._last_ns + CLOSEST_NS)
        return max(0.0, (wake_ns - now_ns) * S_PER_NS)

    def _give_up(self, error: Exception) -> None:
        _log().error(
            "recording stopped (%s: %s); your program goes on. Please report this",
            type(error).__name__,
            error,
        )
        with self._lock:
            asks, self._asks, self._thread = self._asks, [], None
            recordings, self._recordings = self._recordings, []
        fault = self._encode("fault", error=f"{type(error).__name__}: {error}")
        for recording in dict.fromkeys([*recordings, *(ask.recording for ask in asks)]):
            recording.write(fault)
        for ask in asks:
            ask.done.set()


def _log() -> Any:
    import logging  # 15 ms that a run without trouble does not pay

    return logging.getLogger("wattermark")


class _Bell:
    """Wakes one sleeper; half the cost of an Event, which makes a new lock for each wait."""

    def __init__(self) -> None:
        self._silent = threading.Lock()
        self._silent.acquire()

    def ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # it rings already
            self._silent.release()

    def wait(self, timeout_s: float) -> None:
        self._silent.acquire(timeout=timeout_s)
