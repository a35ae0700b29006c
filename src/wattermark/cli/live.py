"""The line at the foot of the terminal, while a command runs.

The last row is taken out of the scrolling part of the screen, as package managers do, so that
the command's own output and the line do not meet.
"""

from __future__ import annotations

import os
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
    fitted = None
    while not over.wait(EVERY_S):
        size = shutil.get_terminal_size()
        if size.lines >= FEWEST_ROWS:
            _draw(line(next(stretches)), size, fit=size != fitted)
            fitted = size


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


def _draw(text: str, size: os.terminal_size, *, fit: bool) -> None:
    """Write the last row; ``fit`` first takes it out of the scrolling part (index, up: no column is lost)."""
    region = f"\x1bD\x1b[A\x1b7\x1b[1;{size.lines - 1}r\x1b8" if fit else ""
    sys.stderr.write(f"{region}\x1b7\x1b[{size.lines};1H\x1b[2K{text[: size.columns]}\x1b8")
    sys.stderr.flush()


def _clear() -> None:
    _, rows = shutil.get_terminal_size()
    if rows >= FEWEST_ROWS:
        sys.stderr.write(f"\x1b7\x1b[r\x1b[{rows};1H\x1b[2K\x1b8")
        sys.stderr.flush()
