"""A generation mix, joined with the factors of its place: carbon and both families of water, by the hour."""

from __future__ import annotations

from collections.abc import Sequence

from wattermark.factors.mix import LIFECYCLE, mix_factors
from wattermark.values.factors import Place
from wattermark.values.mix import Mix
from wattermark.values.series import Series, Signal

TOLD: tuple[Signal, ...] = (Signal.CARBON, Signal.WATER_THERMAL, Signal.WATER_HYDRO)
"""What a mix tells."""


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
