"""Energy to carbon."""

from __future__ import annotations

from wattermark.science.energy import kwh
from wattermark.values.boundary import FacilityEnergy, Number


def operational_carbon_g(energy: FacilityEnergy, intensity_g_per_kwh: Number) -> Number:
    """Carbon of the electricity that was used.

    Parameters
    ----------
    energy : FacilityEnergy
        Energy at the facility's meter: PUE is in it already. [J]
    intensity_g_per_kwh : float or ndarray
        Of the local grid (location-based) or of the contracted supply (market-based). [g CO2e / kWh]

    Returns
    -------
    carbon_g : float or ndarray
        [g CO2e]

    Raises
    ------
    TypeError
        If the energy is not a facility's.

    References
    ----------
    .. [1] ISO/IEC 21031:2024, Software Carbon Intensity: O = E x I.
    .. [2] GHG Protocol, Scope 2 Guidance (2015): both methods, side by side.
    """
    if not isinstance(energy, FacilityEnergy):
        raise TypeError("carbon is counted on facility energy; apply the PUE first")
    return kwh(energy) * intensity_g_per_kwh
