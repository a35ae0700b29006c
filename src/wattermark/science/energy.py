"""From IT energy to facility energy, and both to kWh."""

from __future__ import annotations

import numpy as np

from wattermark.values.boundary import FacilityEnergy, ItEnergy, Number
from wattermark.values.units import J_PER_KWH


def facility_energy(energy: ItEnergy, pue: Number) -> FacilityEnergy:
    """What the building took for the IT equipment.

    Parameters
    ----------
    energy : ItEnergy
        [J]
    pue : float or ndarray
        Power usage effectiveness: facility energy per IT energy, at least 1. [1]

    Raises
    ------
    TypeError
        If the energy is not IT energy: PUE is applied once.
    ValueError
        If ``pue`` is below 1.

    References
    ----------
    .. [1] ISO/IEC 30134-2:2016, Power usage effectiveness.
    """
    if not isinstance(energy, ItEnergy):
        raise TypeError("PUE turns IT energy into facility energy, once")
    if np.any(np.asarray(pue) < 1):
        raise ValueError(f"pue is facility energy over IT energy, so at least 1; got {pue}")
    return FacilityEnergy(energy.joules * pue)


def kwh(energy: ItEnergy | FacilityEnergy) -> Number:
    """Kilowatt-hours of an energy.

    Parameters
    ----------
    energy : ItEnergy or FacilityEnergy
        [J]
    """
    return energy.joules / J_PER_KWH
