"""Open-Meteo, by a server that answers in its format, over the real line."""

import json
from dataclasses import replace

import pytest

from fakes.operators import BEGIN_S, HOUR_S, Meteo, Operators
from fakes.web import Page
from wattermark.errors import BadSignal, SignalUnavailable
from wattermark.signals.fetch import fetch
from wattermark.signals.line import Patience
from wattermark.signals.open_meteo import OpenMeteo
from wattermark.values.series import Ask, Signal

QUICK = Patience(total_s=5.0, answer_s=2.0, first_s=0.01)
WET, AIR, DAMP = "wet_bulb_temperature_2m", "temperature_2m", "relative_humidity_2m"
DAY_S = 24 * HOUR_S
FIRST = int(BEGIN_S // HOUR_S)
ASK = Ask(
    signals=(Signal.WET_BULB,), place="aws:eu-north-1", zone="", begin_s=BEGIN_S, end_s=BEGIN_S + DAY_S,
    now_s=BEGIN_S + 6 * HOUR_S, latitude=59.331, longitude=18.069,
)  # fmt: skip


def by(**columns):
    """Columns that are the hour of the day, or what is given."""
    return {
        name: (lambda hour: float((hour - FIRST) % 24)) if told is None else told
        for name, told in columns.items()
    }


ALL = by(**{WET: None, AIR: lambda hour: 20.0, DAMP: lambda hour: 50.0})


def talk(server, asked=ASK, **more):
    return fetch(OpenMeteo(address=server.address, **more), asked, QUICK)


def told(fake, asked=ASK):
    with Operators(fake) as server:
        return talk(server, asked)


@pytest.mark.parametrize("as_list", [False, True], ids=["an object", "a list of one"])
def test_the_wet_bulb_is_told_by_the_hour(as_list):
    (wet,) = told(Meteo(ALL, as_list=as_list))
    assert (wet.signal, wet.place, wet.source, wet.unit) == (Signal.WET_BULB, ASK.place, "Open-Meteo", "degC")
    assert wet.edges_s == tuple(BEGIN_S + i * HOUR_S for i in range(25))
    assert wet.values == tuple(range(24))
    assert wet.forecast_from_s == ASK.now_s


def test_what_is_asked_for_says_where_when_and_in_which_units():
    with Operators(Meteo(ALL)) as server:
        talk(server)
        ((path, _),) = server.asked
        (query,) = server.queries()
    assert path.startswith("/v1/forecast")
    assert (query["latitude"], query["longitude"]) == ("59.33", "18.07")
    assert (query["start_date"], query["end_date"], query["timezone"]) == ("2026-03-28", "2026-03-28", "GMT")
    assert WET in query["hourly"].split(",")
    assert "apikey" not in query


def test_a_key_goes_along_and_is_shown_to_nobody():
    with Operators(Meteo(ALL)) as server:
        talk(server, key="a-secret-key")
        (query,) = server.queries()
    assert query["apikey"] == "a-secret-key"
    assert "a-secret-key" not in repr(OpenMeteo(key="a-secret-key"))
    paid, free = (next(OpenMeteo(key=key).talk(ASK)).url for key in ("k", None))
    assert paid.startswith("https://customer-api.") and free.startswith("https://api.")


def test_the_past_comes_from_the_archive_and_joins_the_forecast():
    asked = replace(ASK, begin_s=BEGIN_S - 20 * DAY_S)
    with Operators(Meteo(ALL)) as server:
        (wet,) = talk(server, asked)
        paths = [path.partition("?")[0] for path, _ in server.asked]
        spans = [(query["start_date"], query["end_date"]) for query in server.queries()]
    assert paths == ["/v1/archive", "/v1/forecast"]
    assert spans == [("2026-03-08", "2026-03-20"), ("2026-03-21", "2026-03-28")]
    assert wet.values == tuple(range(24)) * 21
    assert (wet.begin_s, wet.end_s) == (asked.begin_s, asked.end_s)
    assert wet.forecast_from_s == ASK.now_s


def test_the_past_alone_is_no_forecast():
    asked = replace(ASK, now_s=BEGIN_S + 90 * DAY_S)
    assert [one.forecast_from_s for one in told(Meteo(ALL), asked)] == [None]


def test_a_horizon_that_is_too_far_is_cut():
    (wet,) = told(Meteo(ALL), replace(ASK, end_s=BEGIN_S + 40 * DAY_S))
    assert wet.end_s == BEGIN_S + 16 * DAY_S
    with pytest.raises(BadSignal, match="so far from now"):
        told(Meteo(ALL), replace(ASK, begin_s=BEGIN_S + 39 * DAY_S, end_s=BEGIN_S + 40 * DAY_S))


def gap(hour):
    return None if hour == FIRST + 3 else 5.0


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param(by(**{WET: None}), ["wet-bulb"], id="the wet bulb alone"),
        pytest.param(
            by(**{WET: gap, AIR: None, DAMP: None}), ["wet-bulb", "temperature", "humidity"], id="a gap"
        ),
        pytest.param(by(**{WET: gap, AIR: gap, DAMP: gap}), ["wet-bulb"], id="the same gap in all"),
        pytest.param(by(**{WET: gap, AIR: None}), ["wet-bulb"], id="no humidity to help"),
        pytest.param(by(**{AIR: None, DAMP: None}), ["temperature", "humidity"], id="no wet bulb"),
    ],
)
def test_temperature_and_humidity_stand_in(columns, expected):
    assert [one.signal.value for one in told(Meteo(columns))] == expected


def test_a_gap_is_no_temperature():
    (wet,) = told(Meteo(by(**{WET: gap})))
    assert wet.values[3] is None and wet.values[2] == 5.0


def test_an_offset_of_theirs_is_taken_off():
    body = {
        "utc_offset_seconds": 7200, "hourly_units": {WET: "°C"},
        "hourly": {"time": ["2026-03-28T02:00", "2026-03-28T03:00"], WET: [1.0, 2.0]},
    }  # fmt: skip
    (wet,) = told(lambda *_: Page(json.dumps(body)))
    assert wet.edges_s[0] == BEGIN_S


def answer(**hourly):
    return json.dumps({"hourly": hourly})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("", "answered nothing", id="an empty body"),
        pytest.param("<html>", "what is no JSON", id="a page"),
        pytest.param("{}", "of an unknown form", id="an empty object"),
        pytest.param("[]", "of an unknown form", id="an empty list"),
        pytest.param('{"error": true, "reason": "Cannot initialize"}', "refused: Cannot", id="an error"),
        pytest.param(answer(time=[]), "told no weather", id="no column"),
        pytest.param(answer(time=["2026-03-28T00:00"], **{WET: [None]}), "told no weather", id="all null"),
        pytest.param(answer(time=["2026-03-28T00:00"], **{WET: [1, 2]}), "no weather", id="a long column"),
        pytest.param(answer(time=["soon"], **{WET: [1]}), "told nothing", id="no time"),
        pytest.param(
            json.dumps({"hourly_units": {WET: "°F"}, "hourly": {"time": ["2026-03-28T00:00"], WET: [50]}}),
            "told no weather", id="in Fahrenheit",
        ),
        pytest.param(answer(time=["2026-03-28T00:00"], **{WET: [500]}), "no weather", id="hot as an oven"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_sentence(body, says):
    with pytest.raises(BadSignal, match=says):
        told(lambda *_: Page(body))


def test_their_reason_for_a_bad_request_is_told():
    with pytest.raises(SignalUnavailable, match=r"400: Cannot initialize"):
        told(lambda *_: Page('{"error": true, "reason": "Cannot initialize wet_bulb"}', 400))


def test_a_limit_is_waited_for():
    with Operators(Meteo(ALL)) as server:
        reason = '{"error": true, "reason": "Minutely API request limit exceeded."}'
        server.faults.append(Page(reason, 429, {"Retry-After": "0"}))
        assert len(talk(server)) == 1


def test_a_place_nobody_can_find_is_not_asked_for():
    with Operators(Meteo(ALL)) as server, pytest.raises(SignalUnavailable, match="nobody knows where"):
        talk(server, replace(ASK, latitude=None))
