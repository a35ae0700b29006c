"""The one place where a unit becomes another, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.energy import kwh
from wattermark.values import units
from wattermark.values.boundary import ItEnergy


@pytest.mark.parametrize(
    ("unit", "raw", "base"),
    [
        pytest.param("nJ", 1_000_000_000, 1.0, id="a joule of an Apple GPU"),
        pytest.param("uJ", 1_000_000, 1.0, id="a RAPL joule"),
        pytest.param("mJ", 1_000, 1.0, id="an NVML joule"),
        pytest.param("J", 1, 1.0, id="a joule"),
        pytest.param("2^-16 J", 65_536, 1.0, id="a joule of AMD's accumulators"),
        pytest.param("pWh", 10**15, 3_600_000.0, id="Windows' kilowatt-hour"),
        pytest.param("mW", 300_000, 300.0, id="a GPU's 300 W"),
        pytest.param("uW", 15_000_000, 15.0, id="hwmon's 15 W"),
        pytest.param("W", 5, 5.0, id="a watt"),
        pytest.param("ns", 1_000_000_000, 1.0, id="a second"),
        pytest.param("B", 1, 1.0, id="a byte"),
        pytest.param("%", 40, 0.4, id="two fifths of the time"),
    ],
)
def test_raw_counts_become_base_units(unit, raw, base):
    assert raw * units.BASE_PER_RAW[unit] == pytest.approx(base)


def test_every_unit_of_a_device_has_a_row_above():
    assert set(units.BASE_PER_RAW) == {
        "nJ",
        "uJ",
        "mJ",
        "J",
        "2^-16 J",
        "pWh",
        "uW",
        "mW",
        "W",
        "ns",
        "B",
        "%",
    }


@given(st.floats(0, 1e12))
def test_kilowatt_hours_and_joules_go_round(energy_kwh):
    assert kwh(ItEnergy(energy_kwh * units.J_PER_KWH)) == pytest.approx(energy_kwh)


@given(st.integers(0, 10**15))
def test_nanoseconds_and_seconds_go_round(moment_ns):
    assert round(moment_ns * units.S_PER_NS * units.NS_PER_S) == pytest.approx(moment_ns, abs=1)


def test_constants_agree_with_each_other():
    assert units.J_PER_KWH == 1000 * units.S_PER_HOUR
    assert units.HOURS_PER_YEAR == 365 * 24
    assert units.NS_PER_S * units.S_PER_NS == 1
    assert units.BASE_PER_RAW["pWh"] * 10**15 == units.J_PER_KWH
