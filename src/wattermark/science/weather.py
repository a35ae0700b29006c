"""The wet bulb where nobody told it, from what was told of the air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wattermark.science.schedule.steps import common, steps_of
from wattermark.science.wet_bulb import wet_bulb_c
from wattermark.values.series import Series, Signal


def wet_bulb_of(temperature: Series, humidity: Series) -> Series:
    """The wet bulb of air, a gap where either was not told.

    Parameters
    ----------
    temperature : Series
        [degC]
    humidity : Series
        Relative, of the same place. [%]

    Returns
    -------
    Series
        From where both begin to where one ends, flagged. [degC]
    """
    air, damp = common([steps_of(temperature), steps_of(humidity)])
    told = wet_bulb_c(air.values, np.clip(damp.values, 0.0, 100.0))
    return replace(
        temperature,
        signal=Signal.WET_BULB,
        edges_s=tuple(float(edge) for edge in air.edges_s),
        values=tuple(float(value) if np.isfinite(value) else None for value in told),
    ).flagged("wet-bulb: by temperature and humidity, where it was not told")
