"""Gaudi accelerators through a library of the driver's interface whose power is known."""

import ctypes
import time

import pytest

from wattermark.errors import ReaderUnavailable
from wattermark.readers.gaudi import GaudiReader


@pytest.fixture
def driver(libs, tmp_path, monkeypatch):
    """The library, and what sets the accelerators: watts, uuid, energy counter, lost."""
    spec = tmp_path / "hlml.spec"
    monkeypatch.setenv("FAKE_HLML_SPEC", str(spec))
    monkeypatch.delenv("HABANA_VISIBLE_DEVICES", raising=False)

    def set_to(*rows):
        spec.write_text("".join(f"{watts} {uuid} {energy} {lost}\n" for watts, uuid, energy, lost in rows))
        return str(libs / "libhlml.so")

    return set_to


TWO = ((600, "a", 1, 0), (300, "b", 0, 0))


def test_a_counter_where_there_is_one_and_power_elsewhere(driver):
    reader = GaudiReader(driver(*TWO))
    assert [(c.name, c.kind, c.unit, c.uuid, c.device) for c in reader.channels] == [
        ("hpu/0", "counter", "mJ", "a", "Gaudi HL-225"),
        ("hpu/1", "power", "mW", "b", "Gaudi HL-225"),
    ]
    began_s, first = time.monotonic(), reader.read()
    time.sleep(0.05)
    later_s, second = time.monotonic(), reader.read()
    assert second[0] - first[0] == pytest.approx(600_000 * (later_s - began_s), rel=0.1)
    assert second[1] == 300_000
    assert reader.period_s(10) == 1.0


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        pytest.param(None, "ab", id="all"),
        pytest.param("all", "ab", id="all, said"),
        pytest.param("1", "b", id="one"),
        pytest.param("1, 0", "ba", id="in its own order"),
        pytest.param("0,7,1", "a", id="the list ends where it names none"),
        pytest.param("0,0", "a", id="one, twice"),
    ],
)
def test_only_what_the_program_may_see_is_read(driver, visible, seen):
    channels = GaudiReader(driver(*TWO), visible).channels
    assert "".join(c.uuid for c in channels) == seen
    assert {c.hidden for c in channels} == {2 - len(seen)}


@pytest.mark.parametrize("visible", ["", "7", "none"])
def test_nothing_to_see_is_told(driver, visible):
    with pytest.raises(ReaderUnavailable, match="may be seen"):
        GaudiReader(driver(*TWO), visible)


def test_one_that_is_lost_is_a_gap_and_the_others_are_not(driver):
    reader = GaudiReader(driver((600, "a", 1, 0), (300, "b", 1, 0)))
    driver((600, "a", 1, 1), (300, "b", 1, 0))
    lost, there = reader.read()
    assert lost is None and there > 0
    driver((600, "a", 1, 0), (300, "b", 1, 0))
    assert None not in reader.read()


def test_one_that_is_lost_at_the_start_has_a_counter_when_it_is_back(driver):
    reader = GaudiReader(driver((600, "a", 1, 1)))
    assert reader.channels[0].kind == "counter" and reader.read() == [None]


def test_no_driver_is_told(driver):
    with pytest.raises(ReaderUnavailable, match="no Gaudi driver library"):
        GaudiReader("/nowhere/libhlml.so")
    with pytest.raises(ReaderUnavailable, match="does not start"):
        GaudiReader(driver())
    assert ctypes.CDLL(driver(*TWO)).hlml_init() == 0
