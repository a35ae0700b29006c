"""Streams as they really are: closed, redirected, full, or a terminal that can or cannot do things."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from typing import TextIO

WIDTH = 80
STYLES = {"bold": "1", "dim": "2", "cyan": "36"}
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")
"""What moves a cursor or starts an escape sequence; tabs and line ends are ours."""


def harmless(text: str) -> str:
    """A text in which nothing is an order to a terminal: names come from files that others wrote."""
    return text.translate(_CONTROLS)


def say(text: str) -> None:
    """A line for a person, if anybody can still read it."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(harmless(text), file=sys.stderr, flush=True)


def plain(text: str, _style: str) -> str:
    """A text as it is."""
    return text


def painted(text: str, style: str) -> str:
    """A text in a style of ``STYLES``, nothing in it an order of its own."""
    codes = ";".join(STYLES[word] for word in style.split())
    return f"\x1b[{codes}m{harmless(text)}\x1b[0m" if codes and text.strip() else harmless(text)


def paints(stream: TextIO) -> bool:
    """Whether colour is wanted and understood on this stream (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    old_windows = os.name == "nt" and not os.environ.get("WT_SESSION")
    return paints_lines(stream) and not old_windows


def text_width(stream: TextIO) -> int:
    """Columns of a terminal, never more than 80: numbers are easier to compare that way."""
    if not stream.isatty():
        return WIDTH
    return min(shutil.get_terminal_size().columns, WIDTH)


def paints_lines(stream: TextIO | None) -> bool:
    """Whether a line can be painted over on this stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
