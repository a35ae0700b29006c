"""The answer to 'what would it cost?'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.values.footprint import Footprint
from wattermark.values.range import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A footprint of something that was not run.

    ``amounts`` are what else was asked, each ending in its unit (``accelerator_hours``, ``wall_time_s``,
    ``flops``); ``units`` how many of what the footprint holds (``{"request": 1e6}``),
    ``per_unit`` its main quantities for one of each (``facility_energy_j``, ``carbon_g``, ``water_l``);
    ``hardware`` what works on it, in words; ``assumptions`` all that was not given and had to be taken.
    """

    kind: str
    footprint: Footprint
    amounts: Mapping[str, Range]
    units: Mapping[str, float]
    per_unit: Mapping[str, Mapping[str, Range]]
    hardware: str
    assumptions: tuple[str, ...] = ()
