"""Act on a plan: wait, start a command under the meter, pause and resume it, and ask the forecast again.

One thread waits for the command as ``wattermark run`` always does; another one, the pilot, does what the plan
says. They speak by messages, which signal handlers may send, too.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from wattermark.errors import FOREIGN, LeverStuck, WattermarkError
from wattermark.ledger.plans import note
from wattermark.levers.choose import Hold, choose
from wattermark.report.planned import plan_document
from wattermark.science.schedule.acting import PAUSED, act_at, leapt, left_in, left_of
from wattermark.values.plan import CHECKPOINT, Plan, Stretch
from wattermark.values.ports import Pausable
from wattermark.verbs.command import Ended, Minder
from wattermark.verbs.measure import Run
from wattermark.verbs.moments import iso
from wattermark.verbs.planning_again import Again, plan_again
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config

GLANCE_S = 5.0
"""How long we sleep at a time: timers stand still while a machine sleeps, the clock on the wall does not."""
ONE_PIECE = "It runs in one piece"
FRESH_S = 900.0
"""A forecast is asked for again after this time at the soonest."""


class Word(Enum):
    """What the pilot hears."""

    ENDED = auto()
    SIGNALLED = auto()
    CONTINUED = auto()
    LEAPT = auto()
    STALE = auto()


Inbox = SimpleQueue[Word]


class Clock:
    """What time it is, and how long to wait. Tests have a faster one."""

    def both_s(self) -> tuple[float, float]:
        """Seconds since 1970; and those of a clock that nobody sets, and that stands still in a sleep."""
        return time.time(), time.monotonic()

    def now_s(self) -> float:
        """[s since 1970]"""
        return self.both_s()[0]

    def steady_s(self) -> float:
        """[s]"""
        return self.both_s()[1]

    def wait(self, inbox: Inbox, span_s: float) -> Word | None:
        """The next message, or nothing after that time."""
        try:
            return inbox.get(timeout=max(span_s, 0.0))
        except Empty:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be done. Without a ``plan`` nothing is asked again; ``way`` as of ``levers.choose``."""

    stretches: tuple[Stretch, ...]
    config: Config
    ledger: Path
    plan: Plan | None = None
    plan_id: str | None = None
    way: str | None = None


class Acting(Minder):
    """One command, and the plan that it runs by.

    Parameters
    ----------
    errand : Errand
        What is to be done.
    say : callable
        Told in a sentence what happens.
    again : callable
        Plans once more: as ``plan_again``.
    """

    def __init__(
        self,
        errand: Errand,
        *,
        say: Callable[[str], None] = lambda _: None,
        clock: Clock | None = None,
        again: Again = plan_again,
    ) -> None:
        self.errand, self.stretches = errand, errand.stretches
        self.pauses, self.paused_s = 0, 0.0
        self._say, self._clock, self._again = say, clock or Clock(), again
        self._inbox: Inbox = SimpleQueue()
        self._hold: Hold | None = None
        self._lever: Pausable | None = None
        self._run: Run | None = None
        self._signal: int | None = None
        self._pilot: threading.Thread | None = None
        self._still = ExitStack()
        self._still_from_s: float | None = None
        self._asked = self._left = self._hands_off = self._frozen = False
        self._ran_s, self._running_from_s = 0.0, 0.0
        self._fresh_until_s = self._clock.steady_s() + FRESH_S
        self._untold = False

    def go(self, run_of: Callable[[str | None], Run], perform: Callable[[Run, Minder], Ended]) -> Ended:
        """All of it: one run, of several parts where the command leaves and comes back.

        ``run_of`` makes the run, or a further part of the run that is named; ``perform`` is ``run_command``.

        Raises
        ------
        KeyboardInterrupt
            If the keyboard ends it while it waits; then nothing runs.
        """
        with self._holding():
            while True:
                if (number := self._until_start()) is not None:
                    self._note("give-up", why="a signal")
                    return Ended(0, by_signal=number)
                self._take_hold()
                self._run = run_of(self._run.id if self._run else None)
                ended = perform(self._run, self)
                if not self._left:
                    self._note("end", code=ended.code, by_signal=ended.by_signal)
                    return ended
                self._still_from_s = self._clock.now_s()

    # -- what the command's keeper tells: in its thread, or in a signal's handler --------------------

    def environment(self) -> Mapping[str, str] | None:
        """With what the lever needs."""
        return {**os.environ, **self._hold.environment} if self._hold else None

    @contextmanager
    def born(self) -> Iterator[None]:
        """Where the lever can reach it; if it cannot get there, it starts all the same."""
        with ExitStack() as there:
            try:
                there.enter_context(self._hold.born() if self._hold else nullcontext())
            except OSError as error:
                self._give_up_pausing(LeverStuck(f"its group is gone ({error.strerror})", fix=ONE_PIECE))
            yield

    def began(self, pid: int) -> None:
        """Note it, and let the pilot take over."""
        if self._still_from_s is not None:
            self._count_pause()
        self._lever = self._hold.lever(pid) if self._hold else None
        self._left = self._asked = False
        self._running_from_s = self._clock.steady_s()
        self._note("start" if not self.pauses else "resume", run=self._run.id if self._run else None)
        self._pilot = threading.Thread(target=self._fly, name="wattermark-pilot", daemon=True)
        self._pilot.start()

    def signalled(self, number: int) -> None:
        """Whoever signals wants to be heard: the command is resumed, and no longer paused."""
        self._signal = number
        self._inbox.put(Word.SIGNALLED)

    def continued(self) -> None:
        """Somebody else resumed it, as a shell does in ``fg``."""
        self._inbox.put(Word.CONTINUED)

    def ended(self) -> None:
        """Bring the pilot home."""
        if self._pilot is None:
            return
        self._inbox.put(Word.ENDED)
        self._pilot.join()
        self._pilot = None

    # -- before it runs -----------------------------------------------------------------------------

    @contextmanager
    def _holding(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self._note("give-up", why="the keyboard")
            raise
        finally:
            if self._hold is not None:
                self._hold.close()

    def _until_start(self) -> int | None:
        """Wait; the number of a signal that came while the command was leaving, and found nobody."""
        while not (act := act_at(self.stretches, self._clock.now_s())).runs:
            word = self._await(act.until_s)
            if word is Word.SIGNALLED:
                return self._signal
            if word in (Word.LEAPT, Word.STALE):
                self._look_again(word)
        return None

    def _take_hold(self) -> None:
        """Not before it starts: while we wait nothing has to be held."""
        if self.errand.way is None or self._hold is not None or self._hands_off:
            return
        try:
            self._hold = choose(self.errand.way)
        except LeverStuck as error:
            self._give_up_pausing(error)

    # -- the pilot ----------------------------------------------------------------------------------

    def _fly(self) -> None:
        """Do what the plan says until the command ends; whatever happens, leave it running."""
        try:
            word: Word | None = None
            while word is not Word.ENDED:
                act = act_at(self.stretches, self._clock.now_s())
                self._obey(runs=act.runs or self._hands_off)
                soon_s = self._clock.now_s() + GLANCE_S
                word = self._await(min(act.until_s, soon_s) if self._frozen else act.until_s)
                if word is Word.SIGNALLED:
                    self._let_go()
                elif word in (Word.LEAPT, Word.STALE):
                    self._look_again(word)
        except LeverStuck as error:
            self._give_up_pausing(error)
        finally:
            self._come_home()

    def _obey(self, *, runs: bool) -> None:
        """The lever is pulled again where we hold the command: somebody may have resumed it."""
        if self._lever is None:
            return
        if self._hold is not None and self._hold.frees:
            self._obey_by_asking(runs=runs)
        elif not runs:
            self._lever.pause()
            self._begin_still()
        elif self._still_from_s is not None and self._goes_on(self._lever):
            self._end_still("resume")

    def _goes_on(self, lever: Pausable) -> bool:
        """Whether it does; what refuses is told once, and tried again at each glance."""
        try:
            lever.resume()
        except LeverStuck as error:
            if not self._frozen:
                self._note("stuck", why=error.problem)
                tell("%s", error)
            self._frozen = True
        else:
            self._frozen = False
        return not self._frozen

    def _obey_by_asking(self, *, runs: bool) -> None:
        assert self._lever is not None
        if self._lever.paused or self._asked is not runs:
            return
        (self._lever.resume if runs else self._lever.pause)()
        self._asked = not runs
        self._note("ask" if self._asked else "ask-no-more")
        if self._asked:
            self._say("asked to save and leave")

    def _begin_still(self) -> None:
        if self._still_from_s is not None:
            return
        self._stop_counting()
        self._still_from_s = self._clock.now_s()
        if self._run is not None:
            self._still.enter_context(self._run.span(PAUSED))
        self._note("pause", by=self._hold.way if self._hold else None)
        self._say("paused")

    def _end_still(self, kind: str, **told: Any) -> None:
        if self._still_from_s is None:
            return
        self._still.close()
        self._count_pause()
        self._running_from_s = self._clock.steady_s()
        self._note(kind, **told)
        self._say("goes on")

    def _count_pause(self) -> None:
        assert self._still_from_s is not None
        self.pauses += 1
        self.paused_s += self._clock.now_s() - self._still_from_s
        self._still_from_s = None

    def _stop_counting(self) -> None:
        self._ran_s += self._clock.steady_s() - self._running_from_s

    def _let_go(self) -> None:
        if not self._hands_off:
            self._hands_off = True
            self._note("let-go", why="a signal")

    def _give_up_pausing(self, error: LeverStuck) -> None:
        """It runs on in one piece."""
        self._hands_off = True
        self._note("stuck", why=error.problem)
        tell("%s", error)

    def _come_home(self) -> None:
        """The command has ended, or can no longer be held."""
        lever, self._lever = self._lever, None
        if lever is None:
            return
        self._left = self._asked and lever.paused and not self._hands_off
        self._goes_on(lever)
        if self._left:
            self._stop_counting()
            saved = self._hold.asking.checkpoint if self._hold and self._hold.asking else None
            self._note("pause", by=CHECKPOINT, checkpoint=saved)
            self._say(f"saved and left ({saved})")
        self._end_still("resume", why="it ends")

    # -- waiting, and planning again ----------------------------------------------------------------

    def _await(self, until_s: float) -> Word | None:
        """The next message; nothing when that moment has come. By the clock on the wall."""
        while (before := self._clock.both_s())[0] < until_s:
            if (word := self._clock.wait(self._inbox, min(GLANCE_S, until_s - before[0]))) is not None:
                return word
            after = self._clock.both_s()
            if leapt(after[0] - before[0], after[1] - before[1]):
                return Word.LEAPT
            if after[1] > self._fresh_until_s:
                return Word.STALE
            if self._lever is not None and self._hold is not None and self._hold.guard.renew():
                return Word.CONTINUED  # one that was told to go resumed the command first
        return None

    def _look_again(self, word: Word) -> None:
        """Ask for the newest forecast; only a plan that is better by a margin changes anything."""
        self._fresh_until_s = self._clock.steady_s() + FRESH_S
        bound = self._run is not None and (self._hold is None or self._hands_off)
        if self.errand.plan is None or bound:
            return
        now_s = self._clock.now_s()
        job = left_of(self.errand.plan.job, self._ran_so_far_s(), self.pauses, now_s)
        if job is None:
            return
        kept = left_in(self.stretches, now_s)
        try:
            found = self._again(job, kept, self.errand.plan, self.errand.config, now_s)
        except (*FOREIGN, WattermarkError) as error:  # a plan that holds is better than none
            tell("it cannot be planned anew (%s: %s); the plan stays", type(error).__name__, error)
            return
        if found.stretches is None:
            return
        self.stretches = found.stretches
        told = plan_document(found.plan, iso) if found.plan else {}
        self._note("plan", why=word.name.lower(), **told)
        self._say("planned anew")

    def _ran_so_far_s(self) -> float:
        if self._pilot is None or self._still_from_s is not None:
            return self._ran_s
        return self._ran_s + self._clock.steady_s() - self._running_from_s

    def _note(self, kind: str, **told: Any) -> None:
        """A line of the plan's file; a full disk stops nobody."""
        if self.errand.plan_id is None:
            return
        now_s = self._clock.now_s()
        try:
            note(self.errand.ledger, self.errand.plan_id, kind, at_s=now_s, at=iso(now_s), **told)
        except OSError as error:
            if not self._untold:
                tell("what is done about the plan cannot be written (%s)", error.strerror)
            self._untold = True
