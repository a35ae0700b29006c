"""Forecasts of many issues in one file, one block of rows after the other, actual values beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from wattermark.errors import BadTrace
from wattermark.signals.traces.columns import Column, numbers
from wattermark.signals.traces.moments import Moments
from wattermark.signals.traces.tables import Table
from wattermark.values.issues import Issues

Rows = tuple[tuple[float | None, ...], ...]


def issues_of(table: Table, actual: Column, forecast: Column, times: Moments, basis: str) -> Issues:
    """The blocks of a file; a new one begins where the time goes back, or leaps.

    Labels of issues may be wrong while the values are not: where they repeat or leap, but what came
    agrees between neighbours, issues are taken to be as far apart as most of them are.

    Raises
    ------
    BadTrace
        If blocks are of several lengths, or what came contradicts itself.
    """
    starts, length = _starts(table, times.times_s)
    step_s = times.times_s[1] - times.times_s[0] if length > 1 else 3600.0
    came, told = _blocks(numbers(table, actual), length), _blocks(numbers(table, forecast), length)
    labels = [times.times_s[row] for row in starts]
    issued, flags = _issued(table, labels, came, step_s)
    return Issues(
        signal=actual.signal,
        place=actual.place,
        source=Path(table.file).name,
        step_s=step_s,
        issued_s=issued,
        actual=came,
        forecast=told,
        basis=actual.basis or basis,
        flags=(*times.flags, *flags),
    )


def _starts(table: Table, times_s: Sequence[float]) -> tuple[list[int], int]:
    """The first row of each block, and how many rows most have; a leap of labels may hide a beginning."""
    step_s = times_s[1] - times_s[0] if len(times_s) > 1 else 0.0
    leaps = [i for i, (a, b) in enumerate(pairwise(times_s), 1) if b - a != step_s]
    ends = [*leaps, len(times_s)]
    length = Counter(end - begin for begin, end in pairwise([0, *ends])).most_common(1)[0][0]
    odd = next((end for end in ends if end % length), None)
    if odd is not None:
        raise BadTrace(
            f"{table.at(odd - 1)}: here ends a forecast that has not {length} rows, as others have",
            fix="Give each issue the same number of rows",
        )
    return list(range(0, len(times_s), length)), length


def _blocks(values: Sequence[float | None], length: int) -> Rows:
    return tuple(tuple(values[i : i + length]) for i in range(0, len(values), length))


def _issued(
    table: Table, labels: Sequence[float], came: Rows, step_s: float
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """When each was issued: as it says, or evenly where the labels are wrong and the values are not."""
    every = Counter(b - a for a, b in pairwise(labels)).most_common(1)
    apart_s = every[0][0] if every else 0.0
    even = tuple(labels[0] + i * apart_s for i in range(len(labels)))
    if even == tuple(labels):
        return even, ()
    shift = round(apart_s / step_s)
    overlap = 0 < shift < len(came[0])
    if overlap and all(_agree(a[shift:], b) for a, b in pairwise(came)):
        wrong = sum(a != b for a, b in zip(even, labels, strict=True))
        which = (
            "time of 1 issue repeats or leaps" if wrong == 1 else f"times of {wrong} issues repeat or leap"
        )
        return even, (f"the {which}, but the values go on: it was set right",)
    if all(b > a for a, b in pairwise(labels)):
        return tuple(labels), ("some issues are missing",)
    bad = next(i for i, (a, b) in enumerate(pairwise(labels)) if b - a != apart_s)
    raise BadTrace(
        f"{table.at((bad + 1) * len(came[0]))}: this forecast does not follow the one before it",
        fix="Put the issues in the order of time",
    )


def _agree(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """Whether two tell the same of what both tell."""
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=False))
