"""What made the electricity of a place, over time, as its operators told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wattermark.values.series import check_steps


class Fuel(StrEnum):
    """What power plants run on. What an operator tells in finer words is added up under these."""

    COAL = "coal"
    """Hard coal, lignite, peat, oil shale and the gas that is made of coal."""
    GAS = "gas"
    OIL = "oil"
    NUCLEAR = "nuclear"
    HYDRO = "hydro"
    """Rivers and reservoirs alike: not every operator tells them apart, and our factors are of both."""
    WIND = "wind"
    WIND_OFFSHORE = "wind-offshore"
    SOLAR = "solar"
    BIOENERGY = "bioenergy"
    GEOTHERMAL = "geothermal"
    OCEAN = "ocean"
    WASTE = "waste"
    OTHER = "other"
    """What the operator did not name."""
    STORAGE = "storage"
    """Pumped storage and batteries: above zero they give, below they take. They make nothing."""
    IMPORTS = "imports"
    """From elsewhere, less what went there: no plant of this place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The power of each fuel at one place: ``power_mw[fuel][i]`` from ``edges_s[i]`` to ``edges_s[i + 1]``.

    Edges are seconds since 1970 (UTC), rising, of any step; None is what nobody told. ``load_mw`` is what was
    used there, empty where it was not asked for. From ``forecast_from_s`` on it is a forecast, and may tell
    wind, sun and load alone: ``source``, ``issued_s`` and ``fetched_s`` are as in ``Series``.
    """

    place: str
    source: str
    edges_s: tuple[float, ...]
    power_mw: Mapping[Fuel, tuple[float | None, ...]]
    load_mw: tuple[float | None, ...] = ()
    issued_s: float | None = None
    fetched_s: float | None = None
    forecast_from_s: float | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for values in (*self.power_mw.values(), *([self.load_mw] if self.load_mw else [])):
            check_steps(self.edges_s, values)

    @property
    def steps(self) -> int:
        """How many."""
        return len(self.edges_s) - 1
