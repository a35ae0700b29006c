"""A server's energy by the hour, by who used it, idle capacity in the open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from wattermark.report.numbers import ENERGY, digits, one_unit, say
from wattermark.report.picture import COLOURS, FAINT, Axis, bar, drawing, line, text
from wattermark.values.serving_report import ServedHour, ServedSide

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 320, 64, 16, 56, 36
GAP = 1.0
HOUR_S = 3600.0
MOST_LABELS = 5
UNUSED = "#cbd5e1"
OTHERS, IDLE = "others", "idle capacity"
KEY_WIDTH, KEY_MARK = 108, 10


def serving_picture(side: ServedSide, moment: Callable[[float], str]) -> str:
    """SVG: one bar an hour, stacked by row, idle capacity on top. Hours without any energy stay empty."""
    names = _shown(side)
    bars = [(hour.begin_s, _stack(hour, names)) for hour in side.hours]
    most_j = max((sum(stack.values()) for _, stack in bars), default=0.0)
    begin_s = min((begin for begin, _ in bars), default=0.0)
    end_s = max((begin for begin, _ in bars), default=0.0) + HOUR_S
    x, y = Axis(begin_s, end_s, LEFT, WIDTH - RIGHT), Axis(0.0, most_j, HEIGHT - BOTTOM, TOP)
    colours = _colours(names)
    told = f"IT energy by the hour, {side.basis.value}: {say(sum(sum(s.values()) for _, s in bars), ENERGY)}"
    return drawing(
        WIDTH,
        HEIGHT,
        (
            text(LEFT, 18, told, size=14),
            *_key({name: colours[name] for name in colours if any(name in stack for _, stack in bars)}),
            *_grid(y, most_j),
            *(mark for one in bars for mark in _bar(one, x, y, colours, moment)),
            *_hours([begin for begin, _ in bars], x, moment),
        ),
        told=told,
    )


def _shown(side: ServedSide) -> list[str]:
    """The largest rows, as many as there are colours for; all others are one."""
    sums: dict[str, float] = {}
    for hour in side.hours:
        for name, energy_j in hour.by_row_j.items():
            sums[name] = sums.get(name, 0.0) + energy_j
    ordered = sorted(sums, key=lambda name: (-sums[name], name))
    return ordered if len(ordered) <= len(COLOURS) else ordered[: len(COLOURS) - 1]


def _stack(hour: ServedHour, names: Sequence[str]) -> dict[str, float]:
    """Energy from the bottom up. [J]"""
    found = {name: hour.by_row_j[name] for name in names if name in hour.by_row_j}
    others_j = sum(energy_j for name, energy_j in hour.by_row_j.items() if name not in names)
    return {**found, **({OTHERS: others_j} if others_j > 0 else {}), IDLE: hour.idle_j}


def _colours(names: Sequence[str]) -> dict[str, str]:
    known = dict(zip([*names, OTHERS], COLOURS, strict=False))
    return {**known, IDLE: UNUSED}


def _key(colours: Mapping[str, str]) -> Iterator[str]:
    used = list(colours.items())
    for i, (name, colour) in enumerate(used):
        left = LEFT + i * min(KEY_WIDTH, (WIDTH - LEFT - RIGHT) / len(used))
        yield bar(left, 30, left + KEY_MARK, KEY_MARK, colour=colour)
        yield text(left + KEY_MARK + 4, 39, _short(name), size=11, colour=FAINT)


def _short(name: str) -> str:
    plain = _plain(name)
    return plain if len(plain) <= 14 else f"{plain[:13]}\u2026"


def _plain(name: str) -> str:
    """A name that others gave, without what no XML may hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _grid(y: Axis, most_j: float) -> Iterator[str]:
    """Lines at round numbers of the unit that fits."""
    ((size_j, unit),) = one_unit(ENERGY, [most_j])
    for tick in Axis(0.0, most_j / size_j, 0.0, 1.0).ticks():
        height = y.at(tick * size_j)
        yield line(LEFT, height, WIDTH - RIGHT, height)
        yield text(LEFT - 6, height + 4, digits(tick), anchor="end", size=11, colour=FAINT)
    yield text(LEFT - 6, TOP - 10, unit, anchor="end", size=11, colour=FAINT)


def _bar(
    one: tuple[float, Mapping[str, float]],
    x: Axis,
    y: Axis,
    colours: Mapping[str, str],
    moment: Callable[[float], str],
) -> Iterator[str]:
    begin_s, stack = one
    below = 0.0
    for name, energy_j in stack.items():
        if energy_j > 0:
            top, bottom = y.at(below + energy_j), y.at(below)
            told = f"{moment(begin_s)}: {_plain(name)}: {say(energy_j, ENERGY)}"
            right = x.at(begin_s + HOUR_S) - GAP
            yield bar(x.at(begin_s), top, right, bottom - top, colour=colours[name], told=told)
            below += energy_j


def _hours(begins: Sequence[float], x: Axis, moment: Callable[[float], str]) -> Iterator[str]:
    step = -(-len(begins) // MOST_LABELS) or 1
    for begin_s in begins[::step]:
        yield text(x.at(begin_s), HEIGHT - 14, _hour(moment(begin_s)), size=11, colour=FAINT)


def _hour(moment: str) -> str:
    """Month, day and time of day: five of them have room beside each other."""
    return moment[5:16].replace("T", " ")
