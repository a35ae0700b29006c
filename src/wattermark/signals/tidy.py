"""From what a provider told, in whatever order and state, to a series that can be believed.

about = About(signal=Signal.CARBON, place=ask.place, source="ENTSO-E", basis="direct", fetched_s=ask.now_s)
series = series_of([Point(moment(row["at"]), row["value"]) for row in rows], about)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from wattermark.errors import BadSignal
from wattermark.signals.answers import TRY_LATER, number
from wattermark.values.series import UNIT, Series, Signal

BELIEVED: Final[Mapping[Signal, tuple[float, float]]] = {
    Signal.CARBON: (0.0, 3000.0),
    Signal.CARBON_MARGINAL: (0.0, 5000.0),
    Signal.WATER_THERMAL: (0.0, 200.0),
    Signal.WATER_HYDRO: (0.0, 1000.0),
    Signal.WUE: (0.0, 50.0),
    Signal.WET_BULB: (-100.0, 60.0),
    Signal.TEMPERATURE: (-100.0, 70.0),
    Signal.HUMIDITY: (0.0, 110.0),
    Signal.PRICE: (-20.0, 100.0),
}
"""Between these a value can be true, in the unit of its signal; beyond, it is a gap with a flag."""
GAPS = "gaps:"
HOUR_S = 3600.0
ROUNDING_S = 1.0
"""Two steps this near to each other touch. [s]"""


@dataclass(frozen=True, slots=True)
class Point:
    """One value as it was told, from ``begin_s`` on. [s since 1970]

    ``begin_s`` None was unreadable; ``value`` is what stood there, a null, a number or a text; ``end_s`` and
    ``revised_s`` (when this value was made: of two the later stands) are None where nobody told them.
    """

    begin_s: float | None
    value: object
    end_s: float | None = None
    revised_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is told of a series beside its values; as in ``Series``."""

    signal: Signal
    place: str
    source: str
    basis: str = ""
    issued_s: float | None = None
    fetched_s: float | None = None
    forecast_from_s: float | None = None
    flags: tuple[str, ...] = ()


def series_of(
    points: Iterable[Point], about: About, *, step_s: float | None = None, scale: float = 1.0
) -> Series:
    """The points in order, each moment once, gaps where none are.

    Parameters
    ----------
    points : iterable of Point
        In any order; a moment that is told twice counts as it was revised last, or else told last.
    about : About
        Whose they are.
    step_s : float, optional
        How long a point without an end holds; by default the usual distance between two. [s]
    scale : float
        From the provider's unit to that of the signal.

    Raises
    ------
    BadSignal
        If none of them has a readable moment.
    """
    edges, raw, flags = laid(points, about.source, about.place, step_s=step_s)
    values, beyond = _believed(raw, about.signal, scale)
    if beyond:
        low, high = BELIEVED[about.signal]
        unit = UNIT[about.signal]
        flags.append(f"unbelievable: {beyond} values are not from {low:g} to {high:g} {unit}: gaps")
    return Series(
        signal=about.signal,
        place=about.place,
        source=about.source,
        edges_s=tuple(edges),
        values=tuple(values),
        basis=about.basis,
        issued_s=about.issued_s,
        fetched_s=about.fetched_s,
        forecast_from_s=about.forecast_from_s,
        flags=_told((*about.flags, *flags), values),
    )


def laid(
    points: Iterable[Point], source: str, place: str, *, step_s: float | None = None
) -> tuple[list[float], list[object], list[str]]:
    """The edges of the points in order, what was told between them (None where nobody did), and flags.

    Raises
    ------
    BadSignal
        If none of them has a readable moment.
    """
    told = list(points)
    kept, flags = _once(told)
    if not kept:
        raise BadSignal(f"{source} told nothing of {place}", fix=TRY_LATER)
    edges, raw = _laid(kept, step_s or usual_step(sorted(kept)) or HOUR_S)
    return edges, raw, flags


def usual_step(moments_s: Sequence[float]) -> float | None:
    """The shortest distance that a tenth of the neighbours have; None for fewer than two moments.

    The commonest one may be that of two steps, where many are missing.

    Parameters
    ----------
    moments_s : sequence of float
        In order. [s]
    """
    counts = Counter(round(later - earlier, 3) for earlier, later in pairwise(moments_s))
    usual = [step for step, times in counts.items() if times * 10 >= counts.total()]
    return min(usual or counts, default=None)


def joined(series: Sequence[Series]) -> Series:
    """Several of one signal and place as one: where two of them tell a step, the later one told stands.

    What lies between them is a gap. The rest is as the last one has it, but that it is a forecast only from
    where nobody before told what came.

    Parameters
    ----------
    series : sequence of Series
        At least one, the least trusted first.
    """
    last = series[-1]
    if len(series) == 1:
        return last
    edges = sorted({edge for one in series for edge in one.edges_s})
    values: list[float | None] = [None] * (len(edges) - 1)
    at = {edge: i for i, edge in enumerate(edges)}
    for one in series:
        for i, value in enumerate(one.values):
            for k in range(at[one.edges_s[i]], at[one.edges_s[i + 1]]):
                values[k] = values[k] if value is None else value
    seen_until = max((_seen_until(one) for one in series), default=last.begin_s)
    return replace(
        last,
        edges_s=tuple(edges),
        values=tuple(values),
        forecast_from_s=seen_until if seen_until < edges[-1] else None,
        flags=_told((flag for one in series for flag in one.flags), values),
    )


def with_forecast(past: Series, forecast: Series) -> Series:
    """What came, and from there on what is forecast, as one; issued when the forecast was."""
    both = joined([replace(forecast, forecast_from_s=forecast.begin_s), past])
    return replace(both, issued_s=forecast.issued_s)


def chunks(begin_s: float, end_s: float, longest_s: float) -> Iterator[tuple[float, float]]:
    """A stretch of time in pieces that a provider tells in one answer. [s since 1970]"""
    while begin_s < end_s:
        yield begin_s, min(begin_s + longest_s, end_s)
        begin_s += longest_s


def counted(kind: str, entries: Iterable[Mapping[str, object]], key: str, what: str) -> tuple[str, ...]:
    """A flag with how many entries have ``key`` set, if any."""
    marks = [entry.get(key) is True for entry in entries]
    return (f"{kind}: {sum(marks)} of {len(marks)} values {what}",) if any(marks) else ()


def between(series: Series, begin_s: float, end_s: float) -> Series | None:
    """The steps that reach into a stretch of time, whole; None where there are none."""
    inside = [
        i for i, (first, last) in enumerate(pairwise(series.edges_s)) if last > begin_s and first < end_s
    ]
    if not inside:
        return None
    low, high = inside[0], inside[-1] + 1
    return replace(series, edges_s=series.edges_s[low : high + 1], values=series.values[low:high])


def _told(flags: Iterable[str], values: Sequence[float | None]) -> tuple[str, ...]:
    """Flags, each once, and how many steps are gaps now."""
    kept = [flag for flag in flags if not flag.startswith(GAPS)]
    if missing := values.count(None):
        kept.append(f"{GAPS} {missing} of {len(values)} steps have no value")
    return tuple(dict.fromkeys(kept))


def _seen_until(series: Series) -> float:
    """Where it begins to be a forecast."""
    return series.end_s if series.forecast_from_s is None else max(series.forecast_from_s, series.begin_s)


def _once(told: Sequence[Point]) -> tuple[dict[float, Point], list[str]]:
    """Each moment as it was revised last, and what is to be said of the rest."""
    kept: dict[float, Point] = {}
    unreadable = 0
    for point in told:
        if point.begin_s is None:
            unreadable += 1
        elif point.begin_s not in kept or _replaces(point, kept[point.begin_s]):
            kept[point.begin_s] = point
    return kept, [f"unreadable: {unreadable} of {len(told)} points have no time"] if unreadable else []


def _replaces(new: Point, old: Point) -> bool:
    """A later revision does, and of two equally old ones the last that holds a number."""
    if new.revised_s is not None and old.revised_s is not None and new.revised_s != old.revised_s:
        return new.revised_s > old.revised_s
    return number(new.value) is not None or number(old.value) is None


def _laid(kept: Mapping[float, Point], step_s: float) -> tuple[list[float], list[object]]:
    """Edges and values one after the other; what nobody told between two steps is None."""
    order = sorted(kept)
    edges, values = [order[0]], list[object]()
    for begin, after in zip(order, [*order[1:], float("inf")], strict=True):
        if begin - edges[-1] > ROUNDING_S:
            edges.append(begin)
            values.append(None)
        else:
            edges[-1] = begin
        told = kept[begin].end_s
        end = told if told is not None and told > begin else begin + step_s
        edges.append(after if after - end <= ROUNDING_S else end)
        values.append(kept[begin].value)
    return edges, values


def _believed(raw: Sequence[object], signal: Signal, scale: float) -> tuple[list[float | None], int]:
    """Numbers that can be true, None for the others, and how many numbers could not."""
    low, high = BELIEVED[signal]
    read = [number(value) for value in raw]
    scaled = [None if value is None else value * scale for value in read]
    values = [value if value is not None and low <= value <= high else None for value in scaled]
    return values, values.count(None) - scaled.count(None)
