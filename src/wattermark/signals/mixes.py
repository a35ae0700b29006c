"""From what operators told of each kind of plant, in their words, to a mix of our fuels.

told = {"B05": [Point(...)], "B04": [Point(...)]}
mix = mix_of(told, {"B05": Fuel.COAL, "B04": Fuel.GAS}, Teller(place="DEU", source="entsoe"))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from wattermark.errors import BadSignal
from wattermark.signals.answers import TRY_LATER, number
from wattermark.signals.tidy import Point, laid
from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import Ask, Signal

MOST_MW: Final = 3e6
"""More than any grid of the world has: beyond, a value is a gap with a flag."""
MOST_NOT_TOLD: Final = 0.1
"""Of a fuel's usual power: where kinds of plant that make more of it were not told, the fuel was not. [1]"""
HISTORY_S: Final = 14 * 86400.0
"""Who is asked for what will be asks for what was before it, as the plants to come follow from that. [s]"""
TOLD_BY_A_MIX: Final = (Signal.CARBON, Signal.WATER_THERMAL, Signal.WATER_HYDRO)
Values = Sequence[float | None]


def since(ask: Ask) -> float:
    """From when on plants are asked for. [s since 1970]"""
    return min(ask.begin_s, ask.now_s - HISTORY_S) if ask.end_s > ask.now_s else ask.begin_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Whose the mix is; as in ``Mix``."""

    place: str
    source: str
    issued_s: float | None = None
    fetched_s: float | None = None
    forecast_from_s: float | None = None
    flags: tuple[str, ...] = ()


def mix_of(
    told: Mapping[str, Iterable[Point]],
    fuels: Mapping[str, Fuel],
    teller: Teller,
    *,
    load: Iterable[Point] = (),
) -> Mix:
    """The points of each kind of plant as a mix, on all their edges.

    Parameters
    ----------
    told : mapping of str to iterable of Point
        By the operator's word; taking is below zero. [MW]
    fuels : mapping of str to Fuel
        Ours for his; a word that is not in it is ``Fuel.OTHER``, and told.
    teller : Teller
        Who it was.
    load : iterable of Point
        What was used there, where it was told. [MW]

    Raises
    ------
    BadSignal
        If no point has a readable moment.
    """
    flags = [*teller.flags]
    every = {word: points for word, one in told.items() if (points := list(one))}
    used = list(load)
    if not every and not used:
        raise BadSignal(f"{teller.source} told nothing of {teller.place}", fix=TRY_LATER)
    lines = {word: _line(points, teller, flags) for word, points in every.items()}
    strange = sorted(word for word in every if word not in fuels)
    if strange:
        flags.append(f"unknown-fuel: {', '.join(strange)}; taken for {Fuel.OTHER}")
    wanted = _line(used, teller, flags) if used else None
    edges = sorted({edge for line in (*lines.values(), *([wanted] if wanted else [])) for edge in line[0]})
    by_fuel: dict[Fuel, list[list[float | None]]] = {}
    for word, line in lines.items():
        by_fuel.setdefault(fuels.get(word, Fuel.OTHER), []).append(_on(edges, *line))
    return Mix(
        place=teller.place,
        source=teller.source,
        edges_s=tuple(edges),
        power_mw={fuel: _together(fuel, several) for fuel, several in sorted(by_fuel.items())},
        load_mw=tuple(_on(edges, *wanted)) if wanted else (),
        issued_s=teller.issued_s,
        fetched_s=teller.fetched_s,
        forecast_from_s=teller.forecast_from_s,
        flags=tuple(dict.fromkeys(flags)),
    )


def _line(points: Sequence[Point], teller: Teller, flags: list[str]) -> tuple[list[float], Values]:
    edges, raw, more = laid(points, teller.source, teller.place)
    flags.extend(more)
    numbers = [number(one) for one in raw]
    values = [one if one is not None and abs(one) <= MOST_MW else None for one in numbers]
    if beyond := values.count(None) - numbers.count(None):
        flags.append(f"unbelievable: {beyond} values are above {MOST_MW:g} MW; taken for gaps")
    return edges, values


def _on(edges: Sequence[float], own: Sequence[float], values: Values) -> list[float | None]:
    """A line on finer edges; None where it does not reach."""
    steps = iter([*zip(pairwise(own), values, strict=True), ((float("inf"), float("inf")), None)])
    (begin, end), value = next(steps)
    found: list[float | None] = []
    for edge in edges[:-1]:
        while end <= edge:
            (begin, end), value = next(steps)
        found.append(value if begin <= edge else None)
    return found


def _together(fuel: Fuel, several: Sequence[list[float | None]]) -> tuple[float | None, ...]:
    """Kinds of plant of one fuel, added up.

    A kind that is not told in a step counts for nothing where it usually is little; storage is told in two
    directions, and the one that rests is often left out.
    """
    usual = [_mean(line) for line in several]
    most = sum(usual) * (1.0 if fuel is Fuel.STORAGE else MOST_NOT_TOLD)
    return tuple(_sum(step, usual, most) for step in zip(*several, strict=True))


def _sum(step: tuple[float | None, ...], usual: Sequence[float], most: float) -> float | None:
    missing = sum(power for power, value in zip(usual, step, strict=True) if value is None)
    told = [value for value in step if value is not None]
    return sum(told) if told and missing <= most else None


def _mean(line: Values) -> float:
    told = [abs(value) for value in line if value is not None]
    return sum(told) / len(told) if told else 0.0
