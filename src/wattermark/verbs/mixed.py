"""What is told in other words becomes signals: a mix by factors of its place, the air by its wet bulb."""

from __future__ import annotations

from collections.abc import Sequence

from wattermark.errors import BadSignal, NoPlan
from wattermark.factors.mix import LIFECYCLE, mix_factors
from wattermark.signals.tidy import joined
from wattermark.values.factors import Place
from wattermark.values.mix import Mix
from wattermark.values.series import Series, Signal

TOLD: tuple[Signal, ...] = (Signal.CARBON, Signal.WATER_THERMAL, Signal.WATER_HYDRO)
"""What a mix tells."""


def as_series(
    told: Sequence[Series | Mix], place: Place, signals: Sequence[Signal], basis: str
) -> list[Series]:
    """What a provider told, as series: its own, and those that its mixes and its weather make.

    Raises
    ------
    BadSignal, UsageError, FactorNotFound
        As ``series_of_mixes``.
    """
    series = [one for one in told if isinstance(one, Series)]
    mixes = [one for one in told if isinstance(one, Mix)]
    wanted = [signal for signal in signals if signal in TOLD]
    return [
        *_wet_bulbs(series),
        *(series_of_mixes(mixes, place, signals=wanted, basis=basis) if mixes else []),
    ]


def _wet_bulbs(series: Sequence[Series]) -> list[Series]:
    """With temperature and humidity gone into the wet bulb: they came to fill its gaps."""
    told = {one.signal: one for one in series}
    air, damp = told.get(Signal.TEMPERATURE), told.get(Signal.HUMIDITY)
    others = [
        one for one in series if one.signal not in (Signal.TEMPERATURE, Signal.HUMIDITY, Signal.WET_BULB)
    ]
    wet = [told[Signal.WET_BULB]] if Signal.WET_BULB in told else []
    if air is not None and damp is not None:
        from wattermark.science.weather import wet_bulb_of  # brings numpy

        wet = [joined([wet_bulb_of(air, damp), *wet])]
    return [*others, *wet]


def series_of_mixes(
    mixes: Sequence[Mix], place: Place, *, signals: Sequence[Signal] = TOLD, basis: str = LIFECYCLE
) -> list[Series]:
    """What a provider's mixes say of each signal: what was, and what follows of load, wind and sun to come.

    Where nothing follows, what was stands alone, flagged with the reason.

    Raises
    ------
    BadSignal
        If none of them tells plants.
    UsageError, FactorNotFound
        As ``series_of_mix``.
    """
    whole = [mix for mix in mixes if mix.forecast_from_s is None]
    outlooks = [mix for mix in mixes if mix.forecast_from_s is not None]
    if not whole:
        raise BadSignal(
            f"nobody told which plants ran in {place.resolved}", fix="Ask for the last two weeks, too"
        )
    ahead, flags = _continued(whole[-1], outlooks)
    told = [series_of_mix(mix, place, signals=signals, basis=basis) for mix in (*whole, *ahead)]
    return [joined(several).flagged(*flags) for several in zip(*told, strict=True)]


def _continued(was: Mix, outlooks: Sequence[Mix]) -> tuple[list[Mix], tuple[str, ...]]:
    """The plants to come, or why they are not known."""
    from wattermark.science.mix_ahead import continued  # brings numpy

    try:
        return [continued(was, ahead) for ahead in outlooks], ()
    except NoPlan as error:
        return [], (f"ahead-unused: {error.problem}",)


def series_of_mix(
    mix: Mix, place: Place, *, signals: Sequence[Signal] = TOLD, basis: str = LIFECYCLE
) -> list[Series]:
    """What the mix says of each signal, by factors of the place.

    Raises
    ------
    UsageError
        If a mix does not tell that signal, or the basis of carbon is unknown.
    FactorNotFound
        If nobody knows the water of that place.
    """
    from wattermark.science import mix as science  # brings numpy

    return [
        science.series_of_mix(
            mix,
            signal,
            {fuel: one.value.best for fuel, one in mix_factors(place.grid, signal, basis).items()},
            basis=basis if signal is Signal.CARBON else "",
        )
        for signal in signals
    ]
