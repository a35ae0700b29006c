"""Scores: a footprint over what it was good for."""

from __future__ import annotations

from math import inf

from wattermark.values.range import Range


def without_upstream(lifecycle_g: Range, ratio: Range) -> tuple[Range, Range]:
    """Carbon of electricity as that of the power plants themselves, and of all before and around them.

    Parameters
    ----------
    lifecycle_g : Range
        By a life-cycle intensity. [g CO2e]
    ratio : Range
        Life-cycle over direct intensity, at least 1. [1]

    Returns
    -------
    tuple of Range
        Direct, and upstream: the two best values sum to the whole. [g CO2e]

    References
    ----------
    .. [1] GHG Protocol Scope 2 Guidance (2015), section 5.2: scope 2 holds generation only, and fuels
       upstream belong to scope 3, category 3.
    """
    direct = Range(lifecycle_g.low / ratio.high, lifecycle_g.best / ratio.best, lifecycle_g.high / ratio.low)
    parts = [1 - 1 / one for one in (ratio.low, ratio.best, ratio.high)]
    ends = (lifecycle_g.low, lifecycle_g.best, lifecycle_g.high)
    return direct, Range(*(value * part for value, part in zip(ends, parts, strict=True)))


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
    return _over(operational_g.plus(embodied_g), units)


def energy_j_per_unit(it_energy_j: Range | None, units: float | None) -> Range | None:
    """Energy over what it was used for: tokens, floating-point operations, epochs.

    Parameters
    ----------
    it_energy_j : Range or None
        IT energy; None where no meter saw it. [J]
    units : float or None
        How many; None, and nothing at all, where nobody counted. [1]

    Returns
    -------
    Range or None
        [J per unit]; None where either is not known, since an unknown score is not zero.

    References
    ----------
    .. [1] MLCommons, "MLPerf Power: Benchmarking the Energy Efficiency of Machine Learning Systems from
       Microwatts to Megawatts", HPCA 2025, arXiv:2410.12032: energy to do a task, over the task's units.
    """
    if it_energy_j is None or units is None or not 0 < units < inf:
        return None
    return _over(it_energy_j, units)


def _over(value: Range, units: float) -> Range:
    return Range(value.low / units, value.best / units, value.high / units)
