"""From the weather to the water that a site's cooling takes, hour by hour.

A cooling tower can cool no further than the wet bulb: the warmer and the more humid, the more it evaporates
for the same heat. What a site takes over a year is often told; the weather gives the hours their shape.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

COOL_C, WARM_C = 5.0, 20.0
"""Wet bulb up to which a site cools with air alone, and from which its towers carry all heat. [degC]"""
LATENT_L_PER_KWH: Final = 3.6 / 2.45
"""Water whose evaporation takes a kWh of heat, at 2.45 MJ/kg. [L/kWh]"""
LEAST_L_PER_KWH: Final = 0.05
"""Of the polynomial: humidifying takes some in the cold, too. [L/kWh]"""
CYCLES_REN, CYCLES_WATERWISE = 6.0, 3.0
"""How often a tower's water goes round before it is let out, in two papers that use the polynomial."""


def humidity_percent(temperature_c: ArrayLike, dew_point_c: ArrayLike) -> Array:
    """Relative humidity from the dew point, by the Magnus formula; 100 at most.

    Parameters
    ----------
    temperature_c, dew_point_c : array-like
        [degC]

    Returns
    -------
    humidity_percent : ndarray
        [%]

    References
    ----------
    .. [1] O. A. Alduchov, R. E. Eskridge, "Improved Magnus form approximation of saturation vapor pressure",
       J. Appl. Meteor. 35 (1996) 601, doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2.
    """
    air, dew = np.asarray(temperature_c, np.float64), np.asarray(dew_point_c, np.float64)
    exponent = 17.625 * (dew / (243.04 + dew) - air / (243.04 + air))
    return np.minimum(100.0 * np.exp(exponent), 100.0)


def wet_bulb_c(temperature_c: ArrayLike, humidity_percent: ArrayLike) -> Array:
    """Wet-bulb temperature at sea level, by Stull's fit; never above the temperature of the air.

    Off by -1 to +0.65 K between -20 and 50 degC and 5 and 99 %, but more where it is cold and dry at once.
    Drier air counts as of 5 %.

    Parameters
    ----------
    temperature_c : array-like
        [degC]
    humidity_percent : array-like
        Of the same shape, or one that broadcasts. [%]

    Returns
    -------
    wet_bulb_c : ndarray
        [degC]; NaN where one of them is not known, or the humidity is none (below 0, above 105 %).

    References
    ----------
    .. [1] R. Stull, "Wet-bulb temperature from relative humidity and air temperature", J. Appl. Meteor.
       Climatol. 50 (2011) 2267, doi:10.1175/JAMC-D-11-0143.1.
    """
    air, told = np.asarray(temperature_c, np.float64), np.asarray(humidity_percent, np.float64)
    rh = np.clip(np.where((told < 0) | (told > 105), np.nan, told), 5.0, 100.0)
    wet = air * np.arctan(0.151977 * np.sqrt(rh + 8.313659)) + np.arctan(air + rh) - np.arctan(rh - 1.676331)
    wet += 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh) - 4.686035
    return np.asarray(np.minimum(wet, air), np.float64)


def tower_wue_l_per_kwh(wet_bulb_c: ArrayLike, cycles: float = CYCLES_REN) -> Array:
    """Make-up water of a cooling tower, by a polynomial of the wet bulb that several papers use.

    Beyond what evaporation can take (``ceiling_l_per_kwh``): 3.1 L/kWh at 10 degC, where 1.8 would carry all
    heat. Use it as a shape for ``hourly_wue_l_per_kwh``, or to compare with those papers.

    Parameters
    ----------
    wet_bulb_c : array-like
        [degC]
    cycles : float
        Of concentration, above 1: 6 after Ren's group, 3 in WaterWise's code.

    Returns
    -------
    wue_l_per_kwh : ndarray
        Withdrawn, per kWh of IT energy; at least ``LEAST_L_PER_KWH``. [L/kWh]

    Raises
    ------
    ValueError
        If the cycles are not above 1.

    References
    ----------
    .. [1] P. Li, J. Yang, M. A. Islam, S. Ren, "Making AI Less Thirsty", arXiv:2304.03271.
    .. [2] Y. Jiang et al., "WaterWise: co-optimizing carbon- and water-footprint toward environmentally
       sustainable cloud computing", PPoPP 2025, arXiv:2501.17944.
    """
    fahrenheit = 1.8 * np.asarray(wet_bulb_c, np.float64) + 32.0
    evaporated = ((6e-5 * fahrenheit - 0.01) * fahrenheit + 0.61) * fahrenheit - 10.4
    return np.maximum(_make_up(cycles) * evaporated, LEAST_L_PER_KWH)


def cooling_share(wet_bulb_c: ArrayLike) -> Array:
    """Our shape of a year: how much of a site's heat its towers carry, 0 up to 5 degC and 1 from 20 degC on.

    Parameters
    ----------
    wet_bulb_c : array-like
        [degC]

    Returns
    -------
    share : ndarray
        [1]
    """
    return np.clip((np.asarray(wet_bulb_c, np.float64) - COOL_C) / (WARM_C - COOL_C), 0.0, 1.0)


def ceiling_l_per_kwh(cycles: float | None = None, heat_per_it_energy: float = 1.0) -> float:
    """The most that evaporation can take: all heat of a kWh of IT energy. [L/kWh]

    Parameters
    ----------
    cycles : float or None
        Of concentration, where water is counted as withdrawn; None where as consumed.
    heat_per_it_energy : float
        Heat to be carried off per IT energy; more than 1 where fans and pumps heat, too. [1]

    Raises
    ------
    ValueError
        If the cycles are not above 1.
    """
    return heat_per_it_energy * LATENT_L_PER_KWH * (1.0 if cycles is None else _make_up(cycles))


def hourly_wue_l_per_kwh(
    shape: ArrayLike, yearly_wue_l_per_kwh: float, yearly_shape: float, ceiling: float | None = None
) -> Array:
    """What a site's cooling takes in each hour, so that over a year it takes what the site tells.

    Parameters
    ----------
    shape : array-like
        Of each hour, as of ``cooling_share`` or ``tower_wue_l_per_kwh``; NaN where the weather is not known.
    yearly_wue_l_per_kwh : float
        Of the site. [L/kWh]
    yearly_shape : float
        The mean of the shape over a year there. Where it is 0 the weather says nothing, and all hours are
        alike.
    ceiling : float or None
        As of ``ceiling_l_per_kwh``: no hour takes more, unless the whole year does. What is cut off is not
        shared out to other hours.

    Returns
    -------
    wue_l_per_kwh : ndarray
        [L/kWh]
    """
    hours = np.asarray(shape, np.float64)
    relative = hours / yearly_shape if yearly_shape > 0 else np.where(np.isnan(hours), np.nan, 1.0)
    most = np.inf if ceiling is None else max(ceiling, yearly_wue_l_per_kwh)
    return np.minimum(yearly_wue_l_per_kwh * relative, most)


def _make_up(cycles: float) -> float:
    """Water in over water evaporated: what is let out is replaced, too. [1]"""
    if not cycles > 1:
        raise ValueError("cycles of concentration are above 1")
    return cycles / (cycles - 1)
