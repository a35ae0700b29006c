"""When each row of a trace holds: rows in order, one for each moment, gaps between them told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

RUN = 3
"""Steps of one new length in a row are a new step; fewer are a gap."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Edges of steps, the row that holds in each (None in a gap), and what was set right."""

    edges_s: tuple[float, ...]
    rows: tuple[int | None, ...]
    flags: tuple[str, ...]


def layout(times_s: Sequence[float], ends_s: Sequence[float] | None, last_s: float = 3600.0) -> Layout:
    """Put rows in order.

    A row holds until the next one, or until its end where it has one. Where the next one comes later than
    is usual there, it holds for the usual step and a gap follows. Of rows for one moment the last of the
    file holds, as revisions are appended. ``last_s`` is the step of a trace of one row.
    """
    order = sorted(range(len(times_s)), key=times_s.__getitem__)  # stable: the last of the file stays last
    kept = [
        i
        for i, after in zip(order, [*order[1:], None], strict=True)
        if after is None or times_s[after] != times_s[i]
    ]
    times = [times_s[i] for i in kept]
    held = _held(times, last_s) if ends_s is None else [ends_s[i] - times_s[i] for i in kept]
    edges, rows = [times[0]], list[int | None]()
    for i, length in enumerate(held):
        after = times[i + 1] if i + 1 < len(times) else times[i] + length
        end = min(times[i] + length, after) if length > 0 else after
        rows.append(kept[i])
        edges.append(end)
        if end < after:
            rows.append(None)
            edges.append(after)
    return Layout(tuple(edges), tuple(rows), tuple(_flags(order, times_s, kept, rows)))


def _held(times: Sequence[float], last_s: float) -> list[float]:
    """How long each row holds."""
    steps = [after - time for time, after in pairwise(times)]
    if not steps:
        return [last_s]
    usual, often = Counter(steps).most_common(1)[0]
    if often == len(steps):
        return [*steps, usual]
    regular = _regular(steps)
    held = list[float]()
    for step, known in zip(steps, regular, strict=True):
        length = held[-1] if held else usual
        held.append(step if known or step <= max(length, usual) else min(length, step))
    return [*held, held[-1]]


def _regular(steps: Sequence[float]) -> list[bool]:
    """Whether each step is one of at least ``RUN`` of its length in a row."""
    found = list[bool]()
    begin = 0
    for i in range(1, len(steps) + 1):
        if i == len(steps) or steps[i] != steps[begin]:
            found += [i - begin >= RUN] * (i - begin)
            begin = i
    return found


def _flags(
    order: Sequence[int], times: Sequence[float], kept: Sequence[int], rows: Sequence[int | None]
) -> Iterator[str]:
    if any(later < earlier for earlier, later in pairwise(order)):
        yield "rows were not in the order of time; they were sorted"
    if twice := len(times) - len(kept):
        yield f"{twice} {'row tells' if twice == 1 else 'rows tell'} a moment again; the last of them holds"
    if gaps := sum(row is None for row in rows):
        yield f"rows are missing in {gaps} {'place' if gaps == 1 else 'places'}; gaps there"
