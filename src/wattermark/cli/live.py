"""The line at the foot of the terminal, while a command runs.

The last row is taken out of the scrolling part of the screen, as package managers do, so that
the command's own output and the line do not meet.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from wattermark.errors import WattermarkError
from wattermark.report.numbers import CARBON, ENERGY, POWER, TIME, WATER, say, say_interval
from wattermark.science.running import Running
from wattermark.values.forecast import Forecast
from wattermark.verbs.measure import Run

EVERY_S = 1.0
FEWEST_ROWS = 4
UNTOLD = os.terminal_size((80, 24))


@contextmanager
def live_line(run: Run) -> Iterator[Callable[[], None]]:
    """Paint the line every second until the block ends, then leave the terminal as it was.

    The block gets what takes the line away, for when the keyboard stops us.
    """
    row = _LastRow()
    over = threading.Event()
    painter = threading.Thread(target=_paint, args=(run, over, row), name="wattermark-line", daemon=True)
    painter.start()
    try:
        yield row.clear
    finally:
        over.set()
        painter.join(EVERY_S)
        row.clear()


def _paint(run: Run, over: threading.Event, row: _LastRow) -> None:
    from wattermark.verbs.live import forecasts, watch

    began_s = time.monotonic()
    with suppress(OSError, WattermarkError):  # the line is a comfort; the run is kept without it
        while run.spool is None:
            if over.wait(EVERY_S):
                return
        stretches, ends = watch(run.spool), forecasts(run.spool)
        while not over.wait(EVERY_S):
            row.draw(line(next(stretches), time.monotonic() - began_s, next(ends)))


def line(so_far: Running, elapsed_s: float, ahead: Forecast | None = None) -> str:
    """Elapsed time, power, energy, carbon, water; all but the time as of the last look at the load.

    What all of it will have been stands first behind, where the program tells its steps: what does
    not fit into the row is cut at its end.
    """
    seen = (
        say(so_far.power_w, POWER),
        say(so_far.it_energy_j, ENERGY),
        f"{say(so_far.carbon_g, CARBON)} CO2e",
        f"{say(so_far.water_l, WATER)} water",
    )
    return "  ".join(
        (
            say(elapsed_s, TIME),
            *(seen if so_far.it_energy_j else ("nothing seen yet",)),
            *(told(ahead) if ahead else ()),
        )
    )


def told(ahead: Forecast) -> tuple[str, ...]:
    """Steps done, time left, and the whole energy with its interval."""
    energy = ahead.it_energy_j
    whole = f"of {say(energy.best, ENERGY)} ({say_interval(energy, ENERGY)})" if energy else ""
    return (
        f"| {ahead.step} {ahead.done_steps}/{ahead.total_steps}",
        f"{say(ahead.remaining_s.best, TIME)} left",
        whole,
    )


class _LastRow:
    """The last row of the terminal on stderr, taken out of the scrolling part while it is painted."""

    def __init__(self) -> None:
        self._fitted: os.terminal_size | None = None

    def draw(self, text: str) -> None:
        size = os.get_terminal_size(sys.stderr.fileno())
        size = size if size.lines else UNTOLD  # some terminals do not say how large they are
        if size.lines < FEWEST_ROWS:
            return
        # index and up: makes room without losing the column; then the region, which moves the cursor
        region = "" if size == self._fitted else f"\x1bD\x1b[A\x1b7\x1b[1;{size.lines - 1}r\x1b8"
        sys.stderr.write(f"{region}\x1b7\x1b[{size.lines};1H\x1b[2K{text[: size.columns]}\x1b8")
        sys.stderr.flush()
        self._fitted = size

    def clear(self) -> None:
        """Give the row back, if it was taken."""
        if self._fitted is None:
            return
        with suppress(OSError, ValueError):
            sys.stderr.write(f"\x1b7\x1b[r\x1b[{self._fitted.lines};1H\x1b[2K\x1b8")
            sys.stderr.flush()
        self._fitted = None
