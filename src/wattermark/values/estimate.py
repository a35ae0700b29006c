"""The answer to 'what would it cost?'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.values.footprint import Footprint
from wattermark.values.range import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is estimated.

    ``subject`` says it in words, ``hardware`` what works on it; ``job`` holds what was given;
    ``units`` how many of what the footprint holds (``{"request": 1e6}``); ``assumptions`` all that was
    not given and had to be taken.
    """

    kind: str
    subject: str
    hardware: str
    job: Mapping[str, object]
    units: Mapping[str, float]
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A footprint of something that was not run.

    ``amounts`` are what else was asked, each ending in its unit (``accelerator_hours``, ``wall_time_s``,
    ``flops``); ``per_unit`` the main quantities for one of each unit (``facility_energy_j``, ``carbon_g``,
    ``water_l``).
    """

    question: Question
    footprint: Footprint
    amounts: Mapping[str, Range]
    per_unit: Mapping[str, Mapping[str, Range]]

    @property
    def kind(self) -> str:
        return self.question.kind

    @property
    def units(self) -> Mapping[str, float]:
        return self.question.units

    @property
    def assumptions(self) -> tuple[str, ...]:
        return self.question.assumptions
