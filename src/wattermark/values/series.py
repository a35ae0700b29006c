"""What changes by the hour, as it was told; and what is asked and answered to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from math import isfinite
from typing import Final


class Signal(StrEnum):
    """What a series is about. ``UNIT`` has the unit of each."""

    CARBON = "carbon"
    """Average intensity of the electricity that is used there."""
    CARBON_MARGINAL = "carbon-marginal"
    """Intensity of the plants that answer to one more kWh."""
    WATER_THERMAL = "water-thermal"
    """Water that thermal plants consume."""
    WATER_HYDRO = "water-hydro"
    """Water that reservoirs lose."""
    WUE = "wue"
    """Water that the site's cooling takes, per unit of IT energy."""
    WET_BULB = "wet-bulb"
    TEMPERATURE = "temperature"
    """With the humidity, what a wet bulb is made of where nobody tells it."""
    HUMIDITY = "humidity"
    PRICE = "price"


UNIT: Final[Mapping[Signal, str]] = {
    Signal.CARBON: "g/kWh",
    Signal.CARBON_MARGINAL: "g/kWh",
    Signal.WATER_THERMAL: "L/kWh",
    Signal.WATER_HYDRO: "L/kWh",
    Signal.WUE: "L/kWh",
    Signal.WET_BULB: "degC",
    Signal.TEMPERATURE: "degC",
    Signal.HUMIDITY: "%",
    Signal.PRICE: "USD/kWh",
}


def check_steps(edges_s: tuple[float, ...], values: tuple[float | None, ...]) -> None:
    """Refuse values that lie between no edges, edges that do not rise, and what is no number.

    Raises
    ------
    ValueError
        If it is so.
    """
    if len(edges_s) != len(values) + 1:
        raise ValueError(f"{len(values)} values need {len(values) + 1} edges, not {len(edges_s)}")
    if any(later <= earlier for earlier, later in pairwise(edges_s)):
        raise ValueError("the edges of a series must rise")
    if not all(value is None or isfinite(value) for value in values):
        raise ValueError("a value of a series is a finite number, or None for a gap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One signal at one place: ``values[i]`` holds from ``edges_s[i]`` to ``edges_s[i + 1]``.

    Edges are seconds since 1970 (UTC), rising, of any step; None is a gap, and never a good hour. ``basis``
    is that of a carbon factor (lifecycle, direct, marginal), else empty. ``source`` names who told it,
    ``issued_s`` when they made it, ``fetched_s`` when we asked; from ``forecast_from_s`` on it is a forecast.
    """

    signal: Signal
    place: str
    source: str
    edges_s: tuple[float, ...]
    values: tuple[float | None, ...]
    basis: str = ""
    issued_s: float | None = None
    fetched_s: float | None = None
    forecast_from_s: float | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_steps(self.edges_s, self.values)

    @property
    def unit(self) -> str:
        return UNIT[self.signal]

    @property
    def begin_s(self) -> float:
        return self.edges_s[0]

    @property
    def end_s(self) -> float:
        return self.edges_s[-1]

    def flagged(self, *flags: str) -> Series:
        """The same with more to be said of it."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody wants to know of a place, between two moments. [s since 1970]

    ``zone`` is what the provider calls the place; ``latitude`` and ``longitude`` are None where unknown.
    """

    signals: tuple[Signal, ...]
    place: str
    zone: str
    begin_s: float
    end_s: float
    now_s: float
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request of a provider. What is secret in it is never shown by ``repr``."""

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_params: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)
    method: str = "GET"
    json: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
