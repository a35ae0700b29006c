"""Points of every kind of plant, in an operator's words, become one mix of our fuels."""

import pytest

from wattermark.errors import BadSignal
from wattermark.signals.mixes import Teller, mix_of
from wattermark.signals.tidy import Point
from wattermark.values.mix import Fuel

TELLER = Teller(place="X", source="told")
FUELS = {"hard": Fuel.COAL, "brown": Fuel.COAL, "gas": Fuel.GAS, "up": Fuel.STORAGE, "down": Fuel.STORAGE}


def hours(*values, step=3600.0, begin=946684800.0):
    return [
        Point(begin + i * step, one, begin + (i + 1) * step) for i, one in enumerate(values) if one != "skip"
    ]


def power(told, **more):
    return {fuel.value: values for fuel, values in mix_of(told, FUELS, TELLER, **more).power_mw.items()}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"gas": hours(1, 2)}, {"gas": (1, 2)}, id="one kind"),
        pytest.param({"gas": hours("1.5", None)}, {"gas": (1.5, None)}, id="a text is a number, null a gap"),
        pytest.param({"gas": hours(1, "skip", 3)}, {"gas": (1, None, 3)}, id="a missing hour is a gap"),
        pytest.param({"gas": hours(1, "nan")}, {"gas": (1, None)}, id="no number is a gap"),
        pytest.param({"gas": hours(1, 9e6)}, {"gas": (1, None)}, id="more than the world has"),
        pytest.param({"gas": [*reversed(hours(1, 2))]}, {"gas": (1, 2)}, id="reversed"),
        pytest.param({"gas": [*hours(1, 2), *hours(1, 2)]}, {"gas": (1, 2)}, id="told twice"),
        pytest.param({"gas": [*hours(1, 2), *hours(1, 5)]}, {"gas": (1, 5)}, id="a late revision stands"),
        pytest.param({"hard": hours(1, 2), "brown": hours(10, 20)}, {"coal": (11, 22)}, id="kinds of a fuel"),
        pytest.param(
            {"hard": hours(50, None), "brown": hours(50, 50)}, {"coal": (100, None)},
            id="half of a fuel is not all of it",
        ),
        pytest.param(
            {"hard": hours(99, 99), "brown": hours(1, None)}, {"coal": (100, 99)}, id="a tiny kind not told"
        ),
        pytest.param(
            {"up": hours(5, "skip"), "down": hours("skip", -7)}, {"storage": (5, -7)}, id="storage turns"
        ),
        pytest.param({"new": hours(1)}, {"other": (1,)}, id="a kind that nobody knew"),
        pytest.param(
            {"gas": hours(1), "hard": hours(2, 3, 4, 5, step=900.0)},
            {"coal": (2, 3, 4, 5), "gas": (1, 1, 1, 1)}, id="quarters beside hours",
        ),
        pytest.param(
            {"gas": hours(1, 2), "hard": hours(3, 4, begin=946688400.0)},
            {"coal": (None, 3, 4), "gas": (1, 2, None)}, id="one begins later, one ends sooner",
        ),
    ],
)  # fmt: skip
def test_points_become_a_mix(told, expected):
    assert power(told) == expected


@pytest.mark.parametrize(
    ("told", "says"),
    [
        pytest.param({"new": hours(1)}, "unknown-fuel: new; taken for other", id="a new kind"),
        pytest.param({"gas": hours(1, 9e6)}, "unbelievable: 1 values are above 3e+06 MW", id="too much"),
        pytest.param({"gas": [*hours(1), Point(None, 2)]}, "unreadable: 1 of 2 points", id="no time"),
    ],
)
def test_what_is_odd_is_told(told, says):
    assert any(says in flag for flag in mix_of(told, FUELS, TELLER).flags)


def test_a_load_is_beside_the_plants_on_the_same_edges():
    mix = mix_of({"gas": hours(1, 2)}, FUELS, TELLER, load=hours(7, 8, 9))
    assert (mix.power_mw[Fuel.GAS], mix.load_mw) == ((1, 2, None), (7, 8, 9))
    assert mix_of({}, FUELS, TELLER, load=hours(7)).power_mw == {}


@pytest.mark.parametrize(
    "told", [{}, {"gas": []}, {"gas": [Point(None, 1)]}], ids=["nothing", "no points", "no times"]
)
def test_nothing_told_is_no_mix(told):
    with pytest.raises(BadSignal, match="told told nothing of X"):
        mix_of(told, FUELS, TELLER)
