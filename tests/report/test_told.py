"""What providers told, as a person and as a program reads it."""

import json

import pytest

from wattermark.factors.places import resolve
from wattermark.report.told import NOT_YET, Overview, told_document, told_rows, told_sentences, value_at
from wattermark.values.series import Series, Signal
from wattermark.values.told import LeadError, Told

HOUR = 3600.0
NOW = 1_711_880_400.0


def series(*values, signal=Signal.CARBON, basis="lifecycle", issued_h=-2.0, flags=()):
    edges = tuple(NOW + (i - 1) * HOUR for i in range(len(values) + 1))
    return Series(
        signal=signal, place="DEU", source="them", edges_s=edges, values=values, basis=basis,
        issued_s=NOW + issued_h * HOUR, fetched_s=NOW, forecast_from_s=NOW, flags=flags,
    )  # fmt: skip


def told(found, errors=(), flags=()):
    signal = found.signal if found else Signal.CARBON
    lead = tuple(LeadError(day=i + 1, error=one, issues=9, compared_s=HOUR) for i, one in enumerate(errors))
    return Told(signal=signal, provider="them", zone="DE", series=found, errors=lead, flags=flags)


def overview(*several, providers=("them",)):
    return Overview(asked="deu", place=resolve("deu"), now_s=NOW, providers=providers, told=several)


@pytest.mark.parametrize(
    ("one", "row"),
    [
        pytest.param(
            told(series(1.0, 250.0, 3.0), [0.041, 0.0719]),
            ("carbon, lifecycle", "them DE", "250 g/kWh", "2 h", "2 h", "4.1 %, 7.19 %"),
            id="all is known",
        ),
        pytest.param(
            told(series(1.0, None, 3.0, issued_h=0), [None, 0.5]),
            ("carbon, lifecycle", "them DE", "-", "0 min", "2 h", "-, 50 %"),
            id="a gap now, and a day that is not known",
        ),
        pytest.param(
            told(series(7.0, issued_h=0), [None]),
            ("carbon, lifecycle", "them DE", "-", "0 min", "0 min", NOT_YET),
            id="nothing from now on",
        ),
        pytest.param(
            told(series(1.0, 20.0, signal=Signal.WET_BULB, basis="")),
            ("wet-bulb", "them DE", "20 degC", "2 h", "1 h", NOT_YET),
            id="of no basis",
        ),
        pytest.param(
            told(series(1.0, 2.0, signal=Signal.CARBON_MARGINAL, basis="marginal")),
            ("carbon-marginal", "them DE", "2 g/kWh", "2 h", "1 h", NOT_YET),
            id="marginal is said once",
        ),
        pytest.param(told(None), ("carbon", "them DE", "-", "-", "-", "-"), id="silent"),
    ],
)
def test_a_row(one, row):
    assert told_rows(overview(one)) == [row]


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        pytest.param(overview(providers=()), "No provider is set", id="nobody is set"),
        pytest.param(overview(), "None of the providers that are set", id="nobody of this place"),
        pytest.param(overview(told(series(1.0, flags=("gaps: x",)))), "them, carbon: gaps: x", id="a flag"),
        pytest.param(overview(told(None, flags=("unavailable: y",))), "carbon: unavailable: y", id="silence"),
    ],
)
def test_what_is_to_be_said(seen, says):
    assert any(says in sentence for sentence in told_sentences(seen))


def test_a_document_is_of_plain_values():
    document = told_document(overview(told(series(1.0, None), [0.1, None]), told(None, flags=("no",))))
    read = json.loads(json.dumps(document, allow_nan=False))
    first, silent = read["signals"]
    assert (first["values"], first["forecast_errors"][0]["error"], first["now"]) == ([1.0, None], 0.1, None)
    assert (silent["source"], silent["steps"], silent["flags"]) == (None, [], ["no"])


@pytest.mark.parametrize(("at_h", "value"), [(-1, 1.0), (-0.01, 1.0), (0, 2.0), (1, None), (-2, None)])
def test_the_value_of_a_moment(at_h, value):
    assert value_at(series(1.0, 2.0), NOW + at_h * HOUR) == value
