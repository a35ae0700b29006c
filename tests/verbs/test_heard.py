"""Whom the user set is asked where that is stale, else nobody; what was kept stands in for who is silent."""

import socket

import pytest

from fakes.providers import HOUR, ElectricityMapsStand, UkStand, WattTimeStand, level, written
from fakes.web import Page
from wattermark.errors import PluginError, UsageError
from wattermark.factors.places import resolve
from wattermark.signals.cache import cache_file
from wattermark.values.series import Signal
from wattermark.verbs.heard import hear, series_for
from wattermark.verbs.signals import signals_at
from wattermark.wiring.config import load_config

NOW = 1_711_880_400.0 + 600
BOTH = (Signal.CARBON, Signal.CARBON_MARGINAL)


@pytest.fixture(autouse=True)
def _alone(ledger, monkeypatch):
    """Neither the user's settings nor what they keep is seen."""
    monkeypatch.setenv("WATTERMARK_SIGNALS_PATIENCE", "2")


@pytest.fixture
def uk(monkeypatch):
    with UkStand(NOW) as stand:
        monkeypatch.setenv("WATTERMARK_UK_URL", stand.address)
        yield stand


@pytest.fixture
def maps(monkeypatch):
    with ElectricityMapsStand(NOW) as stand:
        monkeypatch.setenv("WATTERMARK_ELECTRICITY_MAPS_URL", stand.address)
        monkeypatch.setenv("WATTERMARK_ELECTRICITY_MAPS_KEY", stand.key)
        yield stand


@pytest.fixture
def watttime(monkeypatch):
    with WattTimeStand(NOW) as stand:
        monkeypatch.setenv("WATTERMARK_WATTTIME_URL", stand.address)
        monkeypatch.setenv("WATTERMARK_WATTTIME_USER", stand.user)
        monkeypatch.setenv("WATTERMARK_WATTTIME_PASSWORD", stand.password)
        yield stand


def ask(signals, place="gbr", wanted=BOTH, now_s=NOW, ahead_h=12, **options):
    config = load_config({"signals": signals, **options})
    return series_for(
        resolve(place), wanted, now_s - 6 * HOUR, now_s + ahead_h * HOUR, config=config, now_s=now_s
    )


def assert_true(series):
    assert series.values == pytest.approx([level(edge) for edge in series.edges_s[:-1]])


def test_nobody_is_asked_whom_nobody_set(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    assert ask(None) == ([], [])
    assert not cache_file().exists()


def test_who_is_set_is_asked(uk):
    ((series,), (heard,)) = ask("uk")
    assert_true(series)
    assert (series.place, series.basis, series.flags) == ("GBR", "direct", ())
    assert (heard.signal, heard.source, heard.told) == (Signal.CARBON, "Carbon Intensity API, national", True)
    assert (heard.age_s, heard.error, heard.issued_s) == (0.0, None, NOW)
    assert heard.begin_s <= NOW - 6 * HOUR < NOW + 12 * HOUR <= heard.end_s


def test_what_is_fresh_is_not_asked_again(uk):
    ask("uk")
    uk.now_s = NOW + 1200
    ((series,), (heard,)) = ask("uk", now_s=NOW + 1200)
    assert len(uk.asked) == 1
    assert (series.fetched_s, heard.age_s) == (NOW, 1200.0)
    uk.now_s = NOW + HOUR
    ((series,), _) = ask("uk", now_s=NOW + HOUR)
    assert len(uk.asked) == 2
    assert series.fetched_s == NOW + HOUR


def test_the_day_before_is_asked_for_too_and_not_given(uk):
    """By it forecasts are judged."""
    config = load_config({"signals": "uk"})
    ((series,), _) = series_for(resolve("gbr"), BOTH, NOW, NOW + HOUR, config=config, now_s=NOW)
    assert uk.paths() == ["/intensity/2024-03-30T10:30Z/2024-03-31T11:30Z"]
    assert series.begin_s == NOW


def test_a_longer_question_is_asked(uk):
    ask("uk", ahead_h=6)
    ask("uk", ahead_h=36)
    assert len(uk.asked) == 2


def test_what_was_kept_stands_in_and_says_how_old_it_is(uk):
    ask("uk", ahead_h=24)
    uk.faults = [Page("down", 503)] * 99
    ((series,), (heard,)) = ask("uk", now_s=NOW + 5 * HOUR, signals_patience=0.3)
    assert_true(series)
    (flag,) = heard.flags
    assert flag.startswith(f"stale: uk said this at {written(NOW, ':00Z')}; now uk answers 503: down")
    assert heard.age_s == 5 * HOUR


def test_who_is_silent_and_never_said_anything_is_told(uk):
    uk.faults = [Page("", 403)] * 9
    (series, (heard,)) = ask("uk")
    assert (series, heard.told, heard.source) == ([], False, "uk")
    assert heard.flags == ("unavailable: uk answers 403",)


def test_the_next_one_is_asked_where_the_first_is_silent(uk, maps):
    uk.faults = [Page("", 403)] * 9
    maps.answer = _of("GB", maps)
    ((series,), (silent, heard)) = ask("uk, electricity_maps")
    assert (series.source, series.basis) == ("Electricity Maps, GB", "lifecycle")
    assert (silent.told, heard.told) == (False, True)


def _of(zone, stand):
    right = stand.answer

    def answer(path, query, headers):
        page = right(path, {**query, "zone": "DE"}, headers)
        return Page(page.body.replace('"zone": "DE"', f'"zone": "{zone}"'), page.status, page.headers)

    return answer


def test_the_next_one_is_not_asked_for_what_is_known(uk, maps):
    ask("uk, electricity_maps")
    assert maps.asked == []


def test_one_that_knows_only_what_came_gives_way_to_one_that_foretells(uk, maps):
    maps.answer, maps.plan = _of("GB", maps), ("latest", "history")
    ((series,), (heard,)) = ask("electricity_maps, uk")
    assert (series.basis, heard.source) == ("direct", "Carbon Intensity API, national")
    ((series,), _) = ask("electricity_maps", ahead_h=11)
    assert series.basis == "lifecycle"
    assert series.flags == ("no-forecast: electricity_maps answers 403: Not in your plan",)


def test_average_and_marginal_come_from_whom_knows_them(maps, watttime):
    maps.answer = _of("US-CAL-CISO", maps)
    series, heard = ask("electricity_maps, watttime", place="aws:us-west-1")
    assert {one.signal: one.basis for one in series} == {
        Signal.CARBON: "lifecycle",
        Signal.CARBON_MARGINAL: "marginal",
    }
    assert len(heard) == 2
    assert "/v3/region-from-loc" in watttime.paths()


def test_a_zone_may_be_named_for_one_place_or_for_all(uk):
    ask("uk=13@gbr")
    ask("uk=7", place="fra")
    assert [path.rpartition("/")[2] for path in uk.paths()] == ["13", "7"]
    assert ask("uk=13@gbr", place="fra") == ([], [])


def test_a_place_that_a_provider_has_no_name_for_is_told(maps):
    series, (heard,) = ask("electricity_maps", place="WORLD")
    assert (series, heard.told, maps.asked) == ([], False, [])
    assert heard.flags[0].startswith("no-zone: it is not known what electricity_maps calls WORLD; name it:")


@pytest.mark.parametrize(
    ("signals", "error", "says"),
    [
        pytest.param(
            "electricity_maps", UsageError, "electricity_maps needs electricity_maps_key", id="no key"
        ),
        pytest.param("zebra", PluginError, "no provider 'zebra'", id="nobody of that name"),
        pytest.param("uk=London", UsageError, "'London' is no zone of uk", id="a zone that cannot be"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_an_error(signals, error, says):
    with pytest.raises(error, match=says):
        ask(signals)


def test_two_bases_are_kept_apart(maps):
    ask("electricity_maps", place="deu")
    right = maps.answer
    maps.answer = lambda *asked: Page(right(*asked).body.replace('"lifecycle"', '"direct"'))
    ((series,), _) = ask("electricity_maps", place="deu", signals_basis="direct")
    assert series.basis == "direct"
    ((series,), _) = ask("electricity_maps", place="deu")
    assert series.basis == "lifecycle"


class OptimistStand(UkStand):
    """Expects a tenth less than will come."""

    def entry(self, moment_s):
        told = super().entry(moment_s)
        if told["intensity"]["actual"] is None:
            told["intensity"]["forecast"] *= 0.9
        return told


def test_how_good_forecasts_were_is_measured_by_what_came(monkeypatch):
    with OptimistStand(NOW) as stand:
        monkeypatch.setenv("WATTERMARK_UK_URL", stand.address)
        errors = []
        for day in range(6):
            stand.now_s = NOW + day * 24 * HOUR
            _, (heard,) = ask("uk", now_s=stand.now_s, ahead_h=48)
            errors.append(heard.error)
        config = load_config({"signals": "uk"})
        (told,) = signals_at("gbr", config=config, now_s=stand.now_s).told
    assert errors[0] is None
    assert errors[-1] == pytest.approx(0.1, abs=1e-3)
    assert [one.day for one in told.errors] == [1, 2]
    assert told.errors[0].error == pytest.approx(0.1)


def test_everybody_is_asked_anew_on_demand(uk, maps):
    maps.answer = _of("GB", maps)
    config = load_config({"signals": "uk, electricity_maps"})
    for _ in range(2):
        told = list(
            hear(resolve("gbr"), BOTH, NOW, NOW + HOUR, config=config, now_s=NOW, anew=True, every=True)
        )
        assert [one.provider for one in told] == ["uk", "electricity_maps"]
    assert (len(uk.asked), len(maps.asked)) == (2, 4)


def test_an_overview_tells_of_all_that_are_set(uk, maps):
    maps.answer = _of("GB", maps)
    config = load_config({"signals": "uk, electricity_maps"})
    told = signals_at("gbr", config=config, now_s=NOW).told
    assert [(one.provider, one.series is not None) for one in told] == [
        ("uk", True),
        ("electricity_maps", True),
    ]


def test_a_damaged_cache_stops_nobody(uk):
    cache_file().parent.mkdir(parents=True)
    cache_file().write_bytes(b"not a database" * 1000)
    ((series,), (heard,)) = ask("uk")
    assert_true(series)
    assert any(flag.startswith("cache-damaged") for flag in heard.flags)


def test_no_secret_is_kept(maps, watttime):
    maps.answer = _of("US-CAL-CISO", maps)
    ask("electricity_maps, watttime", place="aws:us-west-1")
    for path in cache_file().parent.iterdir():
        data = path.read_bytes()
        assert not [word for word in (maps.key, watttime.password, "jwt-secret") if word.encode() in data]
