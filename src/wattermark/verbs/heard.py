"""What the providers that the user set say of a place: asked where that is stale, else as it was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wattermark.errors import FactorNotFound, SignalUnavailable
from wattermark.factors.places import coordinates, country_of
from wattermark.science.foresight_error import errors_by_lead, mean_error
from wattermark.signals.cache import Cache, Key, cache_file
from wattermark.signals.fetch import fetch
from wattermark.signals.line import Patience
from wattermark.signals.tidy import between
from wattermark.signals.zones import BY_CITY, zone_of
from wattermark.values.factors import Place
from wattermark.values.mix import Mix
from wattermark.values.plan import Heard
from wattermark.values.ports import Talker
from wattermark.values.series import Ask, Series, Signal
from wattermark.values.told import Told
from wattermark.verbs.mixed import as_series
from wattermark.verbs.moments import iso
from wattermark.wiring.config import Config
from wattermark.wiring.providers import Wanted, build, wanted

CARBON = (Signal.CARBON, Signal.CARBON_MARGINAL)
"""Signals that have a basis."""
HOUR_S, DAY_S, EDGE_S = 3600.0, 86_400.0, 1.0
APART_S, MOST_ISSUES = 10_800.0, 120
"""Issues of a fortnight, three hours apart, tell how good a provider's forecasts are. [s]"""


def series_for(
    place: Place, signals: Sequence[Signal], begin_s: float, end_s: float, *, config: Config, now_s: float
) -> tuple[list[Series], list[Heard]]:
    """What is told of a place between two moments, each signal by the first provider that foretells it; by
    the first that tells what came, where nobody does.

    Nobody is asked whom the user did not set. One that does not answer is told as heard, too, with why, and
    ``told`` False.

    Raises
    ------
    UsageError
        If a provider that is set needs a setting that is not there, or its zone cannot be meant.
    PluginError
        If a provider that is set is not installed.
    """
    told = list(hear(place, signals, begin_s, end_s, config=config, now_s=now_s))
    found: list[Series] = []
    heard = [_silent(one, place, begin_s, end_s) for one in told if one.series is None]
    for signal in signals:
        spoken = [one for one in told if one.signal is signal and one.series]
        first = spoken[0] if spoken else None
        best = next((one for one in spoken if _foretells(one.series, end_s, now_s)), first)
        if best is not None and best.series is not None:
            found.append(best.series.flagged(*best.flags))
            heard.append(_heard(best, found[-1], now_s))
    return found, heard


def hear(
    place: Place,
    signals: Sequence[Signal],
    begin_s: float,
    end_s: float,
    *,
    config: Config,
    now_s: float,
    anew: bool = False,
    every: bool = False,
) -> Iterator[Told]:
    """What every provider that is set says, one after the other, as long as nobody foretells a signal.

    Parameters
    ----------
    place, signals
        Where, and what.
    begin_s, end_s : float
        [s since 1970]
    config : Config
        Whom the user set.
    now_s : float
        [s since 1970]
    anew : bool
        Whether they are asked though what they said is fresh.
    every : bool
        Whether all are, though another has foretold the signal.
    """
    cache = Cache(cache_file())
    known: set[Signal] = set()
    for want in wanted(config):
        if want.place and want.place not in (place.asked, place.resolved):
            continue
        provider = build(want.name, config)
        wished = [one for one in signals if one in provider.signals and (every or one not in known)]
        if not wished:
            continue
        ask = _ask(want, place, wished, (begin_s, end_s), now_s)
        for told in (
            _told(provider, place, ask, cache, config, begin_s=begin_s, anew=anew)
            if ask
            else _unnamed(want, place, wished)
        ):
            known |= {told.signal} if _foretells(told.series, end_s, now_s) else set()
            yield told


def _foretells(series: Series | None, end_s: float, now_s: float) -> bool:
    """Whether it tells of an hour to come, where such are asked for."""
    return series is not None and (end_s <= now_s or series.end_s > min(end_s, now_s + HOUR_S) - EDGE_S)


def _ask(
    want: Wanted, place: Place, signals: Sequence[Signal], span: tuple[float, float], now_s: float
) -> Ask | None:
    """What a provider is asked; None where it has no name for the place.

    Who is asked for what will be is asked for the day before, too: by that its forecasts are judged.
    """
    zone = want.zone or zone_of(want.name, region=place.region, grid=place.grid, country=country_of(place))
    latitude, longitude = coordinates(place, of_grid=want.name in BY_CITY) or (None, None)
    if zone is None or (not zone and latitude is None):
        return None
    begin_s = min(span[0], now_s - DAY_S) if span[1] > now_s else span[0]
    return Ask(
        signals=tuple(signals), place=place.resolved, zone=zone, begin_s=begin_s, end_s=span[1], now_s=now_s,
        latitude=latitude, longitude=longitude,
    )  # fmt: skip


def _unnamed(want: Wanted, place: Place, signals: Sequence[Signal]) -> Iterator[Told]:
    for signal in signals:
        flag = (
            f"no-zone: it is not known what {want.name} calls {place.resolved};"
            f" name it: signals = '{want.name}=ZONE@{place.resolved}'"
        )
        yield Told(signal=signal, provider=want.name, zone="", series=None, flags=(flag,))


def _told(
    provider: Talker[Series | Mix],
    place: Place,
    ask: Ask,
    cache: Cache,
    config: Config,
    *,
    begin_s: float,
    anew: bool,
) -> Iterator[Told]:
    """By one provider: what was kept, after it was asked if that is stale."""
    zone = ask.zone or f"{ask.latitude},{ask.longitude}"
    basis = str(getattr(provider, "basis", ""))  # a stranger's need not have one
    keys = {
        signal: Key(provider=provider.name, zone=zone, signal=signal, basis=basis if signal in CARBON else "")
        for signal in ask.signals
    }
    said: Mapping[Signal, Series] = {}
    trouble = ""
    if anew or not all(cache.asked_lately(key, ask) for key in keys.values()):
        try:
            told = fetch(provider, ask, Patience(total_s=config.signals_patience))
            found = as_series(told, place, ask.signals, basis)
            cache.keep(list(keys.values()), ask, found)
            said = {one.signal: one for one in found}
        except (FactorNotFound, SignalUnavailable) as error:
            trouble = error.problem
    for signal, key in keys.items():
        series = cache.read(key, begin_s, ask.end_s) or _part(said.get(signal), begin_s, ask.end_s)
        yield Told(
            signal=signal,
            provider=provider.name,
            zone=zone,
            series=series,
            errors=errors_by_lead(cache.issues(key, apart_s=APART_S, most=MOST_ISSUES)),
            flags=(*_state(provider.name, series, trouble), *cache.flags),
        )


def _part(series: Series | None, begin_s: float, end_s: float) -> Series | None:
    return between(series, begin_s, end_s) if series else None


def _state(name: str, series: Series | None, trouble: str) -> Iterator[str]:
    if series is None:
        yield f"unavailable: {trouble or f'{name} tells nothing of these hours'}"
    elif trouble:
        yield f"stale: {name} said this at {iso(series.fetched_s or series.begin_s)}; now {trouble}"


def _heard(told: Told, series: Series, now_s: float) -> Heard:
    made_s = series.issued_s if series.issued_s is not None else series.fetched_s
    age_s = None if made_s is None else now_s - made_s
    return replace(Heard.of(series), issued_s=made_s, age_s=age_s, error=mean_error(told.errors))


def _silent(told: Told, place: Place, begin_s: float, end_s: float) -> Heard:
    """Who was set, and said nothing."""
    return Heard(
        signal=told.signal,
        place=place.resolved,
        source=told.provider,
        basis="",
        begin_s=begin_s,
        end_s=end_s,
        told=False,
        flags=told.flags,
    )
