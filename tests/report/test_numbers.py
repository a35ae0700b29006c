"""Numbers as people read them."""

import pytest

from wattermark.report.numbers import CARBON, ENERGY, TIME, WATER, digits, say, say_interval
from wattermark.values.range import Range


@pytest.mark.parametrize(
    ("value", "scale", "said"),
    [
        pytest.param(0.0, ENERGY, "0 mJ", id="nothing is nothing"),
        pytest.param(359.0, ENERGY, "359 J", id="just below a tenth of a watt-hour"),
        pytest.param(864.0, ENERGY, "0.24 Wh", id="a prompt: people compare them in watt-hours"),
        pytest.param(3600.0, ENERGY, "1 Wh", id="a watt-hour"),
        pytest.param(3_599_999.0, ENERGY, "1 kWh", id="rounding does not say 1000 Wh"),
        pytest.param(1.3e13, ENERGY, "3.61 GWh", id="a large training"),
        pytest.param(1e-7, WATER, "100 nL", id="a request"),
        pytest.param(0.25, WATER, "250 mL", id="a glass"),
        pytest.param(1234.5, CARBON, "1.23 kg", id="three digits"),
        pytest.param(90.0, TIME, "1.5 min", id="time"),
        pytest.param(None, CARBON, "not known", id="unknown is not zero"),
    ],
)
def test_a_value_is_said_in_a_unit_that_fits(value, scale, said):
    assert say(value, scale) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(Range(50, 100, 2500), "50 - 2,500 J", id="both ends in the unit of the best"),
        pytest.param(Range(0, 0, 5), "0 - 5 J", id="a best of zero takes the unit of the high end"),
        pytest.param(None, "", id="an unknown one has none"),
        pytest.param(Range.exact(3), "", id="nor has a value without doubt"),
    ],
)
def test_an_interval_is_said_in_one_unit(value, said):
    assert say_interval(value, ENERGY) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.00012, "1.2e-04"), (0.0123, "0.0123"), (12345, "12,300"), (1.5, "1.5")]
)
def test_three_digits(value, said):
    assert digits(value) == said
