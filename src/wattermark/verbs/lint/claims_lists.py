"""Claims in lists of ``label: value``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wattermark.values.claims import Claim
from wattermark.verbs.lint.cells import read_value
from wattermark.verbs.lint.devices import DEVICE_PLURALS, DEVICE_WORDS, named_device
from wattermark.verbs.lint.grouping import Devices
from wattermark.verbs.lint.keys import split_heading
from wattermark.verbs.lint.quantities import words_of
from wattermark.verbs.lint.sentences import Line

LABEL = re.compile(
    r"\s*(?:>\s*)*(?:(?:[-*+]|\d{1,3}[.)])\s+)?"
    r"[*_]*([A-Za-z][^:=|*]{1,120}?)[*_]*\s*[:=][*_]*\s*(\S.*)"
)
_FENCE = re.compile(r"\s*(```|~~~)")


def plain_lines(body: str, before: int) -> Iterator[Line]:
    """Lines that are neither code nor a table; ``before`` lines stand before them."""
    fenced = False
    for i, line in enumerate(body.splitlines(), start=before + 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and not line.lstrip().startswith("|"):
            yield i, line


def read_label(label: str, value: str, line: int, devices: Devices) -> Iterator[Claim]:
    """The claim of a label and its value."""
    if set(words_of(label)) in DEVICE_WORDS:
        yield from named_device(value.strip("*_ "), label, line, devices)
        return
    if set(words_of(label)) in DEVICE_PLURALS and (found := list(named_device(value, label, line, devices))):
        yield from found
        return
    claim = read_value(split_heading(label), label, value, label, line)
    if claim is not None:
        yield claim
