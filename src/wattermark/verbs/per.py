"""Per: the energy of a run over what a trainer counted."""

from __future__ import annotations

from collections.abc import Mapping

from wattermark.science.scores import energy_j_per_unit
from wattermark.values.range import Range


def per_units(it_energy_j: Range | None, counts: Mapping[str, float | None]) -> dict[str, Range | None]:
    """Joules of IT energy for one of each; None where energy or count is not known.

    Parameters
    ----------
    it_energy_j : Range or None
        Of all of the run. [J]
    counts : mapping
        How many of which unit, e.g. of ``token`` and ``flop``; none, and 0, is not known.

    Examples
    --------
    >>> per_units(Range(1.0, 2.0, 3.0), {"token": 100, "flop": 0})
    {'token': Range(low=0.01, best=0.02, high=0.03), 'flop': None}
    """
    return {unit: energy_j_per_unit(it_energy_j, count) for unit, count in counts.items()}


def counted_since(
    before: Mapping[str, float | None], now: Mapping[str, float | None]
) -> dict[str, float | None]:
    """What a count has grown by; a training that goes on from a checkpoint goes on counting."""
    grown: dict[str, float | None] = {}
    for unit, count in now.items():
        earlier = before.get(unit)
        grown[unit] = None if count is None or earlier is None else count - earlier
    return grown


def energy_per(it_energy_j: float, count: float | None) -> float | None:
    """The best value of one, where no interval is asked for; no energy at all is not known. [J]"""
    found = energy_j_per_unit(Range.exact(it_energy_j), count) if it_energy_j > 0 else None
    return found.best if found else None
