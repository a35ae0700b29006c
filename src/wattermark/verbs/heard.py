"""What the providers that the user set say of a place: asked where that is stale, else as it was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
APART_S, MOST_ISSUES = 10_800.0, 120
"""Issues of a fortnight, three hours apart, tell how good a provider's forecasts are. [s]"""


def series_for(
    place: Place, signals: Sequence[Signal], begin_s: float, end_s: float, *, config: Config, now_s: float
) -> tuple[list[Series], list[Heard]]:
    """What is told of a place between two moments, each signal by the first provider that knows it.

    Nobody is asked whom the user did not set. One that does not answer is told as heard, too, with why, and
    ``told`` False.

    Raises
    ------
    UsageError
        If a provider that is set needs a setting that is not there, or its zone cannot be meant.
    PluginError
        If a provider that is set is not installed.
    """
    found: dict[Signal, Series] = {}
    heard: list[Heard] = []
    for one in hear(place, signals, begin_s, end_s, config=config, now_s=now_s):
        if one.series is None or one.signal in found:
            heard += [] if one.series else [_silent(one, place, begin_s, end_s)]
        else:
            found[one.signal] = one.series.flagged(*one.flags)
            heard.append(_heard(one, found[one.signal], now_s))
    return list(found.values()), heard


def hear(
    place: Place,
    signals: Sequence[Signal],
    begin_s: float,
    end_s: float,
    *,
    config: Config,
    now_s: float,
    anew: bool = False,
) -> Iterator[Told]:
    """What every provider that is set says, one after the other, as long as a signal is not known.

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
        Whether they are asked though what they said is fresh; then all of them are.
    """
    cache = Cache(cache_file())
    known: set[Signal] = set()
    for want in wanted(config):
        if want.place and want.place not in (place.asked, place.resolved):
            continue
        provider = build(want.name, config)
        wished = [one for one in signals if one in provider.signals and (anew or one not in known)]
        if not wished:
            continue
        ask = _ask(want, place, wished, (begin_s, end_s), now_s)
        for told in (
            _told(provider, place, ask, cache, config, anew=anew) if ask else _unnamed(want, place, wished)
        ):
            known |= {told.signal} if told.series else set()
            yield told


def _ask(
    want: Wanted, place: Place, signals: Sequence[Signal], span: tuple[float, float], now_s: float
) -> Ask | None:
    """What a provider is asked; None where it has no name for the place."""
    zone = want.zone or zone_of(want.name, region=place.region, grid=place.grid, country=country_of(place))
    latitude, longitude = coordinates(place, of_grid=want.name in BY_CITY) or (None, None)
    if zone is None or (not zone and latitude is None):
        return None
    return Ask(
        signals=tuple(signals), place=place.resolved, zone=zone, begin_s=span[0], end_s=span[1], now_s=now_s,
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
    provider: Talker[Series | Mix], place: Place, ask: Ask, cache: Cache, config: Config, *, anew: bool
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
        series = cache.read(key, ask.begin_s, ask.end_s) or _part(said.get(signal), ask)
        yield Told(
            signal=signal,
            provider=provider.name,
            zone=zone,
            series=series,
            errors=errors_by_lead(cache.issues(key, apart_s=APART_S, most=MOST_ISSUES)),
            flags=(*_state(provider.name, series, trouble), *cache.flags),
        )


def _part(series: Series | None, ask: Ask) -> Series | None:
    return between(series, ask.begin_s, ask.end_s) if series else None


def _state(name: str, series: Series | None, trouble: str) -> Iterator[str]:
    if series is None:
        yield f"unavailable: {trouble or f'{name} tells nothing of these hours'}"
    elif trouble:
        yield f"stale: {name} said this at {iso(series.fetched_s or series.begin_s)}; now {trouble}"


def _heard(told: Told, series: Series, now_s: float) -> Heard:
    made_s = series.issued_s if series.issued_s is not None else series.fetched_s
    return Heard(
        signal=series.signal,
        place=series.place,
        source=series.source,
        basis=series.basis,
        begin_s=series.begin_s,
        end_s=series.end_s,
        issued_s=made_s,
        age_s=None if made_s is None else now_s - made_s,
        error=mean_error(told.errors),
        flags=series.flags,
    )


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
