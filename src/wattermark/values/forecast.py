"""What a run will have cost when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.range import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A run from its start to its last step, as its first steps tell.

    ``step`` is the name of the spans that were counted, of which ``done_steps`` are closed and
    ``warm_up_steps`` of these were unlike the others. The quantities are those of all of the run;
    ``remaining_s`` is from now on, and ``ends_at_s`` the moment of the end. [s since 1970]
    """

    step: str
    done_steps: int
    total_steps: int
    warm_up_steps: int
    duration_s: Range
    remaining_s: Range
    ends_at_s: Range
    it_energy_j: Range | None
    facility_energy_j: Range | None
    carbon_g: Range | None
    water_l: Range | None
