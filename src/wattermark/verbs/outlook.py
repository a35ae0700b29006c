"""What is known of the hours to come at a place: by providers that are set, else by those of a usual year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wattermark.factors.places import given, resolve
from wattermark.factors.shapes_of_grids import shape_of, usual_errors
from wattermark.science.foresight.expected import (
    USUAL_YEAR,
    Doubt,
    continued,
    cooled_by_weather,
    told_by_others,
    usual_year,
    yearly,
)
from wattermark.science.schedule.hours import days_before, hour_edges
from wattermark.values.factors import Factor, Place
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Heard
from wattermark.values.series import UNIT, Series, Signal
from wattermark.verbs.ambient import place_asked
from wattermark.verbs.place import factors_at, place_recorded
from wattermark.wiring.config import Config

YEARLY = "yearly factor"
FACTOR_OF = {
    Signal.CARBON: "carbon_intensity",
    Signal.WUE: "wue",
    Signal.WATER_THERMAL: "water_thermal",
    Signal.WATER_HYDRO: "water_hydro",
}
ASKED = (*FACTOR_OF, Signal.CARBON_MARGINAL, Signal.WET_BULB, Signal.PRICE)
HISTORY_DAYS = 28
"""So much of what was is asked for where a forecast does not reach far enough."""
Span = tuple[float, float]
Told = tuple[dict[Signal, Series], list[Heard], dict[Signal, Doubt], list[str]]


@dataclass(frozen=True, slots=True)
class Expected:
    """An outlook, and how each of its signals may err; those that nothing is said of do not change."""

    outlook: Outlook
    doubts: Mapping[Signal, Doubt]


def home_of(config: Config) -> str:
    """Where we are, as the settings or this machine's files say; the whole world where they do not."""
    return place_asked(config).place or "WORLD"


def outlook(
    asked: str,
    begin_s: float,
    end_s: float,
    *,
    config: Config,
    now_s: float,
    price: float | None = None,
    ahead: bool = True,
) -> Outlook:
    """All that is known of a place between two moments, as of ``expected``."""
    return expected(asked, begin_s, end_s, config=config, now_s=now_s, price=price, ahead=ahead).outlook


def expected(
    asked: str,
    begin_s: float,
    end_s: float,
    *,
    config: Config,
    now_s: float,
    price: float | None = None,
    ahead: bool = True,
) -> Expected:
    """All that is known of a place between two moments, and how far it may be trusted. [s since 1970]

    The user's own PUE and WUE hold at home only; ``price`` is theirs, where they know it. [USD/kWh] What ends
    too early is continued by our own forecast, unless hours ``ahead`` of what was told prove nothing.

    Raises
    ------
    UsageError
        If there is no such place, or a provider that is set needs a setting that is not there.
    """
    home = home_of(config)
    place = place_recorded(asked, place_asked(config).found) if asked == home else resolve(asked)
    at_home = place.resolved == place_recorded(home, "").resolved
    pue, wue = (config.pue, config.wue) if at_home else (None, None)
    factors = {factor.name: factor for factor in factors_at(place, pue=pue, wue=wue)}
    span = (begin_s, end_s)
    series, usual = _of_a_year(place, factors, asked, span, price)
    told, heard, doubts, flags = _told(place, span, config, now_s, at_home=at_home, ahead=ahead)
    if Signal.WET_BULB in told and Signal.WUE in series:
        told[Signal.WUE] = cooled_by_weather(series[Signal.WUE], told.pop(Signal.WET_BULB))
    series |= told
    heard += [_heard(one) for signal, one in series.items() if signal not in told]
    found = Outlook(
        asked=asked,
        place=place,
        pue=factors["pue"],
        series=series,
        heard=tuple(heard),
        flags=(*_flags(place, told, heard), *flags),
    )
    return Expected(found, usual | doubts)


def _of_a_year(
    place: Place, factors: Mapping[str, Factor], asked: str, span: Span, price: float | None
) -> tuple[dict[Signal, Series], dict[Signal, Doubt]]:
    """What is known where nobody tells anything: yearly factors, the carbon's by its hours; and a price."""
    series = {
        signal: _yearly(signal, factors[name], asked, span)
        for signal, name in FACTOR_OF.items()
        if name in factors
    }
    if price is not None:
        series[Signal.PRICE] = _yearly(
            Signal.PRICE, given("price", price, UNIT[Signal.PRICE], year=0), asked, span
        )
    usual = {
        signal: yearly(one, factors[FACTOR_OF[signal]])
        for signal, one in series.items()
        if signal in FACTOR_OF
    }
    series[Signal.CARBON], usual[Signal.CARBON] = usual_year(
        series[Signal.CARBON], shape_of(place.grid), factors["carbon_intensity"]
    )
    return series, usual


def _told(place: Place, span: Span, config: Config, now_s: float, *, at_home: bool, ahead: bool) -> Told:
    """What the user's file and providers say, the file first; nothing where neither is set."""
    told, heard, doubts, flags = _of_file(place, span, config, at_home=at_home, ahead=ahead)
    more, others, theirs = _of_providers(place, span, config, now_s, ahead=ahead)
    heard += [one for one in others if one.signal not in told]
    return more | told, heard, theirs | doubts, flags


def _of_file(place: Place, span: Span, config: Config, *, at_home: bool, ahead: bool) -> Told:
    if not config.signals_file:
        return {}, [], {}, []
    from wattermark.verbs.filed import filed

    told, known, flags = filed(Path(config.signals_file), place, ASKED, *span, at_home=at_home)
    doubts: dict[Signal, Doubt] = {}
    for signal, one in [*told.items()] if ahead else []:
        told[signal], doubts[signal] = continued(one, [known[signal]], *span, usual_errors())
        if told[signal].end_s <= span[0]:
            del told[signal], doubts[signal]
            flags.append(f"file-short: {one.source} ends too early, and too little is in it to go on from")
    return told, [_heard(one) for one in told.values()], doubts, flags


def _of_providers(
    place: Place, span: Span, config: Config, now_s: float, *, ahead: bool
) -> tuple[dict[Signal, Series], list[Heard], dict[Signal, Doubt]]:
    if not config.signals:
        return {}, [], {}
    from wattermark.verbs.heard import series_for

    found, heard = series_for(place, ASKED, *span, config=config, now_s=now_s)
    told = {one.signal: one for one in found if any(value is not None for value in one.values)}
    heard = [replace(one, told=one.told and one.signal in told) for one in heard]
    doubts = {signal: told_by_others(one, usual_errors()) for signal, one in told.items() if _is_grid(signal)}
    carbon = told.get(Signal.CARBON)
    if ahead and carbon is not None and carbon.end_s < span[1]:
        before = (days_before(span[0], HISTORY_DAYS), span[0])
        history, _ = series_for(place, (Signal.CARBON,), *before, config=config, now_s=now_s)
        same = [one for one in history if (one.source, one.basis) == (carbon.source, carbon.basis)]
        told[Signal.CARBON], doubts[Signal.CARBON] = continued(carbon, same, *span, usual_errors())
    return told, heard, doubts


def _is_grid(signal: Signal) -> bool:
    """Whether forecasts of it err as those of a grid's intensity do."""
    return signal not in (Signal.WET_BULB, Signal.WUE, Signal.PRICE)


def _flags(place: Place, told: Mapping[Signal, Series], heard: list[Heard]) -> Iterator[str]:
    yield from place.flags
    for one in told.values():
        yield from one.flags
    yield from (flag for one in heard if not one.told for flag in one.flags)


def _yearly(signal: Signal, factor: Factor, asked: str, span: Span) -> Series:
    """A yearly factor as a series: the same at all hours."""
    edges = hour_edges(*span)
    return Series(
        signal=signal,
        place=asked,
        source=YEARLY,
        basis=factor.basis if signal is Signal.CARBON else "",
        edges_s=edges,
        values=tuple(factor.value.best for _ in edges[1:]),
    )


def _heard(series: Series) -> Heard:
    return replace(Heard.of(series), told=series.source not in (YEARLY, USUAL_YEAR))
