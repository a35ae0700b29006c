"""Streams as they really are: closed, redirected, full, or a terminal that can or cannot do things."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """A line for a person, if anybody can still read it."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)


def paints_lines(stream: TextIO | None) -> bool:
    """Whether a line can be painted over on this stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
