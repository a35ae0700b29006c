"""Streams as they really are: closed, redirected, full, or a terminal that can or cannot do things."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

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


def paints_lines(stream: TextIO | None) -> bool:
    """Whether a line can be painted over on this stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
