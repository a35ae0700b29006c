"""ENTSO-E, by a server that answers in its format, over the real line."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.operators import (
    BEGIN_S,
    HOUR_S,
    NOTHING,
    Entsoe,
    Kind,
    Operators,
    acknowledged,
    gl_document,
    period,
    time_series,
)
from fakes.web import Page
from wattermark.errors import BadSignal, SignalUnavailable
from wattermark.signals import entsoe
from wattermark.signals.fetch import fetch
from wattermark.signals.line import Patience
from wattermark.values.mix import Fuel
from wattermark.values.series import Ask, Signal

QUICK = Patience(total_s=5.0, answer_s=2.0, first_s=0.01)
DAY = 24


def ask(hours=DAY, ahead=0, begin_s=BEGIN_S):
    now = begin_s + hours * HOUR_S
    return Ask(
        signals=(Signal.CARBON,), place="DEU", zone="10Y1001A1001A83F", begin_s=begin_s,
        end_s=now + ahead * HOUR_S, now_s=now,
    )  # fmt: skip


def talk(server, asked=None, token="let-me-in"):
    return fetch(entsoe.Entsoe(token, address=f"{server.address}/api"), asked or ask(), QUICK)


def only(body, asked=None):
    """What is made of one body."""
    with Operators(lambda *_: body if isinstance(body, Page) else Page(body)) as server:
        return talk(server, asked)


# -- what was --------------------------------------------------------------------------


def test_each_type_of_plant_is_asked_for_once_and_becomes_a_fuel():
    made = {"B04": Kind([10.0] * DAY), "B02": Kind([5.0] * DAY), "B05": Kind([1.0] * DAY)}
    with Operators(Entsoe(made)) as server:
        (mix,) = talk(server)
        (query,) = server.queries()
    assert {fuel.value: set(told) for fuel, told in mix.power_mw.items()} == {"gas": {10.0}, "coal": {6.0}}
    assert (mix.edges_s[0], mix.edges_s[-1], mix.steps) == (BEGIN_S, BEGIN_S + DAY * HOUR_S, DAY)
    assert (mix.place, mix.source, mix.forecast_from_s) == ("DEU", "ENTSO-E, 10Y1001A1001A83F", None)
    assert query == {
        "documentType": "A75", "processType": "A16", "in_Domain": "10Y1001A1001A83F",
        "periodStart": "202603280000", "periodEnd": "202603290000", "securityToken": "let-me-in",
    }  # fmt: skip


def test_every_type_has_a_fuel_or_is_nobody_s():
    assert set(entsoe.FUELS) == {f"B{i:02d}" for i in (*range(1, 21), 25)}


def test_pumps_take_and_a_plant_s_own_use_is_below_zero():
    made = {
        "B10": Kind([0.0, 3.0]),
        "B10 taken": Kind([4.0], takes=True),
        "B16": Kind([7.0, 7.0]),
        "B16 taken": Kind([0.5, 0.5], takes=True),
    }
    (mix,) = only(Entsoe(made)("", _query("A75")))
    assert mix.power_mw[Fuel.STORAGE] == (-4.0, 3.0)
    assert mix.power_mw[Fuel.SOLAR] == (6.5, 6.5)


def _query(document):
    return {
        "securityToken": "let-me-in", "documentType": document, "processType": "A16",
        "periodStart": "202603280000", "periodEnd": "202603290000",
    }  # fmt: skip


@pytest.mark.parametrize("step, steps", [("PT15M", 96), ("PT30M", 48), ("PT60M", 24)])
def test_steps_of_each_length_are_read(step, steps):
    with Operators(Entsoe({"B04": Kind([1.0] * steps, step=step)})) as server:
        (mix,) = talk(server)
    assert (mix.steps, mix.edges_s[-1]) == (steps, BEGIN_S + DAY * HOUR_S)


@pytest.mark.parametrize(
    ("curve", "points", "expected"),
    [
        pytest.param("A01", {1: 5, 2: 6, 3: 7, 4: 8}, (5, 6, 7, 8), id="every point"),
        pytest.param("A01", {1: 5, 4: 8}, (5, None, None, 8), id="A01: what is not told is a gap"),
        pytest.param("A03", {1: 5, 4: 8}, (5, 5, 5, 8), id="A03: what is not told is as before"),
        pytest.param("A03", {1: 5}, (5, 5, 5, 5), id="A03: one point to the end"),
        pytest.param("A03", {3: 5}, (None, None, 5, 5), id="A03: nothing before the first"),
        pytest.param("A01", {4: 8, 1: 5, 3: 7, 2: 6}, (5, 6, 7, 8), id="in any order"),
        pytest.param("A01", {1: "5.5", 2: None, 3: "x", 4: "1e3"}, (5.5, None, None, 1000), id="strange"),
    ],
)
def test_curves_are_filled_as_they_say(curve, points, expected):
    kind = Kind([], curve=curve)
    body = gl_document(time_series("B04", kind, period(BEGIN_S, BEGIN_S + 4 * HOUR_S, "PT60M", points)))
    (mix,) = only(body)
    assert mix.power_mw[Fuel.GAS] == expected


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)],
    ids=["spring forward", "fall back", "a usual day"],
)
def test_a_day_has_as_many_quarters_as_it_has(day, hours):
    """The day of Berlin, in UTC, as it is asked for."""
    begin = datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() - HOUR_S * (
        2 if day > "2026-03-29" else 1
    )
    made = {"B04": Kind([float(i) for i in range(4 * hours)], begin_s=begin, step="PT15M", curve="A03")}
    with Operators(Entsoe(made)) as server:
        (mix,) = talk(server, ask(hours, begin_s=begin))
    assert mix.power_mw[Fuel.GAS] == tuple(range(4 * hours))


def test_a_hole_between_two_periods_is_a_gap():
    kind = Kind([])
    first = period(BEGIN_S, BEGIN_S + HOUR_S, "PT60M", {1: 5})
    later = period(BEGIN_S + 2 * HOUR_S, BEGIN_S + 3 * HOUR_S, "PT60M", {1: 7})
    (mix,) = only(gl_document(time_series("B04", kind, first, later)))
    assert mix.power_mw[Fuel.GAS] == (5, None, 7)


def test_a_revised_value_stands_and_order_is_none_of_ours():
    old, new = (
        [time_series("B04", Kind([]), period(BEGIN_S, BEGIN_S + HOUR_S, "PT60M", {1: mw}))] for mw in (5, 6)
    )
    later = time_series("B04", Kind([]), period(BEGIN_S + HOUR_S, BEGIN_S + 2 * HOUR_S, "PT60M", {1: 9}))
    (mix,) = only(gl_document(later, *old, *new))
    assert mix.power_mw[Fuel.GAS] == (6, 9)


def test_any_version_of_the_name_space_is_read():
    series = time_series("B04", Kind([]), period(BEGIN_S, BEGIN_S + HOUR_S, "PT60M", {1: 5}))
    for space in ("urn:iec62325.351:tc57wg16:451-6:generationloaddocument:4:2", ""):
        (mix,) = only(gl_document(series, space=space))
        assert mix.power_mw[Fuel.GAS] == (5,)


def test_a_long_time_is_asked_for_in_pieces_that_touch():
    hours = 200 * 24
    with Operators(Entsoe({"B04": Kind([float(i) for i in range(hours)], curve="A03")})) as server:
        (mix,) = talk(server, ask(hours))
        spans = [(query["periodStart"], query["periodEnd"]) for query in server.queries()]
    assert len(spans) == 3
    assert all(first[1] == then[0] for first, then in pairwise(spans))
    assert mix.power_mw[Fuel.GAS] == tuple(range(hours))


# -- what will be ----------------------------------------------------------------------


def test_wind_sun_and_load_to_come_follow_what_was():
    fake = Entsoe(
        {"B04": Kind([10.0] * DAY)},
        weather={"B19": Kind([3.0] * 48), "B16": Kind([2.0] * 48)},
        load_was=Kind([20.0] * 48),
        load_will_be=Kind([25.0] * 48),
    )
    with Operators(fake) as server:
        was, ahead = talk(server, ask(ahead=24))
    assert set(was.load_mw) == {20.0}
    assert was.edges_s[-1] == ahead.edges_s[0] == ahead.forecast_from_s
    assert {fuel.value: set(told) for fuel, told in ahead.power_mw.items()} == {"wind": {3.0}, "solar": {2.0}}
    assert set(ahead.load_mw) == {25.0}
    assert any("ahead: wind" in flag for flag in ahead.flags)


@pytest.mark.parametrize("status", [200, 400])
def test_operators_that_do_not_forecast_are_no_fault(status):
    with Operators(Entsoe({"B04": Kind([10.0] * DAY)}, nothing_status=status)) as server:
        mixes = talk(server, ask(ahead=24))
    assert [mix.forecast_from_s for mix in mixes] == [None]


# -- what goes wrong -------------------------------------------------------------------

BILLION = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(97 + i)} "{f"&{chr(96 + i)};" * 10}">' for i in range(1, 10))
    + "]><GL_MarketDocument>&j;</GL_MarketDocument>"
)
GAS = Kind([])


def gas(*periods, **kind):
    return gl_document(time_series("B04", Kind([], **kind), *periods))


WHOLE = gl_document(
    *(time_series(word, Kind([], curve="A03"), period(BEGIN_S, BEGIN_S + 4 * HOUR_S, "PT15M", {1: 5, 9: 7}))
      for word in ("B04", "B10"))
)  # fmt: skip
LIFE = period(BEGIN_S, BEGIN_S + 60.0 * 500_001, "PT1M", {1: 5})
HOUR = period(BEGIN_S, BEGIN_S + HOUR_S, "PT60M", {1: 5})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("", "answered nothing", id="an empty body"),
        pytest.param("   \n", "answered nothing", id="a blank body"),
        pytest.param("<html><body>Sorry", "what is no XML", id="half a page"),
        pytest.param('{"error": 1}', "what is no XML", id="JSON"),
        pytest.param(b"\x00\xff\xfe", "what is no XML", id="noise"),
        pytest.param("<html><body/></html>", "answered a html", id="a page"),
        pytest.param(BILLION, "declares entities", id="a billion laughs"),
        pytest.param(BILLION.encode("utf-16"), "declares entities", id="in other letters"),
        pytest.param(
            '<!DOCTYPE a SYSTEM "file:///etc/passwd"><GL_MarketDocument/>', "declares entities", id="a file"
        ),
        pytest.param(acknowledged(NOTHING), "has nothing of that: No matching data", id="no data, 200"),
        pytest.param(Page(acknowledged(NOTHING), 400), "has nothing of that", id="no data, 400"),
        pytest.param(
            acknowledged("The amount of requested data exceeds allowed limit"), "refused: The am", id="much"
        ),
        pytest.param(gl_document(), "without values", id="no series"),
        pytest.param(gas(), "without values", id="no periods"),
        pytest.param(gas(HOUR.replace("PT60M", "P1Y")), "a period that is none", id="a year a step"),
        pytest.param(gas(HOUR.replace("PT60M", "PT0M")), "a period that is none", id="no step"),
        pytest.param(gas(HOUR.replace("28T01", "27T01")), "period that is none", id="backwards"),
        pytest.param(gas(HOUR.replace("T01:00", "T01:07")), "period that is none", id="uneven"),
        pytest.param(gas(HOUR.replace("<start>2026", "<start>soon")), "period that is none", id="no time"),
        pytest.param(gas(HOUR.replace(">1<", ">2<")), "outside of its period", id="a point beyond the end"),
        pytest.param(gas(HOUR.replace(">1<", ">0<")), "outside of its period", id="a point before the first"),
        pytest.param(gas(HOUR.replace(">1<", ">\u0661<")), "outside of its period", id="digits of others"),
        pytest.param(gas(HOUR.replace(">1<", f">{'9' * 5000}<")), "outside of its period", id="a long digit"),
        pytest.param(gas(LIFE, curve="A03"), "more than 500000 values", id="minutes of a life"),
        pytest.param("<a>" * 300_000, "what is no XML", id="deeper than any"),
        pytest.param("<a>" * 100_000 + "</a>" * 100_000, "answered a a", id="deeper, and closed"),
        pytest.param(gas(HOUR, unit="EUR"), "no unit of power", id="money"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_sentence(body, says):
    with pytest.raises(BadSignal, match=says) as caught:
        only(body)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_many_periods_are_no_way_around_the_bound():
    half = period(BEGIN_S, BEGIN_S + 60.0 * 250_001, "PT1M", {1: 5})
    with pytest.raises(BadSignal, match="more than 500000 values"):
        entsoe.read(gas(half, half, curve="A03").encode())


@given(st.data())
def test_a_torn_document_is_refused_or_read_and_never_breaks(data):
    """Bytes cut out, doubled or changed: what comes back is points or one kind of error."""
    whole = bytearray(WHOLE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        first, length = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 60))
        whole[first : first + length] = data.draw(st.binary(max_size=8))
    try:
        told = entsoe.read(bytes(whole))
    except BadSignal:
        return
    assert all(isinstance(point.begin_s, float) for points in told.values() for point in points)


def test_a_wrong_token_is_refused_and_told_to_nobody():
    with Operators(Entsoe({"B04": Kind([1.0])})) as server, pytest.raises(SignalUnavailable) as caught:
        talk(server, token="a-secret-token")
    assert "401" in str(caught.value)
    assert "a-secret-token" not in str(caught.value) + repr(entsoe.Entsoe("a-secret-token"))


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([Page("slow down", 429, {"Retry-After": "0"})], id="too many"),
        pytest.param([Page("", 503), Page("", 502)], id="a burst of faults"),
    ],
)
def test_what_passes_is_waited_for(faults):
    with Operators(Entsoe({"B04": Kind([1.0] * DAY)})) as server:
        server.faults += faults
        (mix,) = talk(server)
    assert mix.steps == DAY


def test_a_bad_request_that_says_nothing_of_theirs_stays_refused():
    with pytest.raises(SignalUnavailable, match="400"):
        only(Page("<html>bad</html>", 400))
