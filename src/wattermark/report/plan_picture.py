"""A plan as a picture: the hours at each place, when it would run, and carbon against water."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from wattermark.report.numbers import CARBON, WATER, digits, say
from wattermark.report.picture import (
    COLOURS,
    FAINT,
    INK,
    Axis,
    bar,
    dot,
    drawing,
    line,
    path,
    text,
)
from wattermark.report.planned import Moment, water_l
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Option, Plan
from wattermark.values.series import Series, Signal

WIDTH, CURVES, ROW, FRONT = 840, 220, 22, 240
LINE_CHARS, LINE, CHAR, NAME_CHARS = 92, 20, 8.0, 40
"""A line of words holds so many letters; a letter is about so wide, with room to spare."""
LEFT, RIGHT = 64, 24
MOST_PLACES: Final = len(COLOURS)
TICK_S: Final = (3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400)
MOST_TICKS: Final = 7


def plan_picture(plan: Plan, outlooks: Sequence[Outlook], moment: Moment) -> str:
    """An SVG document. More than six places do not fit: those with the best ways to run are shown."""
    shown = _shown(plan, outlooks)
    time = Axis(plan.job.earliest_s, plan.job.deadline_s, LEFT, WIDTH - RIGHT)
    said = textwrap.wrap(plan.verdict, LINE_CHARS)
    key, top = _key(shown, len(outlooks) - len(shown), 26 + LINE * len(said))
    bars_y = top + CURVES + 40
    front_y = bars_y + 2 * ROW + 60
    marks = [
        *(text(LEFT, 24 + LINE * row, words, size=15) for row, words in enumerate(said)),
        *key,
        *_curves(shown, time, top, moment),
        *_bars(plan, shown, time, bars_y, moment),
    ]
    front = list(_front(plan, shown, front_y))
    height = front_y + (FRONT + 50 if front else 0)
    return drawing(WIDTH, height, [*marks, *front], told=f"plan: {plan.verdict}")


def _key(shown: dict[str, tuple[Series, str]], hidden: int, y: int) -> tuple[list[str], int]:
    """What is drawn and the names of the places, on as many lines as they need; and where these end."""
    words = [("carbon intensity [g CO2e/kWh]", FAINT)]
    words += [(textwrap.shorten(name, NAME_CHARS), colour) for name, (_, colour) in shown.items()]
    words += [(f"and {hidden} more, not drawn", FAINT)] if hidden else []
    x, marks = float(LEFT), []
    for name, colour in words:
        wide = CHAR * (len(name) + 2)
        if x > LEFT and x + wide > WIDTH - RIGHT:
            x, y = float(LEFT), y + LINE
        marks.append(text(x, y, name, colour=colour))
        x += wide
    return marks, y + LINE


def _shown(plan: Plan, outlooks: Sequence[Outlook]) -> dict[str, tuple[Series, str]]:
    """The places in the picture, with their curves and colours; where it would run first."""
    series = {one.asked: one.series[Signal.CARBON] for one in outlooks if Signal.CARBON in one.series}
    order = dict.fromkeys((plan.now.place, plan.best.place, *(o.place for o in plan.front), *series))
    names = [name for name in order if name in series][:MOST_PLACES]
    return {name: (series[name], colour) for name, colour in zip(names, COLOURS, strict=False)}


def _curves(shown: dict[str, tuple[Series, str]], time: Axis, top: int, moment: Moment) -> Iterator[str]:
    values = [value for series, _ in shown.values() for value in series.values if value is not None]
    height = Axis(min(0.0, *values, 0.0), max(1.0, *values, 0.0) * 1.05, top + CURVES, top)
    for tick in height.ticks():
        y = height.at(tick)
        yield line(LEFT, y, WIDTH - RIGHT, y, width=0.5)
        yield text(LEFT - 8, y + 4, digits(tick), anchor="end", colour=FAINT)
    yield from _hours(time, top, moment)
    for series, colour in shown.values():
        yield path(_corners(series, time, height), colour=colour)


def _corners(series: Series, time: Axis, height: Axis) -> list[tuple[float, float] | None]:
    """The steps of a series inside the time shown."""
    found: list[tuple[float, float] | None] = []
    for i, value in enumerate(series.values):
        begin, end = max(series.edges_s[i], time.low), min(series.edges_s[i + 1], time.high)
        if begin < end:
            y = None if value is None else height.at(value)
            found.extend([None] if y is None else [(time.at(begin), y), (time.at(end), y)])
    return found


def _hours(time: Axis, top: int, moment: Moment) -> Iterator[str]:
    step = next((tick for tick in TICK_S if (time.high - time.low) / tick <= MOST_TICKS), TICK_S[-1])
    first = int(-(-time.low // step))
    for i in range(first, int(time.high // step) + 1):
        x = time.at(i * step)
        yield line(x, top, x, top + CURVES, width=0.5)
        yield text(x, top + CURVES + 18, moment(i * step), anchor="middle", size=10, colour=FAINT)


def _bars(
    plan: Plan, shown: dict[str, tuple[Series, str]], time: Axis, y: float, moment: Moment
) -> Iterator[str]:
    for row, (name, option) in enumerate((("now", plan.now), ("plan", plan.best))):
        top = y + row * ROW
        yield text(LEFT - 8, top + 13, name, anchor="end")
        for stretch in option.stretches:
            told = f"{option.place}: {moment(stretch.begin_s)} to {moment(stretch.end_s)}"
            colour = shown[option.place][1] if option.place in shown else INK
            yield bar(
                time.at(stretch.begin_s), top, time.at(stretch.end_s), ROW - 6, colour=colour, told=told
            )


def _front(plan: Plan, shown: dict[str, tuple[Series, str]], y: float) -> Iterator[str]:
    """Ways to run, as points of carbon and water; nothing where water is not known or there is one way."""
    ways = [(option, water_l(option)) for option in dict.fromkeys((plan.now, plan.best, *plan.front))]
    known = [(option, water) for option, water in ways if water is not None]
    if len(known) < 2:
        return
    carbon = Axis(0.0, max(option.carbon_g for option, _ in known) * 1.05, LEFT, WIDTH - RIGHT)
    water = Axis(0.0, max(amount for _, amount in known) * 1.05, y + FRONT, y)
    yield text(LEFT, y - 12, "carbon and water of each way to run", colour=FAINT)
    yield line(LEFT, y + FRONT, WIDTH - RIGHT, y + FRONT)
    yield line(LEFT, y, LEFT, y + FRONT)
    for tick in water.ticks():
        yield text(LEFT - 8, water.at(tick) + 4, say(tick, WATER), anchor="end", size=10, colour=FAINT)
    for tick in carbon.ticks():
        yield text(carbon.at(tick), y + FRONT + 18, say(tick, CARBON), anchor="middle", size=10, colour=FAINT)
    for option, amount in known:
        yield from _way(plan, option, carbon.at(option.carbon_g), water.at(amount), shown)


def _way(
    plan: Plan, option: Option, x: float, y: float, shown: dict[str, tuple[Series, str]]
) -> Iterator[str]:
    name = "now" if option == plan.now else "plan" if option == plan.best else ""
    colour = shown[option.place][1] if option.place in shown else INK
    told = f"{option.place}: {say(option.carbon_g, CARBON)}, {say(water_l(option), WATER)} of water"
    yield dot(x, y, colour=colour, radius=6 if name else 4, told=told)
    if name:
        yield text(x + 9, y - 6, name, size=11)
