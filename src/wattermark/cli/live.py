"""The line at the foot of the terminal, while a command runs.

The last row is taken out of the scrolling part of the screen, as package managers do, so that
the command's own output and the line do not meet.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wattermark.report.numbers import CARBON, ENERGY, POWER, TIME, WATER, say
from wattermark.science.running import Running
from wattermark.verbs.measure import Run

EVERY_S = 1.0
FEWEST_ROWS = 4


@contextmanager
def live_line(run: Run) -> Iterator[None]:
    """Paint the line every second until the block ends, then leave the terminal as it was."""
    over = threading.Event()
    painter = threading.Thread(target=_paint, args=(run, over), name="wattermark-line", daemon=True)
    painter.start()
    try:
        yield
    finally:
        over.set()
        painter.join(EVERY_S)
        _clear()


def _paint(run: Run, over: threading.Event) -> None:
    from wattermark.verbs.live import watch

    while not over.wait(EVERY_S):
        if run.spool is not None:
            break
    if run.spool is None:
        return
    stretches = watch(run.spool)
    while not over.wait(EVERY_S):
        _draw(line(next(stretches)))


def line(so_far: Running) -> str:
    """Elapsed time, power, energy, carbon, water."""
    return "  ".join(
        (
            say(so_far.elapsed_s, TIME),
            say(so_far.power_w, POWER),
            say(so_far.it_energy_j, ENERGY),
            f"{say(so_far.carbon_g, CARBON)} CO2e",
            f"{say(so_far.water_l, WATER)} water",
        )
    )


def _draw(text: str) -> None:
    columns, rows = shutil.get_terminal_size()
    if rows < FEWEST_ROWS:
        return
    last = rows - 1
    # save the cursor, keep the last row from scrolling, write there, restore the cursor
    sys.stderr.write(f"\n\x1b[A\x1b7\x1b[1;{last}r\x1b[{rows};1H\x1b[2K{text[:columns]}\x1b8")
    sys.stderr.flush()


def _clear() -> None:
    _, rows = shutil.get_terminal_size()
    if rows >= FEWEST_ROWS:
        sys.stderr.write(f"\x1b7\x1b[r\x1b[{rows};1H\x1b[2K\x1b8")
        sys.stderr.flush()
