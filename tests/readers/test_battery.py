"""A laptop's battery on plain folders: it tells something only while it feeds the machine."""

from contextlib import closing

import pytest

from fakes.tree import supply
from wattermark.errors import ReaderUnavailable
from wattermark.readers.battery import BatteryReader
from wattermark.values.kinds import Node

FEEDS = {"type": "Battery", "status": "Discharging"}


def opened(tmp_path, **files):
    supply(tmp_path, "BAT0", **files)
    return closing(BatteryReader(tmp_path / "class/power_supply"))


@pytest.mark.parametrize(
    ("files", "uw"),
    [
        pytest.param({"power_now": 12_500_000}, 12_500_000, id="power"),
        pytest.param({"power_now": -12_500_000}, 12_500_000, id="power with a sign"),
        pytest.param({"current_now": 1_000_000, "voltage_now": 11_400_000}, 11_400_000, id="1 A at 11.4 V"),
        pytest.param({"current_now": -1_000_000, "voltage_now": 11_400_000}, 11_400_000, id="with a sign"),
        pytest.param({"power_now": ""}, None, id="no answer"),
    ],
)
def test_what_it_gives(tmp_path, files, uw):
    with opened(tmp_path, **FEEDS, **files) as reader:
        assert list(reader.read()) == [uw]
        assert [(c.name, c.counted) for c in reader.channels] == [("platform/bat0", False)]


def test_one_battery_feeds_the_whole_machine_and_of_two_each_a_part(tmp_path):
    with opened(tmp_path, **FEEDS, power_now=5) as reader:
        assert [c.node for c in reader.channels] == [Node.INSIDE]
        assert "screen" in reader.channels[0].note
    supply(tmp_path, "BAT1", type="Battery", status="Full")
    with closing(BatteryReader(tmp_path / "class/power_supply")) as reader:
        assert [c.node for c in reader.channels] == [Node.NO]


def test_plugged_in_it_is_a_gap(tmp_path):
    with opened(tmp_path, **FEEDS, power_now=5) as reader:
        status = tmp_path / "class/power_supply/BAT0/status"
        status.write_text("Charging\n")
        assert list(reader.read()) == [None]
        status.write_text("Discharging\n")
        assert list(reader.read()) == [5]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({"type": "Mains", "online": 1}, "no battery", id="a desktop"),
        pytest.param({"type": "Battery", "status": "Full"}, "not discharging", id="plugged in"),
        pytest.param({**FEEDS, "current_now": 1_000_000}, "tells no power", id="half of it"),
        pytest.param(FEEDS, "tells no power", id="none"),
        pytest.param({**FEEDS, "scope": "Device", "power_now": 5}, "no battery", id="that of a mouse"),
    ],
)
def test_where_it_tells_nothing_that_is_said(tmp_path, files, says):
    with pytest.raises(ReaderUnavailable, match=says):
        opened(tmp_path, **files)
