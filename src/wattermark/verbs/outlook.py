"""What is known of the hours to come at a place: by providers that are set, else by the year's factor."""

from __future__ import annotations

from wattermark.factors.places import given, resolve
from wattermark.science.schedule.hours import hour_edges
from wattermark.values.factors import Factor
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


def home_of(config: Config) -> str:
    """Where we are, as the settings or this machine's files say; the whole world where they do not."""
    return place_asked(config).place or "WORLD"


def outlook(
    asked: str, begin_s: float, end_s: float, *, config: Config, price: float | None = None
) -> Outlook:
    """All that is known of a place between two moments. [s since 1970]

    The user's own PUE and WUE hold at home only; ``price`` is theirs, where they know it. [USD/kWh]

    Raises
    ------
    UsageError
        If there is no such place.
    """
    at_home = asked == home_of(config)
    place = place_recorded(asked, place_asked(config).found) if at_home else resolve(asked)
    pue, wue = (config.pue, config.wue) if at_home else (None, None)
    factors = {factor.name: factor for factor in factors_at(place, pue=pue, wue=wue)}
    series = {
        signal: _yearly(signal, factors[name], asked, begin_s, end_s)
        for signal, name in FACTOR_OF.items()
        if name in factors
    }
    if price is not None:
        paid = given("price", price, UNIT[Signal.PRICE], year=0)
        series[Signal.PRICE] = _yearly(Signal.PRICE, paid, asked, begin_s, end_s)
    heard = tuple(_heard(one) for one in series.values())
    return Outlook(
        asked=asked, place=place, pue=factors["pue"], series=series, heard=heard, flags=place.flags
    )


def _yearly(signal: Signal, factor: Factor, asked: str, begin_s: float, end_s: float) -> Series:
    """A yearly factor as a series: the same at all hours."""
    edges = hour_edges(begin_s, end_s)
    return Series(
        signal=signal,
        place=asked,
        source=YEARLY,
        basis=factor.basis if signal is Signal.CARBON else "",
        edges_s=edges,
        values=tuple(factor.value.best for _ in edges[1:]),
    )


def _heard(series: Series) -> Heard:
    return Heard(
        signal=series.signal,
        place=series.place,
        source=series.source,
        basis=series.basis,
        begin_s=series.begin_s,
        end_s=series.end_s,
        issued_s=series.issued_s,
        told=series.source != YEARLY,
        flags=series.flags,
    )
