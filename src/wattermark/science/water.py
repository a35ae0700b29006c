"""Energy to water: on site, at the power plants, and weighted by scarcity."""

from __future__ import annotations

from wattermark.science.energy import kwh
from wattermark.values.boundary import FacilityEnergy, ItEnergy, Number
from wattermark.values.units import L_PER_M3


def onsite_water_l(energy: ItEnergy, wue_l_per_kwh: Number) -> Number:
    """Water that the site's cooling takes.

    WUE is defined per unit of IT energy: PUE has no part in it.

    Parameters
    ----------
    energy : ItEnergy
        [J]
    wue_l_per_kwh : float or ndarray
        Water usage effectiveness of the site. [L / kWh]

    Returns
    -------
    water_l : float or ndarray
        [L]

    Raises
    ------
    TypeError
        If the energy is not IT energy.

    References
    ----------
    .. [1] ISO/IEC 30134-9:2022, Water usage effectiveness.
    .. [2] P. Li, J. Yang, M. A. Islam, S. Ren, "Making AI Less Thirsty", arXiv:2304.03271.
    """
    if not isinstance(energy, ItEnergy):
        raise TypeError("WUE is per unit of IT energy; do not apply the PUE")
    return kwh(energy) * wue_l_per_kwh


def offsite_water_l(energy: FacilityEnergy, grid_water_l_per_kwh: Number) -> Number:
    """Water consumed to make the electricity, by thermal plants or by reservoirs.

    Parameters
    ----------
    energy : FacilityEnergy
        [J]
    grid_water_l_per_kwh : float or ndarray
        Consumption per unit of electricity. [L / kWh]

    Returns
    -------
    water_l : float or ndarray
        [L]

    Raises
    ------
    TypeError
        If the energy is not a facility's.

    References
    ----------
    .. [1] J. Macknick et al. (2012), Environ. Res. Lett. 7 045802, doi:10.1088/1748-9326/7/4/045802.
    """
    if not isinstance(energy, FacilityEnergy):
        raise TypeError("the grid's water is counted on facility energy; apply the PUE first")
    return kwh(energy) * grid_water_l_per_kwh


def scarcity_m3eq(onsite_l: Number, offsite_l: Number, *, site_factor: Number, grid_factor: Number) -> Number:
    """Water weighted by how scarce it is where it is taken.

    Parameters
    ----------
    onsite_l, offsite_l : float or ndarray
        Water on site, and at the plants. [L]
    site_factor, grid_factor : float or ndarray
        AWARE characterisation factors there. [m3 world equivalent / m3]

    Returns
    -------
    scarcity_m3eq : float or ndarray
        [m3 world equivalent]

    References
    ----------
    .. [1] A.-M. Boulay et al. (2018), doi:10.1007/s11367-017-1333-8.
    .. [2] G. Seitfudem et al. (2025), AWARE 2.0, doi:10.5281/zenodo.8215864.
    """
    return (onsite_l * site_factor + offsite_l * grid_factor) / L_PER_M3
