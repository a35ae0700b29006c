"""Score a footprint."""

from __future__ import annotations

from wattermark.errors import UsageError
from wattermark.science.scores import sci_g_per_unit
from wattermark.values.footprint import Footprint
from wattermark.values.range import Range


def score_of(footprint: Footprint, units: float) -> Range:
    """Software carbon intensity of a footprint. [g CO2e per functional unit]

    Raises
    ------
    UsageError
        If its carbon is not known: an unknown score is not zero.
    """
    if footprint.carbon_operational_g is None or footprint.carbon_embodied_g is None:
        raise UsageError("the carbon of this run is not known", fix="See: wattermark show RUN")
    return sci_g_per_unit(footprint.carbon_operational_g, footprint.carbon_embodied_g, units)
