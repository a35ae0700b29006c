"""The wet bulb of air, where a provider told no more than temperature and humidity."""

import pytest

from wattermark.science.weather import wet_bulb_of
from wattermark.values.series import Series, Signal


def told(signal, *values, begin_s=0.0, step_s=3600.0):
    edges = tuple(begin_s + i * step_s for i in range(len(values) + 1))
    return Series(signal=signal, place="X", source="told", edges_s=edges, values=values, fetched_s=7.0)


def air(*values, **more):
    return told(Signal.TEMPERATURE, *values, **more)


def damp(*values, **more):
    return told(Signal.HUMIDITY, *values, **more)


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"),
    [
        pytest.param(air(20.0), damp(50.0), [13.7], id="Stull's own example"),
        pytest.param(air(20.0), damp(100.0), [20.0], id="in fog it is that of the air"),
        pytest.param(air(20.0), damp(105.0), [20.0], id="more than all water is all of it"),
        pytest.param(air(20.0, None, 20.0), damp(50.0, 50.0, None), [13.7, None, None], id="gaps of either"),
        pytest.param(air(20.0, 20.0), damp(50.0, begin_s=3600.0), [13.7], id="where both are told"),
        pytest.param(air(20.0), damp(50.0, 100.0, step_s=1800.0), [13.7, 20.0], id="on the finer steps"),
    ],
)
def test_the_wet_bulb_of_air(temperature, humidity, expected):
    found = wet_bulb_of(temperature, humidity)
    assert found.values == tuple(None if one is None else pytest.approx(one, abs=0.05) for one in expected)
    assert (found.signal, found.place, found.source, found.fetched_s) == (Signal.WET_BULB, "X", "told", 7.0)
    assert any("by temperature and humidity" in flag for flag in found.flags)
