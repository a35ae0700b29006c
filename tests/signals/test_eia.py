"""The EIA's hourly monitor, by a server that answers in its format, over the real line."""

import pytest

from fakes.operators import BEGIN_S, HOUR_S, Eia, Operators
from fakes.web import Page
from wattermark.errors import BadSignal, SignalUnavailable
from wattermark.signals import eia
from wattermark.signals.fetch import fetch
from wattermark.signals.line import Patience
from wattermark.values.mix import Fuel
from wattermark.values.series import Ask, Signal

QUICK = Patience(total_s=5.0, answer_s=2.0, first_s=0.01)
DAY = 24


def ask(hours=DAY, ahead=0, zone="CISO"):
    now = BEGIN_S + hours * HOUR_S
    return Ask(
        signals=(Signal.CARBON,), place="US-CA", zone=zone, begin_s=BEGIN_S, end_s=now + ahead * HOUR_S,
        now_s=now,
    )  # fmt: skip


def talk(server, asked=None, key="let-me-in"):
    return fetch(eia.Eia(key, address=f"{server.address}/v2/electricity/rto"), asked or ask(), QUICK)


def told(fake, asked=None):
    with Operators(fake) as server:
        return talk(server, asked)


def test_an_hour_is_told_by_its_end():
    (mix,) = told(Eia({"NG": [float(i) for i in range(DAY)]}))
    assert mix.edges_s == tuple(BEGIN_S + i * HOUR_S for i in range(DAY + 1))
    assert mix.power_mw == {Fuel.GAS: tuple(range(DAY))}
    assert (mix.place, mix.source) == ("US-CA", "EIA, CISO")


def test_the_key_is_in_the_address_alone_and_shown_to_nobody():
    with Operators(Eia({"NG": [1.0]})) as server:
        talk(server)
        assert all(query["api_key"] == "let-me-in" for query in server.queries())
    assert "let-me-in" not in repr(eia.Eia("let-me-in"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([1, 2.5], (1, 2.5), id="numbers"),
        pytest.param(["1", "2.5"], (1, 2.5), id="texts"),
        pytest.param([1, None, "", 4], (1, None, None, 4), id="null and empty are gaps"),
        pytest.param([1, "N/A"], (1, None), id="a word is a gap"),
    ],
)
def test_values_are_read_as_they_come(values, expected):
    (mix,) = told(Eia({"NG": values}))
    assert mix.power_mw[Fuel.GAS] == expected


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(lambda rows: rows[::-1], id="reversed"),
        pytest.param(lambda rows: rows + rows, id="duplicated"),
        pytest.param(lambda rows: rows[5:] + rows[:5], id="in some order"),
        pytest.param(lambda rows: [*({**row, "value": 99} for row in rows[3:4]), *rows], id="revised later"),
    ],
)
def test_order_and_doubles_are_none_of_ours(order):
    (mix,) = told(Eia({"NG": [float(i) for i in range(DAY)]}, order=order))
    assert mix.power_mw[Fuel.GAS] == tuple(range(DAY))


def test_a_missing_hour_is_a_gap():
    (mix,) = told(Eia({"NG": [float(i) for i in range(DAY)]}, order=lambda rows: rows[:3] + rows[4:]))
    assert mix.power_mw[Fuel.GAS] == (0, 1, 2, None, *range(4, DAY))


@pytest.mark.parametrize("total", [str, int], ids=["total as a text", "total as a number"])
def test_all_pages_are_read(total):
    fuels = {word: [float(i) for i in range(DAY)] for word in ("COL", "NG", "NUC")}
    with Operators(Eia(fuels, page=10, total=total)) as server:
        (mix,) = talk(server)
        offsets = [query["offset"] for query in server.queries() if query["length"] == "5000"]
    assert {fuel.value for fuel in mix.power_mw} == {"coal", "gas", "nuclear"}
    assert set(mix.power_mw.values()) == {tuple(map(float, range(DAY)))}
    assert len(offsets) == 1 + -(-3 * DAY // 10)


def test_a_total_that_is_not_kept_is_told():
    with pytest.raises(BadSignal, match=r"told 24 of 30 rows and no more"):
        told(Eia({"NG": [1.0] * DAY}, total=lambda rows: rows + 6 if rows else 0))


def test_without_a_total_one_page_is_all():
    (mix,) = told(Eia({"NG": [1.0] * DAY}, total=lambda _: None))
    assert mix.steps == DAY


def test_storage_takes_and_solar_may_stand_beside_it():
    (mix,) = told(Eia({"BAT": [-5, 5], "PS": [1, 1], "SUN": [7, 7], "SNB": [-1, 2], "ZZZ": [1, 1]}))
    assert mix.power_mw[Fuel.STORAGE] == (-4, 6)
    assert mix.power_mw[Fuel.SOLAR] == (6, 9)
    assert mix.power_mw[Fuel.OTHER] == (1, 1)
    assert any("unknown-fuel: ZZZ" in flag for flag in mix.flags)


def test_what_goes_out_is_no_import_and_what_comes_in_is():
    (mix,) = told(Eia({"NG": [1.0, 1.0]}, {"TI": [30, -20], "D": [5, 6]}))
    assert (mix.power_mw[Fuel.IMPORTS], mix.load_mw) == ((-30, 20), (5, 6))


def test_the_load_to_come_follows_what_was():
    day = [float(i) for i in range(2 * DAY)]
    fake = Eia({"NG": day[:DAY]}, {"D": day[:DAY], "DF": day})
    was, ahead = told(fake, ask(ahead=DAY))
    assert was.load_mw == tuple(range(DAY))
    assert (ahead.load_mw, ahead.power_mw) == (tuple(range(DAY, 2 * DAY)), {})
    assert ahead.forecast_from_s == ahead.edges_s[0] == was.edges_s[-1]


# -- what goes wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("", "answered nothing", id="an empty body"),
        pytest.param("<html>", "what is no JSON", id="a page"),
        pytest.param("[]", "of an unknown form", id="an empty list"),
        pytest.param("{}", "of an unknown form", id="an empty object"),
        pytest.param('{"response": {"total": "1", "data": null}}', "of an unknown form", id="no rows"),
        pytest.param('{"response": {"total": 0, "data": []}}', "no plants of 'CISO'", id="no data, 200"),
        pytest.param('{"error": "Invalid frequency", "code": 400}', "refused: Invalid f", id="an error"),
        pytest.param('{"error": {"code": "X", "message": "no"}}', "refused: no", id="an error in full"),
        pytest.param(
            '{"response": {"data": [{"period": "2026-03-28T01", "respondent": "PJM", "fueltype": "NG",'
            ' "type": "D", "value": 1}]}}', "answered for another zone", id="the zone was not heard",
        ),
        pytest.param(
            '{"response": {"data": [{"period": "x", "respondent": "CISO", "fueltype": "NG", "value": 1}]}}',
            "told nothing", id="no time",
        ),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_sentence(body, says):
    with pytest.raises(BadSignal, match=says):
        told(lambda *_: Page(body))


def test_an_unknown_zone_is_an_empty_answer_of_theirs_and_a_refusal_of_ours():
    with pytest.raises(BadSignal, match="no plants of 'NOWHERE'"):
        told(Eia({"NG": [1.0]}), ask(zone="NOWHERE"))


def test_a_wrong_key_is_refused_and_told_to_nobody():
    with Operators(Eia({"NG": [1.0]})) as server, pytest.raises(SignalUnavailable, match="403") as caught:
        talk(server, key="a-secret-key")
    assert "a-secret-key" not in str(caught.value)


@pytest.mark.parametrize(
    "faults",
    [[Page("slow down", 429, {"Retry-After": "0"})], [Page("", 503), Page("", 500)]],
    ids=["too many", "a burst of faults"],
)
def test_what_passes_is_waited_for(faults):
    with Operators(Eia({"NG": [1.0] * DAY})) as server:
        server.faults += faults
        (mix,) = talk(server)
    assert mix.steps == DAY
