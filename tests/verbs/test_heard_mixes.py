"""Operators and the weather, set by name: mixes are heard as carbon and water, and kept like all else."""

import pytest

from fakes.operators import BEGIN_S, HOUR_S, Eia, Entsoe, Kind, Meteo, Operators
from fakes.web import Page
from wattermark.factors.places import resolve
from wattermark.signals.cache import cache_file
from wattermark.values.series import Signal
from wattermark.verbs.heard import series_for
from wattermark.wiring.config import load_config

DAYS = 10
NOW = BEGIN_S + DAYS * 24 * HOUR_S
WANTED = (Signal.CARBON, Signal.WATER_THERMAL, Signal.WATER_HYDRO)
SUN = [40.0 * (8 <= i % 24 < 16) for i in range(24 * (DAYS + 2))]
REST = [80.0 - one for one in SUN]


@pytest.fixture(autouse=True)
def _alone(ledger, monkeypatch):
    """Neither the user's settings nor what they keep is seen."""
    monkeypatch.setenv("WATTERMARK_SIGNALS_PATIENCE", "4")


@pytest.fixture
def europe(monkeypatch):
    hours = 24 * DAYS
    fake = Entsoe(
        {"B16": Kind(SUN[:hours]), "B05": Kind(REST[:hours])}, weather={"B16": Kind(SUN)},
        load_was=Kind([80.0] * len(SUN)), load_will_be=Kind([80.0] * len(SUN)),
    )  # fmt: skip
    with Operators(fake) as server:
        monkeypatch.setenv("WATTERMARK_ENTSOE_URL", f"{server.address}/api")
        monkeypatch.setenv("WATTERMARK_ENTSOE_KEY", fake.token)
        yield server


@pytest.fixture
def states(monkeypatch):
    hours = 24 * DAYS
    with Operators(
        Eia({"SUN": SUN[:hours], "NG": REST[:hours]}, {"D": [80.0] * hours}, zone="PJM")
    ) as server:
        monkeypatch.setenv("WATTERMARK_EIA_URL", f"{server.address}/v2/electricity/rto")
        monkeypatch.setenv("WATTERMARK_EIA_KEY", "let-me-in")
        yield server


@pytest.fixture
def sky(monkeypatch):
    with Operators(Meteo({"wet_bulb_temperature_2m": lambda hour: float(hour % 24)})) as server:
        monkeypatch.setenv("WATTERMARK_OPEN_METEO_URL", server.address)
        yield server


def ask(signals, place="deu", wanted=WANTED, begin_s=NOW, ahead_h=24, **options):
    config = load_config({"signals": signals, **options})
    return series_for(resolve(place), wanted, begin_s, NOW + ahead_h * HOUR_S, config=config, now_s=NOW)


def test_a_mix_is_heard_as_carbon_and_both_families_of_water(europe):
    series, heard = ask("entsoe")
    carbon, thermal, hydro = series
    assert [one.signal for one in heard] == list(WANTED)
    assert (carbon.basis, carbon.place, carbon.source) == ("lifecycle", "DEU", "ENTSO-E, 10Y1001A1001A83F")
    by_night, by_day = carbon.values[0], carbon.values[12]
    assert (by_night, by_day) == pytest.approx((820.0, (820 + 48) / 2))
    assert thermal.values[0] > thermal.values[12] > 0.0 and set(hydro.values) == {0.0}
    assert (carbon.begin_s, carbon.end_s) == (NOW, NOW + 24 * HOUR_S)
    assert any(flag.startswith("regressed") for flag in carbon.flags)


def test_what_an_operator_said_is_kept_by_its_basis(europe):
    (whole,), _ = ask("entsoe", wanted=[Signal.CARBON])
    asked = len(europe.asked)
    (again,), _ = ask("entsoe", wanted=[Signal.CARBON])
    assert (len(europe.asked), again.values) == (asked, whole.values)
    (direct,), _ = ask("entsoe", wanted=[Signal.CARBON], signals_basis="direct")
    assert len(europe.asked) > asked
    assert (direct.basis, direct.values[0]) == ("direct", pytest.approx(760.0))


def test_no_key_is_kept(europe):
    ask("entsoe")
    assert b"let-me-in" not in cache_file().read_bytes()


def test_a_region_of_a_cloud_is_asked_for_by_its_own_operator(states):
    (carbon, *_), _ = ask("eia", "aws:us-east-1", begin_s=NOW - 24 * HOUR_S, ahead_h=0)
    assert carbon.source == "EIA, PJM"
    assert (carbon.values[0], carbon.values[12]) == pytest.approx((490.0, (490 + 48) / 2))


def test_a_silent_operator_is_heard_as_such(europe):
    europe.faults += [Page("", 500)] * 99
    series, heard = ask("entsoe", signals_patience=0.3)
    assert series == []
    assert not any(one.told for one in heard)
    assert heard[0].flags[0].startswith("unavailable: entsoe")


@pytest.mark.parametrize("place", ["aws:eu-north-1", "deu", "US-ERCT"])
def test_the_weather_of_any_place_is_known(sky, place):
    (wet,), _ = ask("open_meteo", place, [Signal.WET_BULB])
    assert wet.values == tuple(range(24))


def test_the_world_has_no_weather_and_no_operator(sky, europe):
    series, heard = ask("open_meteo, entsoe", "world", [Signal.WET_BULB, Signal.CARBON])
    assert series == []
    assert all("no-zone" in one.flags[0] for one in heard)
    assert not sky.asked and not europe.asked


def test_temperature_and_humidity_fill_the_wet_bulb(monkeypatch):
    gap = int(NOW // HOUR_S) + 3
    columns = {
        "wet_bulb_temperature_2m": lambda hour: None if hour == gap else 5.0,
        "temperature_2m": lambda hour: 20.0,
        "relative_humidity_2m": lambda hour: 50.0,
    }
    for told, expected in ((columns, 5.0), ({**columns, "wet_bulb_temperature_2m": lambda hour: None}, 13.7)):
        with Operators(Meteo(told)) as server:
            monkeypatch.setenv("WATTERMARK_OPEN_METEO_URL", server.address)
            cache_file().unlink(missing_ok=True)
            (wet,), _ = ask("open_meteo", wanted=[Signal.WET_BULB])
        assert wet.signal is Signal.WET_BULB
        assert [wet.values[0], wet.values[3]] == pytest.approx([expected, 13.7], abs=0.05)
