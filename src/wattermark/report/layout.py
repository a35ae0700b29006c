"""Rows of a section as lines of text: four columns, none of them cut, the last one wrapped."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from wattermark.report.sheet import Line

LEAST_LABEL, MOST_LABEL, LEAST_BEST = 27, 32, 9
GAP, GAPS, LEAST_NOTE = 2, 6, 12
Style = Callable[[str, str], str]
"""From a text and the name of a style to the text as it is painted."""


def rows(lines: Sequence[Line], width: int, style: Style) -> Iterator[str]:
    """The lines of a section, aligned with each other."""
    label_width = min(max(LEAST_LABEL, *(len(line.label) + GAP for line in lines)), MOST_LABEL)
    best_width = max(LEAST_BEST, *(len(line.best) for line in lines))
    interval_width = max(len(line.interval) for line in lines)
    used = label_width + best_width + interval_width + GAPS
    for line in lines:
        labels = [" " * GAP + part for part in _wrapped(line.label, label_width - GAP)]
        notes = _wrapped(line.note, max(width - used, LEAST_NOTE))
        heavy = "bold" if line.strong else ""
        for i in range(max(len(labels), len(notes))):
            label = labels[i] if i < len(labels) else ""
            best, interval = (line.best, line.interval) if i == 0 else ("", "")
            cells = (
                style(label.ljust(label_width), heavy),
                style(best.rjust(best_width), heavy),
                style(interval.ljust(interval_width), "dim"),
                style(notes[i] if i < len(notes) else "", "dim"),
            )
            yield (" " * GAP).join(cells).rstrip()


def hanging(sentence: str, width: int) -> str:
    """A sentence with a stroke before it; one that begins with a space goes on from the one before."""
    first = "   " if sentence.startswith(" ") else " - "
    return textwrap.fill(
        sentence.lstrip(), width, initial_indent=first, subsequent_indent="   ", break_on_hyphens=False
    )


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width) if len(text) > width else [text]
