"""Scores: a footprint over what it was good for."""

from __future__ import annotations

from wattermark.values.range import Range


def sci_g_per_unit(operational_g: Range, embodied_g: Range, units: float) -> Range:
    """Software carbon intensity: operational and embodied carbon over functional units.

    Parameters
    ----------
    operational_g : Range
        Location-based: the standard forbids market instruments. [g CO2e]
    embodied_g : Range
        The share of making the hardware. [g CO2e]
    units : float
        Functional units that it was for, above 0. [1]

    Returns
    -------
    Range
        [g CO2e per functional unit]

    Raises
    ------
    ValueError
        If there are no units.

    References
    ----------
    .. [1] ISO/IEC 21031:2024, Software Carbon Intensity: SCI = (O + M) / R.
    """
    if not units > 0:
        raise ValueError(f"a score needs functional units above 0; got {units}")
    whole = operational_g.plus(embodied_g)
    return Range(whole.low / units, whole.best / units, whole.high / units)
