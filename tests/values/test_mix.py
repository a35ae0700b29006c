"""A mix is whole, or it is refused."""

import pytest

from wattermark.values.mix import Fuel, Mix


def mix(edges_s=(0.0, 1.0, 2.0), gas=(1.0, None), load=()):
    return Mix(place="X", source="told", edges_s=edges_s, power_mw={Fuel.GAS: gas}, load_mw=load)


def test_a_mix_may_have_gaps_and_a_load():
    assert mix(load=(5.0, None)).steps == 2
    assert mix().load_mw == ()


@pytest.mark.parametrize(
    ("told", "says"),
    [
        pytest.param({"gas": (1.0,)}, "1 values need 2 edges", id="a fuel with fewer steps"),
        pytest.param({"load": (1.0, 2.0, 3.0)}, "3 values need 4 edges", id="a load with more"),
        pytest.param({"edges_s": (0.0, 2.0, 1.0)}, "must rise", id="time goes back"),
        pytest.param({"gas": (1.0, float("nan"))}, "a finite number, or None", id="no number"),
    ],
)
def test_what_does_not_fit_is_refused(told, says):
    with pytest.raises(ValueError, match=says):
        mix(**told)
